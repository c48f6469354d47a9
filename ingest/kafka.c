// SPDX-License-Identifier: Apache-2.0
// The consumer. Messages and rebalances come from one queue, in order and one at a time, on the thread that
// polls. So a partition is revoked strictly between two messages, and all messages delivered before belong to
// the old assignment. (librdkafka's batch call returns an array that a rebalance may outdate in the middle.
// One message at a time costs well below a microsecond and has no such problem.)
//
// Positions are kept here and not in librdkafka's offset store. A position counts once its message was
// delivered, and is deleted with the assignment, so no commit can name a message whose record was dropped
// with its partition.
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/when.h"
#include "ingest/kafka_priv.h"

enum { CLOCK_EVERY = 128 }; // messages between two looks at the clock

struct position {
	char *topic;
	int32_t partition;
	int64_t next;      // after the last message delivered; RD_KAFKA_OFFSET_INVALID: none yet
	int64_t committed; // position of the last commit
};

struct kafka {
	struct kafka_hooks hooks;   // first: its address is librdkafka's opaque, and ours
	rd_kafka_t *rk;
	struct position *positions; // of the assigned partitions; few, so a list
	size_t npositions;
	size_t last;                // index of the position used last: messages come in runs
	bool paused;
	struct err fatal;
};

static void log_event(struct kafka *k, int severity, const char *what, const char *more)
{
	struct buf b = BUF_INIT;
	buf_addf(&b, "%s%s%s", what, *more ? ": " : "", more);
	k->hooks.on_log(k->hooks.user, severity, b.data);
	buf_release(&b);
}

// ---- positions

static struct position *find_position(struct kafka *k, const char *topic, int32_t partition)
{
	if (k->last < k->npositions) {
		struct position *p = &k->positions[k->last];
		if (p->partition == partition && strcmp(p->topic, topic) == 0)
			return p;
	}
	for (size_t i = 0; i < k->npositions; i++) {
		struct position *p = &k->positions[i];
		if (p->partition == partition && strcmp(p->topic, topic) == 0) {
			k->last = i;
			return p;
		}
	}
	return NULL;
}

static void add_positions(struct kafka *k, const rd_kafka_topic_partition_list_t *list)
{
	for (int i = 0; i < list->cnt; i++) {
		if (find_position(k, list->elems[i].topic, list->elems[i].partition))
			continue;
		k->positions = xrealloc(k->positions, k->npositions + 1, sizeof *k->positions);
		k->positions[k->npositions++] =
			(struct position){xstrdup(str_of(list->elems[i].topic)), list->elems[i].partition,
		                      RD_KAFKA_OFFSET_INVALID, RD_KAFKA_OFFSET_INVALID};
	}
}

static void remove_positions(struct kafka *k, const rd_kafka_topic_partition_list_t *list)
{
	for (int i = 0; i < list->cnt; i++) {
		struct position *p = find_position(k, list->elems[i].topic, list->elems[i].partition);
		if (!p)
			continue;
		free(p->topic);
		*p = k->positions[--k->npositions];
	}
	k->last = 0;
}

static void remove_all_positions(struct kafka *k)
{
	for (size_t i = 0; i < k->npositions; i++)
		free(k->positions[i].topic);
	k->npositions = 0;
	k->last = 0;
}

// ---- rebalancing

static void log_failure(struct kafka *k, rd_kafka_error_t *e, const char *what)
{
	if (!e)
		return;
	log_event(k, 3, what, rd_kafka_error_string(e));
	rd_kafka_error_destroy(e);
}

static void revoke_partitions(struct kafka *k, rd_kafka_topic_partition_list_t *list)
{
	// A lost assignment belongs to another consumer already: nothing may be committed for it.
	if (!rd_kafka_assignment_lost(k->rk))
		k->hooks.on_revoke(k->hooks.user);
	remove_positions(k, list);
}

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                         void *opaque)
{
	struct kafka *k = opaque;
	bool cooperative = strcmp(rd_kafka_rebalance_protocol(rk), "COOPERATIVE") == 0;
	char text[64];
	if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
		if (!cooperative)
			remove_all_positions(k);
		add_positions(k, list);
		log_failure(k, cooperative ? rd_kafka_incremental_assign(rk, list) : NULL,
		            "cannot take assigned partitions");
		if (!cooperative && rd_kafka_assign(rk, list))
			log_event(k, 3, "cannot take assigned partitions", "");
		if (k->paused)
			rd_kafka_pause_partitions(rk, list);
	} else {
		if (code != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
			log_event(k, 4, "rebalance", rd_kafka_err2str(code));
		revoke_partitions(k, list);
		log_failure(k, cooperative ? rd_kafka_incremental_unassign(rk, list) : NULL,
		            "cannot release revoked partitions");
		if (!cooperative) {
			rd_kafka_assign(rk, NULL);
			remove_all_positions(k);
		}
	}
	snprintf(text, sizeof text, "%d partitions %s, %zu assigned now", list->cnt,
	         code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS ? "assigned" : "revoked", k->npositions);
	log_event(k, 6, text, "");
}

static void on_commit(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                      void *opaque)
{
	struct kafka *k = opaque;
	(void)rk;
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR__NO_OFFSET)
		return;
	log_event(k, 4, "a commit failed; the next commit includes it", rd_kafka_err2str(code));
	for (int i = 0; list && i < list->cnt; i++) {
		struct position *p = find_position(k, list->elems[i].topic, list->elems[i].partition);
		if (p)
			p->committed = RD_KAFKA_OFFSET_INVALID;
	}
}

// ---- life

static bool subscribe_topics(struct kafka *k, const struct conf *conf, struct err *err)
{
	rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new((int)conf->topics.n);
	for (size_t i = 0; i < conf->topics.n; i++)
		rd_kafka_topic_partition_list_add(topics, conf->topics.items[i], RD_KAFKA_PARTITION_UA);
	rd_kafka_resp_err_t code = rd_kafka_subscribe(k->rk, topics);
	rd_kafka_topic_partition_list_destroy(topics);
	if (code)
		return err_set(err, ERR_CONFIG, "topics: cannot subscribe: %s", rd_kafka_err2str(code));
	return true;
}

bool kafka_open(struct kafka **ret, const struct conf *conf, const struct kafka_hooks *hooks, struct err *err)
{
	if (!*conf->brokers)
		return err_set(err, ERR_CONFIG,
		               "brokers is not set: expected host:port of a Kafka broker, such as 127.0.0.1:9092");
	if (!conf->topics.n)
		return err_set(
			err, ERR_CONFIG,
			"topics is not set: expected the topics to read, such as cloudtrail, metrics or ^aws-.*");
	struct kafka *k = xcalloc(1, sizeof *k);
	k->hooks = *hooks;
	rd_kafka_conf_t *kc = kafka_conf_consumer(conf, &k->hooks, err);
	if (kc) {
		rd_kafka_conf_set_rebalance_cb(kc, on_rebalance);
		rd_kafka_conf_set_offset_commit_cb(kc, on_commit);
	}
	k->rk = kafka_client_new(RD_KAFKA_CONSUMER, kc, err);
	if (!k->rk) {
		free(k);
		return false;
	}
	rd_kafka_poll_set_consumer(k->rk);
	*ret = k;
	if (subscribe_topics(k, conf, err))
		return true;
	kafka_close(k);
	return false;
}

void kafka_close(struct kafka *k)
{
	if (!k)
		return;
	rd_kafka_consumer_close(k->rk);
	rd_kafka_destroy(k->rk);
	remove_all_positions(k);
	free(k->positions);
	free(k);
}

// ---- polling

static void on_consumer_error(struct kafka *k, const rd_kafka_message_t *m)
{
	const char *topic = m->rkt ? rd_kafka_topic_name(m->rkt) : "";
	char why[256];
	if (m->err == RD_KAFKA_RESP_ERR__FATAL) {
		rd_kafka_fatal_error(k->rk, why, sizeof why);
		err_set(&k->fatal, ERR_FATAL, "kafka: %s", why);
	} else if (m->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
	           m->err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC) {
		log_event(k, 4, "a topic of `topics` does not exist yet; waiting for it", rd_kafka_message_errstr(m));
	} else if (m->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
	           m->err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED) {
		log_event(k, 3, "the broker denies access; grant Read on the topics and on the group",
		    *topic ? topic : rd_kafka_message_errstr(m));
	} else {
		log_event(k, 4, *topic ? topic : "consumer", rd_kafka_message_errstr(m));
	}
}

// True: stop polling.
static bool deliver_message(struct kafka *k, const rd_kafka_message_t *m)
{
	if (m->err) {
		on_consumer_error(k, m);
		return k->fatal.kind != ERR_NONE;
	}
	const char *topic = rd_kafka_topic_name(m->rkt);
	struct position *p = find_position(k, topic, m->partition);
	if (!p)
		return false; // of a partition that was revoked since: its next owner reads it
	struct origin origin = {.topic = str_of(topic), .partition = m->partition, .offset = m->offset};
	bool enough = k->hooks.on_message(k->hooks.user, &origin, (struct str){m->payload, m->len});
	p->next = m->offset + 1;
	return enough;
}

bool kafka_poll(struct kafka *k, int wait_ms, struct err *err)
{
	int64_t until = when_ticks_ms() + wait_ms;
	int n = 0;
	rd_kafka_message_t *m = rd_kafka_consumer_poll(k->rk, wait_ms);
	while (m) {
		bool enough = deliver_message(k, m);
		rd_kafka_message_destroy(m);
		if (enough || (++n % CLOCK_EVERY == 0 && when_ticks_ms() >= until))
			break;
		m = rd_kafka_consumer_poll(k->rk, 0);
	}
	if (k->fatal.kind == ERR_NONE)
		return true;
	*err = k->fatal;
	return false;
}

bool kafka_commit(struct kafka *k, bool wait, struct err *err)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)k->npositions);
	for (size_t i = 0; i < k->npositions; i++) {
		struct position *p = &k->positions[i];
		if (p->next == RD_KAFKA_OFFSET_INVALID || p->next == p->committed)
			continue;
		assert(p->next > 0);
		rd_kafka_topic_partition_list_add(list, p->topic, p->partition)->offset = p->next;
		p->committed = p->next;
	}
	rd_kafka_resp_err_t code = list->cnt ? rd_kafka_commit(k->rk, list, !wait) : RD_KAFKA_RESP_ERR_NO_ERROR;
	rd_kafka_topic_partition_list_destroy(list);
	if (code) {
		for (size_t i = 0; i < k->npositions; i++)
			k->positions[i].committed = RD_KAFKA_OFFSET_INVALID;
		return err_set(err, ERR_RETRY, "kafka: the commit failed: %s", rd_kafka_err2str(code));
	}
	return true;
}

void kafka_pause(struct kafka *k, bool paused)
{
	rd_kafka_topic_partition_list_t *list = NULL;
	k->paused = paused;
	if (rd_kafka_assignment(k->rk, &list) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return;
	if (paused)
		rd_kafka_pause_partitions(k->rk, list);
	else
		rd_kafka_resume_partitions(k->rk, list);
	rd_kafka_topic_partition_list_destroy(list);
}

int kafka_partitions(const struct kafka *k)
{
	return (int)k->npositions;
}

int64_t kafka_lag(struct kafka *k)
{
	int64_t lag = 0, low, high;
	for (size_t i = 0; i < k->npositions; i++) {
		struct position *p = &k->positions[i];
		if (rd_kafka_get_watermark_offsets(k->rk, p->topic, p->partition, &low, &high) || high < 0 ||
		    p->next == RD_KAFKA_OFFSET_INVALID)
			continue;
		lag += high > p->next ? high - p->next : 0;
	}
	return lag;
}
