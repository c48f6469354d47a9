// SPDX-License-Identifier: Apache-2.0
// The consumer. Messages and rebalances come from one queue, in order and one at a time, on the thread that
// polls. So a partition is revoked strictly between two messages, and all messages delivered before belong to
// the old assignment. (librdkafka's batch call returns an array that a rebalance may outdate in the middle.
// One message at a time costs well below a microsecond and has no such problem.) kafka_positions.c keeps
// where each partition is read.
#include <stdio.h>
#include <stdlib.h>

#include "base/when.h"
#include "ingest/kafka_priv.h"

enum { CLOCK_EVERY = 128 }; // messages between two looks at the clock

void kafka_say(struct kafka *k, int severity, const char *what, const char *more)
{
	struct buf b = BUF_INIT;
	buf_addf(&b, "%s%s%s", what, *more ? ": " : "", more);
	k->hooks.on_log(k->hooks.user, severity, b.data);
	buf_release(&b);
}

// ---- rebalancing

static void log_failure(struct kafka *k, rd_kafka_error_t *e, const char *what)
{
	if (!e)
		return;
	kafka_say(k, 3, what, rd_kafka_error_string(e));
	rd_kafka_error_destroy(e);
}

static void revoke_partitions(struct kafka *k, rd_kafka_topic_partition_list_t *list)
{
	// A lost assignment belongs to another consumer already: nothing may be committed for it.
	if (!rd_kafka_assignment_lost(k->rk))
		k->hooks.on_revoke(k->hooks.user);
	kafka_remove_positions(k, list);
}

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                         void *opaque)
{
	struct kafka *k = opaque;
	bool cooperative = strcmp(rd_kafka_rebalance_protocol(rk), "COOPERATIVE") == 0;
	char text[64];
	if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
		if (!cooperative)
			kafka_remove_all_positions(k);
		kafka_add_positions(k, list);
		log_failure(k, cooperative ? rd_kafka_incremental_assign(rk, list) : NULL,
		            "cannot take assigned partitions");
		if (!cooperative && rd_kafka_assign(rk, list))
			kafka_say(k, 3, "cannot take assigned partitions", "");
		// A partition that was given up while paused is still so when it comes back.
		if (k->paused)
			rd_kafka_pause_partitions(rk, list);
		else
			rd_kafka_resume_partitions(rk, list);
	} else {
		if (code != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
			kafka_say(k, 4, "rebalance", rd_kafka_err2str(code));
		revoke_partitions(k, list);
		log_failure(k, cooperative ? rd_kafka_incremental_unassign(rk, list) : NULL,
		            "cannot release revoked partitions");
		if (!cooperative) {
			rd_kafka_assign(rk, NULL);
			kafka_remove_all_positions(k);
		}
	}
	snprintf(text, sizeof text, "%d partitions %s, %zu assigned now", list->cnt,
	         code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS ? "assigned" : "revoked", k->positions.n);
	kafka_say(k, 6, text, "");
}

static void on_commit(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                      void *opaque)
{
	struct kafka *k = opaque;
	(void)rk;
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR__NO_OFFSET)
		return;
	kafka_say(k, 4, "a commit failed; the next commit includes it", rd_kafka_err2str(code));
	for (int i = 0; list && i < list->cnt; i++) {
		struct position *p = kafka_find_position(k, list->elems[i].topic, list->elems[i].partition);
		if (p)
			p->committed = POSITION_NONE;
	}
}

static void on_error(rd_kafka_t *rk, int code, const char *text, void *opaque)
{
	struct kafka *k = opaque;
	k->unreadable |= kafka_is_unreadable(code);
	kafka_conf_on_error(rk, code, text, opaque);
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
	k->hooks.conf = conf;
	k->conf = conf;
	k->positions.group = conf->group;
	k->from_end = kafka_conf_from_end(conf);
	rd_kafka_conf_t *kc = kafka_conf_consumer(conf, &k->hooks, err);
	if (kc) {
		rd_kafka_conf_set_rebalance_cb(kc, on_rebalance);
		rd_kafka_conf_set_error_cb(kc, on_error);
		rd_kafka_conf_set_offset_commit_cb(kc, on_commit);
	}
	k->rk = kafka_client_new(RD_KAFKA_CONSUMER, kc, err);
	if (!k->rk) {
		free(k);
		return false;
	}
	rd_kafka_poll_set_consumer(k->rk);
	kafka_refill_init(k);
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
	kafka_remove_all_positions(k);
	free(k->positions.v);
	free(k->positions.cluster);
	free(k);
}

// ---- polling

static void on_consumer_error(struct kafka *k, const rd_kafka_message_t *m)
{
	const char *topic = m->rkt ? rd_kafka_topic_name(m->rkt) : "";
	char why[256];
	k->unreadable |= kafka_is_unreadable(m->err);
	if (m->err == RD_KAFKA_RESP_ERR__FATAL) {
		rd_kafka_fatal_error(k->rk, why, sizeof why);
		err_set(&k->fatal, ERR_FATAL, "kafka: %s", why);
	} else if (m->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
	           m->err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC) {
		kafka_say(k, 4, "a topic of `topics` does not exist yet; waiting for it", rd_kafka_message_errstr(m));
	} else if (m->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
	           m->err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED) {
		kafka_say(k, 3, "the broker denies access; grant Read on the topics and on the group",
		    *topic ? topic : rd_kafka_message_errstr(m));
	} else {
		kafka_say(k, 4, *topic ? topic : "consumer", rd_kafka_message_errstr(m));
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
	struct position *p = kafka_find_position(k, topic, m->partition);
	if (!p || p->seeking)
		return false; // of a partition that was revoked since (its next owner reads it), or goes elsewhere
	struct origin origin = {.topic = str_of(topic), .partition = m->partition, .offset = m->offset};
	kafka_advance(k, p, m);
	return k->hooks.on_message(k->hooks.user, &origin, (struct str){m->payload, m->len},
	                           m->offset < p->read_to);
}

bool kafka_poll(struct kafka *k, int wait_ms, struct err *err)
{
	int64_t until = when_ticks_ms() + wait_ms;
	int n = 0;
	kafka_skip_unreadable(k);
	kafka_seek_positions(k);
	rd_kafka_message_t *m = rd_kafka_consumer_poll(k->rk, wait_ms);
	while (m) {
		kafka_refill(k, m->len);
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

struct positions *kafka_positions(struct kafka *k)
{
	return &k->positions;
}

bool kafka_has_read_all(struct kafka *k, int64_t *ret_since_ms)
{
	int64_t since = 0, low, high;
	bool known = true;
	for (size_t i = 0; i < k->positions.n; i++) {
		const struct position *p = &k->positions.v[i];
		if (!p->reading || p->seeking || p->behind ||
		    rd_kafka_get_watermark_offsets(k->rk, p->topic, p->partition, &low, &high) || high < 0)
			return false;
		if (p->next == POSITION_NONE && high == low)
			continue; // it never had a message
		if (p->next == POSITION_NONE || p->next < high)
			return false;
		int64_t began = p->start_ms ? p->start_ms : p->time_ms;
		known &= began > 0;
		since = began > since ? began : since;
	}
	*ret_since_ms = known ? since : 0;
	return k->positions.n > 0;
}
