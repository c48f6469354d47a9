// SPDX-License-Identifier: Apache-2.0
#include "query/reconciliation.h"

#include <assert.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/when.h"
#include "reconcile/export.h"
#include "store/keys.h"
#include "store/redis.h"
#include "store/view.h"

struct usd difference_of(const struct difference *d)
{
	return usd_sub(d->billed, d->estimated);
}

static uint64_t hash_name(struct str s, uint64_t seed)
{
	return hash64_seeded(s.p ? s.p : "", s.len, seed + s.len * 0x9e3779b97f4a7c15u);
}

// ---- tables -------------------------------------------------------------------------------------

static int32_t find_group(struct recon_report *r, struct recon_table *t, const struct str *keys)
{
	uint64_t h = 0;
	bool added;
	for (int i = 0; i < t->by.n; i++)
		h = hash_name(keys[i], h);
	int32_t *at = map_add(&t->index, h, t->n, &added);
	if (!added)
		return *at;
	if (t->n == t->cap)
		t->list = xrealloc(t->list, (size_t)(t->cap = t->cap ? t->cap * 2 : 64), sizeof *t->list);
	t->list[t->n] = (struct recon_group){0};
	for (int i = 0; i < t->by.n; i++)
		t->list[t->n].keys[i] = arena_str(&r->arena, keys[i]);
	return t->n++;
}

static int32_t account_number(struct recon_report *r, struct str account)
{
	bool added;
	return *map_add(&r->accounts, hash_name(account, 0), (int32_t)r->accounts.count, &added);
}

static void add_part(struct recon_table *t, int32_t group, int32_t account, struct usd billed)
{
	bool added;
	int32_t *at =
		map_add(&t->part_index, (uint64_t)(uint32_t)group << 32 | (uint32_t)account, t->nparts, &added);
	if (added) {
		if (t->nparts == t->capparts)
			t->parts = xrealloc(t->parts, (size_t)(t->capparts = t->capparts ? t->capparts * 2 : 64),
			                    sizeof *t->parts);
		t->parts[t->nparts++] = (struct recon_part){.group = group, .account = account};
	}
	t->parts[*at].billed = usd_add(t->parts[*at].billed, billed);
}

static bool add_model_hour(void *user, struct view *v, const struct model_hour *model_hour)
{
	struct recon_report *r = user;
	struct compared *list;
	int n;
	if (!model_hour->is_final) {
		for (int i = 0; i < model_hour->nestimate; i++)
			if (model_hour->estimate[i].figure.priced)
				r->waiting = usd_add(r->waiting, model_hour->estimate[i].figure.usd);
		return true;
	}
	for (int i = 0; i < model_hour->nestimate; i++)
		if (model_hour->estimate[i].kind == ROW_TOKENS && !model_hour->estimate[i].figure.priced)
			r->unpriced += model_hour->estimate[i].figure.tokens;
	arena_reset(&r->scratch);
	compare_model_hour(model_hour, &r->scratch, &list, &n);
	struct model_hour_names names = model_hour_names_of(model_hour);
	int32_t account = account_number(r, model_hour->account);
	for (int i = 0; i < n; i++) {
		difference_add(&r->total, &list[i].d);
		for (int k = 0; k < r->ntables; k++) {
			struct recon_table *t = &r->tables[k];
			struct str keys[GROUP_KEYS_MAX];
			for (int j = 0; j < t->by.n; j++)
				keys[j] = grouping_key(&t->by, j, v, model_hour, &list[i].who, &names);
			int32_t group = find_group(r, t, keys);
			difference_add(&t->list[group].d, &list[i].d);
			add_part(t, group, account, list[i].d.billed);
		}
	}
	return true;
}

static int compare_keys(const void *a, const void *b)
{
	const struct recon_group *x = a, *y = b;
	for (int i = 0; i < GROUP_KEYS_MAX; i++) {
		int c = str_cmp(x->keys[i], y->keys[i]);
		if (c)
			return c;
	}
	return 0;
}

static int compare_differences(const void *a, const void *b)
{
	const struct recon_group *x = a, *y = b;
	usd_pico dx = difference_of(&x->d).pico, dy = difference_of(&y->d).pico;
	dx = dx < 0 ? -dx : dx;
	dy = dy < 0 ? -dy : dy;
	return dx != dy ? (dx < dy ? 1 : -1) : compare_keys(a, b);
}

void recon_table_sort_by_key(struct recon_table *t)
{
	if (t->n > 1)
		qsort(t->list, (size_t)t->n, sizeof *t->list, compare_keys);
}

void recon_table_sort_by_difference(struct recon_table *t)
{
	if (t->n > 1)
		qsort(t->list, (size_t)t->n, sizeof *t->list, compare_differences);
}

// ---- other charges ------------------------------------------------------------------------------

static bool find_class(struct str name, enum bill_class *ret)
{
	for (int i = 0; i < BILL_CLASSES; i++)
		if (str_is(name, bill_class_names[i])) {
			*ret = (enum bill_class)i;
			return true;
		}
	return false;
}

bool recon_charge_read(struct str field, struct str value, struct arena *arena, struct recon_charge *ret)
{
	if (!str_is(str_cut(&field, ' '), "apart") || !find_class(str_cut(&field, ' '), &ret->class) ||
	    !usd_parse_pico(str_cut(&value, ' '), &ret->usd))
		return false;
	ret->account = arena_str(arena, str_cut(&field, ' '));
	ret->what = arena_str(arena, field);
	return true;
}

static void add_charge(struct recon_report *r, const struct recon_charge *c)
{
	if (r->ncharges == r->capcharges)
		r->charges = xrealloc(r->charges, (size_t)(r->capcharges = r->capcharges ? r->capcharges * 2 : 16),
		                      sizeof *r->charges);
	r->charges[r->ncharges++] = *c;
}

static void read_status_field(struct recon_report *r, struct str field, struct str value)
{
	static const char *const shown[] = {"source",   "export",      "delivered_ms", "finished_ms",
	                                    "files",    "rows",        "granularity",  "principals",
	                                    "invoiced", "marketplace", "outside"};
	struct recon_charge charge;
	if (str_is(field, "notes")) {
		r->notes = arena_str(&r->arena, value);
		return;
	}
	if (recon_charge_read(field, value, &r->arena, &charge)) {
		add_charge(r, &charge);
		return;
	}
	struct usd usd;
	if (str_is(field, "inference") && usd_parse_pico(value, &usd))
		r->inference = usd_add(r->inference, usd);
	if (str_is(field, "outside") && usd_parse_pico(value, &usd))
		r->outside = usd_add(r->outside, usd);
	bool show = str_starts(field, STR("watermark "));
	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
		show |= str_is(field, shown[i]);
	if (show && r->nstatus < (int)(sizeof r->status / sizeof *r->status)) {
		r->status[r->nstatus][0] = arena_str(&r->arena, field);
		r->status[r->nstatus++][1] = arena_str(&r->arena, value);
	}
}

// Shares one charge out over the parts of an account by their billed dollars. Each part gets what the running
// sum gives it, so nothing is lost to rounding.
static void share_charge(struct recon_table *t, int32_t account, enum bill_class class, struct usd usd)
{
	usd_pico all = 0, run = 0, given = 0;
	for (int32_t i = 0; i < t->nparts; i++)
		if (t->parts[i].account == account && t->parts[i].billed.pico > 0)
			all += t->parts[i].billed.pico;
	for (int32_t i = 0; all > 0 && i < t->nparts; i++) {
		if (t->parts[i].account != account || t->parts[i].billed.pico <= 0)
			continue;
		run += t->parts[i].billed.pico / 1000000; // microdollars: the product stays within 128 bits
		usd_pico whole = all / 1000000 > 0 ? all / 1000000 : 1;
		usd_pico upto = run >= whole ? usd.pico : usd.pico * run / whole;
		struct recon_group *g = &t->list[t->parts[i].group];
		g->shared[class].pico += upto - given;
		given = upto;
	}
	// What the truncation to microdollars left goes to the last part.
	for (int32_t i = t->nparts; all > 0 && given != usd.pico && i-- > 0;)
		if (t->parts[i].account == account && t->parts[i].billed.pico > 0) {
			t->list[t->parts[i].group].shared[class].pico += usd.pico - given;
			given = usd.pico;
		}
	assert(all <= 0 || given == usd.pico);
}

static void share_charges(struct recon_report *r)
{
	for (int i = 0; i < r->ncharges; i++)
		for (int k = 0; k < r->ntables; k++) {
			int32_t *account = map_find(&r->accounts, hash_name(r->charges[i].account, 0));
			if (account)
				share_charge(&r->tables[k], *account, r->charges[i].class, r->charges[i].usd);
		}
}

static void assert_parts_add_up(const struct difference *d)
{
	struct usd parts[DIFFERENCE_PARTS], sum = USD_ZERO;
	difference_parts(d, parts);
	for (int i = 0; i < DIFFERENCE_PARTS; i++)
		sum = usd_add(sum, parts[i]);
	assert(usd_cmp(sum, difference_of(d)) == 0); // reconcile/compare.h
}

// ---- reading ------------------------------------------------------------------------------------

static int compare_str(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

bool recon_periods_read(struct view *v, struct arena *arena, struct str **ret, size_t *ret_n, struct err *err)
{
	struct buf key = BUF_INIT;
	key_reconcile_periods(&key, view_prefix(v));
	redis_cmd(view_redis(v), 2, (struct str[]){STR("SMEMBERS"), buf_str(&key)});
	buf_release(&key);
	if (!redis_exec(view_redis(v), err))
		return false;
	*ret = redis_copy_list(view_redis(v), 0, arena, ret_n);
	if (*ret_n > 1)
		qsort(*ret, *ret_n, sizeof **ret, compare_str);
	return true;
}

static bool read_status(struct recon_report *r, struct view *v, struct str period, struct err *err)
{
	struct buf key = BUF_INIT;
	key_reconcile_period(&key, view_prefix(v), period);
	redis_cmd(view_redis(v), 2, (struct str[]){STR("HGETALL"), buf_str(&key)});
	buf_release(&key);
	if (!redis_exec(view_redis(v), err))
		return false;
	redis_sort_fields(view_redis(v), 0);
	for (size_t i = 0; i + 1 < redis_len(view_redis(v), 0); i += 2)
		read_status_field(r, redis_elem(view_redis(v), 0, i), redis_elem(view_redis(v), 0, i + 1));
	return true;
}

static bool choose_period(struct recon_report *r, struct view *v, const char *period, struct err *err)
{
	struct str *known;
	size_t n;
	int64_t first, end;
	if (!recon_periods_read(v, &r->arena, &known, &n, err))
		return false;
	bool all = period && strcmp(period, "all") == 0;
	r->period = all      ? STR("all")
	            : period ? arena_str(&r->arena, str_of(period))
	            : n      ? known[n - 1]
	                     : STR("none");
	r->nperiods = n;
	if (!all && (period || n) && !export_period_hours(r->period, &r->first, &r->end))
		return err_set(err, ERR_CONFIG, "--period: expected a month like 2026-11, or all; got \"%s\"",
		               period ? period : "");
	for (size_t i = 0; i < n; i++) {
		if (!all && !str_eq(known[i], r->period))
			continue;
		if (!read_status(r, v, known[i], err) ||
		    !scoreboard_read(&r->board, view_redis(v), view_prefix(v), known[i], err))
			return false;
		if (all && export_period_hours(known[i], &first, &end)) {
			r->first = r->first ? r->first : first;
			r->end = end;
		}
		n = all ? n : 0;
	}
	return n == 0 || all ||
	       err_set(err, ERR_CONFIG, "--period: %.*s was not reconciled; %.*s is the newest that was",
	               STR_ARG(r->period), STR_ARG(known[n - 1]));
}

bool recon_report_read(struct recon_report *ret, const struct conf *conf, const char *period,
                       const struct grouping *by, int ntables, struct err *err)
{
	struct recon_report r = {.ntables = ntables, .tables = xcalloc((size_t)ntables, sizeof *r.tables)};
	struct view *v = NULL;
	assert(ntables > 0);
	for (int i = 0; i < ntables; i++)
		r.tables[i].by = by[i];
	bool good = view_open(&v, redis_target_of(conf), err) && view_map(v, conf, err);
	for (int i = 0; i < ntables && good; i++)
		good = grouping_check_keys(&by[i], view_mapping(v), err);
	good = good && choose_period(&r, v, period, err) && view_each(v, r.first, r.end, add_model_hour, &r, err);
	view_close(v);
	assert_parts_add_up(&r.total);
	if (good)
		share_charges(&r);
	*ret = r;
	if (!good)
		recon_report_release(ret);
	return good;
}

void recon_report_release(struct recon_report *r)
{
	for (int i = 0; i < r->ntables; i++) {
		map_release(&r->tables[i].index);
		map_release(&r->tables[i].part_index);
		free(r->tables[i].list);
		free(r->tables[i].parts);
	}
	free(r->tables);
	free(r->charges);
	map_release(&r->accounts);
	scoreboard_release(&r->board);
	arena_release(&r->arena);
	arena_release(&r->scratch);
	*r = (struct recon_report){0};
}
