// SPDX-License-Identifier: Apache-2.0
// Writes facts to Redis, reads them back, and writes the figures computed from them. docs/redis-keys.md
// describes every key.
//
// All keys of one account and Region share a hash tag, {account/region}, so one script may change all of
// them.
#ifndef NOWCAST_STORE_STORE_H
#define NOWCAST_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"
#include "estimator/facts.h"
#include "estimator/telemetry_check.h"
#include "store/batch.h"
#include "store/batch_position.h"
#include "store/billed_means_refresh.h"
#include "store/call_sums.h"
#include "store/cardinality.h"
#include "store/engine.h"
#include "store/positions.h"
#include "store/profile.h"
#include "store/redis.h"

struct store {
	struct redis *redis;
	const struct engine_options *options;
	int apply, hour_stats, settle, claim, promoted, promote_again, unpack, relabel, keep_longest,
		tags; // scripts
	struct map shards; // digest of an account and Region -> how many shards Redis has of it (store/shards.h)
	struct positions_scripts at;
	struct positions *positions; // of what the batches contain; NULL: not from Kafka
	struct batch_position own;   // what `positions` is of then, from the first batch on
	bool own_loss_unnoted;       // what `own` shows to be lost is noted by the caller
	struct gap *gaps;            // found since the last batch
	size_t ngaps;
	struct loss loss;            // since the last batch; seen_ms 0: none
	// minutes that were read to their end since the last batch; read_from 0: none
	int64_t read_from, read_to;
	size_t note_replies;         // of the batch in hand: to all of these
	struct buf key;     // of the command being queued: the next key replaces it
	struct call_sums sums; // of the calls that are being sent
	bool marks_checked; // of the schema and of hashed names
	struct siphash_key name_key; // of the ids of names, once name_key_known
	bool name_key_known;
	// the epoch of Redis when this store wrote last, 0: never; the one it offers to a Redis that has none
	uint64_t epoch, offered;
};

bool store_open(struct store *s, const struct engine_options *o, struct err *err) NC_CHECK;
void store_close(struct store *s);

// Remembers a gap with the next batch.
void store_add_gap(struct store *s, const struct gap *gap);

// Notes with the next batch that all that Kafka holds of these minutes is in it, or in Redis.
void store_note_read(struct store *s, int64_t from_minute, int64_t to_minute);

// Remembers with the next batch that Redis has lost what was written to it.
void store_note_loss(struct store *s, const struct loss *loss);

// Has the next store_apply look whether Redis has lost something.
void store_check_loss(struct store *s);

// Nothing more comes: Redis forgets how many batches there were, or does so later if it does not answer now.
void store_end_batches(struct store *s);

// Whether there is something to write beside a batch.
bool store_has_more(const struct store *s);

// Learns from Redis with which key the ids of names are made. Once true it costs nothing.
bool store_learn_name_key(struct store *s, struct err *err) NC_CHECK;

// Tells the batch which accounts and Regions Redis has.
bool store_read_places(struct store *s, struct batch *b, struct err *err) NC_CHECK;

// Writes a batch, with the positions: two round trips, and a third if it has session tags, or calls of
// accounts and Regions with shards. Adds to `counts` what became of the records.
bool store_apply(struct store *s, struct batch *b, struct engine_counts *counts, struct err *err) NC_CHECK;

// Unpacks the calls of closed buckets that records of the batch are to be joined with. What is unpacked stays
// so for some minutes, and apply.lua refuses what is packed (ERR_RETRY).
bool store_unpack(struct store *s, const struct batch *b, struct err *err) NC_CHECK;

// An hour of one model in one account and region that is to be computed.
struct due {
	struct str acct_region;      // "account/region"
	int64_t hour;
	struct str model_hex; // id of the model, 16 hex digits
	int64_t due_ms;       // since when
};

enum { DUE_MAX = 256 }; // hours taken at once from each account and Region
enum { STORE_GRACE_MS = 86400000 }; // the clock of this machine and that of Redis need not agree

// Takes hours that are due (with `all`: also those not due yet); no other process gets them until a lease has
// passed. Results live in `arena`, sorted by account and Region, model and hour. *ret_left: hours due or
// waiting, the claimed ones included.
bool store_claim(struct store *s, bool all, struct arena *arena, struct due **ret_due, int *ret_n,
                 size_t *ret_left, struct err *err) NC_CHECK;

// Gives back hours that were claimed and not computed: they are due as they were.
bool store_give_back(struct store *s, const struct due *due, int n, struct err *err) NC_CHECK;

// Tags as a JSON object, and the field under which key_tagsets has them; no tags are "-" and "{}".
struct tagset {
	struct str id, json;
};

// Entries among the tags that are no tags. AWS reserves "aws:", so no tag has these names.
#define TAG_PROJECT "aws:project" // of bedrock-mantle
#define TAG_ISSUER "aws:issuer"   // ARN of the user that a federated user inherits tags from
#define TAG_META "aws:meta:"         // before a key of request metadata
#define TAG_IDENTITY "aws:identity:" // before what userIdentity says beside the principal
#define TAG_LABELS "aws:labels"      // value of all labels that are not listed: some were left out

// Further names of a model, as records of a bucket have them.
struct further_names {
	struct str foundation; // STR_NONE if not known
	struct str called;     // ARN of an application inference profile, else STR_NONE
};

// The hours and statistics around hours of one model of one account and Region, and the names in them.
struct series {
	struct str acct_region, model_hex;
	struct str model;
	int64_t read_ms;               // monotonic: when the reading began
	struct profile profile;        // the model behind an id that names none, as imported
	struct further_names *further; // by bucket, from first_bucket on
	int64_t first_bucket;
	int nbuckets;
	int64_t first;                 // number of hours[0]
	struct hour **hours;           // NULL where there are no facts
	int nhours;
	int64_t first_stats;          // number of statistics[0]; store_exchange_hour_stats fills these
	struct str *stats;
	int nstats;
	struct billed_means *billed_means;         // of the model, by ARN
	int nbilled_means;
	struct billed_means billed_all;            // of all models and callers; no ARN
	bool has_billed_all;
	struct who *callers;           // sorted by (arn, tagset); struct calls refer to it
	int32_t ncallers;
	struct str *folded;            // by caller: id of its tags without labels; NULL: nobody has labels
	struct cardinality cardinality;        // of groups with more names than are kept
	struct tagset *tagsets;        // that occur among the callers
	int ntagsets;
};

// Reads the hours from the first to the last of due[0..n-1], which are of one model in the order of time, and
// their two neighbours. Everything lives in `arena`, but for the texts of `due`.
bool store_read_series(struct store *s, const struct due *due, int n, struct arena *arena, struct series *ret,
                       struct err *err) NC_CHECK;

// The further names of the model in an hour: those of the buckets whose records may count in it.
struct further_names series_further_names(const struct series *s, int64_t hour);

// A field and a value of a hash (store/usage_rows.h).
struct row {
	struct str field, value;
};
struct row_list {
	struct row *v;
	int n, cap;
};

struct settled {
	int64_t hour;
	struct str versions[3]; // of the hour before, the hour, the hour after
	struct str hour_stats;      // its statistics
	struct str stats_version; // of the statistics that it uses; store_exchange_hour_stats fills it
	struct telemetry_calls telemetry;
	// store/hour_rows.h fills these
	struct row_list usage, meta; // of the two hashes of the hour
	bool overflow;            // they are to be summed up with those of other models
	const char *unpriced;     // why some of it has no price (static), or NULL
};

// Stores the statistics of `n` hours (ascending, n > 0) whose facts have not changed since they were read,
// then reads all statistics that these hours use.
bool store_exchange_hour_stats(struct store *s, struct series *series, struct settled *hours, int n,
                               struct arena *arena, struct err *err) NC_CHECK;

// Queue the tags that occur in the rows of `n` hours of a series, and why its model has no price. store_claim
// drops those that no hour has used for longer than figures are kept.
void store_queue_tagsets(struct store *s, const struct series *series, const struct settled *hours, int n);
void store_queue_unpriced(struct store *s, struct str model, const char *why);

// Queues a settled hour; redis_exec sends it, reply "1" says that it was written.
void store_queue_settled(struct store *s, const struct series *series, const struct settled *x);

// How much longer than its calls the cells of an hour are kept: its neighbours, and the hours that use its
// statistics, need them.
int64_t store_keep_ms(const struct store *s);

#endif
