// SPDX-License-Identifier: Apache-2.0
// Whether messages that are not read yet will soon be deleted by the retention of their topic. Private to
// kafka*.c.
#ifndef NOWCAST_INGEST_KAFKA_RETENTION_H
#define NOWCAST_INGEST_KAFKA_RETENTION_H

#include "ingest/kafka_priv.h"

// The partitions of one topic, `list`, with the offsets that are read next. Puts in the place of each offset
// how many messages from there on are in danger, and returns their sum: older than three quarters of the
// topic's retention.ms, or, where messages were deleted already, in the oldest tenth of what Kafka has. 0:
// none, or it is not known. *ret_retention_ms: -1 if there is no limit by time, or it may not be asked for
// (DescribeConfigs). Waits `timeout_ms` for each of two answers, and for one a partition.
int64_t kafka_count_endangered(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list, int timeout_ms,
                               int64_t *ret_retention_ms);

#endif
