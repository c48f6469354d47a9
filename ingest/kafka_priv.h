// SPDX-License-Identifier: Apache-2.0
// Private to kafka*.c: our configuration as librdkafka's.
#ifndef NOWCAST_INGEST_KAFKA_PRIV_H
#define NOWCAST_INGEST_KAFKA_PRIV_H

#include <librdkafka/rdkafka.h>

#include "ingest/kafka.h"

// The caller owns the result. NULL (ERR_CONFIG): a property is unknown, has a wrong value, or may not be set
// by the user. `hooks` becomes librdkafka's opaque and must outlive the client.
rd_kafka_conf_t *kafka_conf_consumer(const struct conf *conf, const struct kafka_hooks *hooks,
                                     struct err *err);
rd_kafka_conf_t *kafka_conf_producer(const struct conf *conf, const struct kafka_hooks *hooks,
                                     struct err *err);

// A client with this configuration, which it owns from now on. NULL: `k` is NULL (err is set already), or
// ERR_CONFIG.
rd_kafka_t *kafka_client_new(rd_kafka_type_t type, rd_kafka_conf_t *k, struct err *err);

#endif
