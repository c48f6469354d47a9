// SPDX-License-Identifier: Apache-2.0
#include "reconcile/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/map.h"
#include "base/when.h"
#include "estimator/taught.h"
#include "estimator/view.h"
#include "reconcile/bill.h"
#include "reconcile/duckdb.h"
#include "reconcile/export.h"
#include "reconcile/join.h"
#include "reconcile/ledger.h"
#include "pricing/price_file.h"
#include "pricing/prices.h"
#include "reconcile/publish.h"
#include "reconcile/rates.h"
#include "reconcile/s3.h"
#include "reconcile/watermark.h"

// One period under way.
struct work {
	const struct conf *conf;
	const char *source;
	const struct export *export;
	const struct export_period *period;
	struct publish *publish;
	struct reconciliation *out;
	struct names names;
	struct ledger estimate, actual;
	struct str *foundation; // see join.h
	int32_t nfoundation;
	struct bill bill;
	struct join join;
	struct status status;
	int64_t start_ms;
	struct buf *rates; // rows of a price file: those of the newest period that has any
};

// ---- the estimate --------------------------------------------------------------------------------------------------

// The model key of a sheet, which shows an application profile by its ARN.
static struct str model_key(struct str model)
{
	return str_starts(model, STR("arn:")) ? str_after_last(model, '/') : model;
}

static void note_foundation(struct work *w, int32_t model, struct str foundation)
{
	if (!foundation.len)
		return;
	if (model >= w->nfoundation) {
		w->foundation = xrealloc(w->foundation, (size_t)model + 64, sizeof *w->foundation);
		for (; w->nfoundation < model + 64; w->nfoundation++)
			w->foundation[w->nfoundation] = STR_NONE;
	}
	w->foundation[model] = w->names.list[names_add(&w->names, foundation)];
}

static bool take_sheet(void *user, struct view *v, const struct view_sheet *sheet)
{
	struct work *w = user;
	struct buf slot = BUF_INIT;
	(void)v;
	buf_addf(&slot, "%.*s/%.*s", STR_ARG(sheet->account), STR_ARG(sheet->region));
	struct ledger_row row = {.slot = names_add(&w->names, buf_str(&slot)), .model = names_add(&w->names, model_key(sheet->model)), .hour = sheet->hour};
	buf_release(&slot);
	note_foundation(w, row.model, sheet->foundation);
	for (int i = 0; i < sheet->nrows; i++) {
		const struct view_row *r = &sheet->rows[i];
		if (r->type == TOKEN_TYPES)
			continue;
		row.principal = names_add(&w->names, r->principal);
		row.type = r->type;
		row.tokens = r->figure.tokens;
		row.usd = r->figure.usd;
		ledger_add(&w->estimate, &row);
	}
	return true;
}

static bool read_estimate(struct work *w, struct err *err)
{
	struct view *v;
	if (!view_open(&v, w->conf->redis, w->conf->redis_ca, w->conf->redis_prefix, err))
		return false;
	view_choose(v, VIEW_ESTIMATE);
	bool good = view_each(v, w->period->first, w->period->end, take_sheet, w, err);
	view_close(v);
	return good;
}

// ---- watermarks ----------------------------------------------------------------------------------------------------

struct slot_state {
	struct str slot, account;
	int64_t watermark; // as it stands in Redis
};

static struct str account_of(struct str slot)
{
	return str_cut(&slot, '/');
}

// Slots that Redis knows and those of the bill, with the watermarks so far.
static bool read_slots(struct work *w, struct arena *arena, struct slot_state **ret, int *ret_n, struct err *err)
{
	struct redis *r = w->publish->redis;
	struct buf key = BUF_INIT;
	struct map seen = MAP_INIT;
	int n = 0;
	buf_addf(&key, "%s:slots", w->conf->redis_prefix);
	redis_cmd(r, 2, (struct str[]){STR("SMEMBERS"), buf_str(&key)});
	bool good = redis_exec(r, err);
	size_t known = good ? redis_len(r, 0) : 0;
	struct slot_state *list = arena_alloc(arena, (known + (size_t)w->actual.n + 1) * sizeof *list);
	bool added;
	for (size_t i = 0; i < known; i++) {
		int32_t name = names_add(&w->names, redis_elem(r, 0, i));
		map_add(&seen, (uint64_t)name, 0, &added);
		list[n++].slot = w->names.list[name];
	}
	for (int64_t i = 0; i < w->actual.n; i++) {
		map_add(&seen, (uint64_t)w->actual.rows[i].slot, 0, &added);
		if (added)
			list[n++].slot = w->names.list[w->actual.rows[i].slot];
	}
	for (int i = 0; good && i < n; i++) {
		buf_clear(&key);
		buf_addf(&key, "%s:{%.*s}:billed", w->conf->redis_prefix, STR_ARG(list[i].slot));
		redis_cmd(r, 3, (struct str[]){STR("HGET"), buf_str(&key), STR("watermark")});
	}
	good = good && (n == 0 || redis_exec(r, err));
	for (int i = 0; good && i < n; i++) {
		list[i].account = account_of(list[i].slot);
		list[i].watermark = redis_int(r, (size_t)i);
		struct str text = redis_str(r, (size_t)i);
		if (text.len)
			list[i].watermark = strtoll(text.p, NULL, 10);
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
	struct map by_slot;  // likewise of a slot
	struct map models;   // slot and model that the bill knows
};

static struct account *account_named(struct accounts *x, struct work *w, struct str name)
{
	bool added;
	int32_t *at = map_add(&x->by_name, (uint64_t)names_add(&w->names, name), x->n, &added);
	if (added) {
		size_t hours = (size_t)(w->period->end - w->period->first);
		if (x->n == x->cap)
			x->list = xrealloc(x->list, (size_t)(x->cap = x->cap ? x->cap * 2 : 16), sizeof *x->list);
		x->list[x->n++] = (struct account){.name = name, .billed = xcalloc(hours, sizeof(int64_t)), .estimated = xcalloc(hours, sizeof(int64_t))};
	}
	return &x->list[*at];
}

static struct account *account_of_slot(struct accounts *x, struct work *w, int32_t slot)
{
	int32_t *at = map_find(&x->by_slot, (uint64_t)slot);
	bool added;
	if (at)
		return &x->list[*at];
	struct account *a = account_named(x, w, account_of(w->names.list[slot]));
	map_add(&x->by_slot, (uint64_t)slot, (int32_t)(a - x->list), &added);
	return a;
}

static void read_accounts(struct accounts *x, struct work *w)
{
	bool added;
	for (int64_t i = 0; i < w->actual.n; i++) {
		const struct ledger_row *r = &w->actual.rows[i];
		map_add(&x->models, (uint64_t)r->slot << 32 | (uint32_t)r->model, 0, &added);
		account_of_slot(x, w, r->slot)->billed[r->hour - w->period->first] += r->tokens;
	}
	for (int64_t i = 0; i < w->estimate.n; i++) {
		const struct ledger_row *r = &w->estimate.rows[i];
		if (map_find(&x->models, (uint64_t)r->slot << 32 | (uint32_t)r->model))
			account_of_slot(x, w, r->slot)->estimated[r->hour - w->period->first] += r->tokens;
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
	map_release(&x->by_slot);
	map_release(&x->models);
}

static int64_t account_watermark(struct work *w, const struct account *a, int64_t before)
{
	int64_t held;
	char when[WHEN_SIZE];
	struct watermark_input in = {.first = w->period->first, .end = w->period->end, .last_hour = w->bill.last_hour, .delivered_ms = w->period->delivered_ms,
	                             .now_ms = when_now_ms(), .patience_ms = w->conf->watermark_ms, .before = before, .daily = w->bill.daily,
	                             .invoiced = w->bill.invoiced, .billed = a->billed, .estimated = a->estimated};
	int64_t mark = a->covered ? watermark_find(&in, &held) : 0;
	if (!mark)
		return 0;
	if (held)
		buf_addf(&w->bill.notes, "account %.*s: its last %" PRId64 " hours look half delivered, so the estimate stands for them\n", STR_ARG(a->name), held);
	struct buf field = BUF_INIT;
	buf_addf(&field, "watermark %.*s", STR_ARG(a->name));
	status_add(&w->status, field.data, "%s", when_format((mark > before ? mark : before) * MS_PER_HOUR, when));
	buf_release(&field);
	if (!w->out->watermark || mark < w->out->watermark)
		w->out->watermark = mark;
	return mark;
}

// ---- into Redis ----------------------------------------------------------------------------------------------------

static int by_account(const void *a, const void *b)
{
	const struct slot_state *x = a, *y = b;
	int c = str_cmp(x->account, y->account);
	return c ? c : str_cmp(x->slot, y->slot);
}

static bool publish_slots(struct work *w, struct slot_state *slots, int n, struct err *err)
{
	const struct ledger_row **sorted = ledger_sort(&w->actual, LEDGER_BY_SHEET);
	struct accounts accounts = {0};
	bool good = true;
	int64_t mark = 0;
	read_accounts(&accounts, w);
	if (n > 1)
		qsort(slots, (size_t)n, sizeof *slots, by_account);
	for (int i = 0; good && i < n; i++) {
		if (i == 0 || !str_eq(slots[i].account, slots[i - 1].account)) {
			int64_t before = 0;
			for (int k = i; k < n && str_eq(slots[k].account, slots[i].account); k++)
				before = slots[k].watermark > before ? slots[k].watermark : before;
			mark = account_watermark(w, account_named(&accounts, w, slots[i].account), before);
		}
		struct ledger_row key = {.slot = names_add(&w->names, slots[i].slot)};
		int64_t from = ledger_seek(sorted, w->actual.n, LEDGER_BY_SHEET, &key), to = from;
		while (to < w->actual.n && sorted[to]->slot == key.slot)
			to++;
		struct publish_slot slot = {slots[i].slot, w->period->name, w->period->first, w->period->end, w->period->first, mark};
		bool taken = true;
		good = publish_slot(w->publish, &slot, &w->names, sorted + from, to - from, w->join.called, w->join.ncalled, &taken, err);
		w->out->overtaken |= good && !taken;
	}
	free(sorted);
	release_accounts(&accounts);
	return good;
}

// ---- what stands apart, and the status -----------------------------------------------------------------------------

struct apart {
	struct usd usd;
	int64_t rows;
	struct str field;
};

static void tell_apart(struct work *w)
{
	struct arena arena = ARENA_INIT;
	struct map index = MAP_INIT;
	struct apart *list = NULL;
	int32_t n = 0, cap = 0;
	struct buf field = BUF_INIT;
	for (int64_t i = 0; i < w->bill.nlines; i++) {
		const struct bill_line *line = &w->bill.lines[i];
		const struct bill_kind *k = &w->bill.kinds[line->kind];
		bool added;
		w->out->billed = usd_add(w->out->billed, line->cost);
		if (k->class == BILL_TOKENS)
			continue;
		w->out->apart = usd_add(w->out->apart, line->cost);
		struct str what = k->usage_type.len ? k->usage_type : k->line_type;
		struct str account = w->bill.names[line->account];
		buf_clear(&field);
		buf_addf(&field, "apart %s %.*s %.*s", bill_class_names[k->class], STR_ARG(account.len ? account : STR("-")), STR_ARG(what.len ? what : STR("-")));
		int32_t *at = map_add(&index, (uint64_t)names_add(&w->names, buf_str(&field)), n, &added);
		if (added) {
			if (n == cap)
				list = xrealloc(list, (size_t)(cap = cap ? cap * 2 : 64), sizeof *list);
			list[n++] = (struct apart){.field = arena_str(&arena, buf_str(&field))};
		}
		list[*at].usd = usd_add(list[*at].usd, line->cost);
		list[*at].rows++;
	}
	for (int32_t i = 0; i < n; i++) {
		char usd[USD_SIZE];
		status_add(&w->status, list[i].field.p, "%s %" PRId64, usd_format_pico(list[i].usd, usd), list[i].rows);
	}
	free(list);
	buf_release(&field);
	map_release(&index);
	arena_release(&arena);
}

static void tell_period(struct work *w)
{
	const struct export_period *p = w->period;
	char usd[USD_SIZE];
	struct status *s = &w->status;
	status_add(s, "source", "%s", w->source);
	status_add(s, "export", "%.*s", STR_ARG(w->export->name));
	status_add(s, "execution", "%.*s", STR_ARG(p->execution));
	status_add(s, "delivered_ms", "%" PRId64, p->delivered_ms);
	status_add(s, "finished_ms", "%" PRId64, when_now_ms());
	status_add(s, "duration_ms", "%" PRId64, when_ticks_ms() - w->start_ms);
	status_add(s, "files", "%d", p->nfiles);
	status_add(s, "bytes", "%" PRId64, p->bytes);
	status_add(s, "rows", "%" PRId64, w->bill.rows);
	status_add(s, "granularity", "%s", w->bill.daily ? "daily" : "hourly");
	status_add(s, "principals", "%s", w->bill.with_principal ? "yes" : "no");
	status_add(s, "invoiced", "%s", w->bill.invoiced && w->bill.last_hour ? "yes" : "no");
	status_add(s, "tokens", "%s", usd_format_pico(w->join.tokens_usd, usd));
	status_add(s, "marketplace", "%s", usd_format_pico(w->join.marketplace, usd));
	status_add(s, "outside", "%s", usd_format_pico(w->join.outside_usd, usd));
	status_add(s, "notes", "%.*s", STR_ARG(buf_str(&w->bill.notes)));
}

// ---- a period, and a run -------------------------------------------------------------------------------------------

static bool run_period(struct work *w, struct duck *duck, struct err *err)
{
	struct arena arena = ARENA_INIT;
	struct slot_state *slots;
	int nslots;
	if (!bill_read(&w->bill, duck, w->period, err))
		return false;
	bool good = read_estimate(w, err);
	w->join = (struct join){.names = &w->names, .estimate = &w->estimate, .actual = &w->actual,
	                        .foundation = w->foundation, .nfoundation = w->nfoundation, .first = w->period->first, .end = w->period->end};
	if (good)
		join_bill(&w->join, &w->bill);
	if (w->join.outside)
		buf_addf(&w->bill.notes, "%" PRId64 " lines are for hours outside of the billing period: their dollars are told apart\n", w->join.outside);
	good = good && read_slots(w, &arena, &slots, &nslots, err) && publish_slots(w, slots, nslots, err);
	if (good) {
		struct buf key = BUF_INIT;
		tell_apart(w);
		tell_period(w);
		buf_addf(&key, "reconcile:%.*s", STR_ARG(w->period->name));
		good = publish_status(w->publish, key.data, &w->status, err) && publish_period(w->publish, w->period->name, err);
		buf_release(&key);
	}
	struct buf rates = BUF_INIT;
	int nrates = 0;
	if (good && w->out->watermark)
		rates_learn(&w->bill, w->out->watermark, &rates, &nrates);
	if (nrates) {
		buf_clear(w->rates);
		buf_addstr(w->rates, buf_str(&rates));
		w->out->rates = nrates;
	}
	buf_release(&rates);
	w->out->files += w->period->nfiles;
	w->out->bytes += w->period->bytes;
	w->out->rows += w->bill.rows;
	w->out->tokens = usd_add(w->out->tokens, w->join.tokens_usd);
	buf_addstr(&w->out->notes, buf_str(&w->bill.notes));
	arena_release(&arena);
	return good;
}

static void release_work(struct work *w)
{
	bill_release(&w->bill);
	join_release(&w->join);
	ledger_release(&w->estimate);
	ledger_release(&w->actual);
	names_release(&w->names);
	status_release(&w->status);
	free(w->foundation);
}

static bool run_periods(struct reconciliation *out, const struct conf *conf, const char *source, const struct export *x, struct publish *p, struct duck *duck,
                        struct buf *rates, struct err *err)
{
	for (int i = 0; i < x->nperiods; i++) {
		struct work w = {.conf = conf, .source = source, .export = x, .period = &x->periods[i], .publish = p, .out = out, .start_ms = when_ticks_ms(), .rates = rates};
		bool good = run_period(&w, duck, err);
		release_work(&w);
		if (!good)
			return false;
		out->periods++;
	}
	return true;
}

static bool tell_run(const struct reconciliation *out, const struct conf *conf, const char *source, struct publish *p, struct err *err)
{
	struct status s = {.arena = ARENA_INIT};
	char usd[USD_SIZE];
	status_add(&s, "source", "%s", source);
	status_add(&s, "finished_ms", "%" PRId64, when_now_ms());
	status_add(&s, "duration_ms", "%" PRId64, out->duration_ms);
	status_add(&s, "periods", "%" PRId64, out->periods);
	status_add(&s, "files", "%" PRId64, out->files);
	status_add(&s, "bytes", "%" PRId64, out->bytes);
	status_add(&s, "rows", "%" PRId64, out->rows);
	status_add(&s, "billed", "%s", usd_format_pico(out->billed, usd));
	status_add(&s, "every_ms", "%" PRId64, *conf->reconcile_source ? conf->reconcile_every_ms : 0);
	bool good = publish_status(p, "reconcile", &s, err);
	status_release(&s);
	return good;
}

// The price source `bill`; without a folder to write to, a note and no failure. No file is made for nothing.
static void keep_rates(struct reconciliation *out, const struct conf *conf, const struct buf *rows)
{
	struct err err = ERR_INIT;
	struct buf csv = BUF_INIT, path = BUF_INIT;
	prices_path(conf, "bill", NULL, &path);
	price_file_write_head(&csv);
	buf_addstr(&csv, buf_str(rows));
	if ((out->rates || (path.len && access(path.data, F_OK) == 0)) && !rates_write(conf, buf_str(&csv), &err))
		buf_addf(&out->notes, "%d rates differ from the list and would be learned: %s\n", out->rates, err.msg);
	buf_release(&csv);
	buf_release(&path);
}

bool reconcile_is_fresh(const struct conf *conf, int64_t within_ms, bool *ret_fresh, struct err *err)
{
	struct redis *r;
	struct buf key = BUF_INIT;
	if (!redis_open(&r, conf->redis, conf->redis_ca, err))
		return false;
	buf_addf(&key, "%s:reconcile", conf->redis_prefix);
	redis_cmd(r, 3, (struct str[]){STR("HGET"), buf_str(&key), STR("finished_ms")});
	bool good = redis_exec(r, err);
	int64_t finished;
	if (good)
		*ret_fresh = usd_parse_scaled(redis_str(r, 0), 0, &finished) && when_now_ms() - finished < within_ms;
	redis_close(r);
	buf_release(&key);
	return good;
}

// A folder as it is; from S3, what is needed is brought into the cache first.
static bool find_export(struct export *x, struct s3 *s3, const struct conf *conf, const char *source, struct str period, struct err *err)
{
	struct buf folder = BUF_INIT;
	if (strncmp(source, "s3://", 5) != 0)
		return export_find(x, source, period, NULL, NULL, err);
	if (!s3_open(s3, source, conf->reconcile_cache, err))
		return false;
	buf_addf(&folder, "%.*s%s%.*s", STR_ARG(s3->folder), s3->prefix.len ? "/" : "", STR_ARG(s3->prefix));
	bool good = export_find(x, folder.data, period, s3_fetch, s3, err);
	buf_release(&folder);
	return good;
}

// Where DuckDB may spill: a folder of this process alone.
static void spill_folder(char *ret, size_t size)
{
	const char *tmp = getenv("TMPDIR");
	snprintf(ret, size, "%s/nowcast-duckdb-%ld", tmp && *tmp ? tmp : "/tmp", (long)getpid());
}

bool reconcile_run(struct reconciliation *ret, const struct conf *conf, const char *source, struct str period, struct err *err)
{
	struct reconciliation out = {0};
	struct export x = {0};
	struct publish p = {0};
	struct duck *duck = NULL;
	struct s3 s3 = {0};
	char spill[400];
	int64_t start = when_ticks_ms();
	spill_folder(spill, sizeof spill);
	bool good = duck_open(&duck, conf->reconcile_memory, spill, err) && find_export(&x, &s3, conf, source, period, err);
	if (good)
		buf_addstr(&out.notes, buf_str(&x.notes));
	good = good && publish_begin(&p, conf->redis, conf->redis_ca, conf->redis_prefix, conf->retention_ms, err);
	out.run = p.run;
	struct buf rates = BUF_INIT;
	good = good && run_periods(&out, conf, source, &x, &p, duck, &rates, err);
	if (good && out.watermark)
		keep_rates(&out, conf, &rates);
	buf_release(&rates);
	out.duration_ms = when_ticks_ms() - start;
	good = good && taught_refresh(conf->redis, conf->redis_ca, conf->redis_prefix, conf->settle_interval_ms, conf->retention_ms, err);
	good = good && tell_run(&out, conf, source, &p, err);
	publish_end(&p);
	export_release(&x);
	s3_close(&s3);
	duck_close(duck);
	rmdir(spill);
	if (good)
		*ret = out;
	else
		reconciliation_release(&out);
	return good;
}

void reconciliation_release(struct reconciliation *r)
{
	buf_release(&r->notes);
}
