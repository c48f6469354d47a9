// SPDX-License-Identifier: Apache-2.0
#include "pricing/discounts.h"

#include <stdlib.h>

#include "base/arn.h"
#include "base/buf.h"
#include "base/text.h"
#include "base/usd.h"
#include "base/when.h"
#include "pricing/model_id.h"

enum { DISCOUNTS_MAX = 10000 };

struct discounts {
	char *text; // what the strings point into
	struct discount *v;
	size_t n;
};

struct line_reader {
	struct discounts *d;
	const char *file;
	int line;
	struct err *err;
};

static bool refuse_line(struct line_reader *r, const char *what, struct str got)
{
	return err_set(r->err, ERR_CONFIG, "%s:%d: %s, got \"%.*s\"; the file is not used", r->file, r->line,
	               what, STR_ARG(got));
}

// "anthropic.*", or a name as price files have it.
static bool is_model(struct str s)
{
	struct model_id id;
	if (!s.len || (s.len > 2 && str_ends(s, STR(".*"))))
		return true;
	model_id_read(&id, s);
	return id.kind == MODEL_NAMED && str_eq(model_id_name(&id), s);
}

static bool read_hour(struct line_reader *r, struct str s, int64_t open, int64_t *ret)
{
	*ret = open;
	return !s.len || (when_parse(s, ret) && *ret % MS_PER_HOUR == 0) ||
	       refuse_line(r, "expected a whole hour such as 2026-11-01", s);
}

static bool overlaps(const struct discounts *d, const struct discount *n)
{
	for (size_t i = 0; i < d->n; i++)
		if (str_eq(d->v[i].account, n->account) && str_eq(d->v[i].model, n->model) &&
		    d->v[i].from_ms < n->to_ms && n->from_ms < d->v[i].to_ms)
			return true;
	return false;
}

static bool read_line(struct line_reader *r, struct str line)
{
	struct discount n = {.line = r->line};
	struct str whole = line;
	n.account = str_trim(str_cut(&line, ','));
	n.model = str_trim(str_cut(&line, ','));
	struct str from = str_trim(str_cut(&line, ',')), to = str_trim(str_cut(&line, ','));
	struct str percent = str_trim(str_cut(&line, ','));
	n.note = str_trim(line); // may have commas
	for (size_t i = 0; i < whole.len; i++)
		if (text_control(whole, i))
			return refuse_line(r, "expected a line without control characters", STR_NONE);
	if (n.account.len && !arn_is_account(n.account))
		return refuse_line(r, "account: expected 12 digits or nothing", n.account);
	if (!is_model(n.model))
		return refuse_line(
			r,
			"model: expected a model without profile, date, or version 0 or 1, a vendor such as "
			"anthropic.*, or nothing",
			n.model);
	if (!read_hour(r, from, 0, &n.from_ms) || !read_hour(r, to, INT64_MAX, &n.to_ms))
		return false;
	if (n.to_ms <= n.from_ms)
		return refuse_line(r, "to: expected a time after from", to);
	if (!usd_parse_scaled(percent, 4, &n.ppm) || n.ppm < 0 || n.ppm > DISCOUNT_WHOLE)
		return refuse_line(r, "percent: expected 0 to 100 with at most 4 decimals", percent);
	if (overlaps(r->d, &n))
		return refuse_line(r, "expected one discount at a time for an account and model", whole);
	if (r->d->n == DISCOUNTS_MAX)
		return refuse_line(r, "expected at most 10000 lines", whole);
	r->d->v = xrealloc(r->d->v, r->d->n + 1, sizeof *r->d->v);
	r->d->v[r->d->n++] = n;
	return true;
}

bool discounts_read(struct discounts **ret, struct str text, const char *file, struct err *err)
{
	struct discounts *d = xcalloc(1, sizeof *d);
	struct line_reader r = {.d = d, .file = file, .err = err};
	struct str rest = {d->text = xstrdup(text), text.len};
	bool good = true, headed = false;
	while (good && rest.len) {
		struct str line = str_trim(str_cut(&rest, '\n'));
		r.line++;
		if (!line.len || line.p[0] == '#')
			continue;
		good = headed
		           ? read_line(&r, line)
		           : str_is(line, "account,model,from,to,percent,note") ||
		                 refuse_line(&r, "expected the line account,model,from,to,percent,note first", line);
		headed = true;
	}
	if (!good) {
		discounts_free(d);
		return false;
	}
	*ret = d;
	return true;
}

void discounts_free(struct discounts *d)
{
	if (!d)
		return;
	free(d->v);
	free(d->text);
	free(d);
}

// How specifically a discount is of the account and model: the account counts more. 0: it is not.
static int match_discount(const struct discount *d, struct str account, struct str model)
{
	bool vendor = str_ends(d->model, STR(".*"));
	struct str prefix = {d->model.p, d->model.len - (vendor ? 1 : 0)};
	if (d->account.len && !str_eq(d->account, account))
		return 0;
	if (d->model.len && !(vendor ? str_starts(model, prefix) : str_eq(model, d->model)))
		return 0;
	return 1 + (d->account.len ? 4 : 0) + (vendor ? 1 : d->model.len ? 2 : 0);
}

const struct discount *discounts_find(const struct discounts *d, struct str account, struct str model,
                                      int64_t time_ms)
{
	const struct discount *best = NULL;
	int best_match = 0;
	for (size_t i = 0; d && i < d->n; i++) {
		const struct discount *one = &d->v[i];
		int match = one->from_ms <= time_ms && time_ms < one->to_ms ? match_discount(one, account, model) : 0;
		if (match > best_match) {
			best_match = match;
			best = one;
		}
	}
	return best;
}
