// SPDX-License-Identifier: Apache-2.0
#include "store/positions.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/usd.h"
#include "base/when.h"
#include "store/keys.h"
#include "store/script.h"

EMBED_SCRIPT(position_lua, "store/position.lua")
EMBED_SCRIPT(gap_lua, "store/gap.lua")

struct positions_scripts positions_scripts_of(struct redis *r)
{
	return (struct positions_scripts){redis_script(r, position_lua()), redis_script(r, gap_lua())};
}

// ---- positions

static bool is_due(const struct position *p)
{
	return p->reading && p->next != POSITION_NONE && !p->seeking &&
	       (p->check || p->fresh || p->next > p->stored);
}

bool positions_are_due(const struct positions *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (is_due(&p->v[i]) || p->v[i].tell_lag)
			return true;
	return false;
}

// A topic's partitions lie side by side, or else are sent by several commands.
static size_t count_of_topic(const struct positions *p, size_t first)
{
	size_t n = 1;
	while (first + n < p->n && is_due(&p->v[first + n]) &&
	       strcmp(p->v[first + n].topic, p->v[first].topic) == 0)
		n++;
	return n;
}

static void send_position(struct redis *r, const struct position *p)
{
	char reading[24];
	snprintf(reading, sizeof reading, "%016" PRIx64, p->reading);
	redis_argi(r, p->partition);
	redis_argi(r, p->stored != POSITION_NONE ? p->stored : 0);
	redis_argi(r, p->next);
	redis_argz(r, reading);
	redis_argi(r, p->time_ms);
	redis_argi(r, p->fresh);
}

// Of copy 0, which every Redis has, or of one more for a span of slots.
static struct str key_of_copy(const struct redis *r, struct buf *b, const char *prefix, size_t copy,
                              const struct partition_of *x)
{
	return copy == 0 ? key_positions(b, prefix, x->cluster, x->group, x->topic)
	                 : key_positions_copy(b, prefix, redis_span_tag(r, copy - 1), x->cluster, x->group,
	                                      x->topic);
}

size_t positions_queue(struct redis *r, struct positions_scripts s, struct buf *key, const char *prefix,
                       int64_t keep_ms, struct positions *p)
{
	size_t replies = 0;
	p->copies = 1 + redis_spans(r);
	for (size_t i = 0, n; i < p->n; i += n) {
		n = 1;
		if (!is_due(&p->v[i]))
			continue;
		n = count_of_topic(p, i);
		const struct partition_of x = {p->cluster, p->group, p->v[i].topic, 0};
		for (size_t copy = 0; copy < p->copies; copy++) {
			redis_begin_eval(r, s.position, 1, 2 + 6 * (int)n);
			redis_arg(r, key_of_copy(r, key, prefix, copy, &x));
			redis_argi(r, keep_ms);
			for (size_t k = i; k < i + n; k++)
				send_position(r, &p->v[k]);
			replies++;
		}
	}
	return replies;
}

void positions_queue_end(struct redis *r, struct buf *key, const char *prefix, const struct positions *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct partition_of x = {p->cluster, p->group, p->v[i].topic, 0};
		for (size_t copy = 0; copy < p->copies; copy++)
			redis_cmd(r, 2, (struct str[]){STR("DEL"), key_of_copy(r, key, prefix, copy, &x)});
	}
}

// What one copy has said; of several, the one that has least is right.
static void read_answer(struct str held, size_t copy, struct position *p)
{
	int64_t next = 0, ms = 0;
	char reading[24];
	bool known = false;
	snprintf(reading, sizeof reading, "%016" PRIx64, p->reading);
	if (held.len) {
		next = str_cut_count(&held);
		known = str_is(str_cut(&held, ' '), reading);
		ms = str_cut_count(&held);
	}
	if (known && held.len && copy == 0) {
		p->previous = str_cut_count(&held);
		str_cut(&held, ' '); // its reading
		p->previous_ms = str_cut_count(&held);
	}
	if (copy == 0 || !known || next < p->held) {
		p->held = known ? next : POSITION_NONE;
		p->held_ms = known ? ms : 0;
	}
}

static void take_answers(struct position *p)
{
	p->behind = p->held < p->next; // POSITION_NONE is less than all
	p->check = false;
	p->fresh = false;
	if (!p->behind)
		p->stored = p->next;
}

void positions_read(struct redis *r, size_t first, struct positions *p)
{
	for (size_t i = 0, n; i < p->n; i += n) {
		n = 1;
		if (!is_due(&p->v[i]))
			continue;
		n = count_of_topic(p, i); // before an answer changes what is due
		for (size_t copy = 0; copy < p->copies; copy++, first++)
			for (size_t k = 0; k < n; k++)
				read_answer(k < redis_len(r, first) ? redis_elem(r, first, k) : STR_NONE, copy, &p->v[i + k]);
		for (size_t k = 0; k < n; k++)
			take_answers(&p->v[i + k]);
	}
}

bool positions_held(struct redis *r, const char *prefix, const struct partition_of *x, int64_t *ret_next,
                    struct err *err)
{
	struct buf key = BUF_INIT;
	char field[16];
	snprintf(field, sizeof field, "%" PRId32, x->partition);
	for (size_t copy = 0; copy <= redis_spans(r); copy++)
		redis_cmd(r, 3,
		          (struct str[]){STR("HGET"), key_of_copy(r, &key, prefix, copy, x), str_of(field)});
	buf_release(&key);
	if (!redis_exec(r, err))
		return false;
	*ret_next = INT64_MAX;
	for (size_t i = 0; i < redis_count(r); i++) {
		struct str held = redis_str(r, i);
		int64_t next = held.len ? str_cut_count(&held) : POSITION_NONE;
		*ret_next = next < *ret_next ? next : *ret_next;
	}
	return true;
}

// ---- what Redis has lost

size_t positions_queue_loss(struct redis *r, struct buf *key, const char *prefix, const struct loss *loss)
{
	char seen[24], held[24];
	struct str at = key_lost(key, prefix);
	snprintf(seen, sizeof seen, "%lld", (long long)loss->seen_ms);
	snprintf(held, sizeof held, "%lld", (long long)loss->held_ms);
	redis_cmd(r, 5, (struct str[]){STR("ZADD"), at, STR("GT"), str_of(seen), STR("seen")});
	redis_cmd(r, 5, (struct str[]){STR("ZADD"), at, STR("LT"), str_of(held), STR("held")});
	redis_cmd(r, 3, (struct str[]){STR("EXPIRE"), at, STR("2592000")}); // 30 days
	return 3;
}

bool positions_loss(struct redis *r, const char *prefix, struct loss *ret, struct err *err)
{
	struct buf key = BUF_INIT;
	redis_cmd(r, 4, (struct str[]){STR("ZMSCORE"), key_lost(&key, prefix), STR("seen"), STR("held")});
	buf_release(&key);
	if (!redis_exec(r, err))
		return false;
	*ret = (struct loss){0};
	if (!usd_parse_scaled(redis_elem(r, 0, 0), 0, &ret->seen_ms) ||
	    !usd_parse_scaled(redis_elem(r, 0, 1), 0, &ret->held_ms))
		*ret = (struct loss){0};
	return true;
}

// ---- gaps

static const char *const cause_words[GAP_CAUSES] = {[GAP_RETENTION] = "retention",
                                                    [GAP_REDIS] = "redis",
                                                    [GAP_AWS_RETENTION] = "aws_retention",
                                                    [GAP_AWS_VALUES] = "aws_values"};

bool gap_is_of_aws(const struct gap *g)
{
	return g->cause == GAP_AWS_RETENTION || g->cause == GAP_AWS_VALUES;
}

struct str gap_source(const struct gap *g, struct str *ret_acct_region)
{
	struct str rest = str_of(g->topic);
	str_cut(&rest, ':');
	struct str source = str_cut(&rest, '/');
	*ret_acct_region = rest;
	return source;
}

const char *gap_cause_word(enum gap_cause cause)
{
	assert(cause < GAP_CAUSES);
	return cause_words[cause];
}

void positions_queue_source_gap(struct redis *r, struct positions_scripts s, const char *prefix,
                                struct str source, struct str acct_region, struct gap gap)
{
	static const struct positions nowhere = {.group = "-"};
	struct buf key = BUF_INIT, topic = BUF_INIT;
	buf_addf(&topic, "aws:%.*s/%.*s", STR_ARG(source), STR_ARG(acct_region));
	gap.topic = topic.data;
	gap.from = gap.from_ms;
	gap.to = gap.to_ms;
	positions_queue_gap(r, s, &key, prefix, &nowhere, &gap, when_now_ms());
	buf_release(&key);
	buf_release(&topic);
}

// Field: "TOPIC PARTITION FROM CLUSTER GROUP"; value: "SEEN TO FROM_MS TO_MS CAUSE".
void positions_queue_gap(struct redis *r, struct positions_scripts s, struct buf *key, const char *prefix,
                         const struct positions *p, const struct gap *gap, int64_t now_ms)
{
	struct buf field = BUF_INIT, value = BUF_INIT;
	buf_addf(&field, "%s %d %" PRId64 " %s %s", gap->topic, gap->partition, gap->from,
	         p->cluster ? p->cluster : "-", p->group);
	buf_addf(&value, "%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %s", now_ms, gap->to, gap->from_ms,
	         gap->to_ms, gap_cause_word(gap->cause));
	redis_begin_eval(r, s.gap, 1, 4);
	redis_arg(r, key_missing(key, prefix));
	redis_arg(r, buf_str(&field));
	redis_arg(r, buf_str(&value));
	redis_argi(r, GAPS_MAX);
	buf_release(&field);
	buf_release(&value);
}

static bool parse_gap(struct str field, struct str value, struct arena *arena, struct gap_seen *ret)
{
	*ret = (struct gap_seen){.gap.topic = arena_str(arena, str_cut(&field, ' ')).p};
	ret->gap.partition = (int32_t)str_cut_count(&field);
	ret->gap.from = str_cut_count(&field);
	ret->cluster = arena_str(arena, str_cut(&field, ' ')).p;
	ret->group = arena_str(arena, field).p;
	ret->seen_ms = str_cut_count(&value);
	ret->gap.to = str_cut_count(&value);
	ret->gap.from_ms = str_cut_count(&value);
	ret->gap.to_ms = str_cut_count(&value);
	for (int i = 0; i < GAP_CAUSES; i++)
		if (str_is(value, cause_words[i])) {
			ret->gap.cause = (enum gap_cause)i;
			return ret->gap.to > ret->gap.from;
		}
	return false;
}

static int by_seen(const void *a, const void *b)
{
	const struct gap_seen *x = a, *y = b;
	if (x->seen_ms != y->seen_ms)
		return x->seen_ms > y->seen_ms ? -1 : 1;
	int c = strcmp(x->gap.topic, y->gap.topic);
	return c ? c : (x->gap.partition > y->gap.partition) - (x->gap.partition < y->gap.partition);
}

bool gaps_read(struct redis *r, const char *prefix, struct arena *arena, struct gap_seen **ret, size_t *ret_n,
               struct err *err)
{
	struct buf key = BUF_INIT;
	redis_cmd(r, 2, (struct str[]){STR("HGETALL"), key_missing(&key, prefix)});
	buf_release(&key);
	if (!redis_exec(r, err))
		return false;
	size_t n = 0, pairs = redis_len(r, 0) / 2;
	struct gap_seen *v = arena_alloc(arena, (pairs + 1) * sizeof *v);
	for (size_t i = 0; i < pairs; i++)
		n += parse_gap(redis_elem(r, 0, 2 * i), redis_elem(r, 0, 2 * i + 1), arena, &v[n]);
	qsort(v, n, sizeof *v, by_seen);
	*ret = v;
	*ret_n = n;
	return true;
}
