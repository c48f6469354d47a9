// SPDX-License-Identifier: Apache-2.0
// How far reading is behind: messages from where a partition is read to its end, and those of them that its
// topic's retention soon deletes.
#include <inttypes.h>
#include <stdio.h>

#include "base/when.h"
#include "ingest/kafka_retention.h"

enum {
	ASK_MS = 2000,         // how long Kafka may take for all answers of a look
	LAG_OLD_MS = 60000,    // a message read longer ago than this, with more behind it
	LOOK_AGAIN_MS = 60000, // how often Kafka is asked
};

// The end is known from what was fetched last. A group without offsets begins at the oldest message.
// POSITION_NONE: it is not known. `ask_ms`: how long Kafka may take to tell it; 0: it is not asked.
static int64_t count_behind(struct kafka *k, const struct position *p, int ask_ms)
{
	int64_t low = -1, high = -1;
	if (ask_ms ? rd_kafka_query_watermark_offsets(k->rk, p->topic, p->partition, &low, &high, ask_ms)
	           : rd_kafka_get_watermark_offsets(k->rk, p->topic, p->partition, &low, &high))
		return POSITION_NONE;
	int64_t from = p->next != POSITION_NONE ? p->next : k->from_end ? POSITION_NONE : low;
	if (from < 0 || high < 0)
		return POSITION_NONE;
	return high > from ? high - from : 0;
}

int64_t kafka_lag(struct kafka *k)
{
	int64_t lag = 0;
	for (size_t i = 0; i < k->positions.n; i++) {
		int64_t n = count_behind(k, &k->positions.v[i], 0);
		lag += n > 0 ? n : 0;
	}
	return lag;
}

// Nothing is fetched while reading is paused, so the end is not known then: Kafka is asked, as long as there
// is time.
static void count_each(struct kafka *k, bool look)
{
	int64_t until_ms = when_ticks_ms() + ASK_MS;
	for (size_t i = 0; i < k->positions.n; i++) {
		struct position *p = &k->positions.v[i];
		int64_t left_ms = until_ms - when_ticks_ms();
		if (!k->paused)
			p->lag = count_behind(k, p, 0);
		else if (look)
			p->lag = left_ms > 0 ? count_behind(k, p, (int)left_ms) : POSITION_NONE;
	}
}

// Whether messages after the position were there a while ago, and are old: then it lags. What comes while
// nothing is fetched is not known, so a partition that is paused may lag.
static bool is_lagging(struct kafka *k, const struct position *p)
{
	int64_t low, high;
	if (p->next == POSITION_NONE || when_now_ms() - p->time_ms <= LAG_OLD_MS)
		return false;
	return k->paused ||
	       (!rd_kafka_get_watermark_offsets(k->rk, p->topic, p->partition, &low, &high) && high > p->next);
}

// The first topic in alphabetical order after `after` (NULL: the first of all) with partitions that lag.
static const char *next_lagging_topic(struct kafka *k, const char *after)
{
	const char *found = NULL;
	for (size_t i = 0; i < k->positions.n; i++) {
		struct position *p = &k->positions.v[i];
		if ((!after || strcmp(p->topic, after) > 0) && (!found || strcmp(p->topic, found) < 0) &&
		    is_lagging(k, p))
			found = p->topic;
	}
	return found;
}

static int64_t count_endangered_in(struct kafka *k, const char *topic)
{
	char text[320];
	int64_t retention;
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	for (size_t i = 0; i < k->positions.n; i++) {
		struct position *p = &k->positions.v[i];
		if (strcmp(p->topic, topic) == 0 && is_lagging(k, p))
			rd_kafka_topic_partition_list_add(list, topic, p->partition)->offset = p->next;
	}
	int64_t n = list->cnt ? kafka_count_endangered(k->rk, list, ASK_MS, &retention) : 0;
	for (int i = 0; i < list->cnt; i++)
		kafka_find_position(k, topic, list->elems[i].partition)->endangered = list->elems[i].offset;
	rd_kafka_topic_partition_list_destroy(list);
	if (n > 0) {
		snprintf(text, sizeof text,
		         "Kafka soon deletes %" PRId64
		         " messages of topic %s that are not read yet: start more workers, or lengthen its retention.ms now",
		         n, topic);
		kafka_say(k, 3, text, "");
	}
	return n;
}

static void look_at_retention(struct kafka *k)
{
	k->endangered = 0;
	for (size_t i = 0; i < k->positions.n; i++)
		k->positions.v[i].endangered = 0;
	for (const char *topic = NULL; (topic = next_lagging_topic(k, topic));)
		k->endangered += count_endangered_in(k, topic);
}

int64_t kafka_look_at_lag(struct kafka *k)
{
	bool look = when_ticks_ms() >= k->look_due_ms;
	count_each(k, look);
	if (look) {
		look_at_retention(k);
		k->look_due_ms = when_ticks_ms() + LOOK_AGAIN_MS;
	}
	for (size_t i = 0; i < k->positions.n; i++) {
		struct position *p = &k->positions.v[i];
		p->lag = p->lag < p->endangered ? p->endangered : p->lag;
		p->tell_lag = p->lag != POSITION_NONE;
	}
	return k->endangered;
}
