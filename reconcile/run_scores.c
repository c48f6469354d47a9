// SPDX-License-Identifier: Apache-2.0
// Scores the final hours of a period: the snapshots (reconcile/asof.h) against the bill, summed by day.
//
// Estimate and bill are in memory, sorted by account and Region, hour and model. The snapshots of an account
// and Region are read in one round trip.
#include <inttypes.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/when.h"
#include "reconcile/run_priv.h"
#include "reconcile/score.h"
#include "store/keys.h"
#include "store/redis.h"

enum { DAYS_MAX = 31, DAY_HOURS = 24, NOBODY = -1 };

struct caller_hour {
	int32_t principal;     // number of its name; NOBODY: a caller that only a snapshot knows
	bool said[ASOF_HORIZONS];
	struct score_cell at[SCORE_HORIZONS];
};

struct day {
	struct score score[SCORE_HORIZONS];
	uint32_t hours[SCORE_HORIZONS]; // a bit each that was scored
};

struct missed { // a caller on a day, at a horizon
	int day, horizon;
	int32_t principal;
	struct usd cause[SCORE_CAUSES], all;
};

struct scorer {
	struct reconcile_run *w;
	const struct ledger_row **estimate, **actual;
	int64_t ie, ia;           // the next row of each
	struct arena arena, acct_region_arena;
	struct {
		int band_scale[ASOF_HORIZONS]; // of its bands, in thousandths; 0: there is no snapshot
	} *taken;                 // by hour of the period
	int64_t first_taken, end_taken; // hours: outside of them there is none
	struct str (*packed)[ASOF_HORIZONS]; // of the account and Region in hand, by hour from first_taken
	struct caller_hour *cells;       // of the hour in hand
	int32_t ncells, capcells;
	struct map cell_index;    // number of a principal -> cell; asof_caller of the others
	struct day *days;
	struct missed *missed;
	int32_t nmissed, capmissed;
	struct map missed_index;
};

// ---- snapshots ----------------------------------------------------------------------------------

static bool read_taken(struct scorer *x, int64_t until, struct err *err)
{
	const struct reconcile_run *w = x->w;
	struct redis *r = w->publish->redis;
	struct buf key = BUF_INIT;
	int64_t oldest = (when_now_ms() - w->conf->scoreboard_keep_ms) / MS_PER_HOUR - 1;
	int64_t first = oldest > w->period->first ? oldest : w->period->first;
	x->first_taken = x->end_taken = first;
	for (int64_t h = first; h < until; h++) {
		key_asof(&key, w->conf->redis_prefix, h);
		redis_cmdz(r, "HMGET", key.data, asof_horizons[0].name, asof_horizons[1].name, asof_horizons[2].name,
		           NULL);
	}
	buf_release(&key);
	if (first >= until)
		return true;
	if (!redis_exec(r, err))
		return false;
	for (int64_t h = first; h < until; h++)
		for (size_t k = 0; k < ASOF_HORIZONS; k++)
			if (asof_note_read(redis_elem(r, (size_t)(h - first), k),
			                   &x->taken[h - w->period->first].band_scale[k]))
				x->end_taken = h + 1;
	return true;
}

static bool read_packed(struct scorer *x, struct str acct_region, struct err *err)
{
	struct redis *r = x->w->publish->redis;
	struct buf key = BUF_INIT;
	int64_t n = x->end_taken - x->first_taken;
	arena_reset(&x->acct_region_arena);
	x->packed = arena_alloc(&x->acct_region_arena, (size_t)(n + 1) * sizeof *x->packed);
	for (int64_t h = x->first_taken; h < x->end_taken; h++) {
		key_acct_region_asof(&key, x->w->conf->redis_prefix, acct_region, h);
		redis_cmdz(r, "HMGET", key.data, asof_horizons[0].name, asof_horizons[1].name, asof_horizons[2].name,
		           NULL);
	}
	buf_release(&key);
	if (n && !redis_exec(r, err))
		return false;
	for (int64_t i = 0; i < n; i++)
		for (size_t k = 0; k < ASOF_HORIZONS; k++)
			x->packed[i][k] = arena_str(&x->acct_region_arena, redis_elem(r, (size_t)i, k));
	return true;
}

// ---- one hour of one account and Region ---------------------------------------------------------

static struct caller_hour *cell_of(struct scorer *x, uint64_t caller, int32_t principal)
{
	bool added;
	int32_t *at = map_add(&x->cell_index, caller, x->ncells, &added);
	if (!added)
		return &x->cells[*at];
	if (x->ncells == x->capcells)
		x->cells =
			xrealloc(x->cells, (size_t)(x->capcells = x->capcells ? x->capcells * 2 : 256), sizeof *x->cells);
	x->cells[x->ncells] = (struct caller_hour){.principal = principal};
	return &x->cells[x->ncells++];
}

static void add_compared(struct scorer *x, const struct compared *list, int n)
{
	for (int i = 0; i < n; i++) {
		struct str who = list[i].who.principal;
		difference_add(&cell_of(x, asof_caller(who), names_add(&x->w->names, who))->at[SCORE_LAST].d,
		               &list[i].d);
	}
}

static struct view_row row_of(const struct reconcile_run *w, const struct ledger_row *r, bool billed)
{
	bool tokens = r->type < TOKEN_TYPES;
	return (struct view_row){.principal = w->names.list[r->principal],
	                         .tagset = STR("-"),
	                         .kind = tokens ? ROW_TOKENS : ROW_UNITS,
	                         .type = tokens ? (enum token_type)r->type : 0,
	                         .rate_class = (uint8_t)r->tier,
	                         .figure = {.tokens = r->tokens,
	                                    .billed = billed ? r->tokens : 0,
	                                    .usd = r->usd,
	                                    .list = r->list,
	                                    .priced = true}};
}

static int by_row(const void *a, const void *b)
{
	return row_cmp(a, b);
}

// The next rows of one side that have the account, Region, hour and model of `like`; *at moves behind them.
static int take_rows(struct scorer *x, bool billed, const struct ledger_row *like, struct view_row **ret)
{
	const struct reconcile_run *w = x->w;
	const struct ledger_row *const *sorted = billed ? x->actual : x->estimate;
	int64_t n = billed ? w->actual.n : w->estimate.n, *at = billed ? &x->ia : &x->ie, end = *at;
	while (end < n && sorted[end]->acct_region == like->acct_region && sorted[end]->hour == like->hour &&
	       sorted[end]->model == like->model)
		end++;
	struct view_row *rows = arena_alloc(&x->arena, (size_t)(end - *at + 1) * sizeof *rows);
	int taken = 0;
	for (; *at < end; ++*at)
		if (sorted[*at]->type != LEDGER_CALLS)
			rows[taken++] = row_of(w, sorted[*at], billed);
	if (taken > 1)
		qsort(rows, (size_t)taken, sizeof *rows, by_row);
	*ret = rows;
	return taken;
}

// The row that comes first, of those ahead on both sides; NULL: none.
static const struct ledger_row *next_row(const struct scorer *x)
{
	const struct ledger_row *e = x->ie < x->w->estimate.n ? x->estimate[x->ie] : NULL,
							*a = x->ia < x->w->actual.n ? x->actual[x->ia] : NULL;
	if (!e || !a)
		return e ? e : a;
	if (e->acct_region != a->acct_region)
		return e->acct_region < a->acct_region ? e : a;
	if (e->hour != a->hour)
		return e->hour < a->hour ? e : a;
	return e->model <= a->model ? e : a;
}

static void compare_hour(struct scorer *x, int32_t acct_region, int64_t hour)
{
	map_clear(&x->cell_index);
	x->ncells = 0;
	for (const struct ledger_row *r; (r = next_row(x)) && r->acct_region == acct_region && r->hour == hour;) {
		struct view_row *e, *a;
		struct compared *list;
		int n;
		const struct ledger_row like = *r;
		arena_reset(&x->arena);
		int ne = take_rows(x, false, &like, &e);
		int na = take_rows(x, true, &like, &a);
		compare_rows(&(struct actual_sides){a, e, na, ne}, &x->arena, &list, &n);
		add_compared(x, list, n);
	}
}

static void skip_acct_region(struct scorer *x, int32_t acct_region)
{
	for (const struct ledger_row *r; (r = next_row(x)) && r->acct_region == acct_region;)
		if (x->ie < x->w->estimate.n && r == x->estimate[x->ie])
			x->ie++;
		else
			x->ia++;
}

static void take_snapshots(struct scorer *x, int64_t hour)
{
	struct asof_entry e;
	for (int k = 0; hour >= x->first_taken && hour < x->end_taken && k < ASOF_HORIZONS; k++)
		for (struct str packed = x->packed[hour - x->first_taken][k]; asof_next(&packed, &e);)
			cell_of(x, e.caller, NOBODY)->at[k] =
				(struct score_cell){.said = e.usd, .low = e.low, .high = e.high};
}

// ---- days ---------------------------------------------------------------------------------------

static void add_missed(struct scorer *x, int day, int horizon, int32_t principal,
                       const struct usd cause[SCORE_CAUSES])
{
	int32_t key[] = {day, horizon, principal};
	bool added;
	int32_t *at = map_add(&x->missed_index, hash64(key, sizeof key), x->nmissed, &added);
	if (added) {
		if (x->nmissed == x->capmissed)
			x->missed = xrealloc(x->missed, (size_t)(x->capmissed = x->capmissed ? x->capmissed * 2 : 256),
			                     sizeof *x->missed);
		x->missed[x->nmissed++] = (struct missed){.day = day, .horizon = horizon, .principal = principal};
	}
	struct missed *m = &x->missed[*at];
	for (int i = 0; i < SCORE_CAUSES; i++) {
		m->cause[i] = usd_add(m->cause[i], cause[i]);
		m->all = usd_add(m->all, cause[i]);
	}
}

static void score_hour(struct scorer *x, int64_t hour)
{
	int64_t at = hour - x->w->period->first;
	int day = (int)(at / DAY_HOURS);
	for (int k = 0; k < SCORE_HORIZONS; k++) {
		if (k != SCORE_LAST && !x->taken[at].band_scale[k])
			continue;
		x->days[day].hours[k] |= 1u << at % DAY_HOURS;
		for (int32_t i = 0; i < x->ncells; i++) {
			struct score_cell c = x->cells[i].at[k];
			struct usd cause[SCORE_CAUSES];
			c.d = x->cells[i].at[SCORE_LAST].d;
			if (k == SCORE_LAST)
				c.said = c.low = c.high = c.d.estimated;
			else
				c.band_scale = x->taken[at].band_scale[k];
			score_add_cell(&x->days[day].score[k], &c);
			score_explain(&c, cause);
			add_missed(x, day, k, x->cells[i].principal, cause);
		}
	}
}

static bool score_acct_regions(struct scorer *x, struct err *err)
{
	int32_t acct_region = -1;
	for (const struct ledger_row *r; (r = next_row(x));) {
		int64_t hour = r->hour, until = r->acct_region < x->w->nfinal ? x->w->final_until[r->acct_region] : 0;
		if (r->acct_region != acct_region && hour < until &&
		    !read_packed(x, x->w->names.list[r->acct_region], err))
			return false;
		acct_region = r->acct_region;
		if (hour >= until) {
			skip_acct_region(x, acct_region);
			continue;
		}
		compare_hour(x, acct_region, hour);
		take_snapshots(x, hour);
		score_hour(x, hour);
	}
	return true;
}

// ---- into Redis ---------------------------------------------------------------------------------

static int by_size(const void *a, const void *b)
{
	const struct missed *x = a, *y = b;
	if (x->day != y->day)
		return x->day - y->day;
	if (x->horizon != y->horizon)
		return x->horizon - y->horizon;
	int c = usd_cmp(y->all, x->all);
	return c ? c : (x->principal > y->principal) - (x->principal < y->principal);
}

static int list_worst(const struct scorer *x, int32_t from, int day, int horizon, struct score_worst *ret)
{
	int n = 0;
	for (int32_t i = from;
	     i < x->nmissed && x->missed[i].day == day && x->missed[i].horizon == horizon && n < SCORE_WORST_MAX;
	     i++) {
		const struct missed *m = &x->missed[i];
		if (m->all.pico > 0)
			ret[n++] = (struct score_worst){m->principal == NOBODY ? STR("(no longer told apart)")
			                                                       : x->w->names.list[m->principal],
			                                m->all, score_main_cause(m->cause)};
	}
	return n;
}

static bool publish_scores(struct scorer *x, struct err *err)
{
	struct redis *r = x->w->publish->redis;
	struct buf key = BUF_INIT, name = BUF_INIT, value = BUF_INIT;
	struct score_worst worst[SCORE_WORST_MAX];
	int scored = 0;
	int32_t at = 0;
	if (x->nmissed > 1)
		qsort(x->missed, (size_t)x->nmissed, sizeof *x->missed, by_size);
	for (int i = 0; i < DAYS_MAX * SCORE_HORIZONS; i++)
		scored += x->days[i / SCORE_HORIZONS].hours[i % SCORE_HORIZONS] != 0;
	key_scores(&key, x->w->conf->redis_prefix, x->w->period->name);
	if (scored) {
		redis_begin_eval(r, x->w->publish->scores, 1, 3 + 3 * scored);
		redis_arg(r, buf_str(&key));
		redis_argi(r, x->w->publish->run);
		redis_argi(r, x->w->conf->retention_ms);
	}
	for (int i = 0; i < DAYS_MAX * SCORE_HORIZONS; i++) {
		int day = i / SCORE_HORIZONS, horizon = i % SCORE_HORIZONS;
		struct score *s = &x->days[day].score[horizon];
		s->hours = __builtin_popcount(x->days[day].hours[horizon]);
		if (!s->hours)
			continue;
		while (at < x->nmissed &&
		       (x->missed[at].day < day || (x->missed[at].day == day && x->missed[at].horizon < horizon)))
			at++;
		buf_clear(&name);
		buf_addf(&name, "%.*s-%02d %s", STR_ARG(x->w->period->name), day + 1, score_horizon_names[horizon]);
		buf_clear(&value);
		score_write(&value, s, worst, list_worst(x, at, day, horizon, worst));
		redis_arg(r, buf_str(&name));
		redis_argi(r, s->hours);
		redis_arg(r, buf_str(&value));
	}
	buf_release(&key);
	buf_release(&name);
	buf_release(&value);
	return !scored || redis_exec(r, err);
}

bool reconcile_run_publish_scores(struct reconcile_run *w, struct err *err)
{
	int64_t until = 0;
	for (int32_t i = 0; i < w->nfinal; i++)
		until = w->final_until[i] > until ? w->final_until[i] : until;
	until = until < w->period->end ? until : w->period->end;
	if (until <= w->period->first || w->estimate.n == 0 || w->out->overtaken)
		return true;
	struct scorer x = {.w = w,
	                    .estimate = ledger_sort(&w->estimate, LEDGER_BY_MODEL_HOUR),
	                    .actual = ledger_sort(&w->actual, LEDGER_BY_MODEL_HOUR),
	                    .taken = xcalloc((size_t)(w->period->end - w->period->first), sizeof *x.taken),
	                    .days = xcalloc(DAYS_MAX, sizeof *x.days)};
	bool good = read_taken(&x, until, err) && score_acct_regions(&x, err) && publish_scores(&x, err);
	arena_release(&x.arena);
	arena_release(&x.acct_region_arena);
	map_release(&x.cell_index);
	map_release(&x.missed_index);
	free(x.estimate);
	free(x.actual);
	free(x.taken);
	free(x.cells);
	free(x.days);
	free(x.missed);
	return good;
}
