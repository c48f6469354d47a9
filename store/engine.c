// SPDX-License-Identifier: Apache-2.0
// Connects the batch, the store and the estimator. Settling an hour: read facts, write statistics, learn
// weights, allocate, price, write the figures. If facts or statistics have changed meanwhile, it stays due.
#include "store/engine.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/when.h"
#include "estimator/cache_shares.h"
#include "estimator/learn.h"
#include "estimator/telemetry_join.h"
#include "estimator/ttl_shares.h"
#include "ingest/labels.h"
#include "pricing/model_id.h"
#include "store/dead_letter_counts.h"
#include "store/hour_rows.h"
#include "store/plausible.h"
#include "store/store.h"

enum {
	RUN_HOURS = 24,   // hours of one model that are read and settled together
	PLACES_MS = 60000, // how old the list of accounts and Regions may be by which new ones are counted
	WARNED_MAX = 10000, // models that are remembered as reported
	// times that one hour is computed, beside those for the hours that it learns from, before it is left to
	// whoever keeps changing it
	SETTLED_MAX = 50,
	TURN_MS = 500,
	SETTLE_SHARE = 20, // settling takes at most one part in so many of the time, unless all is to be settled
};

struct engine {
	struct engine_options options;
	struct store store;
	struct batch batch;
	struct arena arena; // of one run of settling
	struct arena hidden; // of the record in hand: names that are hashed, labels that are kept
	struct map warned;  // models that were reported as unpriced
	struct engine_counts counts;
	uint64_t faults[FAULT_KINDS], nfaults; // dead letters of the batch
	uint64_t unused[TELEMETRY_UNUSED], nunused; // telemetry of the batch that is not used
	int64_t settle_not_before; // ticks
	bool has_left;             // the last turn ended before all that was due was computed
	int64_t places_due;        // ticks: when the accounts and Regions are read again; 0: they were not yet
};

bool engine_open(struct engine **ret, const struct engine_options *o, struct err *err)
{
	struct engine *e = xcalloc(1, sizeof *e);
	e->options = *o;
	batch_init(&e->batch);
	e->batch.told_roles = o->telemetry_roles;
	if (!store_open(&e->store, &e->options, err)) {
		free(e);
		return false;
	}
	*ret = e;
	return true;
}

void engine_close(struct engine *e)
{
	if (!e)
		return;
	store_close(&e->store);
	batch_release(&e->batch);
	arena_release(&e->arena);
	arena_release(&e->hidden);
	map_release(&e->warned);
	free(e);
}

static bool has_metadata(const struct record *r)
{
	return (r->kind == RECORD_CALL || r->kind == RECORD_CALL_TOKENS || r->kind == RECORD_AMENDMENT) &&
	       r->call.meta.n > 0;
}

// Of a record with tokens that cannot be, what there is without them: a call, or nothing.
static const struct record *leave_out_implausible(struct engine *e, const struct record *r,
                                                  struct record *changed)
{
	struct err why = ERR_INIT;
	bool of_call =
		r->kind == RECORD_CALL || r->kind == RECORD_CALL_TOKENS || r->kind == RECORD_AMENDMENT;
	if (r->kind == RECORD_METRIC) {
		if (!plausible_metric(&r->metric, &why))
			r = NULL;
	} else if (of_call) {
		*changed = *r;
		if (!plausible_call(&changed->call, &why))
			r = changed;
	} else if (r->kind == RECORD_TELEMETRY) {
		*changed = *r;
		if (!plausible_call(&changed->telemetry.call, &why))
			r = NULL;
	}
	if (why.kind != ERR_NONE && e->options.on_implausible)
		e->options.on_implausible(e->options.user, why.msg);
	return r;
}

// Telemetry as it is joined with the facts: with account and Region, and, where no CloudTrail tells of the
// calls of the account, as a call. NULL: it cannot be used, which is counted.
static const struct record *place_telemetry(struct engine *e, const struct record *r, struct record *changed)
{
	struct telemetry *t = &changed->telemetry;
	struct call c;
	*changed = *r;
	if (!t->call.account.len)
		t->call.account = str_of(e->options.telemetry_account);
	if (!t->call.region.len)
		t->call.region = str_of(e->options.telemetry_region);
	bool placed = t->call.account.len && t->call.region.len;
	bool alone = placed && e->options.telemetry_without_cloudtrail &&
	             conf_list_has(e->options.telemetry_without_cloudtrail, t->call.account);
	struct str id = t->call.request_id.len || !alone ? t->call.request_id : t->item;
	bool by_second = !alone && e->options.telemetry_roles && e->options.telemetry_roles->n && t->user.len &&
	                 t->call.model.len && t->start_ms > 0;
	if (!placed || !(id.len || by_second) || (alone && !(t->principal.len && t->call.model.len))) {
		engine_count_telemetry(e, !placed ? TELEMETRY_UNPLACED
		                          : !(id.len || by_second) ? TELEMETRY_WITHOUT_ID
		                                    : TELEMETRY_NAMELESS);
		return NULL;
	}
	t->call.request_id = id;
	if (!alone)
		return changed;
	c = t->call;
	c.source = SOURCE_COMPLETION;
	c.telemetry = true;
	c.caller = (struct caller){.arn = t->principal};
	changed->kind = RECORD_CALL_TOKENS;
	changed->call = c;
	return changed;
}

static bool read_places(struct engine *e, struct err *err)
{
	e->batch.places_max = e->options.acct_regions_max;
	if (e->options.acct_regions_max && !store_read_places(&e->store, &e->batch, err))
		return false;
	e->places_due = when_ticks_ms() + PLACES_MS;
	return true;
}

bool engine_prepare(struct engine *e, struct err *err)
{
	if (!store_learn_name_key(&e->store, err) || (!e->places_due && !read_places(e, err)))
		return false;
	e->batch.name_key = e->store.name_key;
	return true;
}

bool engine_add(struct engine *e, const struct record *r, struct err *err)
{
	int64_t latest = when_now_ms() + e->options.future_ms;
	struct record changed, plausible, placed;
	arena_reset(&e->hidden);
	r = leave_out_implausible(e, r, &plausible);
	if (r && r->kind == RECORD_TELEMETRY)
		r = place_telemetry(e, r, &placed);
	if (!r)
		return true;
	if (has_metadata(r) && e->options.meta_keys) {
		changed = *r;
		changed.call.meta = labels_kept(r->call.meta, e->options.meta_keys, &e->hidden);
		r = &changed;
	}
	if (e->options.pseudonyms) {
		changed = *r;
		pseudonym_record(e->options.pseudonyms, &e->hidden, &changed);
		r = &changed;
	}
	if (!engine_prepare(e, err))
		return false;
	bool good = batch_add(&e->batch, r, latest, err);
	e->counts.future = e->batch.future;
	return good;
}

void engine_set_reopening(struct engine *e, bool reopening)
{
	e->batch.reopening = reopening;
}

size_t engine_pending_bytes(const struct engine *e)
{
	return batch_bytes(&e->batch);
}

size_t engine_pending_records(const struct engine *e)
{
	return e->batch.records;
}

void engine_set_prices(struct engine *e, const struct prices *p)
{
	e->options.prices = p;
	map_clear(&e->warned); // what is unpriced now is reported again
}

bool engine_apply(struct engine *e, struct err *err)
{
	if (e->batch.records > 0 || store_has_more(&e->store)) {
		if (!store_apply(&e->store, &e->batch, &e->counts, err))
			return false;
		e->counts.records += e->batch.records;
		batch_clear(&e->batch);
		if (when_ticks_ms() >= e->places_due && !read_places(e, err))
			return false; // the batch is safe: called again, there is nothing left to do but this
	}
	if (e->nfaults > 0) {
		if (!dead_letter_counts_add(e->store.redis, e->options.redis.prefix, e->faults, when_now_ms(), err))
			return false;
		memset(e->faults, 0, sizeof e->faults);
		e->nfaults = 0;
	}
	if (e->nunused > 0) {
		if (!telemetry_counts_add(e->store.redis, e->options.redis.prefix, e->unused, err))
			return false;
		memset(e->unused, 0, sizeof e->unused);
		e->nunused = 0;
	}
	e->counts.round_trips = redis_round_trips(e->store.redis);
	return true;
}

void engine_track(struct engine *e, struct positions *p)
{
	e->store.positions = p;
}

void engine_add_gap(struct engine *e, const struct gap *gap)
{
	store_add_gap(&e->store, gap);
}

void engine_check_loss(struct engine *e)
{
	store_check_loss(&e->store);
}

void engine_end_batches(struct engine *e)
{
	store_end_batches(&e->store);
}

void engine_note_loss(struct engine *e, const struct loss *loss)
{
	store_note_loss(&e->store, loss);
}

void engine_run_on(struct engine *e)
{
	redis_run_on(e->store.redis);
}

void engine_set_noting_losses(struct engine *e, bool noting)
{
	e->store.own_loss_unnoted = !noting;
}

void engine_note_read(struct engine *e, int64_t from_minute, int64_t to_minute)
{
	store_note_read(&e->store, from_minute, to_minute);
}

void engine_count_fault(struct engine *e, enum fault_kind kind)
{
	assert(kind < FAULT_KINDS);
	e->faults[kind]++;
	e->nfaults++;
}

void engine_count_telemetry(struct engine *e, enum telemetry_unused why)
{
	assert(why < TELEMETRY_UNUSED);
	e->unused[why]++;
	e->nunused++;
	e->counts.telemetry[why]++;
}

const struct engine_counts *engine_counts(const struct engine *e)
{
	return &e->counts;
}

// ---- settling -----------------------------------------------------------------------------------

static void report_unpriced(struct engine *e, struct str model, const char *why)
{
	bool added;
	store_queue_unpriced(&e->store, model, why);
	if (e->warned.count >= WARNED_MAX)
		map_clear(&e->warned);
	map_add(&e->warned, hash64(model.p, model.len), 0, &added);
	if (added && e->options.on_unpriced)
		e->options.on_unpriced(e->options.user, model, why);
}

static struct str version_of(const struct hour *h)
{
	return h ? h->version : STR("");
}

// What the hour is computed from. Of telemetry, what the metrics do not bear out is left out.
static struct span span_of(struct engine *e, const struct series *s, int64_t hour,
                           struct telemetry_calls *ret)
{
	int at = (int)(hour - s->first);
	assert(at >= 1 && at + 1 < s->nhours); // an hour is read with its neighbours
	struct span span = {s->hours[at - 1],
	                    s->hours[at],
	                    s->hours[at + 1],
	                    s->callers,
	                    s->ncallers,
	                    str_starts(s->model, STR(MODEL_MANTLE))};
	int64_t unjoined = telemetry_join(&span, &e->arena);
	telemetry_check(&span, e->options.lookback_minutes, &e->arena, ret);
	ret->unjoined = unjoined;
	return span;
}

// The statistics of an hour, and the versions of the facts that they are computed from.
static void compute_hour_stats(struct engine *e, const struct series *s, int64_t hour, struct settled *ret)
{
	struct telemetry_calls ignored;
	struct span span = span_of(e, s, hour, &ignored);
	struct buf hour_stats = BUF_INIT;
	hour_stats_write(&span, e->options.lookback_minutes, &e->arena, &hour_stats);
	*ret = (struct settled){
		.hour = hour,
		.versions = {version_of(span.before), version_of(span.hour), version_of(span.after)},
		.hour_stats = arena_str(&e->arena, buf_str(&hour_stats)),
	};
	buf_release(&hour_stats);
}

static void settle_hour(struct engine *e, const struct series *s, struct settled *x)
{
	struct span span = span_of(e, s, x->hour, &x->telemetry);
	struct hour_usage usage;
	struct weights weights;
	int learn = e->options.learn_hours;
	struct evidence_of_hours from = {&s->stats[x->hour - learn - s->first_stats], learn + 1, s->billed_means,
	                                 s->nbilled_means};

	learn_weights(&from, &span, e->options.lookback_minutes, &e->arena, &weights);
	allocate_hour(&span, &weights, e->options.lookback_minutes, &e->arena, &usage);
	if (span.whole_prompt)
		cache_shares_apply(&span, s->billed_means, s->nbilled_means, &usage);
	ttl_shares_apply(&span, s->billed_means, s->nbilled_means, s->has_billed_all ? &s->billed_all : NULL,
	                 &usage);
	hour_rows_write(s, &span, &usage, &e->options, &e->arena, x);
	if (x->unpriced)
		report_unpriced(e, x->overflow ? STR(MODEL_OTHERS_SHOWN) : s->model, x->unpriced);
	e->counts.settled++;
}

// Hours of one model that lie close together.
static bool settle_run(struct engine *e, const struct due *due, int n, struct err *err)
{
	struct series s;
	struct settled *hours = arena_alloc(&e->arena, (size_t)n * sizeof *hours);
	if (!store_read_series(&e->store, due, n, &e->arena, &s, err))
		return false;
	for (int i = 0; i < n; i++)
		compute_hour_stats(e, &s, due[i].hour, &hours[i]);
	if (!store_exchange_hour_stats(&e->store, &s, hours, n, &e->arena, err))
		return false;
	for (int i = 0; i < n; i++)
		settle_hour(e, &s, &hours[i]);
	store_queue_tagsets(&e->store, &s, hours, n);
	redis_barrier(e->store.redis); // before the rows that name them
	for (int i = 0; i < n; i++)
		store_queue_settled(&e->store, &s, &hours[i]);
	return redis_exec(e->store.redis, err);
}

static bool is_stopped(const struct engine *e)
{
	return e->options.stop && *e->options.stop;
}

// Where the run of hours ends that begins at due[i]. The next run may be of earlier hours of the same model.
static int end_of_run(const struct due *due, int i, int n)
{
	int end = i + 1;
	while (end < n && str_eq(due[end].acct_region, due[i].acct_region) &&
	       str_eq(due[end].model_hex, due[i].model_hex) && due[end].hour > due[end - 1].hour &&
	       due[end].hour - due[i].hour < RUN_HOURS)
		end++;
	return end;
}

// *ret_done: how many were computed before `until` (ticks). The others are given back.
static bool settle_claimed(struct engine *e, const struct due *due, int n, int64_t until, int *ret_done,
                           struct err *err)
{
	int i = 0;
	for (int end; i < n && !is_stopped(e) && (i == 0 || when_ticks_ms() < until); i = end) {
		end = end_of_run(due, i, n);
		arena_reset(&e->arena); // a claim may hold any number of runs
		if (!settle_run(e, due + i, end - i, err))
			return false;
	}
	*ret_done = i;
	return i == n || is_stopped(e) || store_give_back(&e->store, due + i, n - i, err);
}

struct run {
	int first, n;   // of the hours that are due
	int64_t due_ms; // of the one that has waited longest
};

static int by_age(const void *a, const void *b)
{
	const struct run *x = a, *y = b;
	if (x->due_ms != y->due_ms)
		return x->due_ms > y->due_ms ? 1 : -1;
	return x->first - y->first;
}

// Those that have waited longest come first, so that no hour waits for others to be done for good.
static struct due *sort_by_age(const struct due *due, int n, struct arena *arena)
{
	struct run *runs = arena_alloc(arena, (size_t)(n + 1) * sizeof *runs);
	struct due *sorted = arena_alloc(arena, (size_t)(n + 1) * sizeof *sorted);
	int nruns = 0, done = 0;
	for (int i = 0, end; i < n; i = end) {
		end = end_of_run(due, i, n);
		struct run *run = &runs[nruns++];
		*run = (struct run){i, end - i, due[i].due_ms};
		for (int k = i; k < end; k++)
			run->due_ms = due[k].due_ms < run->due_ms ? due[k].due_ms : run->due_ms;
	}
	qsort(runs, (size_t)nruns, sizeof *runs, by_age);
	for (int i = 0; i < nruns; done += runs[i].n, i++)
		memcpy(sorted + done, due + runs[i].first, (size_t)runs[i].n * sizeof *due);
	return sorted;
}

// Counts how often each hour was claimed. Whether one was not too often: on a busy system there is always
// some hour that has just changed.
static bool has_fresh(const struct engine *e, struct map *times, const struct due *due, int n)
{
	bool fresh = false;
	int most = SETTLED_MAX + e->options.learn_hours;
	for (int i = 0; i < n; i++) {
		uint64_t place[] = {hash64(due[i].acct_region.p, due[i].acct_region.len),
		                    hash64(due[i].model_hex.p, due[i].model_hex.len), (uint64_t)due[i].hour};
		bool added;
		fresh |= ++*map_add(times, hash64(place, sizeof place), 0, &added) <= most;
	}
	return fresh;
}

bool engine_settle(struct engine *e, bool all, size_t *ret_left, struct err *err)
{
	int64_t begun = when_ticks_ms();
	struct arena claims = ARENA_INIT;
	struct map times = MAP_INIT;
	struct due *due;
	int n = 0, done = 0;
	size_t left = 0;
	bool good = true;
	int64_t until = all ? INT64_MAX : begun + (e->options.turn_ms ? e->options.turn_ms : TURN_MS);
	*ret_left = 0;
	if (!all && begun < e->settle_not_before)
		return true;
	do {
		arena_reset(&claims);
		good = store_claim(&e->store, all, &claims, &due, &n, &left, err);
		if (good && !all)
			due = sort_by_age(due, n, &claims);
		good = good && settle_claimed(e, due, n, until, &done, err);
	} while (good && all && has_fresh(e, &times, due, n) && !is_stopped(e));
	map_release(&times);
	arena_release(&claims);
	e->settle_not_before = when_ticks_ms() + (when_ticks_ms() - begun) * (SETTLE_SHARE - 1);
	e->counts.round_trips = redis_round_trips(e->store.redis);
	e->has_left = good && done < n;
	*ret_left = left - ((size_t)done < left ? (size_t)done : left);
	return good;
}

int64_t engine_next_turn_ms(const struct engine *e)
{
	return e->has_left ? e->settle_not_before : 0;
}
