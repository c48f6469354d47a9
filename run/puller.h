// SPDX-License-Identifier: Apache-2.0
// The records of AWS's APIs into Redis: a thread with an intake of its own, beside the workers that read
// Kafka.
//
//     a page of the stream that is due -> ... -> apply to Redis -> store dead letters -> move its position
//
// A position moves once what was read before it is in Redis: a crash repeats work and loses none. Of several
// daemons on one Redis, one reads an account at a time (store/source_status.h).
#ifndef NOWCAST_RUN_PULLER_H
#define NOWCAST_RUN_PULLER_H

#include "run/ingest_thread.h"

struct puller;

// As those of struct worker (run/worker.h), which say what is promised.
bool puller_start(struct puller **ret, const struct conf *conf, const struct prices *prices,
                  struct err *err) NC_CHECK;
struct ingest_thread *puller_thread(struct puller *p);
bool puller_join(struct puller *p, struct err *err) NC_CHECK;

#endif
