// SPDX-License-Identifier: Apache-2.0
// Names of models as bills and price lists write them, against tests/model_name.txt. And every model of the
// catalogue is found by its own name, or is one of several that share a key.
#include "pricing/model_name.h"

#include "base/buf.h"
#include "pricing/price.h"
#include "pricing/price_file.h"
#include "tests/support/slurp.h"
#include "tests/tap.h"

static void check_line(const struct model_names *names, struct str line)
{
	struct str want = line, written = str_trim(str_cut(&want, '|')), got = model_names_find(names, written);
	want = str_trim(want);
	if (!ok(str_eq(got.len ? got : STR("-"), want), "%.*s", STR_ARG(written)))
		diag("got %.*s, want %.*s", STR_ARG(got), STR_ARG(want));
}

static bool has_same_key(struct str a, struct str b)
{
	struct buf x = BUF_INIT, y = BUF_INIT;
	model_name_key(&x, a);
	model_name_key(&y, b);
	bool same = str_eq(buf_str(&x), buf_str(&y));
	buf_release(&x);
	buf_release(&y);
	return same;
}

static void check_catalogue(const struct model_names *names)
{
	const struct price_rows *rows = catalogue_rows(catalogue_builtin());
	bool good = true;
	for (size_t i = 0; i < rows->n; i++) {
		struct str model = rows->v[i].model, found = model_names_find(names, model);
		bool shared = false;
		for (size_t k = 0; !found.len && k < rows->n && !shared; k++)
			shared = !str_eq(rows->v[k].model, model) && has_same_key(rows->v[k].model, model);
		if (!shared && !str_eq(found, model) && !has_same_key(found, model)) {
			diag("%.*s is found as %.*s", STR_ARG(model), STR_ARG(found));
			good = false;
		}
	}
	ok(good, "every model of the catalogue is found by its own name");
}

int main(void)
{
	struct buf text = BUF_INIT;
	struct model_names *names = model_names_new();
	if (!must_slurp("tests/model_name.txt", &text))
		return done();
	for (struct str rest = buf_str(&text); rest.len;) {
		struct str line = str_cut(&rest, '\n');
		if (line.len && line.p[0] != '#')
			check_line(names, line);
	}
	check_catalogue(names);
	model_names_free(names);
	buf_release(&text);
	return done();
}
