// SPDX-License-Identifier: Apache-2.0
// The yardstick of the benchmark: a librdkafka consumer that throws everything away. discard -b BOOTSTRAP -t
// TOPIC -p PARTITIONS -n N
//
// Reads N messages from the beginning of the topic's partitions and prints the seconds it took, from its
// start to the last message. Connecting is in it, as it is in what it is compared with.
#include <getopt.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/when.h"

enum { BATCH = 10000 };

static void die(const char *what, const char *why)
{
	fprintf(stderr, "discard: %s: %s\n", what, why);
	exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *key, const char *value)
{
	char errstr[256];
	if (rd_kafka_conf_set(conf, key, value, errstr, sizeof errstr))
		die(key, errstr);
}

static rd_kafka_t *open_consumer(const char *bootstrap, const char *topic, int partitions)
{
	char errstr[256];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	set(conf, "bootstrap.servers", bootstrap);
	set(conf, "group.id", "discard");
	set(conf, "enable.auto.commit", "false");
	rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, errstr, sizeof errstr);
	if (!rk)
		die("librdkafka", errstr);
	rd_kafka_poll_set_consumer(rk);
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
	for (int i = 0; i < partitions; i++)
		rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
	rd_kafka_resp_err_t err = rd_kafka_assign(rk, list);
	if (err)
		die("assign", rd_kafka_err2str(err));
	rd_kafka_topic_partition_list_destroy(list);
	return rk;
}

int main(int argc, char **argv)
{
	static rd_kafka_message_t *batch[BATCH];
	const char *bootstrap = NULL, *topic = NULL;
	long long n = 0, seen = 0;
	int partitions = 1;
	for (int c; (c = getopt(argc, argv, "b:t:p:n:")) != -1;) {
		if (c == 'b')
			bootstrap = optarg;
		else if (c == 't')
			topic = optarg;
		else if (c == 'p')
			partitions = atoi(optarg);
		else if (c == 'n')
			n = atoll(optarg);
	}
	if (!bootstrap || !topic || n < 1 || partitions < 1) {
		fprintf(stderr, "usage: discard -b BOOTSTRAP -t TOPIC -p PARTITIONS -n N\n");
		return 2;
	}
	int64_t began = when_ticks_ms(), heard = began;
	rd_kafka_t *rk = open_consumer(bootstrap, topic, partitions);
	rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(rk);
	while (seen < n) {
		ssize_t got = rd_kafka_consume_batch_queue(queue, 100, batch, BATCH);
		for (ssize_t i = 0; i < got; i++) {
			seen += !batch[i]->err;
			rd_kafka_message_destroy(batch[i]);
		}
		if (got > 0)
			heard = when_ticks_ms();
		else if (when_ticks_ms() - heard > 30000)
			die(topic, "no message for 30 seconds, and not all seen yet");
	}
	printf("%.3f\n", (double)(when_ticks_ms() - began) / 1000);
	rd_kafka_queue_destroy(queue);
	rd_kafka_consumer_close(rk);
	rd_kafka_destroy(rk);
	return 0;
}
