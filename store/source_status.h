// SPDX-License-Identifier: Apache-2.0
// How far each source of AWS's APIs is read in each account and Region, and what hinders it: where a restart
// goes on, and what doctor, /metrics and the page show. The same of the Firehose streams that deliver
// (run/delivery_streams.h).
//
// In key_sources, a field "SOURCE ACCOUNT/REGION" or "firehose ACCOUNT/REGION/STREAM" with the value
//     POSITION READ FAILING STATE RATE TEXT
// POSITION: everything before is read (ms); READ: when that was last brought forward; FAILING: since when it
// fails; 0 each if never. STATE is a word of source_state_words. RATE: events a second. TEXT: what is wrong
// and what to do, or a note.
//
// A position is written once Redis has all facts before it. On a Redis Cluster of several masters every
// span of slots has a copy of it (key_sources_copy), as of the positions of Kafka (store/positions.h): the
// least of them is how far all masters have it.
#ifndef NOWCAST_STORE_SOURCE_STATUS_H
#define NOWCAST_STORE_SOURCE_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "store/redis.h"

enum source_state {
	SOURCE_READS,   // or fails: see failing_ms
	SOURCE_IDLE,    // there is nothing to read
	SOURCE_TOO_MUCH, // more comes than can be read this way
	SOURCE_REMOVED,  // it was taken out of the configuration; its position stays, should it come back
	SOURCE_STATES
};
extern const char *const source_state_words[SOURCE_STATES];

struct source_status {
	struct str source;      // "cloudtrail"
	struct str acct_region; // "111122223333/us-east-1"
	int64_t position_ms, read_ms, failing_ms, rate;
	enum source_state state;
	struct str text;
};

// Queues the status; redis_exec writes it. Its position is written with it, but for the copies of it.
void source_status_queue(struct redis *r, const char *prefix, const struct source_status *s);

// Queues the copies of the positions of `n` sources, before their status: nothing on one Redis.
void source_positions_queue(struct redis *r, const char *prefix, const struct source_status *v, size_t n);

// Queues that there is no such source any more.
void source_status_queue_end(struct redis *r, const char *prefix, struct str source, struct str acct_region);

// Sorted by source, account and Region, with the least of the copies of a position. Fields of another form
// are passed over.
typedef void source_status_fn(void *user, const struct source_status *s);
bool source_status_each(struct redis *r, const char *prefix, source_status_fn *fn, void *user,
                        struct err *err) NC_CHECK;

// Marks sources as removed: those for which `is_kept` says no. `written_ms`: when the status was last
// written. Those that were removed 100 days ago are forgotten: AWS has nothing left of their time.
typedef bool source_kept_fn(void *user, const struct source_status *s, int64_t written_ms);
bool source_status_sweep(struct redis *r, const char *prefix, source_kept_fn *is_kept, void *user,
                         struct err *err) NC_CHECK;

// One process reads an account at a time: it takes a lease of ten seconds, and takes it again before that is
// over. Two that read the same are no harm, but each pays and is throttled.
bool source_lease_take(struct redis *r, const char *prefix, struct str account, struct str owner,
                       bool *ret_ours, struct err *err) NC_CHECK;
void source_lease_queue_end(struct redis *r, const char *prefix, struct str account); // of one's own

#endif
