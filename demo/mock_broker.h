// SPDX-License-Identifier: Apache-2.0
// A Kafka broker inside this process (librdkafka's mock cluster, on a free loopback port) and a producer to
// it. Its topics are in memory, 5 MB a partition, and end with it.
#ifndef NOWCAST_DEMO_MOCK_BROKER_H
#define NOWCAST_DEMO_MOCK_BROKER_H

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct mock_broker;

bool mock_broker_start(struct mock_broker **ret, const char *const *topics, int ntopics, int partitions,
                       struct err *err) NC_CHECK;
const char *mock_broker_address(const struct mock_broker *b); // for `brokers`

// Queues a message, to any partition; it leaves within some tens of milliseconds.
bool mock_broker_send(struct mock_broker *b, const char *topic, struct str text, struct err *err) NC_CHECK;

// Waits until the broker has confirmed all that was sent.
bool mock_broker_flush(struct mock_broker *b, struct err *err) NC_CHECK;

void mock_broker_stop(struct mock_broker *b); // consumers are to be closed before. NULL: nothing

#endif
