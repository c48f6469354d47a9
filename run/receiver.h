// SPDX-License-Identifier: Apache-2.0
// What Amazon Data Firehose delivers, into Redis: a thread with an intake of its own, beside the workers that
// read Kafka.
//
//     http thread: receiver_take -> queue (bounded) -> read every record -> apply to Redis
//                                                       -> store dead letters -> answer 200
//
// 200 says that every record of the delivery is in Redis, or is a dead letter that is stored. Whatever
// hinders that is answered with 503 or 400, and Firehose delivers again: applying a record twice changes
// nothing. What waits for one answer is applied together with what came meanwhile. While Redis does not
// answer, the batch is kept and tried again, what waits is answered within seconds, and nothing more is
// taken.
#ifndef NOWCAST_RUN_RECEIVER_H
#define NOWCAST_RUN_RECEIVER_H

#include "run/ingest_thread.h"

struct deliveries;
struct receiver;

// As those of struct worker (run/worker.h), which say what is promised. Deliveries may come until
// receiver_free, and are refused after receiver_join: the server ends between the two.
bool receiver_start(struct receiver **ret, const struct conf *conf, const struct prices *prices,
                    struct err *err) NC_CHECK;
struct ingest_thread *receiver_thread(struct receiver *r);
struct deliveries *receiver_deliveries(struct receiver *r); // for the server
bool receiver_join(struct receiver *r, struct err *err) NC_CHECK;
void receiver_free(struct receiver *r); // NULL: nothing

#endif
