// SPDX-License-Identifier: Apache-2.0
// Messages that the client cannot fetch: larger than the largest answer it takes, or in a batch that is
// damaged. It asks for them again and again, and the partition stands still; of an answer that is too large
// it does not even say to which partition it belongs. So each partition that has more messages is tried
// alone, by a client of its own with the same limits, and then the next offsets, until one can be read.
//
// Meanwhile the consumer itself is not polled, and its group would take a member that does not poll for dead
// (max.poll.interval.ms). So a search ends after some seconds, and the next kafka_poll goes on with it.
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/when.h"
#include "ingest/kafka_priv.h"

enum {
	TRY_MS = 5000,     // how long one offset is tried
	AGAIN_MS = 10000,  // how long until all is tried again
	SEARCH_MS = 15000, // after which no further offset is tried now
};

struct trial {
	struct kafka_hooks hooks; // first: librdkafka's opaque
	bool unreadable;
};

static void ignore_log(void *user, int severity, const char *text)
{
	(void)user, (void)severity, (void)text; // the consumer itself has logged the same
}

bool kafka_is_unreadable(int code)
{
	return code == RD_KAFKA_RESP_ERR__BAD_MSG || code == RD_KAFKA_RESP_ERR__BAD_COMPRESSION ||
	       code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || code == RD_KAFKA_RESP_ERR_INVALID_MSG ||
	       code == RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE;
}

static void on_trial_error(rd_kafka_t *rk, int code, const char *text, void *opaque)
{
	struct trial *t = opaque;
	(void)rk, (void)text;
	t->unreadable |= kafka_is_unreadable(code);
}

static rd_kafka_t *open_trial(struct kafka *k, struct trial *t)
{
	struct err err = ERR_INIT;
	*t = (struct trial){.hooks = {.on_log = ignore_log, .conf = k->conf}};
	rd_kafka_conf_t *conf = kafka_conf_consumer(k->conf, &t->hooks, &err);
	if (conf)
		rd_kafka_conf_set_error_cb(conf, on_trial_error);
	rd_kafka_t *rk = kafka_client_new(RD_KAFKA_CONSUMER, conf, &err);
	if (rk)
		rd_kafka_poll_set_consumer(rk);
	return rk;
}

// Whether the message at an offset, or the first one after it, cannot be fetched. False if that is not known.
static bool is_offset_unreadable(struct kafka *k, const struct position *p, int64_t offset)
{
	struct trial t;
	rd_kafka_t *rk = open_trial(k, &t);
	if (!rk)
		return false;
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(list, p->topic, p->partition)->offset = offset;
	bool done = rd_kafka_assign(rk, list) != RD_KAFKA_RESP_ERR_NO_ERROR;
	rd_kafka_topic_partition_list_destroy(list);
	for (int64_t until = when_ticks_ms() + TRY_MS; !done && !t.unreadable && when_ticks_ms() < until;) {
		rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 100);
		if (!m)
			continue;
		t.unreadable |= kafka_is_unreadable(m->err);
		done = m->err == RD_KAFKA_RESP_ERR_NO_ERROR;
		rd_kafka_message_destroy(m);
	}
	rd_kafka_consumer_close(rk);
	rd_kafka_destroy(rk);
	return t.unreadable;
}

// The oldest offset that Kafka has, and that after the newest. False: not known.
static bool read_watermarks(struct kafka *k, const struct position *p, int64_t *ret_low, int64_t *ret_high)
{
	struct trial t;
	rd_kafka_t *rk = open_trial(k, &t);
	if (!rk)
		return false;
	bool good = !rd_kafka_query_watermark_offsets(rk, p->topic, p->partition, ret_low, ret_high, TRY_MS);
	rd_kafka_destroy(rk);
	return good;
}

// The first offset after `bad` that can be read, up to the end of the partition. Offsets of one batch lie
// side by side, and are all readable or none is: the step doubles, then the edge is found by halving. If
// there is no time for that, the first offset that may be readable.
static int64_t next_readable(struct kafka *k, const struct position *p, int64_t bad, int64_t end,
                             int64_t until)
{
	int64_t good = end, step = 1;
	while (bad + 1 < good) {
		if (when_ticks_ms() >= until)
			return bad + 1;
		int64_t at = good == end && bad + step < end ? bad + step : bad + (good - bad) / 2;
		if (is_offset_unreadable(k, p, at)) {
			bad = at;
			step *= 2;
		} else {
			good = at;
		}
	}
	return good;
}

static bool skip_unreadable(struct kafka *k, struct position *p, int64_t until)
{
	int64_t low, end, first = p->next;
	if (!read_watermarks(k, p, &low, &end))
		return false;
	if (first == POSITION_NONE)
		first = low; // of a group that has read nothing here
	if (first < low)
		p->looked = false; // deleted, not unreadable: kafka_look_for_gaps
	if (end <= first || first < low || !is_offset_unreadable(k, p, first))
		return false;
	if (p->start == POSITION_NONE)
		p->start = first;
	int64_t next = next_readable(k, p, first, end, until);
	assert(next > first && next <= end);
	struct origin origin = {.topic = str_of(p->topic), .partition = p->partition, .offset = first};
	k->hooks.on_unreadable(k->hooks.user, &origin, next - first);
	kafka_skip_to(k, p, next);
	return true;
}

void kafka_skip_unreadable(struct kafka *k)
{
	int64_t now = when_ticks_ms();
	if (!k->unreadable || now < k->unreadable_due_ms)
		return;
	size_t n = k->positions.n, tried = 0;
	bool found = false;
	for (; tried < n && when_ticks_ms() < now + SEARCH_MS; tried++) {
		struct position *p = &k->positions.v[k->unreadable_at++ % n];
		bool begun = p->next != POSITION_NONE || !k->from_end;
		if (begun && p->reading && !p->seeking && !p->behind)
			found |= skip_unreadable(k, p, now + SEARCH_MS);
	}
	k->unreadable = tried < n;
	k->unreadable_due_ms = found || tried < n ? 0 : when_ticks_ms() + AGAIN_MS;
}
