// SPDX-License-Identifier: Apache-2.0
// Text that comes from outside is escaped unless a place asks for HTML; a place without a value is a bug.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/template.h"
#include "tests/tap.h"

static const char file[] = "A comment: {{not a place}}.\n"
						   "%% row\n<tr title=\"{{name}}\"><td>{{name}}</td>{{{cells}}}</tr>\n"
						   "%% plain\nno place, one brace {, and two lines\n\n"
						   "%% last\n{{a}}{{{b}}}";

static void says(const char *block, const struct template_value *values, const char *want)
{
	struct buf b = BUF_INIT;
	template_fill(&b, str_of(file), block, values);
	is_str(b.data, want, block);
	buf_release(&b);
}

static bool aborts(const char *block, const struct template_value *values)
{
	pid_t pid = fork();
	int status = 0;
	if (pid == 0) {
		struct buf b = BUF_INIT;
		fclose(stderr);
		template_fill(&b, str_of(file), block, values);
		_exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

int main(void)
{
	const struct template_value row[] = {
		{"cells", STR("<td>1</td>")}, {"name", STR("<script>\"&\" {{cells}}")}, {NULL, STR_NONE}};
	const struct template_value ab[] = {{"a", STR_NONE}, {"b", STR("{{a}}")}, {NULL, STR_NONE}};
	says("row", row,
	     "<tr title=\"&lt;script&gt;&quot;&amp;&quot; {{cells}}\">"
	     "<td>&lt;script&gt;&quot;&amp;&quot; {{cells}}</td><td>1</td></tr>\n");
	says("plain", row, "no place, one brace {, and two lines\n\n");
	says("last", ab, "{{a}}");
	ok(!aborts("row", row), "a block with all its values");
	ok(aborts("row", ab), "a place without a value is a bug");
	ok(aborts("rows", row), "so is a block that is not there");
	return done();
}
