// SPDX-License-Identifier: Apache-2.0
// How far each partition of Kafka was read, kept beside the facts of what was read (ingest/position.h).
//
// Positions go out in the last pipeline of a batch, after its facts. Redis carries commands out in their
// order, and a snapshot, an append-only file and a replica hold all commands up to one of them. So whatever
// Redis has after a failure, it has all facts before the positions that it has.
//
// That holds for each master of a Redis Cluster, but not for all of them together. So there the positions go
// out once every master has the facts (redis_barrier), and every span of slots has a copy of them, which
// moves with its slots. A master that comes back older, a replica that lagged, has copies that are behind,
// and the least of all copies is how far Redis has it.
#ifndef NOWCAST_STORE_POSITIONS_H
#define NOWCAST_STORE_POSITIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "ingest/position.h"
#include "store/redis.h"

enum { GAPS_MAX = 1000 }; // that are remembered

struct positions_scripts {
	int position, gap; // numbers of the scripts
};
struct positions_scripts positions_scripts_of(struct redis *r); // registers them

// Whether something of a position is to be written, or to be asked for.
bool positions_are_due(const struct positions *p);

// Queues them; returns how many replies there will be. `key` is for the keys.
size_t positions_queue(struct redis *r, struct positions_scripts s, struct buf *key, const char *prefix,
                       int64_t keep_ms, struct positions *p);

// A partition, as a group of a cluster reads it.
struct partition_of {
	const char *cluster, *group, *topic;
	int32_t partition;
};

// How far Redis has it, of whichever reading; POSITION_NONE: it knows nothing of it.
bool positions_held(struct redis *r, const char *prefix, const struct partition_of *x, int64_t *ret_next,
                    struct err *err) NC_CHECK;

// Queues that Redis forgets them; redis_exec sends it.
void positions_queue_end(struct redis *r, struct buf *key, const char *prefix, const struct positions *p);

// Reads the answers, replies first..., into the positions that were queued.
void positions_read(struct redis *r, size_t first, struct positions *p);

// Queues a gap, in one reply. The same gap again replaces the first.
void positions_queue_gap(struct redis *r, struct positions_scripts s, struct buf *key, const char *prefix,
                         const struct positions *p, const struct gap *gap, int64_t now_ms);

// Queues that Redis has lost what was written to it; returns how many replies there will be. It is kept for
// 30 days after the last one. positions_loss: the last time and the worst extent; seen_ms is 0 if there was
// none.
size_t positions_queue_loss(struct redis *r, struct buf *key, const char *prefix, const struct loss *loss);
bool positions_loss(struct redis *r, const char *prefix, struct loss *ret, struct err *err) NC_CHECK;

// A gap as it is remembered.
struct gap_seen {
	struct gap gap;
	const char *cluster, *group;
	int64_t seen_ms; // when it was found
};

const char *gap_cause_word(enum gap_cause cause); // "retention", "redis", "aws_retention", "aws_values"

// Queues what a source of AWS's APIs did not give of a span of time, in one reply: only the times and the
// cause of `gap` count. Its messages cannot be counted.
void positions_queue_source_gap(struct redis *r, struct positions_scripts s, const char *prefix,
                                struct str source, struct str acct_region, struct gap gap);
bool gap_is_of_aws(const struct gap *g);
struct str gap_source(const struct gap *g, struct str *ret_acct_region); // "metrics" and "ACCOUNT/REGION"

// All that are remembered, the newest first. Texts live in `arena`.
bool gaps_read(struct redis *r, const char *prefix, struct arena *arena, struct gap_seen **ret, size_t *ret_n,
               struct err *err) NC_CHECK;

#endif
