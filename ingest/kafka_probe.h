// SPDX-License-Identifier: Apache-2.0
// Looks at the topics without joining the group: whether they exist, how many messages they hold, and how
// many of these the group has not committed.
#ifndef NOWCAST_INGEST_KAFKA_PROBE_H
#define NOWCAST_INGEST_KAFKA_PROBE_H

#include <stdint.h>

#include "base/conf.h"
#include "base/err.h"

// A partition whose offset a nowcast has committed, as it keeps it in Redis, too (ingest/position.h).
struct kafka_committed {
	int32_t partition;
	int64_t start, next; // of the reading; the committed offset
};

struct kafka_topic {
	const char *name;
	int partitions;
	int64_t messages;   // that the brokers still have
	int64_t behind;     // of these, not yet committed by the group
	int64_t deleted;    // by the brokers before the group has read them, and not noticed by a worker yet
	int64_t endangered; // of those behind, soon deleted by retention (ingest/kafka_retention.h)
	int64_t retention_ms; // of the topic; -1: no limit, or not known
	bool committed;     // the group has committed in this topic
	bool dead_letters;  // it is dead_letter.topic; the numbers below `partitions` are 0
	const char *cluster;    // id of the Kafka cluster; NULL: not known
	const struct kafka_committed *by_us;
	int nby_us;
	const char *fault;  // why the topic could not be read, or NULL
};

typedef void kafka_topic_fn(void *user, const struct kafka_topic *topic);

// Calls `on_topic` for every topic that `topics` names or matches, and for dead_letter.topic; a name without
// a topic has a fault.
// ERR_RETRY: no broker answered within `timeout_ms`; ERR_CONFIG: a kafka.* property is wrong.
bool kafka_probe(const struct conf *conf, int timeout_ms, kafka_topic_fn *on_topic, void *user,
                 struct err *err) NC_CHECK;

#endif
