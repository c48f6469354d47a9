// SPDX-License-Identifier: Apache-2.0
#include "ingest/kafka_retention.h"

#include <stdlib.h>

#include "base/when.h"

static int64_t read_config(const rd_kafka_event_t *e, const char *name)
{
	size_t n = 0, nentries = 0;
	const rd_kafka_DescribeConfigs_result_t *result = rd_kafka_event_DescribeConfigs_result((void *)e);
	const rd_kafka_ConfigResource_t **resources =
		result ? rd_kafka_DescribeConfigs_result_resources(result, &n) : NULL;
	const rd_kafka_ConfigEntry_t **entries =
		n ? rd_kafka_ConfigResource_configs(resources[0], &nentries) : NULL;
	for (size_t i = 0; i < nentries; i++) {
		const char *value = rd_kafka_ConfigEntry_value(entries[i]);
		if (value && strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) == 0)
			return strtoll(value, NULL, 10);
	}
	return -1;
}

static int64_t read_retention(rd_kafka_t *rk, const char *topic, int timeout_ms)
{
	char why[128];
	int64_t ms = -1;
	rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
	rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
	rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
	rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, why, sizeof why);
	rd_kafka_DescribeConfigs(rk, &resource, 1, options, queue);
	rd_kafka_event_t *e = rd_kafka_queue_poll(queue, timeout_ms + 500);
	if (e && !rd_kafka_event_error(e))
		ms = read_config(e, "retention.ms");
	if (e)
		rd_kafka_event_destroy(e);
	rd_kafka_ConfigResource_destroy(resource);
	rd_kafka_AdminOptions_destroy(options);
	rd_kafka_queue_destroy(queue);
	return ms;
}

// Messages of a partition before the first one that is young enough.
static int64_t count_old(const rd_kafka_topic_partition_t *at, const rd_kafka_topic_partition_t *young,
                         int64_t high)
{
	int64_t end = young->err ? at->offset : young->offset < 0 ? high : young->offset; // -1: all are older
	return end > at->offset ? end - at->offset : 0;
}

static int64_t count_oldest_tenth(int64_t at, int64_t low, int64_t high)
{
	int64_t edge = low + (high - low) / 10;
	return low > 0 && at < edge ? edge - at : 0;
}

static int64_t count_in_partition(rd_kafka_t *rk, const rd_kafka_topic_partition_t *at,
                                  const rd_kafka_topic_partition_t *young, int timeout_ms)
{
	int64_t low, high;
	if (rd_kafka_query_watermark_offsets(rk, at->topic, at->partition, &low, &high, timeout_ms) ||
	    at->offset >= high)
		return 0;
	int64_t old = young ? count_old(at, young, high) : 0;
	int64_t oldest = count_oldest_tenth(at->offset > low ? at->offset : low, low, high);
	return old > oldest ? old : oldest;
}

int64_t kafka_count_endangered(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list, int timeout_ms,
                               int64_t *ret_retention_ms)
{
	int64_t endangered = 0, retention = read_retention(rk, list->elems[0].topic, timeout_ms);
	rd_kafka_topic_partition_list_t *young = rd_kafka_topic_partition_list_copy(list);
	for (int i = 0; i < young->cnt; i++)
		young->elems[i].offset = when_now_ms() - retention / 4 * 3;
	bool by_time = retention > 0 && rd_kafka_offsets_for_times(rk, young, timeout_ms) == 0;
	*ret_retention_ms = retention > 0 ? retention : -1;
	for (int i = 0; i < list->cnt; i++) {
		rd_kafka_topic_partition_t *at = &list->elems[i];
		at->offset = count_in_partition(rk, at, by_time ? &young->elems[i] : NULL, timeout_ms);
		endangered += at->offset;
	}
	rd_kafka_topic_partition_list_destroy(young);
	return endangered;
}
