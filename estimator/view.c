// SPDX-License-Identifier: Apache-2.0
// Sheets are read some dozens at a time, in one round trip; a second one fetches the tags of principals not met before.
// Memory is that of one such portion, plus the tags.
#include "estimator/view.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/when.h"
#include "estimator/actual.h"
#include "estimator/redis.h"

enum { SHEETS_AT_ONCE = 64 };

struct view {
	struct redis *redis;
	char *prefix;
	enum view_basis basis;
	struct tag_book *tags;
	struct arena arena;  // of a portion
};

bool view_open(struct view **ret, const char *redis_url, const char *redis_ca, const char *prefix, struct err *err)
{
	struct view *v = xcalloc(1, sizeof *v);
	if (!redis_open(&v->redis, redis_url, redis_ca, err)) {
		free(v);
		return false;
	}
	v->prefix = xstrdup(str_of(prefix));
	v->tags = tag_book_new();
	*ret = v;
	return true;
}

void view_close(struct view *v)
{
	if (!v)
		return;
	tag_book_free(v->tags);
	arena_release(&v->arena);
	redis_close(v->redis);
	free(v->prefix);
	free(v);
}

void view_choose(struct view *v, enum view_basis basis)
{
	v->basis = basis;
}

struct redis *view_redis(struct view *v)
{
	return v->redis;
}

const char *view_prefix(const struct view *v)
{
	return v->prefix;
}

// ---- tags ----------------------------------------------------------------------------------------------------------

struct str view_tag(struct view *v, const struct view_sheet *sheet, const struct view_row *row, struct str key)
{
	return tag_book_value(v->tags, row->principal, row->tagset, (sheet->hour + 1) * MS_PER_HOUR, key);
}

struct tag_book *view_tags(struct view *v)
{
	return v->tags;
}

// Fetches the tags of principals that were not met before.
static bool read_new_principals(struct view *v, const struct view_sheet *sheets, int n, struct err *err)
{
	for (int i = 0; i < n; i++)
		for (int k = 0; k < sheets[i].nrows; k++)
			tag_book_ask(v->tags, v->redis, v->prefix, sheets[i].rows[k].principal, sheets[i].rows[k].tagset);
	if (!redis_exec(v->redis, err))
		return false;
	tag_book_take(v->tags, v->redis);
	return true;
}

// ---- sheets --------------------------------------------------------------------------------------------------------

static struct str role_name(struct str arn)
{
	struct str rest = arn;
	for (int i = 0; i < 5; i++)
		str_cut(&rest, ':');
	struct str kind = str_cut(&rest, '/');
	return str_is(kind, "assumed-role") ? str_cut(&rest, '/') : str_is(kind, "role") ? rest : STR("");
}

static int by_row(const void *a, const void *b)
{
	const struct view_row *x = a, *y = b;
	int c = str_cmp(x->principal, y->principal);
	if (!c)
		c = str_cmp(x->tagset, y->tagset);
	if (!c)
		c = x->figure.lane - y->figure.lane;
	return c ? c : x->type - y->type;
}

static void sort_rows(struct view_row *rows, int n)
{
	if (n > 1)
		qsort(rows, (size_t)n, sizeof *rows, by_row);
}

static void read_estimate(struct view *v, size_t reply, struct view_sheet *sheet)
{
	size_t n = redis_len(v->redis, reply) / 2;
	struct view_row *rows = arena_alloc(&v->arena, (n + 1) * sizeof *rows);
	for (size_t i = 0; i < n; i++) {
		struct view_row *row = &rows[sheet->nestimate];
		struct str field = arena_str(&v->arena, redis_elem(v->redis, reply, 2 * i)), value = redis_elem(v->redis, reply, 2 * i + 1);
		*row = (struct view_row){0};
		if (str_is(field, "# model"))
			sheet->model = arena_str(&v->arena, value);
		if (str_is(field, "# foundation"))
			sheet->foundation = arena_str(&v->arena, value);
		if (!row_read(field, value, &row->principal, &row->tagset, &row->type, &row->figure))
			continue;
		row->role = role_name(row->principal);
		sheet->nestimate++;
	}
	sort_rows(rows, sheet->nestimate);
	sheet->estimate = rows;
}

static void read_actual(struct view *v, size_t reply, struct view_sheet *sheet)
{
	size_t n = redis_len(v->redis, reply) / 2;
	struct view_row *rows = arena_alloc(&v->arena, (n + 1) * sizeof *rows);
	for (size_t i = 0; i < n; i++) {
		struct str field = arena_str(&v->arena, redis_elem(v->redis, reply, 2 * i)), value = redis_elem(v->redis, reply, 2 * i + 1);
		if (str_is(field, "# model"))
			sheet->model = arena_str(&v->arena, value);
		if (!actual_read(field, value, &rows[sheet->nactual]))
			continue;
		rows[sheet->nactual].role = role_name(rows[sheet->nactual].principal);
		sheet->nactual++;
	}
	sort_rows(rows, sheet->nactual);
	sheet->actual = rows;
}

// Which of the two sides counts. A model that was never billed there keeps its estimate: more likely the bill names it in a
// way not understood, or does not cover it, than that it was free.
static void choose_rows(struct view *v, struct view_sheet *sheet, bool ever_billed)
{
	sheet->billed = v->basis == VIEW_BEST && sheet->is_final && (sheet->nactual || ever_billed);
	if (sheet->billed) {
		actual_over(sheet->actual, sheet->nactual, sheet->estimate, sheet->nestimate, &v->arena, &sheet->rows, &sheet->nrows);
	} else {
		sheet->rows = sheet->estimate;
		sheet->nrows = sheet->nestimate;
	}
}

// What the indices of a slot say of a span of hours.
struct slot_index {
	struct arena arena;
	struct str slot;
	struct str *members;   // "2026-11-02T05:model", sorted, each once
	size_t n;
	struct str *models;    // that were ever billed, sorted
	size_t nmodels;
	int64_t since, watermark; // hours: [since, watermark) is final
};

static int by_str(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static bool is_among(const struct str *list, size_t n, struct str s)
{
	return n && bsearch(&s, list, n, sizeof *list, by_str);
}

static bool read_portion(struct view *v, const struct slot_index *x, size_t first, int n, view_fn *fn, void *user, bool *ret_stopped, struct err *err)
{
	struct view_sheet sheets[SHEETS_AT_ONCE];
	bool ever_billed[SHEETS_AT_ONCE];
	struct buf key = BUF_INIT;
	for (int i = 0; i < n; i++) {
		struct str member = x->members[first + (size_t)i], rest = member, account = x->slot, when = str_cut(&rest, ':');
		struct str region = account;
		int64_t ms = 0;
		account = str_cut(&region, '/');
		when_parse(when, &ms);
		sheets[i] = (struct view_sheet){.hour = ms / MS_PER_HOUR, .account = account, .region = region, .model = rest};
		sheets[i].is_final = sheets[i].hour >= x->since && sheets[i].hour < x->watermark;
		ever_billed[i] = is_among(x->models, x->nmodels, rest);
		static const char *const kinds[] = {"usage", "actual"};
		for (int k = 0; k < (ever_billed[i] ? 2 : 1); k++) {
			buf_clear(&key);
			buf_addf(&key, "%s:{%.*s}:%s:%.*s", v->prefix, STR_ARG(x->slot), kinds[k], STR_ARG(member));
			redis_cmd(v->redis, 2, (struct str[]){STR("HGETALL"), buf_str(&key)});
		}
	}
	buf_release(&key);
	if (!redis_exec(v->redis, err))
		return false;
	for (size_t i = 0, reply = 0; i < (size_t)n; i++) {
		read_estimate(v, reply++, &sheets[i]);
		if (ever_billed[i])
			read_actual(v, reply++, &sheets[i]);
		choose_rows(v, &sheets[i], ever_billed[i]);
	}
	if (!read_new_principals(v, sheets, n, err))
		return false;
	for (int i = 0; i < n && !*ret_stopped; i++)
		*ret_stopped = !fn(user, v, &sheets[i]);
	return true;
}

static struct str *copy_sorted(struct redis *r, size_t first, size_t replies, struct arena *arena, size_t *ret_n)
{
	size_t all = 0, n = 0;
	for (size_t k = first; k < first + replies; k++)
		all += redis_len(r, k);
	struct str *list = arena_alloc(arena, (all + 1) * sizeof *list);
	for (size_t k = first; k < first + replies; k++)
		for (size_t i = 0; i < redis_len(r, k); i++)
			list[n++] = arena_str(arena, redis_elem(r, k, i));
	if (n > 1)
		qsort(list, n, sizeof *list, by_str);
	size_t kept = 0;
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || !str_eq(list[kept - 1], list[i]))
			list[kept++] = list[i];
	*ret_n = kept;
	return list;
}

static bool read_index(struct view *v, struct slot_index *x, int64_t from, int64_t to, struct err *err)
{
	static const char *const kinds[] = {"usage", "actual"};
	struct buf key = BUF_INIT;
	char lo[24], hi[24];
	int nkinds = v->basis == VIEW_BEST ? 2 : 1;
	snprintf(lo, sizeof lo, "%lld", (long long)from);
	snprintf(hi, sizeof hi, "(%lld", (long long)to);
	for (int k = 0; k < nkinds; k++) {
		buf_clear(&key);
		buf_addf(&key, "%s:{%.*s}:%s", v->prefix, STR_ARG(x->slot), kinds[k]);
		redis_cmd(v->redis, 4, (struct str[]){STR("ZRANGEBYSCORE"), buf_str(&key), str_of(lo), str_of(hi)});
	}
	if (nkinds == 2) {
		buf_clear(&key);
		buf_addf(&key, "%s:{%.*s}:actual:models", v->prefix, STR_ARG(x->slot));
		redis_cmd(v->redis, 2, (struct str[]){STR("SMEMBERS"), buf_str(&key)});
		buf_clear(&key);
		buf_addf(&key, "%s:{%.*s}:billed", v->prefix, STR_ARG(x->slot));
		redis_cmd(v->redis, 4, (struct str[]){STR("HMGET"), buf_str(&key), STR("since"), STR("watermark")});
	}
	buf_release(&key);
	if (!redis_exec(v->redis, err))
		return false;
	x->members = copy_sorted(v->redis, 0, (size_t)nkinds, &x->arena, &x->n);
	if (nkinds == 2) {
		x->models = copy_sorted(v->redis, 2, 1, &x->arena, &x->nmodels);
		if (!usd_parse_scaled(redis_elem(v->redis, 3, 0), 0, &x->since) || !usd_parse_scaled(redis_elem(v->redis, 3, 1), 0, &x->watermark))
			x->watermark = 0;
	}
	return true;
}

static bool read_slot(struct view *v, struct str slot, int64_t from, int64_t to, view_fn *fn, void *user, bool *ret_stopped, struct err *err)
{
	struct slot_index x = {.arena = ARENA_INIT, .slot = slot};
	bool good = read_index(v, &x, from, to, err);
	for (size_t i = 0; good && i < x.n && !*ret_stopped; i += SHEETS_AT_ONCE) {
		arena_reset(&v->arena);
		good = read_portion(v, &x, i, (int)(x.n - i < SHEETS_AT_ONCE ? x.n - i : SHEETS_AT_ONCE), fn, user, ret_stopped, err);
	}
	arena_release(&x.arena);
	return good;
}

bool view_each(struct view *v, int64_t from, int64_t to, view_fn *fn, void *user, struct err *err)
{
	struct arena names = ARENA_INIT;
	struct buf key = BUF_INIT;
	bool stopped = false;
	size_t n = 0;
	tag_book_clear(v->tags);
	buf_addf(&key, "%s:slots", v->prefix);
	redis_cmd(v->redis, 2, (struct str[]){STR("SMEMBERS"), buf_str(&key)});
	buf_release(&key);
	if (!redis_exec(v->redis, err))
		return false;
	struct str *slots = copy_sorted(v->redis, 0, 1, &names, &n);
	bool good = tag_book_read_sessions(v->tags, v->redis, v->prefix, err);
	for (size_t i = 0; good && i < n && !stopped; i++)
		good = read_slot(v, slots[i], from, to, fn, user, &stopped, err);
	arena_release(&names);
	return good;
}
