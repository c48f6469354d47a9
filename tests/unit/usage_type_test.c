// SPDX-License-Identifier: Apache-2.0
// Usage types against tests/usage_type.txt; and every usage type collected from real bills and price lists,
// where that collection lies beside the tree (../shared, or $SHARED), must be understood.
#include "pricing/usage_type.h"

#include "base/buf.h"
#include "tests/support/slurp.h"
#include "tests/tap.h"

static struct str or_dash(struct str s)
{
	return s.len ? s : STR("-");
}

static void describe(struct buf *b, const struct usage_type *u)
{
	buf_addf(b, "%s %.*s %.*s", usage_kind_names[u->kind], STR_ARG(or_dash(u->region)),
	         STR_ARG(or_dash(u->model)));
	if (u->kind != USAGE_TOKENS)
		return;
	buf_addf(b, " %s %d %s %s %d", token_type_names[u->type], u->ttl_minutes,
	         u->scope == SCOPE_GLOBAL ? "global" : "regional", price_tier_names[u->tier], u->tokens_per_unit);
	buf_addf(b, "%s%s", u->long_prompt ? " long" : "", u->custom ? " custom" : "");
	buf_addf(b, "%s",
	         u->modality == MODALITY_SPEECH  ? " speech"
	         : u->modality == MODALITY_IMAGE ? " image"
	         : u->modality == MODALITY_VIDEO ? " video"
	                                         : "");
}

static void check_line(struct str line)
{
	struct str want = line, text = str_cut(&want, '|');
	struct usage_type u;
	struct buf got = BUF_INIT;
	const char *why = NULL;
	text.len--;
	want = (struct str){want.p + 1, want.len - 1};
	bool good, read = usage_type_read(&u, text, &why);
	if (read)
		describe(&got, &u);
	else
		buf_addf(&got, "! %s", why);
	if (want.p[0] == '!')
		good = !read && memmem(why, strlen(why), want.p + 2, want.len - 2);
	else
		good = str_eq(buf_str(&got), want);
	if (!ok(good, "%.*s", STR_ARG(text)))
		diag("got %s", got.data);
	buf_release(&got);
}

static void check_collected(void)
{
	const char *shared = getenv("SHARED") ? getenv("SHARED") : "../shared", *ci = getenv("CI");
	struct buf path = BUF_INIT, text = BUF_INIT;
	buf_addf(&path, "%s/cur/usage_types.csv", shared);
	if (!slurp(path.data, &text)) {
		if (ci && strcmp(ci, "true") == 0)
			ok(false, "%s can be read", path.data);
		else
			diag("%s is not here: the collected usage types are not tried", path.data);
	}
	struct str rest = buf_str(&text);
	for ((void)str_cut(&rest, '\n'); rest.len;) {
		struct str line = str_cut(&rest, '\n'), usage = str_cut(&line, ',');
		struct usage_type u;
		const char *why = "";
		bool read = usage_type_read(&u, usage, &why);
		ok(read && u.region.len, "%.*s %s", STR_ARG(usage), why);
	}
	buf_release(&path);
	buf_release(&text);
}

int main(void)
{
	struct buf text = BUF_INIT;
	if (!must_slurp("tests/usage_type.txt", &text))
		return done();
	for (struct str rest = buf_str(&text); rest.len;) {
		struct str line = str_cut(&rest, '\n');
		if (line.len && line.p[0] != '#')
			check_line(line);
	}
	check_collected();
	buf_release(&text);
	return done();
}
