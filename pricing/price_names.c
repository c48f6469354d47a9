// SPDX-License-Identifier: Apache-2.0
#include "pricing/price_names.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "pricing/model_id.h"

struct str price_name_bare(struct str product)
{
	const struct str edition = STR(" (Amazon Bedrock Edition)");
	if (str_ends(product, edition))
		product.len -= edition.len;
	return product;
}

// Removes the blanks, and one pair of quotes, around a field.
static struct str trim_field(struct str s)
{
	s = str_trim(s);
	if (s.len >= 2 && s.p[0] == '"' && s.p[s.len - 1] == '"')
		s = (struct str){s.p + 1, s.len - 2};
	return s;
}

// The last comma ends the name: a name may have commas, a model has none.
static bool read_line(struct price_names *n, struct str line, const char *file, int number, struct err *err)
{
	struct str model = str_after_last(line, ','), name = {line.p, line.len - model.len};
	struct model_id id;
	if (!name.len)
		return err_set(err, ERR_CONFIG, "%s:%d: expected name,model", file, number);
	name.len--;
	name = price_name_bare(trim_field(name));
	model = trim_field(model);
	model_id_read(&id, model);
	if (name.len && id.kind == MODEL_NAMED && !str_eq(model_id_name(&id), model))
		return err_set(
			err, ERR_CONFIG,
			"%s:%d: expected a name and a model without profile, date, or version 0 or 1: write %.*s in place of %.*s",
			file, number, STR_ARG(model_id_name(&id)), STR_ARG(model));
	if (!name.len || id.kind != MODEL_NAMED)
		return err_set(
			err, ERR_CONFIG,
			"%s:%d: expected a name and a model such as anthropic.claude-sonnet-4-6, without profile, date, or version 0 or 1",
			file, number);
	if (price_names_find(n, name).len)
		return err_set(err, ERR_CONFIG, "%s:%d: an earlier line has this name, too", file, number);
	n->v = xrealloc(n->v, n->n + 1, sizeof *n->v);
	n->v[n->n++] = (struct price_name){name, model};
	return true;
}

bool price_names_read(struct price_names *ret, struct str text, const char *file, struct err *err)
{
	struct price_names n = {.text = xstrdup(text)};
	struct str rest = {n.text, text.len};
	bool good = true, headed = false;
	for (int number = 1; good && rest.len; number++) {
		struct str line = trim_field(str_cut(&rest, '\n'));
		if (!line.len || line.p[0] == '#')
			continue;
		good = headed
		           ? read_line(&n, line, file, number, err)
		           : str_is(line, "name,model") ||
		                 err_set(err, ERR_CONFIG, "%s:%d: expected the line name,model first", file, number);
		headed = true;
	}
	if (!good) {
		price_names_release(&n);
		return false;
	}
	*ret = n;
	return true;
}

bool price_names_load(struct price_names *ret, const struct conf *conf, struct err *err)
{
	enum { BYTES_MAX = 16 << 20 };
	struct buf path = BUF_INIT, text = BUF_INIT;
	*ret = (struct price_names){0};
	if (!*conf->prices_dir)
		return true;
	buf_addf(&path, "%s/names.csv", conf->prices_dir);
	bool good = access(path.data, F_OK) != 0 || (file_read(path.data, BYTES_MAX, &text, err) &&
	                                             price_names_read(ret, buf_str(&text), path.data, err));
	buf_release(&path);
	buf_release(&text);
	return good;
}

void price_names_release(struct price_names *n)
{
	free(n->v);
	free(n->text);
	*n = (struct price_names){0};
}

struct str price_names_find(const struct price_names *n, struct str name)
{
	for (size_t i = 0; n && i < n->n; i++)
		if (str_eq(n->v[i].name, name))
			return n->v[i].model;
	return STR_NONE;
}
