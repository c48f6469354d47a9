// SPDX-License-Identifier: Apache-2.0
// Every record of ../shared/samples (other people's, not part of this tree) decodes to the kind it is:
// compared with tests/golden/samples.txt, which `make approve-samples` writes. Of a record it holds the
// fields that say nothing about anybody, and a check sum of them all. SAMPLES names another folder; where
// there is none the test is skipped, unless CI=true.
#include <glob.h>

#include "tests/support/slurp.h"
#include "tests/support/table.h"
#include "tests/tap.h"

static bool is_public(struct str word)
{
	static const char *const private[] = {
		"id=", "arn=", "role=", "key=", "account=", "called=", "tag:", "event=", "session="};
	for (size_t i = 0; i < sizeof private / sizeof *private; i++)
		if (str_starts(word, str_of(private[i])))
			return false;
	return true;
}

static void add_public(struct buf *out, struct str text)
{
	while (text.len) {
		struct str line = str_cut(&text, '\n');
		uint32_t sum = 2166136261; // FNV-1a
		for (size_t i = 0; i < line.len; i++)
			sum = (sum ^ (unsigned char)line.p[i]) * 16777619;
		while (line.len) {
			struct str word = str_cut(&line, ' ');
			if (is_public(word))
				buf_addf(out, "%.*s ", STR_ARG(word));
		}
		buf_addf(out, "#%08x\n", sum);
	}
}

static void all(const glob_t *g, struct buf *out)
{
	for (size_t i = 0; i < g->gl_pathc; i++) {
		struct buf file = BUF_INIT;
		struct str name = str_after_last(str_of(g->gl_pathv[i]), '/');
		bool good = slurp(g->gl_pathv[i], &file);
		if (str_ends(name, STR(".txt"))) // OpenTelemetry in protobuf's text format
			good = good && otel_from_text(&file);
		buf_addf(out, "%.*s%s\n", STR_ARG(name), good ? "" : " cannot be read");
		struct buf text = BUF_INIT;
		decode_to_text(buf_str(&file), 16 << 20, &text);
		add_public(out, buf_str(&text));
		buf_release(&text);
		buf_addc(out, '\n');
		buf_release(&file);
	}
}

int main(int argc, char **argv)
{
	const char *folder = getenv("SAMPLES"), *ci = getenv("CI"), *golden = "tests/golden/samples.txt";
	char pattern[4096];
	glob_t g;
	struct buf got = BUF_INIT, want = BUF_INIT;
	snprintf(pattern, sizeof pattern, "%s/*", folder ? folder : "../shared/samples");
	if (glob(pattern, 0, NULL, &g) != 0) {
		if (ci && strcmp(ci, "true") == 0)
			return ok(false, "%s is there (CI=true)", pattern), done();
		skip_all("no ../shared/samples here; SAMPLES=FOLDER names another place");
	}
	all(&g, &got);
	if (argc > 1 && strcmp(argv[1], "--approve") == 0) {
		FILE *f = fopen(golden, "wb");
		if (!f || fwrite(got.data, 1, got.len, f) != got.len || fclose(f) != 0)
			return perror(golden), 1;
		return 0;
	}
	if (!ok(slurp(golden, &want) && str_eq(buf_str(&got), buf_str(&want)), "the samples decode as %s says",
	        golden)) {
		FILE *f = fopen("build/samples.got", "wb");
		if (f) {
			fwrite(got.data, 1, got.len, f);
			fclose(f);
		}
		diag("diff %s build/samples.got; make approve-samples takes the new one", golden);
	}
	globfree(&g);
	buf_release(&got);
	buf_release(&want);
	return done();
}
