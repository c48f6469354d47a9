// SPDX-License-Identifier: Apache-2.0
// How many messages a consumer group has not yet committed: group_lag -b BOOTSTRAP -g GROUP [-w SECONDS]
// TOPIC...
//
// Prints the sum over all partitions of the topics: end of the partition less the committed offset, or less
// its beginning where nothing is committed. A topic that does not exist counts nothing. Tests wait until this
// is 0; with -w it waits for that itself, so many seconds at most, and fails when they are over.
#include <getopt.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/when.h"

static void die(const char *what, const char *why)
{
	fprintf(stderr, "group_lag: %s: %s\n", what, why);
	exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *key, const char *value)
{
	char errstr[256];
	if (rd_kafka_conf_set(conf, key, value, errstr, sizeof errstr))
		die(key, errstr);
}

static void add_partitions(rd_kafka_t *rk, const char *name, rd_kafka_topic_partition_list_t *list)
{
	const struct rd_kafka_metadata *md;
	rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
	rd_kafka_resp_err_t err = rd_kafka_metadata(rk, 0, topic, &md, 10000);
	if (err)
		die(name, rd_kafka_err2str(err));
	for (int i = 0; i < md->topic_cnt; i++)
		for (int p = 0; p < md->topics[i].partition_cnt; p++)
			rd_kafka_topic_partition_list_add(list, name, md->topics[i].partitions[p].id);
	rd_kafka_metadata_destroy(md);
	rd_kafka_topic_destroy(topic);
}

static long long lag_of(rd_kafka_t *rk, const rd_kafka_topic_partition_t *p)
{
	int64_t low, high;
	rd_kafka_resp_err_t err =
		rd_kafka_query_watermark_offsets(rk, p->topic, p->partition, &low, &high, 10000);
	if (err)
		die(p->topic, rd_kafka_err2str(err));
	return high - (p->offset >= low ? p->offset : low);
}

static long long lag_of_all(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list)
{
	long long lag = 0;
	rd_kafka_resp_err_t err = list->cnt ? rd_kafka_committed(rk, list, 15000) : 0;
	if (err)
		die("committed offsets", rd_kafka_err2str(err));
	for (int i = 0; i < list->cnt; i++)
		lag += lag_of(rk, &list->elems[i]);
	return lag;
}

int main(int argc, char **argv)
{
	int wait_s = 0;
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	set(conf, "log_level", "2");
	set(conf, "allow.auto.create.topics", "false");
	for (int c; (c = getopt(argc, argv, "b:g:w:")) != -1;) {
		if (c == 'b')
			set(conf, "bootstrap.servers", optarg);
		else if (c == 'g')
			set(conf, "group.id", optarg);
		else if (c == 'w')
			wait_s = atoi(optarg);
		else
			return 2;
	}
	char errstr[256];
	rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, errstr, sizeof errstr);
	if (!rk)
		die("librdkafka", errstr);
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
	for (int i = optind; i < argc; i++)
		add_partitions(rk, argv[i], list);
	long long lag;
	int64_t until = when_ticks_ms() + wait_s * 1000;
	while ((lag = lag_of_all(rk, list)) > 0 && when_ticks_ms() < until)
		usleep(20000);
	printf("%lld\n", lag);
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_destroy(rk);
	return wait_s && lag ? 1 : 0;
}
