// SPDX-License-Identifier: Apache-2.0
#include "reconcile/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "aws/s3.h"
#include "base/text.h"
#include "base/when.h"
#include "pricing/price_file.h"
#include "pricing/prices.h"
#include "reconcile/duckdb.h"
#include "reconcile/rates.h"
#include "reconcile/run_priv.h"
#include "store/billed_means_refresh.h"
#include "store/keys.h"
#include "store/names_check.h"
#include "store/schema.h"

enum { STALE_HOURS = 48 };

// ---- a period, and a run ------------------------------------------------------------------------

// AWS delivers the current month at least daily.
static void note_stale_export(struct reconcile_run *w)
{
	int64_t now = when_now_ms(), age_hours = (now - w->period->delivered_ms) / MS_PER_HOUR;
	if (now / MS_PER_HOUR < w->period->end && age_hours > STALE_HOURS)
		buf_addf(&w->bill.notes,
		         "the export is stale: its newest delivery is %" PRId64
		         " hours old, and AWS delivers daily; look at its status under Data Exports\n",
		         age_hours);
}

// Tags of callers are in the bill once somebody has activated them, and not in what was billed before.
static bool note_missing_tags(struct reconcile_run *w, struct duck *duck, struct err *err)
{
	bool column = false, tags = false;
	if (!w->tagged || !w->bill.with_principal)
		return true;
	if (!bill_has_caller_tags(duck, w->period, &column, &tags, err))
		return false;
	if (column && !tags)
		buf_adds(
			&w->bill.notes,
			"callers have tags, and the bill has none of them (iamPrincipal/... in its column tags): activate them as cost allocation tags under Billing and "
			"Cost Management (it takes up to 24 hours and is not retroactive); until then only nowcast knows teams\n");
	return true;
}

static bool run_period(struct reconcile_run *w, struct duck *duck, struct err *err)
{
	names_add(&w->names, STR_NONE); // number 0 is none
	if (!bill_read(&w->bill, duck, w->period, w->bill_names, reconcile_run_figures_max(w), err))
		return false;
	note_stale_export(w);
	bool good = reconcile_run_read_estimate(w, err) && note_missing_tags(w, duck, err);
	w->join = (struct join){.names = &w->names,
	                        .estimate = &w->estimate,
	                        .actual = &w->actual,
	                        .foundation = w->foundation,
	                        .nfoundation = w->nfoundation,
	                        .first = w->period->first,
	                        .end = w->period->end};
	if (good) {
		join_bill(&w->join, &w->bill);
		reconcile_run_give_tags(w);
	}
	if (w->join.outside)
		buf_addf(&w->bill.notes,
		         "%" PRId64
		         " lines are for hours outside of the billing period: their dollars are listed separately\n",
		         w->join.outside);
	good = good && reconcile_run_publish_acct_regions(w, err);
	if (good)
		reconcile_run_note_unmatched(w);
	if (good)
		reconcile_run_note_contradicted(w);
	good = good && reconcile_run_publish_scores(w, err) && reconcile_run_publish_band(w, err) &&
	       reconcile_run_publish_status(w, err);
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
	w->out->inference = usd_add(w->out->inference, w->join.usd);
	buf_addstr(&w->out->notes, buf_str(&w->bill.notes));
	return good;
}

static void release_run(struct reconcile_run *w)
{
	bill_release(&w->bill);
	join_release(&w->join);
	ledger_release(&w->estimate);
	ledger_release(&w->actual);
	names_release(&w->names);
	status_release(&w->status);
	free(w->foundation);
	free(w->tagsets);
	map_release(&w->tagset_index);
	free(w->declarations.list);
	map_release(&w->declarations.index);
	map_release(&w->declarations.hours);
	free(w->final_until);
}

// `common`: what all periods share.
static bool run_periods(const struct reconcile_run *common, struct duck *duck, struct err *err)
{
	for (int i = 0; i < common->export->nperiods; i++) {
		struct reconcile_run w = *common;
		w.period = &common->export->periods[i];
		w.start_ms = when_ticks_ms();
		if (w.progress->period)
			w.progress->period(w.progress->user, w.period->name, i + 1, w.export->nperiods);
		bool good = run_period(&w, duck, err);
		release_run(&w);
		if (!good)
			return false;
		common->out->periods++;
	}
	return true;
}

static bool write_run_status(const struct reconciliation *out, const struct conf *conf, const char *source,
                     struct publish *p, struct err *err)
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
	bool good = publish_status(p, STR_NONE, &s, err);
	status_release(&s);
	return good;
}

// The price source `bill`; without a folder to write to, a note and no failure. No file is made for nothing.
static void write_rates(struct reconciliation *out, const struct conf *conf, const struct buf *rows)
{
	struct err err = ERR_INIT;
	struct buf csv = BUF_INIT, path = BUF_INIT;
	if (!*conf->prices_dir) { // the sources in files are switched off
		if (out->rates)
			buf_addf(
				&out->notes,
				"%d rates differ from the list and would be learned: set prices.dir to a folder that nowcast may write\n",
				out->rates);
		return;
	}
	prices_path(conf, "bill", NULL, &path);
	price_file_write_head(&csv);
	buf_addstr(&csv, buf_str(rows));
	if ((out->rates || (path.len && access(path.data, F_OK) == 0)) && !rates_write(conf, buf_str(&csv), &err))
		buf_addf(&out->notes, "%d rates differ from the list and would be learned: %s\n", out->rates,
		         err.msg);
	buf_release(&csv);
	buf_release(&path);
}

bool reconcile_is_fresh(const struct conf *conf, int64_t within_ms, bool *ret_fresh, struct err *err)
{
	struct redis *r;
	struct buf key = BUF_INIT;
	if (!schema_open(&r, redis_target_of(conf), SCHEMA_READ, err))
		return false;
	key_reconcile(&key, conf->redis_prefix);
	redis_cmd(r, 3, (struct str[]){STR("HGET"), buf_str(&key), STR("finished_ms")});
	bool good = redis_exec(r, err);
	int64_t finished;
	if (good)
		*ret_fresh = usd_parse_scaled(redis_str(r, 0), 0, &finished) && when_now_ms() - finished < within_ms;
	redis_close(r);
	buf_release(&key);
	return good;
}

// A folder is read as it is; what is needed from S3 is fetched into the cache first.
static bool find_export(struct export *x, struct s3 *s3, const char *source, struct str period,
                        struct err *err)
{
	struct buf folder = BUF_INIT;
	if (strncmp(source, "s3://", 5) != 0)
		return export_find(x, source, period, NULL, NULL, err);
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

bool reconcile_run(struct reconciliation *ret, const struct conf *conf, const char *source, struct str period,
                   const struct reconcile_progress *progress, struct err *err)
{
	struct reconciliation out = {0};
	struct export x = {0};
	struct publish p = {0};
	struct duck *duck = NULL;
	struct pseudonyms *callers = NULL;
	struct price_names models = {0};
	struct model_names *known = model_names_new();
	struct s3 s3 = {0};
	char spill[400];
	int64_t start = when_ticks_ms();
	spill_folder(spill, sizeof spill);
	bool good = pseudonyms_open(&callers, conf, err) && price_names_load(&models, conf, err) &&
	            duck_open(&duck, conf->reconcile_memory / 2, spill, err) &&
	            (strncmp(source, "s3://", 5) != 0 ||
	             s3_open(&s3, source, conf->reconcile_cache, progress->fetch, progress->user, err)) &&
	            find_export(&x, &s3, source, period, err);
	if (good)
		buf_addstr(&out.notes, buf_str(&x.notes));
	text_make_plain_lines(out.notes.data, out.notes.len); // they quote names of files
	good =
		good && publish_begin(&p, redis_target_of(conf), conf->retention_ms, err);
	out.run = p.run;
	struct buf rates = BUF_INIT;
	const struct bill_names names = {callers, {&models, known}};
	good = good && names_check(p.redis, conf->redis_prefix, callers, err) &&
	       run_periods(&(struct reconcile_run){.conf = conf,
	                                           .source = source,
	                                           .export = &x,
	                                           .progress = progress,
	                                           .publish = &p,
	                                           .bill_names = &names,
	                                           .out = &out,
	                                           .rates = &rates},
	                   duck, err);
	if (good && out.watermark)
		write_rates(&out, conf, &rates);
	buf_release(&rates);
	out.duration_ms = when_ticks_ms() - start;
	good = good && billed_means_refresh(redis_target_of(conf),
	                                    conf->settle_interval_ms, conf->retention_ms, err);
	good = good && write_run_status(&out, conf, source, &p, err);
	publish_end(&p);
	export_release(&x);
	s3_prune(&s3, conf->reconcile_cache_max);
	s3_close(&s3);
	duck_close(duck);
	pseudonyms_close(callers);
	price_names_release(&models);
	model_names_free(known);
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
