// SPDX-License-Identifier: Apache-2.0
// The accounts and Regions of a period: the watermark of each account, and the billed figures to Redis.
#include <inttypes.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/when.h"
#include "reconcile/run_priv.h"
#include "reconcile/watermark.h"
#include "store/keys.h"
#include "store/redis.h"

// ---- watermarks ---------------------------------------------------------------------------------

struct acct_region_state {
	struct str acct_region, account;
	int64_t watermark; // in Redis
};

static struct str account_of(struct str acct_region)
{
	return str_cut(&acct_region, '/');
}

// Those that Redis knows and those of the bill, with their present watermarks.
static bool read_acct_regions(struct reconcile_run *w, struct arena *arena, struct acct_region_state **ret,
                              int *ret_n, struct err *err)
{
	struct redis *r = w->publish->redis;
	struct buf key = BUF_INIT;
	struct map seen = MAP_INIT;
	int n = 0;
	key_acct_regions(&key, w->conf->redis_prefix);
	redis_cmd(r, 2, (struct str[]){STR("SMEMBERS"), buf_str(&key)});
	bool good = redis_exec(r, err);
	size_t known = good ? redis_len(r, 0) : 0;
	struct acct_region_state *list = arena_alloc(arena, (known + (size_t)w->actual.n + 1) * sizeof *list);
	bool added;
	for (size_t i = 0; i < known; i++) {
		int32_t name = names_add(&w->names, redis_elem(r, 0, i));
		map_add(&seen, (uint64_t)name, 0, &added);
		list[n++].acct_region = w->names.list[name];
	}
	for (int64_t i = 0; i < w->actual.n; i++) {
		map_add(&seen, (uint64_t)w->actual.rows[i].acct_region, 0, &added);
		if (added)
			list[n++].acct_region = w->names.list[w->actual.rows[i].acct_region];
	}
	for (int i = 0; good && i < n; i++) {
		buf_clear(&key);
		key_billed(&key, w->conf->redis_prefix, list[i].acct_region);
		redis_cmd(r, 3, (struct str[]){STR("HGET"), buf_str(&key), STR("watermark")});
	}
	good = good && (n == 0 || redis_exec(r, err));
	for (int i = 0; good && i < n; i++) {
		list[i].account = account_of(list[i].acct_region);
		list[i].watermark = 0;
		usd_parse_scaled(redis_str(r, (size_t)i), 0, &list[i].watermark);
	}
	buf_release(&key);
	map_release(&seen);
	*ret = list;
	*ret_n = n;
	return good;
}

// One account in one period: its tokens by hour, on both sides.
struct account {
	struct str name;
	int64_t *billed, *estimated;
	bool covered; // the bill has rows of it
};

struct accounts {
	struct account *list;
	int32_t n, cap;
	struct map by_name;  // number of a name -> position
	struct map by_acct_region;  // likewise of an account and Region
	struct map models;   // account and Region and model that the bill knows
};

static struct account *account_named(struct accounts *x, struct reconcile_run *w, struct str name)
{
	bool added;
	int32_t *at = map_add(&x->by_name, (uint64_t)names_add(&w->names, name), x->n, &added);
	if (added) {
		size_t hours = (size_t)(w->period->end - w->period->first);
		if (x->n == x->cap)
			x->list = xrealloc(x->list, (size_t)(x->cap = x->cap ? x->cap * 2 : 16), sizeof *x->list);
		x->list[x->n++] = (struct account){.name = name,
		                                   .billed = xcalloc(hours, sizeof(int64_t)),
		                                   .estimated = xcalloc(hours, sizeof(int64_t))};
	}
	return &x->list[*at];
}

static struct account *account_of_acct_region(struct accounts *x, struct reconcile_run *w,
                                              int32_t acct_region)
{
	int32_t *at = map_find(&x->by_acct_region, (uint64_t)acct_region);
	bool added;
	if (at)
		return &x->list[*at];
	struct account *a = account_named(x, w, account_of(w->names.list[acct_region]));
	map_add(&x->by_acct_region, (uint64_t)acct_region, (int32_t)(a - x->list), &added);
	return a;
}

static void read_accounts(struct accounts *x, struct reconcile_run *w)
{
	bool added;
	for (int64_t i = 0; i < w->actual.n; i++) {
		const struct ledger_row *r = &w->actual.rows[i];
		map_add(&x->models, (uint64_t)r->acct_region << 32 | (uint32_t)r->model, 0, &added);
		if (r->type >= TOKEN_TYPES)
			continue;
		account_of_acct_region(x, w, r->acct_region)->billed[r->hour - w->period->first] += r->tokens;
	}
	for (int64_t i = 0; i < w->estimate.n; i++) {
		const struct ledger_row *r = &w->estimate.rows[i];
		if (r->type < TOKEN_TYPES &&
		    map_find(&x->models, (uint64_t)r->acct_region << 32 | (uint32_t)r->model))
			account_of_acct_region(x, w, r->acct_region)->estimated[r->hour - w->period->first] += r->tokens;
	}
	bool *seen = xcalloc((size_t)w->bill.nnames + 1, sizeof *seen);
	for (int64_t i = 0; i < w->bill.nlines; i++)
		seen[w->bill.lines[i].account] = true;
	for (int32_t i = 0; i < w->bill.nnames; i++)
		if (seen[i])
			account_named(x, w, w->bill.names[i])->covered = true;
	free(seen);
}

static void release_accounts(struct accounts *x)
{
	for (int32_t i = 0; i < x->n; i++) {
		free(x->list[i].billed);
		free(x->list[i].estimated);
	}
	free(x->list);
	map_release(&x->by_name);
	map_release(&x->by_acct_region);
	map_release(&x->models);
}

static int64_t account_watermark(struct reconcile_run *w, const struct account *a, int64_t before)
{
	int64_t held;
	char when[WHEN_SIZE];
	struct watermark_input in = {.first = w->period->first,
	                             .end = w->period->end,
	                             .last_hour = w->bill.last_hour,
	                             .delivered_ms = w->period->delivered_ms,
	                             .now_ms = when_now_ms(),
	                             .patience_ms = w->conf->watermark_ms,
	                             .before = before,
	                             .daily = w->bill.daily,
	                             .invoiced = w->bill.invoiced,
	                             .billed = a->billed,
	                             .estimated = a->estimated};
	int64_t mark = a->covered ? watermark_find(&in, &held) : 0;
	if (!mark)
		return 0;
	if (held)
		buf_addf(&w->bill.notes,
		         "account %.*s: its last %" PRId64
		         " hours look half delivered, so the estimate stands for them\n",
		         STR_ARG(a->name), held);
	struct buf field = BUF_INIT;
	buf_addf(&field, "watermark %.*s", STR_ARG(a->name));
	status_add(&w->status, field.data, "%s",
	           when_format((mark > before ? mark : before) * MS_PER_HOUR, when));
	buf_release(&field);
	if (!w->out->watermark || mark < w->out->watermark)
		w->out->watermark = mark;
	return mark;
}

// ---- into Redis ---------------------------------------------------------------------------------

static int by_account(const void *a, const void *b)
{
	const struct acct_region_state *x = a, *y = b;
	int c = str_cmp(x->account, y->account);
	return c ? c : str_cmp(x->acct_region, y->acct_region);
}

static void note_final(struct reconcile_run *w, int32_t acct_region, int64_t until)
{
	if (acct_region >= w->nfinal) {
		w->final_until = xrealloc(w->final_until, (size_t)acct_region + 1, sizeof *w->final_until);
		memset(w->final_until + w->nfinal, 0, (size_t)(acct_region + 1 - w->nfinal) * sizeof *w->final_until);
		w->nfinal = acct_region + 1;
	}
	w->final_until[acct_region] = until;
}

// Why nothing of the period is taken from the bill, and from when on something can be.
static void note_none_final(struct reconcile_run *w)
{
	const struct export_period *p = w->period;
	int64_t first_ms = (p->first + (w->bill.daily ? 24 : 1)) * MS_PER_HOUR + w->conf->watermark_ms;
	char age[WHEN_LENGTH_SIZE], when[WHEN_SIZE];
	buf_addf(&w->bill.notes,
	         "no hour of %.*s is final yet, and the estimate stands: AWS bills an hour 24 to 48 h after it, and it "
	         "is final when it was %s old (watermark) as the bill was delivered",
	         STR_ARG(p->name), when_format_length(w->conf->watermark_ms / MS_PER_MINUTE, age));
	if (first_ms > p->delivered_ms)
		buf_addf(&w->bill.notes, ", the first hour at %s", when_format(first_ms, when));
	buf_addc(&w->bill.notes, '\n');
}

static bool publish_all(struct reconcile_run *w, struct acct_region_state *acct_regions, int n,
                        struct err *err)
{
	const struct ledger_row **sorted = ledger_sort(&w->actual, LEDGER_BY_MODEL_HOUR);
	struct accounts accounts = {0};
	bool good = true, any_final = false;
	int64_t mark = 0, before = 0;
	read_accounts(&accounts, w);
	if (n > 1)
		qsort(acct_regions, (size_t)n, sizeof *acct_regions, by_account);
	for (int i = 0; good && i < n; i++) {
		if (i == 0 || !str_eq(acct_regions[i].account, acct_regions[i - 1].account)) {
			before = 0;
			for (int k = i; k < n && str_eq(acct_regions[k].account, acct_regions[i].account); k++)
				before = acct_regions[k].watermark > before ? acct_regions[k].watermark : before;
			mark = account_watermark(w, account_named(&accounts, w, acct_regions[i].account), before);
		}
		struct ledger_row key = {.acct_region = names_add(&w->names, acct_regions[i].acct_region)};
		int64_t from = ledger_seek(sorted, w->actual.n, LEDGER_BY_MODEL_HOUR, &key), to = from;
		while (to < w->actual.n && sorted[to]->acct_region == key.acct_region)
			to++;
		struct publish_acct_region acct_region = {.acct_region = acct_regions[i].acct_region,
		                                          .period = w->period->name,
		                                          .first = w->period->first,
		                                          .end = w->period->end,
		                                          .since = w->period->first,
		                                          .watermark = mark,
		                                          .called = w->join.called,
		                                          .ncalled = w->join.ncalled};
		bool taken = true;
		good =
			publish_acct_region(w->publish, &acct_region, &w->names, sorted + from, to - from, &taken, err);
		w->out->overtaken |= good && !taken;
		note_final(w, key.acct_region, mark > before ? mark : before);
		any_final |= mark > 0 || before > w->period->first;
	}
	if (good && !any_final)
		note_none_final(w);
	free(sorted);
	release_accounts(&accounts);
	return good;
}

bool reconcile_run_publish_acct_regions(struct reconcile_run *w, struct err *err)
{
	struct arena arena = ARENA_INIT;
	struct acct_region_state *acct_regions;
	int n;
	bool good = read_acct_regions(w, &arena, &acct_regions, &n, err) && publish_all(w, acct_regions, n, err);
	arena_release(&arena);
	return good;
}
