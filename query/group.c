// SPDX-License-Identifier: Apache-2.0
#include "query/group_sum.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "estimator/facts.h"
#include "estimator/rate_class.h"
#include "query/group_priv.h"
#include "query/split_band.h"

void groups_init(struct groups *g, const struct grouping *by)
{
	*g = (struct groups){.by = *by};
}

void groups_release(struct groups *g)
{
	arena_release(&g->arena);
	arena_release(&g->model_hour);
	map_release(&g->index);
	free(g->list);
	free(g->touched);
	*g = (struct groups){0};
}

uint64_t groups_hash(const struct groups *g, const struct str *at)
{
	uint64_t h = 0;
	for (int i = 0; i < g->by.n; i++) {
		h = hash64_seeded(at[i].p ? at[i].p : "", at[i].len, h);
		h ^= at[i].len * 0x9e3779b97f4a7c15u;
	}
	return h;
}

const struct group *groups_find(const struct groups *g, const struct str *at)
{
	const int32_t *i = map_find(&g->index, groups_hash(g, at));
	return i ? &g->list[*i] : NULL;
}

void groups_reserve(struct groups *g, int32_t n)
{
	if (n <= g->cap)
		return;
	g->cap = n;
	g->list = xrealloc(g->list, (size_t)g->cap, sizeof *g->list);
}

struct group *groups_get_hashed(struct groups *g, uint64_t hash, const struct str *at)
{
	bool added;
	int32_t *where = map_add(&g->index, hash, g->n, &added);
	if (!added)
		return &g->list[*where];
	if (g->n == g->cap)
		groups_reserve(g, g->cap ? g->cap * 2 : 64);
	struct group *new = &g->list[g->n++];
	*new = (struct group){.hash = hash};
	for (int i = 0; i < g->by.n; i++)
		new->keys[i] = arena_str(&g->arena, at[i]);
	return new;
}

struct group *groups_get(struct groups *g, const struct str *at)
{
	return groups_get_hashed(g, groups_hash(g, at), at);
}

static struct doubt *enter_model_hour(struct groups *g, struct group *x)
{
	if (x->model_hour)
		return x->model_hour;
	x->model_hour = arena_alloc(&g->model_hour, METRIC_KINDS * sizeof *x->model_hour);
	memset(x->model_hour, 0, METRIC_KINDS * sizeof *x->model_hour);
	if (g->ntouched == g->captouched) {
		g->captouched = g->captouched ? g->captouched * 2 : 64;
		g->touched = xrealloc(g->touched, (size_t)g->captouched, sizeof *g->touched);
	}
	g->touched[g->ntouched++] = (int32_t)(x - g->list);
	return x->model_hour;
}

static int64_t rate_of(const struct figure *f)
{
	return f->tokens ? (int64_t)(f->usd.pico / f->tokens) : 0;
}

static double weights_sd(const struct figure *f)
{
	return (double)f->spread * (double)rate_of(f) / 1e12;
}

// `twin`: the caller's cache writes with the other TTL, whose weight is the same and errs the same way; NULL:
// none.
static void add_doubt(struct doubt *d, const struct figure *f, const struct figure *twin)
{
	if (!f->spread && !f->noise && !f->allocated) // known exactly, as most rows are
		return;
	double usd = (double)rate_of(f) / 1e12, sd = weights_sd(f);
	d->weights += sd * sd + (twin ? 2 * sd * weights_sd(twin) : 0);
	d->chance += (double)f->noise * usd * usd;
	d->usd += (double)f->allocated * usd;
}

// Whether the TTL of assumed tokens is a guess that dollars depend on: a model without a rate for one hour
// has no such writes. Rows of earlier versions have no other rate, but what it would cost on top.
static bool ttl_is_guessed(const struct figure *f)
{
	return ttl_is_doubtful((enum ttl_source)f->ttl_source) && (f->other_rate || f->more.pico);
}

// How much less so many of its tokens may cost.
static struct usd less_of(const struct figure *f, int64_t tokens)
{
	return f->tokens && f->less.pico ? usd_muldiv(f->less, tokens, f->tokens) : USD_ZERO;
}

static void note_error(struct groups *g, const struct group *x, const struct view_row *row, uint64_t model)
{
	struct error_of_row *e;
	if (!row->figure.spread)
		return;
	e = arena_alloc(&g->model_hour, sizeof *e);
	*e = (struct error_of_row){g->errors, digest64_seeded(row->principal.p, row->principal.len, model),
	                           (int32_t)(x - g->list), kind_of_type(row->type), weights_sd(&row->figure)};
	g->errors = e;
}

// A model hour while it is summed. `twin`: as of add_doubt, if it is in the same group; `whole_twin`: in any.
struct row_context {
	const struct figure *twin, *whole_twin;
	struct doubt *whole;
	uint64_t model; // digest of account, Region and model
};

static void add_row(struct groups *g, struct group *x, const struct view_row *row,
                    const struct row_context *in)
{
	const struct figure *f = &row->figure;
	if (row->kind == ROW_CALLS) {
		x->calls += row->calls.charged;
		x->failed += row->calls.failed;
		return;
	}
	x->tokens += f->tokens;
	if (row_has_units(row))
		x->units += f->tokens;
	else if (row->type != TOKEN_OUTPUT)
		x->prompt += f->tokens;
	if (row->type == TOKEN_CACHE_READ)
		x->cache_read += f->tokens;
	x->billed += f->billed;
	x->exact += f->exact - f->telemetry;
	x->telemetry += f->telemetry;
	x->allocated += f->allocated;
	x->provisional += f->provisional;
	if (!f->priced) {
		x->unpriced += f->tokens;
		return;
	}
	// the bill's: dollars as charged, whatever the tokens
	if (f->billed || f->list.pico || (f->usd.pico && !f->tokens)) {
		x->usd = usd_add(x->usd, f->usd);
		x->usd_billed = usd_add(x->usd_billed, f->usd);
		x->floor = usd_add(x->floor, f->usd);
		x->ceiling = usd_add(x->ceiling, f->usd);
		enter_model_hour(g, x);
		return;
	}
	int64_t rate = rate_of(f);
	struct usd provisional = usd_price(f->provisional, rate);
	x->usd = usd_add(x->usd, f->usd);
	if (f->band_estimated)
		x->usd_band_estimated = usd_add(x->usd_band_estimated, f->usd);
	if (f->rate_borrowed)
		x->usd_borrowed = usd_add(x->usd_borrowed, f->usd);
	if (f->scope_unknown)
		x->usd_scope_unknown = usd_add(x->usd_scope_unknown, f->usd);
	if (ttl_is_guessed(f))
		x->usd_ttl_estimated = usd_add(x->usd_ttl_estimated, usd_price(f->assumed, rate));
	// provisional tokens may cost nothing at all
	struct usd less = less_of(f, f->tokens - f->provisional);
	x->less = usd_add(x->less, less_of(f, f->exact));
	x->usd_exact = usd_add(x->usd_exact, usd_price(f->exact - f->telemetry, rate));
	x->usd_telemetry = usd_add(x->usd_telemetry, usd_price(f->telemetry, rate));
	x->usd_allocated = usd_add(x->usd_allocated, usd_price(f->allocated, rate));
	x->usd_provisional = usd_add(x->usd_provisional, provisional);
	x->floor = usd_add(x->floor, usd_sub(usd_sub(f->usd, provisional), less));
	x->ceiling = usd_add(x->ceiling, usd_add(usd_add(f->usd, provisional), f->more));
	add_doubt(&enter_model_hour(g, x)[kind_of_type(row->type)], f, in->twin);
	add_doubt(&in->whole[kind_of_type(row->type)], f, in->whole_twin);
	note_error(g, x, row, in->model);
}

static struct usd usd_of_double(double usd)
{
	return (struct usd){(usd_pico)(usd * 1e12)};
}

void group_set_band(struct group *x)
{
	double sd = sqrt(error_sketch_variance(&x->weights_errors) + x->chance_variance);
	struct usd known = usd_add(usd_add(x->usd_billed, x->usd_exact), x->usd_telemetry);
	struct split_band split = split_band_of((double)x->usd_allocated.pico / 1e12, x->usd_of_others,
	                                        fmin(sd, 1e12), (double)known.pico / 1e12);
	x->usd_low = usd_sub(x->floor, usd_of_double(split.less));
	x->usd_high = usd_add(x->ceiling, usd_of_double(split.more));
	if (x->band_scale) {
		x->usd_low = usd_sub(x->usd, usd_muldiv(usd_sub(x->usd, x->usd_low), x->band_scale, BAND_SCALE_ONE));
		x->usd_high =
			usd_add(x->usd, usd_muldiv(usd_sub(x->usd_high, x->usd), x->band_scale, BAND_SCALE_ONE));
	}
	struct usd sure = usd_sub(known, x->less);
	if (usd_cmp(x->usd_low, sure) < 0)
		x->usd_low = sure;
	assert(x->tokens == x->billed + x->exact + x->telemetry + x->allocated + x->provisional);
	assert(usd_cmp(x->usd_low, x->usd) <= 0 && usd_cmp(x->usd, x->usd_high) <= 0);
}

// What one side has too much of, the other lacks: errors are scaled to the less uncertain side.
static void add_errors(struct groups *g, const struct doubt *whole)
{
	for (const struct error_of_row *e = g->errors; e; e = e->before) {
		struct group *x = &g->list[e->group];
		double own = x->model_hour[e->kind].weights, others = fmax(whole[e->kind].weights - own, 0);
		error_sketch_add(&x->weights_errors, e->source, e->kind,
		                 own > others ? e->sd * sqrt(others / own) : e->sd);
	}
	g->errors = NULL;
}

// The split's part of the band, once it is known who else was in the model hour.
static void close_model_hour(struct groups *g, const struct doubt *whole, int band_scale)
{
	add_errors(g, whole);
	for (int32_t i = 0; i < g->ntouched; i++) {
		struct group *x = &g->list[g->touched[i]];
		for (int kind = 0; kind < METRIC_KINDS; kind++) {
			const struct doubt *own = &x->model_hour[kind], *all = &whole[kind];
			x->usd_of_others += fmax(all->usd - own->usd, 0);
			if (all->chance > 0)
				x->chance_variance += own->chance * fmax(all->chance - own->chance, 0) / all->chance;
		}
		x->band_scale = band_scale;
		x->model_hour = NULL;
		group_set_band(x);
	}
	g->ntouched = 0;
	arena_reset(&g->model_hour);
}

// A row that the filter leaves out is still one of those among whom tokens were split.
static void add_others(const struct view_row *row, const struct figure *twin, struct doubt *whole)
{
	const struct figure *f = &row->figure;
	if (f->priced && f->tokens && f->allocated)
		add_doubt(&whole[kind_of_type(row->type)], f, twin);
}

// The 5-minute writes before 1-hour writes of the same calls; NULL: row k is none of these, or there are
// none.
static const struct figure *twin_of(const struct model_hour *model_hour, int k)
{
	const struct view_row *row = &model_hour->rows[k], *before = k ? row - 1 : row;
	bool twins = row->kind == ROW_TOKENS && row->type == TOKEN_CACHE_WRITE_1H &&
	             before->kind == ROW_TOKENS && before->type == TOKEN_CACHE_WRITE_5M &&
	             row_shares_price(before, row) && before->figure.priced;
	return twins ? &before->figure : NULL;
}

// The row before, in the same model hour. Rows of a caller follow each other, and but for the kind of usage
// their keys are the same.
enum { USAGE_KINDS = TOKEN_TYPES + ROW_UNCOUNTED + 1 };
struct row_before {
	const struct view_row *row; // NULL: none
	struct str at[GROUP_KEYS_MAX];
	// numbers in `list`, by the kind of usage if that is a key, else the first alone; -1: not known
	int32_t groups[USAGE_KINDS];
};

static bool is_same_str(struct str a, struct str b)
{
	return (a.p == b.p && a.len == b.len) || str_eq(a, b); // rows that are kept share their strings
}

static bool is_same_caller(const struct view_row *a, const struct view_row *b)
{
	return is_same_str(a->principal, b->principal) && is_same_str(a->role, b->role) &&
	       is_same_str(a->tagset, b->tagset);
}

static int usage_kind(const struct view_row *row)
{
	return row->kind == ROW_TOKENS ? (int)row->type : (int)TOKEN_TYPES + (int)row->kind;
}

// The group of a row that passes; NULL: the grouping has none for it, since calls have no token type.
static struct group *group_of(struct groups *g, struct view *v, const struct model_hour *model_hour,
                              const struct view_row *row, const struct model_hour_names *names,
                              struct row_before *before)
{
	bool same = before->row && is_same_caller(row, before->row), moved = !before->row, by_type = false;
	before->row = row;
	for (int i = 0; i < g->by.n; i++) {
		bool of_type = g->by.by[i] == BY_TOKEN_TYPE;
		by_type = by_type || of_type;
		if (same && !of_type && g->by.by[i] != BY_TIER)
			continue;
		struct str key = grouping_key(&g->by, i, v, model_hour, row, names);
		moved = moved || (!of_type && !is_same_str(key, before->at[i]));
		before->at[i] = key;
	}
	if (moved)
		memset(before->groups, 0xff, sizeof before->groups); // all -1
	if (by_type && row->kind == ROW_CALLS)
		return NULL;
	int32_t *group = &before->groups[by_type ? usage_kind(row) : 0];
	if (*group < 0)
		*group = (int32_t)(groups_get(g, before->at) - g->list);
	return &g->list[*group];
}

// What the bill does not have stands beside the sums.
static void add_unbilled(struct group *x, const struct view_row *row)
{
	x->unbilled += row->figure.tokens;
	x->usd_unbilled = usd_add(x->usd_unbilled, row->figure.usd);
}

static uint64_t digest_model(const struct model_hour *model_hour)
{
	uint64_t h = digest64(model_hour->account.p, model_hour->account.len);
	h = digest64_seeded(model_hour->region.p, model_hour->region.len, h);
	return digest64_seeded(model_hour->model.p, model_hour->model.len, h);
}

bool groups_add(void *groups, struct view *v, const struct model_hour *model_hour)
{
	struct groups *g = groups;
	struct doubt whole[METRIC_KINDS] = {{0}};
	struct model_hour_names names = model_hour_names_of(model_hour);
	struct row_context in = {NULL, NULL, whole, digest_model(model_hour)};
	struct row_before last = {.row = NULL};
	int64_t before = -1; // number of the group of the row before
	for (int k = 0; k < model_hour->nrows; k++) {
		const struct view_row *row = &model_hour->rows[k];
		const struct figure *twin = twin_of(model_hour, k);
		if (!group_filter_passes(g->only, v, model_hour, row, &names)) {
			add_others(row, twin, whole);
			before = -1;
			continue;
		}
		struct group *x = group_of(g, v, model_hour, row, &names, &last);
		int64_t at = x ? x - g->list : -1;
		in.twin = at == before ? twin : NULL;
		in.whole_twin = twin;
		if (x)
			add_row(g, x, row, &in);
		before = at;
		if (x && model_hour->billed)
			x->calls_final += row->calls.charged;
	}
	for (int k = 0; k < model_hour->nunbilled; k++) {
		const struct view_row *row = &model_hour->unbilled[k];
		if (group_filter_passes(g->only, v, model_hour, row, &names))
			add_unbilled(group_of(g, v, model_hour, row, &names, &last), row);
	}
	close_model_hour(g, whole, view_band_scale(v));
	return true;
}

void groups_of_rows(struct groups *g, struct view *v, const struct model_hour *model_hour)
{
	struct doubt whole[METRIC_KINDS] = {{0}};
	struct row_context in = {NULL, NULL, whole, digest_model(model_hour)};
	assert(g->n == 0);
	g->n = g->cap = model_hour->nrows;
	g->list = xcalloc((size_t)g->n + 1, sizeof *g->list);
	for (int32_t k = 0; k < g->n; k++) {
		in.whole_twin = twin_of(model_hour, k);
		add_row(g, &g->list[k], &model_hour->rows[k], &in);
	}
	close_model_hour(g, whole, view_band_scale(v));
}

// ---- order and words ----------------------------------------------------------------------------

static int by_keys(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	for (int i = 0; i < GROUP_KEYS_MAX; i++) {
		int c = str_cmp(x->keys[i], y->keys[i]);
		if (c)
			return c;
	}
	return 0;
}

static int by_usd(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	int c = usd_cmp(y->usd, x->usd);
	if (!c)
		c = (y->tokens > x->tokens) - (y->tokens < x->tokens);
	return c ? c : by_keys(a, b);
}

static int by_tokens(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	int c = (y->tokens > x->tokens) - (y->tokens < x->tokens);
	return c ? c : by_keys(a, b);
}

static int by_calls(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	int c = (y->calls > x->calls) - (y->calls < x->calls);
	return c ? c : by_keys(a, b);
}

void groups_sort(struct groups *g, enum group_order order)
{
	static int (*const compare[])(const void *, const void *) = {
		[ORDER_NAME] = by_keys,
		[ORDER_USD] = by_usd,
		[ORDER_TOKENS] = by_tokens,
		[ORDER_CALLS] = by_calls,
	};
	if (g->n > 1)
		qsort(g->list, (size_t)g->n, sizeof *g->list, compare[order]);
	map_clear(&g->index);
}

bool group_is_unpriced(const struct group *g)
{
	return g->tokens > 0 ? g->unpriced == g->tokens
	                     : g->tokens == 0 && g->calls > g->calls_final && g->usd.pico == 0;
}

bool group_is_empty(const struct group *g)
{
	return g->tokens == 0 && g->usd.pico == 0 && g->calls == 0 && g->failed == 0 && g->unbilled == 0;
}

char *group_basis(const struct group *g, char *buf)
{
	static const char *const names[] = {"billed", "exact", "telemetry", "allocated", "provisional"};
	enum { PARTS = sizeof names / sizeof *names };
	usd_pico whole = g->usd.pico;
	usd_pico part[PARTS] = {g->usd_billed.pico, g->usd_exact.pico, g->usd_telemetry.pico,
	                        g->usd_allocated.pico, g->usd_provisional.pico};
	if (whole == 0) { // free of charge or without a price: by tokens
		part[0] = g->billed, part[1] = g->exact, part[2] = g->telemetry, part[3] = g->allocated,
		part[4] = g->provisional;
		whole = g->tokens;
	}
	for (int i = 0; whole < 0 && i < PARTS; i++) // more was taken back than charged
		part[i] = -part[i];
	whole = whole < 0 ? -whole : whole;
	int n = 0, kinds = 0;
	buf[0] = '\0';
	if (g->tokens && g->unpriced == g->tokens && !g->unbilled)
		return strcpy(buf, "unpriced");
	for (int i = 0; i < PARTS; i++)
		kinds += part[i] > 0;
	for (int i = 0; i < PARTS; i++) {
		if (part[i] <= 0)
			continue;
		n += snprintf(buf + n, (size_t)(GROUP_BASIS_SIZE - n), "%s%s", n ? " " : "", names[i]);
		if (kinds > 1)
			n += snprintf(buf + n, (size_t)(GROUP_BASIS_SIZE - n), " %d%%",
			              (int)((part[i] * 200 + whole) / (2 * whole)));
	}
	if (g->unpriced)
		n += snprintf(buf + n, (size_t)(GROUP_BASIS_SIZE - n), "%sunpriced %lld tokens", n ? " " : "",
		              (long long)g->unpriced);
	if (g->unbilled)
		n += snprintf(buf + n, (size_t)(GROUP_BASIS_SIZE - n), "%sunbilled %lld tokens", n ? "; " : "",
		              (long long)g->unbilled);
	if (usd_cmp(g->usd_band_estimated, USD_ZERO) > 0)
		n += snprintf(buf + n, (size_t)(GROUP_BASIS_SIZE - n), "%sprompt band estimated", n ? "; " : "");
	if (usd_cmp(g->usd_borrowed, USD_ZERO) > 0)
		n += snprintf(buf + n, (size_t)(GROUP_BASIS_SIZE - n), "%srate of another Region", n ? "; " : "");
	if (usd_cmp(g->usd_scope_unknown, USD_ZERO) > 0)
		n += snprintf(buf + n, (size_t)(GROUP_BASIS_SIZE - n), "%sregional or global rate", n ? "; " : "");
	if (usd_cmp(g->usd_ttl_estimated, USD_ZERO) > 0)
		snprintf(buf + n, (size_t)(GROUP_BASIS_SIZE - n), "%sTTL estimated", n ? "; " : "");
	return buf;
}
