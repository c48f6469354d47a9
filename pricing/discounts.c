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

static bool go_on(struct line_reader *r, bool good)
{
	return good || err_collect(r->err);
}

static bool read_interval(struct line_reader *r, struct discount *n, struct str from, struct str to)
{
	return read_hour(r, from, 0, &n->from_ms) && read_hour(r, to, INT64_MAX, &n->to_ms) &&
	       (n->to_ms > n->from_ms || refuse_line(r, "to: expected a time after from", to));
}

static bool read_fields(struct line_reader *r, struct str line, struct discount *n)
{
	n->account = str_trim(str_cut(&line, ','));
	n->model = str_trim(str_cut(&line, ','));
	struct str from = str_trim(str_cut(&line, ',')), to = str_trim(str_cut(&line, ','));
	struct str percent = str_trim(str_cut(&line, ','));
	n->note = str_trim(line); // may have commas
	return go_on(r, !n->account.len || arn_is_account(n->account) ||
	                    refuse_line(r, "account: expected 12 digits or nothing", n->account)) &&
	       go_on(r, is_model(n->model) ||
	                    refuse_line(r,
	                                "model: expected a model without profile, date, or version 0 or 1, a vendor "
	                                "such as anthropic.*, or nothing",
	                                n->model)) &&
	       go_on(r, read_interval(r, n, from, to)) &&
	       go_on(r, (usd_parse_scaled(percent, 4, &n->ppm) && n->ppm >= 0 && n->ppm <= DISCOUNT_WHOLE) ||
	                    refuse_line(r, "percent: expected 0 to 100 with at most 4 decimals", percent));
}

static bool read_line(struct line_reader *r, struct str line)
{
	struct discount n = {.line = r->line};
	size_t before = err_listed(r->err);
	for (size_t i = 0; i < line.len; i++)
		if (text_control(line, i))
			return refuse_line(r, "expected a line without control characters", STR_NONE);
	if (!read_fields(r, line, &n))
		return false;
	if (err_listed(r->err) > before)
		return true; // the line is not used, and its mistakes are collected
	if (overlaps(r->d, &n))
		return refuse_line(r, "expected one discount at a time for an account and model", line);
	if (r->d->n == DISCOUNTS_MAX)
		return refuse_line(r, "expected at most 10000 lines", line);
	r->d->v = xrealloc(r->d->v, r->d->n + 1, sizeof *r->d->v);
	r->d->v[r->d->n++] = n;
	return true;
}

bool discounts_read(struct discounts **ret, struct str text, const char *file, struct err *err)
{
	struct discounts *d = xcalloc(1, sizeof *d);
	struct line_reader r = {.d = d, .file = file, .err = err};
	struct str rest = {d->text = xstrdup(text), text.len};
	size_t before = err_listed(err);
	bool good = true, headed = false;
	while (good && rest.len) {
		struct str line = str_trim(str_cut(&rest, '\n'));
		r.line++;
		if (!line.len || line.p[0] == '#')
			continue;
		good = headed ? read_line(&r, line) || err_collect(err)
		              : str_is(line, "account,model,from,to,percent,note") ||
		                    refuse_line(&r, "expected the line account,model,from,to,percent,note first", line);
		headed = true;
	}
	if (!good || !err_check(err, before)) {
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
