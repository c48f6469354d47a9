// SPDX-License-Identifier: Apache-2.0
// The decoder against tables: tests/decode/*.txt. A table is text that grows without C:
//
//     # a comment
//     let NAME = TEXT                 a piece, standing for $NAME in what follows
//     == title
//     input, any lines                with $NAME replaced
//     | step                          none or more; see tests/support/table.h
//     --
//     expected lines                  what the decoder says: index, record or fault; and how much was ignored
//
// decode_test --approve TABLE... writes what the decoder says now in place of what was expected: read the
// difference. decode_test --write FOLDER TABLE... writes each input as a file of the folder: the fuzzers'
// first corpus.
#include <ctype.h>
#include <glob.h>

#include "tests/support/slurp.h"
#include "tests/support/table.h"
#include "tests/tap.h"

enum { PIECES = 64, MESSAGE_BYTES = 4 << 20 };

struct table {
	struct str name[PIECES], text[PIECES];
	int pieces;
	struct buf approved;
	const char *folder; // to write inputs to, or NULL
	int written;
};

static void expand(const struct table *t, struct str in, struct buf *out)
{
	while (in.len) {
		size_t n = 0;
		if (in.p[0] == '$')
			while (n + 1 < in.len && (isupper((unsigned char)in.p[n + 1]) || in.p[n + 1] == '_'))
				n++;
		int i = 0;
		while (n && i < t->pieces && !str_eq(t->name[i], (struct str){in.p + 1, n}))
			i++;
		size_t used = 1;
		if (n && i < t->pieces) {
			buf_addstr(out, t->text[i]);
			used = n + 1;
		} else {
			buf_addc(out, in.p[0]);
		}
		in.p += used;
		in.len -= used;
	}
}

static void let(struct table *t, struct str line)
{
	struct buf b = BUF_INIT;
	str_cut(&line, ' ');
	struct str name = str_cut(&line, ' ');
	str_cut(&line, ' ');
	if (t->pieces == PIECES)
		abort();
	expand(t, line, &b);
	t->name[t->pieces] = name;
	t->text[t->pieces++] = buf_str(&b); // lives as long as the test
}

static void write_input(struct table *t, const char *path, struct str input)
{
	char file[4096];
	snprintf(file, sizeof file, "%s/%.*s-%03d", t->folder, STR_ARG(str_after_last(str_of(path), '/')),
	         ++t->written);
	FILE *f = fopen(file, "wb");
	if (!f || fwrite(input.p, 1, input.len, f) != input.len || fclose(f) != 0)
		perror(file);
}

// One case; `rest` starts behind its title and moves to the next one.
static void one(struct table *t, const char *path, struct str title, struct str *rest)
{
	struct buf input = BUF_INIT, want = BUF_INIT, got = BUF_INIT;
	bool good = true, first = true;
	while (rest->len) {
		struct str line = str_cut(rest, '\n');
		buf_addstr(&t->approved, line);
		buf_addc(&t->approved, '\n');
		if (str_is(line, "--"))
			break;
		if (str_starts(line, STR("| "))) {
			good &= step(&input, (struct str){line.p + 2, line.len - 2});
			continue;
		}
		if (!first)
			buf_addc(&input, '\n');
		first = false;
		expand(t, line, &input);
	}
	while (rest->len && !str_starts(*rest, STR("==")) && !str_starts(*rest, STR("let ")) &&
	       rest->p[0] != '#') {
		struct str line = str_cut(rest, '\n');
		if (line.len) {
			buf_addstr(&want, line);
			buf_addc(&want, '\n');
		}
	}
	if (t->folder && input.len && input.len < 100000)
		write_input(t, path, buf_str(&input));
	decode_to_text(buf_str(&input), MESSAGE_BYTES, &got);
	buf_addstr(&t->approved, buf_str(&got));
	buf_addc(&t->approved, '\n');
	if (!ok(good && str_eq(buf_str(&got), buf_str(&want)), "%s: %.*s", path, STR_ARG(title)))
		diag("got:\n%s# want:\n%s", got.len ? got.data : "", want.len ? want.data : "");
	buf_release(&input);
	buf_release(&want);
	buf_release(&got);
}

static void table(const char *path, bool approve, const char *folder)
{
	struct table t = {.folder = folder};
	struct buf file = BUF_INIT;
	if (!ok(slurp(path, &file), "%s can be read", path))
		return;
	struct str rest = buf_str(&file);
	while (rest.len) {
		struct str line = str_cut(&rest, '\n');
		buf_addstr(&t.approved, line);
		buf_addc(&t.approved, '\n');
		if (str_starts(line, STR("let ")))
			let(&t, line);
		else if (str_starts(line, STR("== ")))
			one(&t, path, (struct str){line.p + 3, line.len - 3}, &rest);
	}
	FILE *f = approve ? fopen(path, "wb") : NULL;
	if (f) {
		fwrite(t.approved.data, 1, t.approved.len, f);
		fclose(f);
	}
	for (int i = 0; i < t.pieces; i++)
		free((void *)(uintptr_t)t.text[i].p);
	buf_release(&t.approved);
	buf_release(&file);
}

int main(int argc, char **argv)
{
	glob_t g;
	bool approve = argc > 2 && strcmp(argv[1], "--approve") == 0,
		 write = argc > 3 && strcmp(argv[1], "--write") == 0;
	for (int i = approve ? 2 : write ? 3 : 1; i < argc; i++)
		table(argv[i], approve, write ? argv[2] : NULL);
	if (write)
		return tap_count == 0;
	if (argc > 1)
		return done();
	if (glob("tests/decode/*.txt", 0, NULL, &g) != 0)
		return ok(false, "tests/decode holds tables; run this from the top of the tree"), done();
	for (size_t i = 0; i < g.gl_pathc; i++)
		table(g.gl_pathv[i], false, NULL);
	globfree(&g);
	return done();
}
