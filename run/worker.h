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

#include "run/ingest_thread.h"

struct worker;

// Validates; connects nothing yet. `conf` outlives the worker and is not changed under it, reloadable keys
// excepted. `prices` lives until the worker uses others, or has ended.
bool worker_start(struct worker **ret, const struct conf *conf, const struct prices *prices, int number,
                  struct err *err) NC_CHECK;

// To stop it, to give it prices, and to read its counts: from any thread.
struct ingest_thread *worker_thread(struct worker *w);

// Waits for the end of its thread and frees it. False: it ended by an error, or could not bring its last
// batch to Redis.
bool worker_join(struct worker *w, struct err *err) NC_CHECK;

#endif
