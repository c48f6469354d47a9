// SPDX-License-Identifier: Apache-2.0
// How far workers are behind in Kafka, as they tell Redis every few seconds, for whoever shows it: a server
// need not reach Kafka.
#ifndef NOWCAST_STORE_TOPIC_LAG_H
#define NOWCAST_STORE_TOPIC_LAG_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "ingest/position.h"
#include "store/redis.h"

enum { TOPIC_LAG_KEPT_MS = 5 * 60000 }; // what is older is of no worker that runs

// Queues what the positions have to tell (`tell_lag`); returns how many replies there will be. `key` is for
// the key.
size_t topic_lag_queue(struct redis *r, struct buf *key, const char *prefix, const struct positions *p,
                       int64_t now_ms);

// A topic that workers read, of all clusters and groups.
struct topic_lag {
	const char *topic;
	int64_t partitions; // whose worker has told in the last minutes: the sums are of these
	int64_t messages;   // not read yet
	int64_t endangered; // of these, soon deleted by Kafka
};

// By name. Lives in `arena`.
bool topic_lag_read(struct redis *r, const char *prefix, int64_t now_ms, struct arena *arena,
                    struct topic_lag **ret, size_t *ret_n, struct err *err) NC_CHECK;

#endif
