// SPDX-License-Identifier: Apache-2.0
// A worker: one thread, one consumer, one engine. Workers share only Redis and the consumer group.
//
//     poll up to N records or T ms -> apply to Redis -> store dead letters -> commit offsets
//       ^                                                                       |
//       +---------------------- settle hours, when it is time <-----------------+
//
// While Redis does not answer, it keeps the batch, keeps its place in the group by polling (paused), and
// tries again. If it dies, another worker reads what was not committed; applying a record twice changes
// nothing.
#ifndef NOWCAST_RUN_WORKER_H
#define NOWCAST_RUN_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/err.h"

struct worker_stats { // counts since the start of the worker; the others are as of now
	uint64_t messages, records, calls, ignored, faults, late, future, settled, batches, round_trips;
	uint64_t dead_sent, dead_filed, dead_logged;
	uint64_t gap_messages; // that Kafka no longer had
	uint64_t untrusted, custom_events, foreign_accounts; // of the faults: records refused (ingest/trust.h)
	int64_t endangered;   // messages not read yet that Kafka soon deletes
	int64_t dead_waiting; // dead letters that their topic or file does not take now
	int64_t lag;         // messages behind the end of its partitions
	int64_t settle_left; // hours waiting to be computed
	int64_t partitions;
	int64_t turned_ms;   // monotonic clock: end of the last turn of its loop
	bool waiting;        // for Redis, or for a place for dead letters
	bool safe;           // all that it has read is committed, and it reads no more
	bool ended;
	const struct prices *prices; // that it uses
};

struct worker;
struct prices;

// Validates; connects nothing yet. `conf` outlives the worker and is not changed under it, reloadable keys
// excepted. `prices` lives until the worker uses others, or has ended.
bool worker_start(struct worker **ret, const struct conf *conf, const struct prices *prices, int number,
                  struct err *err) NC_CHECK;

// From any thread:
void worker_stop(struct worker *w); // asks it to drain; returns at once
void worker_set_prices(struct worker *w, const struct prices *p); // used from its next turn on
void worker_read_stats(struct worker *w, struct worker_stats *ret); // a consistent copy

// Waits for the end of its thread and frees it. False: it ended by an error, or could not bring its last
// batch to Redis.
bool worker_join(struct worker *w, struct err *err) NC_CHECK;

#endif
