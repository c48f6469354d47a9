// SPDX-License-Identifier: Apache-2.0
// A Kafka broker within this process (librdkafka's mock cluster, on a free loopback port) and a producer to
// it. Its topics are held in memory, 5 MB a partition, and are gone when it stops.
#ifndef NOWCAST_DEMO_BROKER_H
#define NOWCAST_DEMO_BROKER_H

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct demo_broker;

bool demo_broker_start(struct demo_broker **ret, const char *const *topics, int ntopics, int partitions,
                       struct err *err) NC_CHECK;
const char *demo_broker_address(const struct demo_broker *b); // for `brokers`

// Queues a message, to any partition; it leaves within some tens of milliseconds.
bool demo_broker_send(struct demo_broker *b, const char *topic, struct str text, struct err *err) NC_CHECK;

// Waits until the broker has confirmed all that was sent.
bool demo_broker_flush(struct demo_broker *b, struct err *err) NC_CHECK;

void demo_broker_stop(struct demo_broker *b); // consumers are to be closed before; NULL is fine

#endif
