// SPDX-License-Identifier: Apache-2.0
// Our configuration as librdkafka's; for kafka.c and kafka_producer.c only.
#ifndef NOWCAST_INGEST_KAFKA_PRIV_H
#define NOWCAST_INGEST_KAFKA_PRIV_H

#include <librdkafka/rdkafka.h>

#include "ingest/kafka.h"

// NULL with ERR_CONFIG set when a property is unknown, not valid, or ours alone to set. The opaque is
// `hooks`.
rd_kafka_conf_t *kafka_conf_consumer(const struct conf *conf, const struct kafka_hooks *hooks,
                                     struct err *err);
rd_kafka_conf_t *kafka_conf_producer(const struct conf *conf, const struct kafka_hooks *hooks,
                                     struct err *err);

#endif
