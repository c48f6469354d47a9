// SPDX-License-Identifier: Apache-2.0
// An account and Region whose calls are spread over several hash slots of a Redis Cluster, because they are
// too many for one master.
//
//     A/R                 names, metrics, telemetry without a request id, tags, figures; which hours are due
//     A/R~01aa, A/R~02fc  ... N shards: each has calls, by request id, and their sums by hour
//
// All records of a call are of one shard, where they are joined. A/R has no calls, so that no shard has more
// work than another, and decides what is late. An hour is computed from the sums of all shards.
//
// A batch is written to A/R first, which answers which sections it takes, then to the shards. An hour that
// changes in a shard is due there. Whoever looks for hours to compute takes it there, has its facts in A/R
// change with it (apply.lua, promoted hours), and only then takes it off the shard (promoted.lua): so one
// that dies in between repeats it, and nothing is forgotten.
//
// N is fixed when A/R is first written, and A/R refuses a batch that was spread over another number.
#ifndef NOWCAST_STORE_SHARDS_H
#define NOWCAST_STORE_SHARDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/shard_counts.h"
#include "base/str.h"
#include "store/redis.h"

// Which of `n` shards (n > 1) has the calls of that request, the id of its evidence: 1 to n.
int shard_of_call(const uint8_t *id, int n);

// The number of the last one: n, and 0, A/R itself, where n is 1. So the keys of all facts are those of 0 to
// shards_last.
static inline int shards_last(int n)
{
	return n > 1 ? n : 0;
}

// What takes the place of "account/region" in the keys of a shard, as "account/region~02fc"; 0: that itself.
// Empties `b` and returns it.
struct str shard_place(struct buf *b, struct str acct_region, int shard);

// Queues the question how many an account and Region has, and reads the answer: 1 without several.
void shards_ask(struct redis *r, struct buf *key, const char *prefix, struct str acct_region);
int shards_answer(const struct redis *r, size_t reply);

// Replaces the list of `*n` accounts and Regions by one, in `arena`, of all places that have their facts:
// them and their shards. One round trip.
bool shards_list(struct redis *r, const char *prefix, struct str **places, size_t *n, struct arena *arena,
                 struct err *err) NC_CHECK;

// How many each of the accounts and Regions has, in `arena`; one round trip. NULL: on error.
int *shards_read(struct redis *r, const char *prefix, const struct str *acct_regions, size_t n,
                 struct arena *arena, struct err *err);

#endif
