// SPDX-License-Identifier: Apache-2.0
// The estimator as its users see it: records in, figures in Redis out.
//
//     record -> engine_add     collected in memory
//            -> engine_apply   facts in Redis: one round trip, atomic in each account and Region
//            -> engine_settle  facts + weights -> tokens and dollars by hour
//
// Facts are joined, never added, so applying the same record twice, in any order, from any worker, changes
// nothing. Once engine_apply has returned true the facts are in Redis, and the hours that are to be computed
// again are marked due: the offsets of the batch may be committed. Any engine that calls engine_settle
// computes them, whichever applied the facts.
//
// One engine belongs to one thread; engines share nothing but Redis.
#ifndef NOWCAST_STORE_ENGINE_H
#define NOWCAST_STORE_ENGINE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ingest/decode.h"
#include "ingest/position.h"
#include "ingest/pseudonym.h"
#include "ingest/record.h"
#include "pricing/prices.h"
#include "store/redis.h"
#include "store/telemetry_counts.h"

struct engine;

struct engine_options {
	struct redis_target redis;
	int64_t window_ms;       // how long the calls and cells of an hour are kept for late records
	int64_t reopen_ms;       // how long they are kept, packed, after that
	int64_t retention_ms;    // how long the figures of an hour are kept
	int64_t settle_ms;       // least time between two computations of the same hour
	int64_t turn_ms;         // how long engine_settle computes, unless all is wanted; 0: half a second
	int64_t future_ms;       // a record further ahead of the clock than this is refused
	int lookback_minutes;    // how long a call waits for its metric
	int learn_hours;         // how many hours before an hour its weights are learned from
	// How many names are kept on a day (store/cardinality.h):
	int sessions_max;        // sessions of a role
	int users_max;           // users of an account
	int models_max;          // models, beside those that a price is known for
	int acct_regions_max;    // pairs of account and Region, of all days (store/batch.h); 0: any number
	const struct conf_list *shards; // of them (base/shard_counts.h), where Redis has no facts yet; NULL: 1
	int label_keys_max;      // keys of labels (ingest/labels.h), of one owner
	int label_values_max;    // values of one of them
	// Which keys of request metadata are kept: patterns (ingest/labels.h), which outlive the engine; NULL:
	// all
	const struct conf_list *meta_keys;
	// Of telemetry (docs/telemetry.md); all outlive the engine. Where it names no account, no Region: ""
	// or NULL: it is not used; and the accounts without CloudTrail, where it counts as calls: NULL: none
	const char *telemetry_account, *telemetry_region;
	const struct conf_list *telemetry_without_cloudtrail;
	const struct conf_list *telemetry_roles; // whose sessions it is joined with by the second; NULL: none
	const volatile sig_atomic_t *stop; // once it is not 0, settling ends soon; NULL: nobody stops it
	struct pseudonyms *pseudonyms; // outlives the engine; NULL: names are kept as they are
	// outlives the engine, or the next engine_set_prices; NULL: the built-in catalogue
	const struct prices *prices;

	// Called once a model and engine, when tokens are found that have no price; may be NULL.
	void (*on_unpriced)(void *user, struct str model, const char *why);

	// Called for each record with tokens that cannot be (store/plausible.h), which are left out; may be NULL.
	void (*on_implausible)(void *user, const char *why);

	// Called where Redis has another number of shards of an account and Region than is configured, which
	// stays; may be NULL.
	void (*on_shards)(void *user, struct str acct_region, int held, int configured);

	// Redis no longer holds what this engine wrote to it (restarted without persistence, flushed, failed over
	// to a replica that lagged): what was committed before must be read again. May be NULL.
	void (*on_forgotten)(void *user);
	void *user;
};

struct engine_counts {
	uint64_t records, calls_new, calls_known, metrics, tags; // of what was applied
	uint64_t late;       // records whose hour had left the window
	uint64_t future;     // records too far ahead of the clock
	uint64_t telemetry[TELEMETRY_UNUSED]; // telemetry that is not used, by the reason
	uint64_t settled;    // hours computed (an hour of one account, region and model counts once each time)
	uint64_t round_trips;
};

// Does not connect yet. False only for a bad URL (ERR_CONFIG).
bool engine_open(struct engine **ret, const struct engine_options *o, struct err *err) NC_CHECK;
void engine_close(struct engine *e);

// Learns from Redis the key of the ids of names (store/name_id.h), without which no record can be added.
// ERR_RETRY: Redis is away; call again. Once true it costs nothing.
bool engine_prepare(struct engine *e, struct err *err) NC_CHECK;

// Adds a record to the batch; copies what it needs. False, with ERR_SKIP, if its values make no sense
// (say, an account that is no account): the caller dead-letters it. Prepares the engine if that has not been
// done, so the first record may meet the errors of that.
bool engine_add(struct engine *e, const struct record *r, struct err *err) NC_CHECK;

// For a daemon: see redis_run_on (store/redis.h).
void engine_run_on(struct engine *e);

// Whether the records added from now on count although their hours have left the window, as long as the facts
// of these are kept (reopen_ms). At first they do not: they are late.
void engine_set_reopening(struct engine *e, bool reopening);

// Positions of what the batches contain: they are written with each, and what Redis has answered is in them
// after engine_apply (ingest/position.h). They outlive the engine.
void engine_track(struct engine *e, struct positions *p);
void engine_add_gap(struct engine *e, const struct gap *gap); // of those positions; copied

// Has the next engine_apply look whether Redis, or a master of a Redis Cluster, has lost what this engine
// wrote (on_forgotten), although there is no batch.
void engine_check_loss(struct engine *e);

// No batch comes any more: what was kept to notice a loss is deleted. Without it, Redis keeps that for two
// days.
void engine_end_batches(struct engine *e);

// That Redis has lost what was written to it, for doctor. Written with the next batch.
void engine_note_loss(struct engine *e, const struct loss *loss);

// Whether the engine notes by itself what its count of batches shows to be lost. At first it does. A caller
// whose own positions say better since when notes the loss itself; on_forgotten tells it of one either way.
void engine_set_noting_losses(struct engine *e, bool noting);

// Of those positions: all that Kafka holds of the minutes [from, to) since the epoch is in the batch, or in
// Redis (store/observed.h). Written with the batch.
void engine_note_read(struct engine *e, int64_t from_minute, int64_t to_minute);

// Counts a dead letter of the batch, for doctor and /metrics.
void engine_count_fault(struct engine *e, enum fault_kind kind);

// Counts telemetry that is not used with the batch, likewise.
void engine_count_telemetry(struct engine *e, enum telemetry_unused why);

// Bytes of memory the batch takes, to bound it.
size_t engine_pending_bytes(const struct engine *e);
size_t engine_pending_records(const struct engine *e);

// Writes the batch. On false (ERR_RETRY: Redis is away; ERR_FATAL: it refuses) the batch is kept, and calling
// again is safe even if Redis had taken part of it. An empty batch writes positions and gaps, if there are
// any.
bool engine_apply(struct engine *e, struct err *err) NC_CHECK;

// Computes the hours that are due, first those that have waited longest, for options.turn_ms and the run of
// hours in hand: the rest stays due for whoever asks next, so that the caller goes on reading. With `all`,
// all of them, and also those that are not due yet, until none is left, options.stop says so, or all that are
// left change as fast as they are computed. *ret_left: how many are known to be left.
bool engine_settle(struct engine *e, bool all, size_t *ret_left, struct err *err) NC_CHECK;

// If the last turn has left hours that were due: when the next one may begin (when_ticks_ms). 0: it has
// left none.
int64_t engine_next_turn_ms(const struct engine *e);

// Hours settled from now on are priced with these; those settled before stay as they are (store/reprice.h).
void engine_set_prices(struct engine *e, const struct prices *p);

const struct engine_counts *engine_counts(const struct engine *e);

#endif
