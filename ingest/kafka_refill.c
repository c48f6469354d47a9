// SPDX-License-Identifier: Apache-2.0
// Keeps librdkafka fetching. The thread that fetches sleeps once the queue is full (queued.min.messages,
// queued.max.messages.kbytes), for up to a second, in which a worker has long read the queue to its end.
// From 2.2 on it looks again after fetch.queue.backoff.ms (kafka_conf.c). Before, only an answer of the
// broker or a request to it wakes that thread. So each time a part of the queue was read, the leaders are
// asked for the end of the partitions, and nobody waits for the answer.
#include <assert.h>
#include <stdlib.h>

#include "ingest/kafka_priv.h"

enum {
	PARTS = 4,                   // of a queue, until it is refilled
	VERSION_BACKOFF = 0x02020000 // the first with fetch.queue.backoff.ms
};

static int64_t read_property(const rd_kafka_conf_t *conf, const char *name)
{
	char value[32];
	size_t size = sizeof value;
	bool known = rd_kafka_conf_get(conf, name, value, &size) == RD_KAFKA_CONF_OK;
	assert(known); // librdkafka has both
	return strtoll(value, NULL, 10);
}

void kafka_refill_init(struct kafka *k)
{
	const rd_kafka_conf_t *conf = rd_kafka_conf(k->rk);
	k->refill.bytes = k->refill.messages = INT64_MAX;
	if ((unsigned)rd_kafka_version() >= VERSION_BACKOFF)
		return;
	k->refill.bytes = read_property(conf, "queued.max.messages.kbytes") * 1024 / PARTS;
	k->refill.messages = read_property(conf, "queued.min.messages") / PARTS;
}

// The answer comes too late for this call, as it is meant to.
static void wake_fetchers(struct kafka *k)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)k->positions.n);
	for (size_t i = 0; i < k->positions.n; i++) {
		const struct position *p = &k->positions.v[i];
		rd_kafka_topic_partition_list_add(list, p->topic, p->partition)->offset = RD_KAFKA_OFFSET_END;
	}
	if (list->cnt)
		rd_kafka_offsets_for_times(k->rk, list, 0);
	rd_kafka_topic_partition_list_destroy(list);
}

void kafka_refill(struct kafka *k, size_t bytes)
{
	k->refill.bytes_read += (int64_t)bytes;
	k->refill.messages_read++;
	if (k->refill.bytes_read < k->refill.bytes && k->refill.messages_read < k->refill.messages)
		return;
	k->refill.bytes_read = k->refill.messages_read = 0;
	wake_fetchers(k);
}
