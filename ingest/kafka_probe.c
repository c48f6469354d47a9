// SPDX-License-Identifier: Apache-2.0
#include "ingest/kafka_probe.h"

#include <pthread.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "ingest/kafka_priv.h"
#include "ingest/kafka_retention.h"

struct probe {
	rd_kafka_t *rk;
	int timeout_ms;
	struct kafka_committed *by_us; // of the topic that is looked at
	int cap;
};

// Why brokers do not answer: the first thing that librdkafka said, on whatever thread.
struct failure {
	pthread_mutex_t lock;
	char text[320];
};

static void note_failure(void *user, int severity, const char *text)
{
	struct failure *f = user;
	const char *said = strncmp(text, "[thrd:", 6) == 0 ? strstr(text, "]: ") : NULL;
	pthread_mutex_lock(&f->lock);
	if (severity <= 4 && !*f->text)
		snprintf(f->text, sizeof f->text, "%s", said ? said + 3 : text);
	pthread_mutex_unlock(&f->lock);
}

static void fail_unanswered(rd_kafka_t *rk, const char *brokers, rd_kafka_resp_err_t rc, struct failure *f,
                            struct err *err)
{
	rd_kafka_poll(rk, 0); // what it says of logins comes so
	pthread_mutex_lock(&f->lock);
	err_set(err, ERR_RETRY, "kafka: no broker of %s answered: %s%s%s", brokers, rd_kafka_err2str(rc),
	        *f->text ? "; " : "", f->text);
	pthread_mutex_unlock(&f->lock);
}

static bool is_wanted(const struct conf *conf, const char *topic)
{
	if (kafka_conf_is_own_topic(conf, topic))
		return false;
	for (size_t i = 0; i < conf->topics.n; i++) {
		const char *want = conf->topics.items[i];
		regex_t re;
		if (strcmp(want, topic) == 0)
			return true;
		if (want[0] != '^' || regcomp(&re, want, REG_EXTENDED | REG_NOSUB) != 0)
			continue;
		bool match = regexec(&re, topic, 0, NULL, 0) == 0;
		regfree(&re);
		if (match)
			return true;
	}
	return false;
}

static void note_committed(struct probe *p, const rd_kafka_topic_partition_list_t *list,
                           struct kafka_topic *ret)
{
	struct committed c;
	if (list->cnt > p->cap)
		p->by_us = xrealloc(p->by_us, (size_t)(p->cap = list->cnt), sizeof *p->by_us);
	for (int i = 0; i < list->cnt; i++)
		if (kafka_read_committed(&list->elems[i], &c))
			p->by_us[ret->nby_us++] =
				(struct kafka_committed){list->elems[i].partition, c.start, list->elems[i].offset};
	ret->by_us = p->by_us;
}

// Reads the positions of the group and of the brokers in one topic.
static void measure_topic(struct probe *p, const rd_kafka_metadata_topic_t *t, struct kafka_topic *ret)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(t->partition_cnt);
	for (int i = 0; i < t->partition_cnt; i++)
		rd_kafka_topic_partition_list_add(list, t->topic, t->partitions[i].id);
	rd_kafka_resp_err_t rc = rd_kafka_committed(p->rk, list, p->timeout_ms);
	if (rc)
		ret->fault = rd_kafka_err2str(rc);
	else
		note_committed(p, list, ret);
	for (int i = 0; i < list->cnt && !ret->fault; i++) {
		int64_t low = 0, high = 0, at = list->elems[i].offset;
		rc = rd_kafka_query_watermark_offsets(p->rk, t->topic, list->elems[i].partition, &low, &high,
		                                      p->timeout_ms);
		if (rc) {
			ret->fault = rd_kafka_err2str(rc);
			break;
		}
		ret->committed |= at >= 0;
		ret->messages += high - low;
		ret->behind += high - (at > low ? at : low);
		ret->deleted += at >= 0 && at < low ? low - at : 0;
		list->elems[i].offset = at > low ? at : low;
	}
	ret->retention_ms = -1;
	if (ret->behind > 0 && ret->committed && !ret->fault)
		ret->endangered = kafka_count_endangered(p->rk, list, p->timeout_ms, &ret->retention_ms);
	rd_kafka_topic_partition_list_destroy(list);
}

static void report_missing(const struct conf *conf, const rd_kafka_metadata_t *md, kafka_topic_fn *on_topic,
                           void *user)
{
	for (size_t i = 0; i < conf->topics.n; i++) {
		const char *want = conf->topics.items[i];
		bool found = false;
		for (int k = 0; k < md->topic_cnt && !found; k++)
			found = is_wanted(&(struct conf){.topics = {(char *[]){conf->topics.items[i]}, 1},
			                                  .dead_letter_topic = conf->dead_letter_topic},
			                  md->topics[k].topic);
		if (!found)
			on_topic(user, &(struct kafka_topic){
							   .name = want, .fault = want[0] == '^' ? "no topic matches" : "no such topic"});
	}
}

static void report_dead_letters(const struct conf *conf, const rd_kafka_metadata_t *md,
                                kafka_topic_fn *on_topic, void *user)
{
	struct kafka_topic topic = {.name = conf->dead_letter_topic,
	                            .dead_letters = true,
	                            .fault = "does not exist: the first dead letter makes it only if the brokers "
	                                     "have auto.create.topics.enable; else create it"};
	if (!*conf->dead_letter_topic)
		return;
	for (int i = 0; i < md->topic_cnt; i++)
		if (strcmp(md->topics[i].topic, conf->dead_letter_topic) == 0) {
			topic.partitions = md->topics[i].partition_cnt;
			topic.fault = NULL;
		}
	on_topic(user, &topic);
}

bool kafka_probe(const struct conf *conf, int timeout_ms, kafka_topic_fn *on_topic, void *user,
                 struct err *err)
{
	struct probe p = {.timeout_ms = timeout_ms};
	struct failure failure = {.lock = PTHREAD_MUTEX_INITIALIZER};
	struct kafka_hooks hooks = {.on_log = note_failure, .user = &failure, .conf = conf};
	const rd_kafka_metadata_t *md = NULL;
	struct conf all = *conf;
	all.dead_letter_topic = (char[]){""}; // the consumer's configuration would hide it
	p.rk = kafka_client_new(RD_KAFKA_CONSUMER, kafka_conf_consumer(&all, &hooks, err), err);
	if (!p.rk)
		return false;
	rd_kafka_resp_err_t rc = rd_kafka_metadata(p.rk, 1, NULL, &md, timeout_ms);
	if (rc) {
		fail_unanswered(p.rk, conf->brokers, rc, &failure, err);
	} else {
		char *cluster = rd_kafka_clusterid(p.rk, timeout_ms);
		report_missing(conf, md, on_topic, user);
		report_dead_letters(conf, md, on_topic, user);
		for (int i = 0; i < md->topic_cnt; i++) {
			const rd_kafka_metadata_topic_t *t = &md->topics[i];
			struct kafka_topic topic = {.name = t->topic, .partitions = t->partition_cnt, .cluster = cluster};
			if (!is_wanted(conf, t->topic))
				continue;
			measure_topic(&p, t, &topic);
			on_topic(user, &topic);
		}
		rd_kafka_metadata_destroy(md);
		rd_kafka_mem_free(p.rk, cluster);
	}
	rd_kafka_destroy(p.rk);
	free(p.by_us);
	return rc == 0;
}
