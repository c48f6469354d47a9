// SPDX-License-Identifier: Apache-2.0
// Positions are kept here and not in librdkafka's offset store. A position counts once its message was
// delivered, and is deleted with the assignment, so no commit can name a message whose record was dropped
// with its partition. It is committed once Redis has it (struct position, `stored`).
//
// The metadata of a committed offset is "nowcast START READING MS READ_TO": the members of struct position,
// the reading in 16 hex digits.
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/when.h"
#include "ingest/kafka_priv.h"

enum {
	ASK_MS = 5000,        // how long the broker may take for an answer
	RESOLVE_AGAIN_MS = 5000,
	LOOKS_MAX = 32,       // partitions whose oldest message is asked for at once
	SEEK_MS = 2000,
};

// ---- the list

struct position *kafka_find_position(struct kafka *k, const char *topic, int32_t partition)
{
	struct positions *all = &k->positions;
	if (k->last < all->n) {
		struct position *p = &all->v[k->last];
		if (p->partition == partition && strcmp(p->topic, topic) == 0)
			return p;
	}
	for (size_t i = 0; i < all->n; i++) {
		struct position *p = &all->v[i];
		if (p->partition == partition && strcmp(p->topic, topic) == 0) {
			k->last = i;
			return p;
		}
	}
	return NULL;
}

void kafka_remove_positions(struct kafka *k, const rd_kafka_topic_partition_list_t *list)
{
	for (int i = 0; i < list->cnt; i++) {
		struct position *p = kafka_find_position(k, list->elems[i].topic, list->elems[i].partition);
		if (!p)
			continue;
		free(p->topic);
		*p = k->positions.v[--k->positions.n];
	}
	k->last = 0;
}

void kafka_remove_all_positions(struct kafka *k)
{
	for (size_t i = 0; i < k->positions.n; i++)
		free(k->positions.v[i].topic);
	k->positions.n = 0;
	k->last = 0;
}

static struct position *add_position(struct kafka *k, const char *topic, int32_t partition)
{
	struct positions *all = &k->positions;
	struct position *p = kafka_find_position(k, topic, partition);
	if (p)
		return p;
	all->v = xrealloc(all->v, all->n + 1, sizeof *all->v);
	p = &all->v[all->n++];
	*p = (struct position){.topic = xstrdup(str_of(topic)),
	                       .partition = partition,
	                       .next = POSITION_NONE,
	                       .start = POSITION_NONE,
	                       .stored = POSITION_NONE,
	                       .committed = POSITION_NONE,
	                       .held = POSITION_NONE,
	                       .hold = POSITION_NONE,
	                       .previous = POSITION_NONE,
	                       .gap_from = POSITION_NONE,
	                       .lag = POSITION_NONE,
	                       .check = true};
	return p;
}

// ---- where to begin

static void begin_reading(struct position *p, int64_t start)
{
	ssize_t n;
	do
		n = getrandom(&p->reading, sizeof p->reading, 0);
	while (n < 0 && errno == EINTR);
	assert(n == sizeof p->reading);
	p->reading |= 1; // 0 is none
	p->read_to = 0;
	p->unknown = false;
	p->start = start;
	p->fresh = true;
	p->stored = p->committed = POSITION_NONE;
}

bool kafka_read_committed(const rd_kafka_topic_partition_t *answer, struct committed *ret)
{
	char text[96] = "";
	unsigned long long reading = 0;
	long long start = 0, ms = 0, read_to = 0;
	if (answer->metadata && answer->metadata_size < sizeof text)
		memcpy(text, answer->metadata, answer->metadata_size);
	bool ours = answer->offset >= 0 &&
	            sscanf(text, "nowcast %lld %16llx %lld %lld", &start, &reading, &ms, &read_to) == 4 &&
	            reading && start >= 0;
	*ret = (struct committed){.start = start, .reading = reading, .ms = ms, .read_to = read_to};
	return ours;
}

// The oldest offset that Kafka has of a partition; -1: not known.
static int64_t oldest_offset(struct kafka *k, const struct position *p, bool ask)
{
	int64_t low = -1, high = -1;
	if (ask)
		return rd_kafka_query_watermark_offsets(k->rk, p->topic, p->partition, &low, &high, ASK_MS) ? -1
		                                                                                           : low;
	return rd_kafka_get_watermark_offsets(k->rk, p->topic, p->partition, &low, &high) ? -1 : low;
}

// The committed offsets are known only after messages were read. The client itself began where the group had
// committed, or, if Kafka no longer had that, at its oldest message.
static void compare_with_first(struct kafka *k, struct position *p, int64_t committed, int64_t committed_ms)
{
	int64_t low = p->next != POSITION_NONE && p->start > committed ? oldest_offset(k, p, true) : -1;
	if (low <= committed)
		return;
	p->gap_from = committed;
	p->gap_from_ms = committed_ms;
	p->gap_to = low < p->start ? low : p->start;
	p->gap_to_ms = p->start_ms;
}

// Takes over what the group has committed for a partition, as the answer has it.
static void resolve_position(struct kafka *k, struct position *p, const rd_kafka_topic_partition_t *answer)
{
	struct committed by_us;
	bool ours = kafka_read_committed(answer, &by_us);
	int64_t ms = ours ? by_us.ms : 0;
	if (answer->offset >= 0)
		compare_with_first(k, p, answer->offset, ms);
	if (answer->offset < 0) { // the group is new here
		begin_reading(p, p->start);
		p->unknown = true;
	} else if (ours) {
		p->read_to = by_us.read_to;
		p->reading = by_us.reading;
		p->start = by_us.start;
		p->stored = p->committed = answer->offset;
	} else { // set by hand, or committed by a version that kept no positions in Redis
		begin_reading(p, 0);
	}
	if (p->next == POSITION_NONE && answer->offset >= 0) {
		p->next = answer->offset;
		p->time_ms = ms > 0 ? ms : 0;
	}
}

// Asks for what the group has committed in the partitions of the list, and for the id of the cluster.
static bool read_committed(struct kafka *k, rd_kafka_topic_partition_list_t *list, struct err *err)
{
	if (!k->positions.cluster) {
		char *id = rd_kafka_clusterid(k->rk, ASK_MS);
		k->positions.cluster = id ? xstrdup(str_of(id)) : NULL;
		rd_kafka_mem_free(k->rk, id);
	}
	rd_kafka_resp_err_t code =
		k->positions.cluster ? rd_kafka_committed(k->rk, list, ASK_MS) : RD_KAFKA_RESP_ERR__TIMED_OUT;
	for (int i = 0; !code && i < list->cnt; i++)
		code = list->elems[i].err;
	if (code)
		return err_set(err, ERR_RETRY, "kafka: the committed offsets are not known: %s",
		               rd_kafka_err2str(code));
	for (int i = 0; i < list->cnt; i++) {
		struct position *p = kafka_find_position(k, list->elems[i].topic, list->elems[i].partition);
		if (p && !p->reading)
			resolve_position(k, p, &list->elems[i]);
	}
	return true;
}

// Whether the group has committed in any partition of a topic. False, too, if that cannot be found out.
static bool is_topic_known(struct kafka *k, const char *topic)
{
	const rd_kafka_metadata_t *md;
	bool known = false;
	rd_kafka_topic_t *rkt = rd_kafka_topic_new(k->rk, topic, NULL);
	rd_kafka_resp_err_t code = rd_kafka_metadata(k->rk, 0, rkt, &md, ASK_MS);
	rd_kafka_topic_destroy(rkt);
	if (code)
		return false;
	rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(1);
	for (int i = 0; md->topic_cnt == 1 && i < md->topics[0].partition_cnt; i++)
		rd_kafka_topic_partition_list_add(all, topic, md->topics[0].partitions[i].id);
	rd_kafka_metadata_destroy(md);
	if (all->cnt && rd_kafka_committed(k->rk, all, ASK_MS) == RD_KAFKA_RESP_ERR_NO_ERROR)
		for (int i = 0; i < all->cnt; i++)
			known |= all->elems[i].offset >= 0;
	rd_kafka_topic_partition_list_destroy(all);
	return known;
}

// Where a group without offsets begins. The end is written down as a position at once: else all that comes
// before the first message is read would be behind the end of the next start. A partition that was added to a
// topic has no message from before that time.
static int64_t first_offset(struct kafka *k, const char *topic, int32_t partition)
{
	struct position *p = kafka_find_position(k, topic, partition);
	int64_t low, high;
	if (!k->from_end || is_topic_known(k, topic))
		return RD_KAFKA_OFFSET_BEGINNING;
	if (rd_kafka_query_watermark_offsets(k->rk, topic, partition, &low, &high, ASK_MS))
		return RD_KAFKA_OFFSET_END;
	p->next = p->start = high;
	return high;
}

void kafka_add_positions(struct kafka *k, rd_kafka_topic_partition_list_t *list)
{
	struct err err = ERR_INIT;
	for (int i = 0; i < list->cnt; i++)
		add_position(k, list->elems[i].topic, list->elems[i].partition);
	bool known = read_committed(k, list, &err);
	if (!known)
		kafka_say(k, 4, err.msg, "");
	for (int i = 0; i < list->cnt; i++) {
		rd_kafka_topic_partition_t *e = &list->elems[i];
		if (!known)
			e->offset = RD_KAFKA_OFFSET_STORED;
		else if (e->offset < 0)
			e->offset = first_offset(k, e->topic, e->partition);
		e->err = RD_KAFKA_RESP_ERR_NO_ERROR;
	}
	k->resolve_due_ms = when_ticks_ms() + RESOLVE_AGAIN_MS;
}

bool kafka_resolve(struct kafka *k, struct err *err)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	bool good = true;
	for (size_t i = 0; i < k->positions.n; i++)
		if (!k->positions.v[i].reading)
			rd_kafka_topic_partition_list_add(list, k->positions.v[i].topic, k->positions.v[i].partition);
	if (list->cnt > 0 && when_ticks_ms() >= k->resolve_due_ms) {
		good = read_committed(k, list, err);
		k->resolve_due_ms = when_ticks_ms() + RESOLVE_AGAIN_MS;
	}
	rd_kafka_topic_partition_list_destroy(list);
	return good;
}

// ---- gaps

static void report_gap(struct kafka *k, struct position *p)
{
	struct gap gap = {.topic = p->topic,
	                  .partition = p->partition,
	                  .from = p->gap_from,
	                  .to = p->gap_to,
	                  .from_ms = p->gap_from_ms,
	                  .to_ms = p->gap_to_ms,
	                  .cause = p->gap_from < p->read_to ? GAP_REDIS : GAP_RETENTION};
	k->hooks.on_gap(k->hooks.user, &gap);
	p->gap_from = POSITION_NONE;
}

static void note_gap(struct kafka *k, struct position *p, int64_t to, int64_t to_ms)
{
	if (p->gap_from == POSITION_NONE) {
		p->gap_from = p->next;
		p->gap_from_ms = p->time_ms;
	}
	p->gap_to = to;
	p->gap_to_ms = to_ms;
	if (!p->check)
		report_gap(k, p);
}

void kafka_advance(struct kafka *k, struct position *p, const rd_kafka_message_t *m)
{
	rd_kafka_timestamp_type_t type;
	int64_t time_ms = rd_kafka_message_timestamp(m, &type);
	if (p->next != POSITION_NONE && m->offset < p->next) {
		// Kafka has fewer messages than were committed: another topic of that name, or one cut short.
		int64_t read_to = p->next;
		begin_reading(p, m->offset);
		p->read_to = read_to;
	} else if (p->next != POSITION_NONE && m->offset > p->next) {
		// Offsets of transactions and of compacted messages are missing, too: only what is before the
		// oldest one that Kafka has was deleted.
		int64_t low = oldest_offset(k, p, !p->looked);
		if (low > p->next)
			note_gap(k, p, low < m->offset ? low : m->offset, time_ms);
	}
	p->looked = true;
	time_ms = time_ms > 0 ? time_ms : 0;
	if (p->start == POSITION_NONE) {
		p->start = m->offset;
		p->start_ms = time_ms;
	}
	p->next = m->offset + 1;
	p->time_ms = time_ms;
}

// Kafka forgets the offsets of a group that was away for long (offsets.retention.minutes). Redis does not.
static void compare_with_previous(struct kafka *k, struct position *p)
{
	struct gap gap = {.topic = p->topic,
	                  .partition = p->partition,
	                  .from = p->previous,
	                  .to = p->start,
	                  .from_ms = p->previous_ms,
	                  .to_ms = p->start_ms,
	                  .cause = GAP_RETENTION};
	if (p->unknown && !k->from_end && p->start > p->previous)
		k->hooks.on_gap(k->hooks.user, &gap);
	p->previous = POSITION_NONE;
}

// All that a group without offsets could have read is gone.
static void look_at_empty(struct kafka *k, struct position *p)
{
	int64_t low = -1, high = -1;
	if (rd_kafka_query_watermark_offsets(k->rk, p->topic, p->partition, &low, &high, ASK_MS))
		return;
	p->looked = true;
	if (low > 0 && low == high)
		p->next = p->start = low;
}

void kafka_look_for_gaps(struct kafka *k)
{
	int asked = 0;
	for (size_t i = 0; i < k->positions.n && asked < LOOKS_MAX; i++) {
		struct position *p = &k->positions.v[i];
		if (p->looked || !p->reading || p->seeking)
			continue;
		if (p->next == POSITION_NONE && p->unknown && !k->from_end) {
			look_at_empty(k, p);
			asked++;
		}
		if (p->looked || p->next == POSITION_NONE || p->check)
			continue;
		int64_t low = oldest_offset(k, p, true);
		asked++;
		p->looked = low >= 0;
		if (low <= p->next)
			continue;
		note_gap(k, p, low, 0);
		p->next = low;
	}
}

// ---- going back

void kafka_check_positions(struct kafka *k)
{
	for (size_t i = 0; i < k->positions.n; i++)
		k->positions.v[i].check = true;
}

static void go_back(struct kafka *k, struct position *p)
{
	char text[320], when[WHEN_SIZE];
	int64_t from = p->held != POSITION_NONE ? p->held : p->start != POSITION_NONE ? p->start : 0;
	assert(p->behind);
	snprintf(text, sizeof text,
	         "Redis has lost what was written to it: of topic %s, partition %d, it has the messages up to offset %" PRId64
	         " (%s), of %" PRId64 " that were read. Reading again from there; nothing is counted twice",
	         p->topic, p->partition, from, p->held_ms ? when_format(p->held_ms, when) : "its beginning",
	         p->next);
	kafka_say(k, 3, text, "");
	p->read_to = p->next > p->read_to ? p->next : p->read_to;
	p->next = from;
	p->stored = p->held;
	p->fresh = p->held == POSITION_NONE;
	p->time_ms = p->held_ms;
	p->behind = false;
	p->gap_from = POSITION_NONE; // it is found again, from there
	p->seeking = true;
	p->looked = false;
}

bool kafka_go_back(struct kafka *k, int64_t *ret_held_ms)
{
	*ret_held_ms = INT64_MAX;
	for (size_t i = 0; i < k->positions.n; i++) {
		struct position *p = &k->positions.v[i];
		if (p->previous != POSITION_NONE)
			compare_with_previous(k, p);
		if (p->behind) {
			go_back(k, p);
			*ret_held_ms = p->held_ms < *ret_held_ms ? p->held_ms : *ret_held_ms;
		}
		if (p->gap_from != POSITION_NONE && !p->check)
			report_gap(k, p);
	}
	kafka_seek_positions(k);
	return *ret_held_ms != INT64_MAX;
}

void kafka_skip_to(struct kafka *k, struct position *p, int64_t next)
{
	assert(next > p->next);
	p->next = next;
	p->seeking = true;
	kafka_seek_positions(k);
}

void kafka_seek_positions(struct kafka *k)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	for (size_t i = 0; i < k->positions.n; i++)
		if (k->positions.v[i].seeking)
			rd_kafka_topic_partition_list_add(list, k->positions.v[i].topic, k->positions.v[i].partition)
				->offset = k->positions.v[i].next;
	rd_kafka_error_t *e = list->cnt ? rd_kafka_seek_partitions(k->rk, list, SEEK_MS) : NULL;
	for (int i = 0; i < list->cnt; i++) { // those that failed are tried again by the next kafka_poll
		struct position *p = kafka_find_position(k, list->elems[i].topic, list->elems[i].partition);
		p->seeking = list->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR;
	}
	if (e)
		rd_kafka_error_destroy(e);
	rd_kafka_topic_partition_list_destroy(list);
}

// ---- committing

void kafka_release(struct kafka *k)
{
	for (size_t i = 0; i < k->positions.n; i++)
		k->positions.v[i].hold = POSITION_NONE;
}

void kafka_hold(struct kafka *k, const struct origin *at)
{
	for (size_t i = 0; i < k->positions.n; i++) {
		struct position *p = &k->positions.v[i];
		if (p->partition == at->partition && str_is(at->topic, p->topic) &&
		    (p->hold == POSITION_NONE || at->offset < p->hold))
			p->hold = at->offset;
	}
}

static int64_t safe_offset(const struct position *p)
{
	return p->hold != POSITION_NONE && p->hold < p->next ? p->hold : p->next;
}

static void add_to_commit(rd_kafka_topic_partition_list_t *list, const struct position *p)
{
	rd_kafka_topic_partition_t *e = rd_kafka_topic_partition_list_add(list, p->topic, p->partition);
	char text[96];
	int n = snprintf(text, sizeof text, "nowcast %" PRId64 " %016" PRIx64 " %" PRId64 " %" PRId64, p->start,
	                 p->reading, p->time_ms, p->read_to);
	assert(n > 0 && (size_t)n < sizeof text && p->next >= 0 && p->start >= 0);
	e->offset = safe_offset(p);
	e->metadata = xstrdup((struct str){text, (size_t)n}); // freed with the list
	e->metadata_size = (size_t)n;
}

bool kafka_commit(struct kafka *k, bool wait, struct err *err)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)k->positions.n);
	for (size_t i = 0; i < k->positions.n; i++) {
		struct position *p = &k->positions.v[i];
		if (p->next == POSITION_NONE || p->stored < p->next || p->fresh || p->behind ||
		    safe_offset(p) == p->committed)
			continue;
		add_to_commit(list, p);
		p->unknown = false;
		p->committed = safe_offset(p);
	}
	rd_kafka_resp_err_t code = list->cnt ? rd_kafka_commit(k->rk, list, !wait) : RD_KAFKA_RESP_ERR_NO_ERROR;
	rd_kafka_topic_partition_list_destroy(list);
	if (code) {
		for (size_t i = 0; i < k->positions.n; i++)
			k->positions.v[i].committed = POSITION_NONE;
		return err_set(err, ERR_RETRY, "kafka: the commit failed: %s", rd_kafka_err2str(code));
	}
	return true;
}
