// SPDX-License-Identifier: Apache-2.0
// A client made with test.mock.num.brokers brings the mock cluster with it and is its first client.
#include "demo/mock_broker.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdlib.h>

#include "base/buf.h"

enum { FLUSH_MS = 10000 };

struct mock_broker {
	rd_kafka_t *rk;
	rd_kafka_mock_cluster_t *cluster;
	int64_t refused; // messages that the broker did not take
};

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
	struct mock_broker *b = opaque;
	(void)rk;
	b->refused += m->err != RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_conf_t *make_settings(struct mock_broker *b)
{
	static const char *const pairs[][2] = {
		{"test.mock.num.brokers", "1"},
		{"client.id", "nowcast-demo"},
		{"linger.ms", "20"},
		{"log_level", "2"}, // that it is a mock cluster is no news here
	};
	char why[256];
	rd_kafka_conf_t *k = rd_kafka_conf_new();
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
		rd_kafka_conf_set(k, pairs[i][0], pairs[i][1], why, sizeof why);
	rd_kafka_conf_set_opaque(k, b);
	rd_kafka_conf_set_dr_msg_cb(k, on_delivery);
	return k;
}

bool mock_broker_start(struct mock_broker **ret, const char *const *topics, int ntopics, int partitions,
                       struct err *err)
{
	char why[256];
	struct mock_broker *b = xcalloc(1, sizeof *b);
	rd_kafka_conf_t *k = make_settings(b);
	b->rk = rd_kafka_new(RD_KAFKA_PRODUCER, k, why, sizeof why);
	if (!b->rk) {
		rd_kafka_conf_destroy(k);
		free(b);
		return err_set(err, ERR_FATAL, "librdkafka does not start: %s", why);
	}
	b->cluster = rd_kafka_handle_mock_cluster(b->rk);
	if (!b->cluster) {
		mock_broker_stop(b);
		return err_set(err, ERR_FATAL,
		               "librdkafka %s was built without its mock cluster, which the demo needs",
		               rd_kafka_version_str());
	}
	for (int i = 0; i < ntopics; i++)
		rd_kafka_mock_topic_create(b->cluster, topics[i], partitions, 1);
	*ret = b;
	return true;
}

const char *mock_broker_address(const struct mock_broker *b)
{
	return rd_kafka_mock_cluster_bootstraps(b->cluster);
}

bool mock_broker_send(struct mock_broker *b, const char *topic, struct str text, struct err *err)
{
	rd_kafka_resp_err_t code =
		rd_kafka_producev(b->rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
	                      RD_KAFKA_V_VALUE((void *)text.p, text.len), RD_KAFKA_V_END);
	rd_kafka_poll(b->rk, 0);
	return !code ||
	       err_set(err, ERR_FATAL, "the demo's broker does not take a message: %s", rd_kafka_err2str(code));
}

bool mock_broker_flush(struct mock_broker *b, struct err *err)
{
	if (rd_kafka_flush(b->rk, FLUSH_MS) != RD_KAFKA_RESP_ERR_NO_ERROR || b->refused)
		return err_set(err, ERR_FATAL, "the demo's broker did not take %lld messages",
		               (long long)(b->refused + rd_kafka_outq_len(b->rk)));
	return true;
}

void mock_broker_stop(struct mock_broker *b)
{
	if (!b)
		return;
	rd_kafka_purge(b->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	rd_kafka_destroy(b->rk); // the cluster goes with it
	free(b);
}
