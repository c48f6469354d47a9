// SPDX-License-Identifier: Apache-2.0
// Fields are quoted so that a CSV reader gets them back, no text runs as a formula in a spreadsheet, and a
// row that has not the fields of the first one is never written.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/csv.h"
#include "tests/tap.h"

static void says(const char *text, const char *want)
{
	struct buf b = BUF_INIT;
	struct csv_writer w = CSV_WRITER(&b);
	csv_strz(&w, text);
	buf_addc(&b, '\0');
	is_str(b.data, want, strpbrk(text, "\n\t") || !text[0] ? "blanks" : text);
	buf_release(&b);
}

static void write_row(struct csv_writer *w, int fields)
{
	for (int i = 0; i < fields; i++)
		csv_int(w, i);
	csv_end_row(w);
}

// Whether the assertion ends a process that writes rows of so many fields.
static bool aborts(int first, int second)
{
	pid_t pid = fork();
	int status = 0;
	if (pid == 0) {
		struct buf b = BUF_INIT;
		struct csv_writer w = CSV_WRITER(&b);
		fclose(stderr);
		write_row(&w, first);
		write_row(&w, second);
		_exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

int main(void)
{
	says("plain text", "plain text");
	says("", "");
	says("a,b", "\"a,b\"");
	says("say \"so\"", "\"say \"\"so\"\"\"");
	says("two\nlines", "\"two\nlines\"");
	says("\x1b[2J,\x7f", "\"\x1b[2J,\x7f\"");
	says("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0");
	says("=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\"");
	says("@SUM(A1)", "'@SUM(A1)");
	says("+1+1", "'+1+1");
	says("-2+3", "'-2+3");
	says("=", "'=");
	says("\n=1+1", "\"'\n=1+1\"");
	says("\xef\xbc\x9d" "1+1", "'\xef\xbc\x9d" "1+1");
	says("\xef\xbc\x8d" "1", "'\xef\xbc\x8d" "1");
	says("\xef\xbc\x91", "\xef\xbc\x91");
	says("\tx", "'\tx");
	says("-12.50", "-12.50");
	says("+7", "+7");
	says("-", "-");

	struct buf b = BUF_INIT;
	struct csv_writer w = CSV_WRITER(&b);
	csv_strz(&w, "name");
	csv_strz(&w, "tokens");
	csv_strz(&w, "usd");
	csv_end_row(&w);
	csv_verbatim(&w, STR("=a,b"));
	csv_int(&w, -5);
	csv_usd(&w, (struct usd){1500000000000}, 3);
	csv_end_row(&w);
	csv_empty(&w);
	csv_empty(&w);
	csv_empty(&w);
	csv_end_row(&w);
	is_str(b.data, "name,tokens,usd\n\"=a,b\",-5,1.500\n,,\n", "rows of text, numbers, dollars and nothing");
	buf_release(&b);

	ok(!aborts(3, 3), "rows of as many fields as the first");
	ok(aborts(3, 2), "a row with a field too few is a bug");
	ok(aborts(3, 4), "a row with a field too many is a bug");
	return done();
}
