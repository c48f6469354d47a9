// SPDX-License-Identifier: Apache-2.0
// Writes a file into Kafka: the tests' hand on the wire.
//
//     produce -b BOOTSTRAP [-p PARTITIONS [-a]] [-r RATE] [-t TOPIC] [-X KEY=VALUE]... FILE
//
// FILE ("-": stdin) is what `kcat -C -J` prints, one JSON object a line: its "payload" goes to its "topic",
// with its "ts". With -t each line is itself a payload, and all go to TOPIC. Payloads are spread over
// PARTITIONS partitions (1) by turns; a topic that is not there is left to the broker to create
// (auto.create.topics.enable), and with -a one that has fewer partitions gets more. -r holds it to RATE
// messages a second, so that a test can break things while they flow. A payload that does not arrive is an
// error: exit status 1 and a line that says which.
//
// It prints how many it wrote, once the broker has said yes to all of them.
#include <getopt.h>
#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/when.h"

struct produce {
	rd_kafka_t *rk;
	int partitions;
	bool adding;       // a topic with fewer partitions gets more
	int rate;          // messages a second, 0: as fast as it goes
	const char *topic; // of -t, or NULL
	char *found[64];   // topics that are there
	int nfound;
	long long sent, failed;
	int64_t began_ms;
};

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
	struct produce *p = opaque;
	(void)rk;
	if (m->err && p->failed++ == 0)
		fprintf(stderr, "produce: %s[%d]: %s\n", rd_kafka_topic_name(m->rkt), (int)m->partition,
		        rd_kafka_err2str(m->err));
}

static void die(const char *what, const char *why)
{
	fprintf(stderr, "produce: %s: %s\n", what, why);
	exit(1);
}

// How many partitions a topic has; asking makes it, where the broker makes topics when asked for. 0: none
// yet.
static int partitions_of(struct produce *p, const char *name)
{
	const struct rd_kafka_metadata *md;
	rd_kafka_topic_t *topic = rd_kafka_topic_new(p->rk, name, NULL);
	if (!topic)
		die(name, rd_kafka_err2str(rd_kafka_last_error()));
	int n = 0;
	if (!rd_kafka_metadata(p->rk, 0, topic, &md, 5000)) {
		if (md->topic_cnt == 1 && !md->topics[0].err)
			n = md->topics[0].partition_cnt;
		rd_kafka_metadata_destroy(md);
	}
	rd_kafka_topic_destroy(topic);
	return n;
}

static void add_partitions(struct produce *p, const char *name)
{
	char why[256];
	rd_kafka_queue_t *queue = rd_kafka_queue_new(p->rk);
	rd_kafka_NewPartitions_t *more =
		rd_kafka_NewPartitions_new(name, (size_t)p->partitions, why, sizeof why);
	if (!more)
		die(name, why);
	rd_kafka_CreatePartitions(p->rk, &more, 1, NULL, queue);
	rd_kafka_event_t *e = rd_kafka_queue_poll(queue, 15000);
	if (!e || rd_kafka_event_error(e))
		die(name, e ? rd_kafka_event_error_string(e) : "no answer to the request for more partitions");
	rd_kafka_event_destroy(e);
	rd_kafka_NewPartitions_destroy(more);
	rd_kafka_queue_destroy(queue);
	for (int64_t until = when_ticks_ms() + 15000;
	     partitions_of(p, name) < p->partitions && when_ticks_ms() < until;)
		rd_kafka_poll(p->rk, 50);
}

// Waits until the topic is there.
static void find_topic(struct produce *p, const char *name)
{
	for (int i = 0; i < p->nfound; i++)
		if (!strcmp(p->found[i], name))
			return;
	if (p->nfound == (int)(sizeof p->found / sizeof *p->found))
		die(name, "more than 64 topics in one file");
	int n = 0;
	for (int64_t until = when_ticks_ms() + 30000; !(n = partitions_of(p, name)) && when_ticks_ms() < until;)
		rd_kafka_poll(p->rk, 50);
	if (n > 0 && n < p->partitions && p->adding) {
		add_partitions(p, name);
	} else if (n < p->partitions) {
		fprintf(
			stderr,
			"produce: topic %s has %d partitions, -p says %d: create it so, or set num.partitions of the broker\n",
			name, n, p->partitions);
		exit(1);
	}
	p->found[p->nfound++] = xstrdup(str_of(name));
}

static void send_one(struct produce *p, const char *topic, const char *payload, size_t len, int64_t ts)
{
	find_topic(p, topic);
	int32_t partition = (int32_t)(p->sent % p->partitions);
	rd_kafka_resp_err_t err;
	while ((err = rd_kafka_producev(p->rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
	                                RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
	                                RD_KAFKA_V_VALUE((void *)payload, len), RD_KAFKA_V_TIMESTAMP(ts),
	                                RD_KAFKA_V_END)) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
		rd_kafka_poll(p->rk, 100);
	if (err)
		die(topic, rd_kafka_err2str(err));
	p->sent++;
	rd_kafka_poll(p->rk, 0);
	while (p->rate && p->sent * 1000 > (when_ticks_ms() - p->began_ms) * p->rate)
		rd_kafka_poll(p->rk, 5);
}

// One line of a `kcat -J` dump.
static void send_line(struct produce *p, const char *line, size_t len, long number)
{
	json_error_t why;
	json_t *o = json_loadb(line, len, JSON_ALLOW_NUL, &why);
	const char *topic = json_string_value(json_object_get(o, "topic"));
	json_t *payload = json_object_get(o, "payload");
	if (!topic || !json_is_string(payload)) {
		fprintf(
			stderr,
			"produce: line %ld is not what kcat -J prints (an object with topic and payload); for bare payloads use -t\n",
			number);
		exit(1);
	}
	send_one(p, topic, json_string_value(payload), json_string_length(payload),
	         json_integer_value(json_object_get(o, "ts")));
	json_decref(o);
}

static void set(rd_kafka_conf_t *conf, const char *key, const char *value)
{
	char errstr[256];
	if (rd_kafka_conf_set(conf, key, value, errstr, sizeof errstr))
		die(key, errstr);
}

static void usage(void)
{
	fprintf(stderr,
	        "usage: produce -b BOOTSTRAP [-p PARTITIONS [-a]] [-r RATE] [-t TOPIC] [-X KEY=VALUE]... FILE|-\n");
	exit(2);
}

int main(int argc, char **argv)
{
	struct produce p = {.partitions = 1};
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	set(conf, "compression.codec", "lz4");
	set(conf, "linger.ms", "20");
	set(conf, "queue.buffering.max.messages", "20000");
	for (int c; (c = getopt(argc, argv, "ab:p:r:t:X:")) != -1;) {
		char *eq = c == 'X' ? strchr(optarg, '=') : NULL;
		if (c == 'b')
			set(conf, "bootstrap.servers", optarg);
		else if (c == 'p' && atoi(optarg) > 0)
			p.partitions = atoi(optarg);
		else if (c == 'a')
			p.adding = true;
		else if (c == 'r' && atoi(optarg) > 0)
			p.rate = atoi(optarg);
		else if (c == 't')
			p.topic = optarg;
		else if (eq) {
			*eq = '\0';
			set(conf, optarg, eq + 1);
		} else
			usage();
	}
	if (optind + 1 != argc)
		usage();
	FILE *f = strcmp(argv[optind], "-") ? fopen(argv[optind], "r") : stdin;
	if (!f)
		die(argv[optind], "cannot be opened");

	char errstr[256];
	rd_kafka_conf_set_opaque(conf, &p);
	rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
	p.rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, errstr, sizeof errstr);
	if (!p.rk)
		die("librdkafka", errstr);
	p.began_ms = when_ticks_ms();
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	for (long number = 1; (len = getline(&line, &room, f)) > 0; number++) {
		if (line[len - 1] == '\n')
			len--;
		if (p.topic)
			send_one(&p, p.topic, line, (size_t)len, 0);
		else
			send_line(&p, line, (size_t)len, number);
	}
	free(line);
	fclose(f);
	rd_kafka_resp_err_t err = rd_kafka_flush(p.rk, 120000);
	if (err)
		die("the broker did not take everything within two minutes", rd_kafka_err2str(err));
	printf("%lld\n", p.sent);
	rd_kafka_destroy(p.rk);
	for (int i = 0; i < p.nfound; i++)
		free(p.found[i]);
	return p.failed ? 1 : 0;
}
