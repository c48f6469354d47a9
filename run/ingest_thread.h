// SPDX-License-Identifier: Apache-2.0
// What the threads that bring records in have in common, those of Kafka (run/worker.h) and that of AWS's APIs
// (run/puller.h): the daemon asks them to stop, gives them prices, and reads what they have done.
#ifndef NOWCAST_RUN_INGEST_THREAD_H
#define NOWCAST_RUN_INGEST_THREAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "run/intake.h"

struct prices;

struct ingest_stats { // counts since the start of the thread; the others are as of now
	uint64_t messages, records, calls, ignored, faults, late, future, settled, batches, round_trips;
	uint64_t dead_sent, dead_filed, dead_logged;
	uint64_t gap_messages; // that Kafka no longer had
	uint64_t telemetry_unused; // telemetry of calls that could not be used (store/telemetry_counts.h)
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

struct ingest_thread {
	pthread_t thread;
	_Atomic int64_t stop_ms; // when it was asked to stop (monotonic); 0: it was not
	_Atomic(const struct prices *) offered;
	const struct prices *prices; // in use; of the thread itself
	pthread_mutex_t lock;        // guards `shown`
	struct ingest_stats shown;
};

// `prices` lives until the thread uses others, or has ended.
void ingest_thread_init(struct ingest_thread *t, const struct prices *prices);
void ingest_thread_destroy(struct ingest_thread *t);

// From any thread:
void ingest_thread_stop(struct ingest_thread *t); // asks it to drain; returns at once
void ingest_thread_set_prices(struct ingest_thread *t, const struct prices *p); // from its next turn on
void ingest_thread_read_stats(struct ingest_thread *t, struct ingest_stats *ret); // a consistent copy

// From the thread itself:
bool ingest_thread_is_stopping(const struct ingest_thread *t);
bool ingest_thread_has_stopped_for(const struct ingest_thread *t, int64_t ms); // was asked to, as long ago
void ingest_thread_adopt_prices(struct ingest_thread *t, struct intake *in);
// Shows what the intake counts, and what the thread itself knows: `own`.
void ingest_thread_publish(struct ingest_thread *t, const struct intake *in, struct ingest_stats own);
void ingest_thread_mark_safe(struct ingest_thread *t);
void ingest_thread_mark_ended(struct ingest_thread *t); // nothing of it is used any more

#endif
