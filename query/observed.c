// SPDX-License-Identifier: Apache-2.0
#include "query/observed.h"

#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/pattern.h"
#include "base/usd.h"
#include "base/when.h"
#include "store/keys.h"
#include "store/observed.h"
#include "store/positions.h"
#include "store/source_status.h"

enum { WEEK = 7, HOUR = 60, NAMED_MAX = 3, HOURS_BACK_MAX = 3650 * 24, REPLIES = 4096 };

// Marks of a minute of a place, and of `shared`.
enum { SEEN = 1, READ = SEEN, LOST = 2, COMING = 4 };

struct place {
	struct str name;    // "111122223333/us-east-1"
	bool of_api;        // AWS's APIs are asked for it: Kafka says nothing of it
	int64_t failing_ms; // since when a source of it fails; 0: none does
	struct str trouble;
	uint8_t *minutes;   // from the first day on
	int64_t first;      // index of the first observed minute; -1: none
	int64_t *weight;    // of each day: observed minutes of the week that ends with it
};

struct loading {
	const struct observed_query *q;
	struct redis *redis;
	const char *prefix;
	struct arena arena;
	struct place *places;
	size_t nplaces;
	int64_t first_day, days; // of `minutes`: a week more than is asked for
	int64_t first, n;        // minutes: the first since the epoch, and how many, none beyond now
	int64_t newest;          // minute since the epoch of the newest record of all; 0: there is none
	uint8_t *shared;         // READ: of Kafka, LOST: Kafka deleted messages
	int64_t since;           // minutes before were not noted
};

// ---- reading ------------------------------------------------------------------------------------

static bool passes(const struct group_filter *only, enum group_by by, struct str value)
{
	for (int i = 0; only && i < only->by.n; i++)
		if (only->by.by[i] == by && !(only->is_pattern[i] ? pattern_matches(only->value[i], value)
		                                                  : str_eq(only->value[i], value)))
			return false;
	return true;
}

static bool read_places(struct loading *l, struct err *err)
{
	struct buf key = BUF_INIT;
	redis_cmd(l->redis, 2, (struct str[]){STR("SMEMBERS"), key_acct_regions(&key, l->prefix)});
	redis_cmd(l->redis, 2, (struct str[]){STR("GET"), key_observed_since(&key, l->prefix)});
	redis_cmd(l->redis, 5,
	          (struct str[]){STR("ZMSCORE"), key_signals(&key, l->prefix), STR("call"), STR("call_tokens"),
	                         STR("metric")});
	buf_release(&key);
	if (!redis_exec(l->redis, err))
		return false;
	size_t n = redis_len(l->redis, 0);
	int64_t since_ms = 0;
	l->places = arena_alloc(&l->arena, (n + 1) * sizeof *l->places);
	for (size_t i = 0; i < n; i++) {
		struct str name = redis_elem(l->redis, 0, i), region = name, account = str_cut(&region, '/');
		if (name.len && passes(l->q->only, BY_ACCOUNT, account) && passes(l->q->only, BY_REGION, region))
			l->places[l->nplaces++] = (struct place){.name = arena_str(&l->arena, name), .first = -1};
	}
	if (!redis_nil(l->redis, 1) && usd_parse_scaled(redis_str(l->redis, 1), 0, &since_ms))
		l->since = since_ms / MS_PER_MINUTE;
	for (size_t i = 0; i < redis_len(l->redis, 2); i++) {
		struct str ms = redis_elem(l->redis, 2, i);
		int64_t minute = ms.len ? strtoll(ms.p, NULL, 10) / MS_PER_MINUTE : 0;
		l->newest = minute > l->newest ? minute : l->newest;
	}
	return true;
}

static void note_source(void *user, const struct source_status *s)
{
	struct loading *l = user;
	if (!str_is(s->source, "cloudtrail") && !str_is(s->source, "metrics"))
		return;
	for (size_t i = 0; i < l->nplaces; i++) {
		struct place *p = &l->places[i];
		if (!str_eq(p->name, s->acct_region))
			continue;
		p->of_api |= s->position_ms > 0;
		if (s->failing_ms && (!p->failing_ms || s->failing_ms < p->failing_ms)) {
			p->failing_ms = s->failing_ms;
			p->trouble = arena_text(&l->arena, "%.*s has failed since then: %.*s", STR_ARG(s->source),
			                        STR_ARG(s->text));
		}
	}
}

static void mark(struct loading *l, uint8_t *minutes, int64_t from, int64_t to, uint8_t with)
{
	for (int64_t m = from > l->first ? from - l->first : 0; m < to - l->first && m < l->n; m++)
		minutes[m] |= with;
}

// Messages that Kafka deleted were of the time between those around them; of which one, nobody knows.
static bool read_shared(struct loading *l, struct err *err)
{
	struct gap_seen *gaps;
	size_t n;
	l->shared = arena_alloc(&l->arena, (size_t)l->days * OBSERVED_DAY);
	memset(l->shared, 0, (size_t)l->days * OBSERVED_DAY);
	size_t days = observed_queue_read(l->redis, l->prefix, STR_NONE, l->first_day, l->first_day + l->days);
	if (!redis_exec(l->redis, err))
		return false;
	observed_take(l->redis, 0, days, l->days, l->shared);
	if (!gaps_read(l->redis, l->prefix, &l->arena, &gaps, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		int64_t to_ms = gaps[i].gap.to_ms ? gaps[i].gap.to_ms : gaps[i].seen_ms;
		if (gaps[i].gap.from_ms && !gap_is_of_aws(&gaps[i].gap)) // of AWS's APIs no bit was set
			mark(l, l->shared, gaps[i].gap.from_ms / MS_PER_MINUTE + 1, to_ms / MS_PER_MINUTE, LOST);
	}
	return true;
}

static size_t queue_place(struct loading *l, const struct place *p)
{
	struct buf key = BUF_INIT;
	size_t n = observed_queue_read(l->redis, l->prefix, p->name, l->first_day, l->first_day + l->days);
	redis_cmd(
		l->redis, 4,
		(struct str[]){STR("HMGET"), key_billed(&key, l->prefix, p->name), STR("since"), STR("watermark")});
	buf_release(&key);
	return n + 1;
}

static void take_place(struct loading *l, struct place *p, size_t first, size_t n)
{
	int64_t from, to;
	p->minutes = arena_alloc(&l->arena, (size_t)l->days * OBSERVED_DAY);
	memset(p->minutes, 0, (size_t)l->days * OBSERVED_DAY);
	observed_take(l->redis, first, n - 1, l->days, p->minutes);
	if (usd_parse_scaled(redis_elem(l->redis, first + n - 1, 0), 0, &from) &&
	    usd_parse_scaled(redis_elem(l->redis, first + n - 1, 1), 0, &to))
		mark(l, p->minutes, from * HOUR, to * HOUR, SEEN);
	mark(l, p->minutes, 0, l->since, SEEN);
}

// Several with one question, as long as that is no flood.
static bool read_marks(struct loading *l, struct err *err)
{
	for (size_t i = 0, end; i < l->nplaces; i = end) {
		size_t replies = 0, each = 0;
		for (end = i; end < l->nplaces && replies < REPLIES; end++)
			replies += each = queue_place(l, &l->places[end]);
		if (!redis_exec(l->redis, err))
			return false;
		for (size_t k = i; k < end; k++)
			take_place(l, &l->places[k], (k - i) * each, each);
	}
	return true;
}

// ---- a place ------------------------------------------------------------------------------------

// Fills short gaps, and marks the time since the newest minute if it is short.
static void join_minutes(const struct loading *l, struct place *p)
{
	int64_t last = -1;
	bool lost = false;
	for (int64_t m = 0; m < l->n; m++) {
		lost |= l->shared[m] & LOST;
		if (!p->minutes[m])
			continue;
		for (int64_t k = last + 1; last >= 0 && !lost && m - last <= OBSERVED_JOIN && k < m; k++)
			p->minutes[k] = SEEN;
		p->first = p->first < 0 ? m : p->first;
		last = m;
		lost = false;
	}
	for (int64_t k = last + 1; last >= 0 && l->n - last <= OBSERVED_JOIN && k < l->n; k++)
		p->minutes[k] = COMING;
}

static void weigh(struct loading *l, struct place *p)
{
	int64_t *of_day = arena_alloc(&l->arena, (size_t)l->days * sizeof *of_day), sum = 0;
	p->weight = arena_alloc(&l->arena, (size_t)l->days * sizeof *p->weight);
	for (int64_t d = 0; d < l->days; d++) {
		of_day[d] = 0;
		for (int64_t m = d * OBSERVED_DAY; m < (d + 1) * OBSERVED_DAY && m < l->n; m++)
			of_day[d] += p->minutes[m] == SEEN;
		sum += of_day[d] - (d >= WEEK ? of_day[d - WEEK] : 0);
		p->weight[d] = sum;
	}
}

static void finish_place(struct loading *l, struct place *p)
{
	bool seen = false;
	for (int64_t m = 0; m < l->n && m + l->first <= l->newest; m++) {
		seen |= p->minutes[m] != 0;
		if (seen && !p->of_api && (l->shared[m] & (READ | LOST)) == READ)
			p->minutes[m] |= SEEN;
	}
	join_minutes(l, p);
	weigh(l, p);
}

// ---- all places ---------------------------------------------------------------------------------

static bool lacks(const struct place *p, int64_t m)
{
	return p->first >= 0 && m >= p->first && !p->minutes[m];
}

static enum minute_state state_of(const struct loading *l, int64_t m)
{
	int64_t all = 0, missing = 0, coming = 0, day = m / OBSERVED_DAY;
	for (size_t i = 0; i < l->nplaces; i++) {
		const struct place *p = &l->places[i];
		if (p->first < 0 || m < p->first)
			continue;
		all += p->weight[day];
		missing += p->minutes[m] ? 0 : p->weight[day];
		coming += p->minutes[m] == COMING ? p->weight[day] : 0;
	}
	if (all == 0 || missing * OBSERVED_MISSING > all)
		return MINUTE_UNOBSERVED;
	return (missing + coming) * OBSERVED_MISSING > all ? MINUTE_COMING : MINUTE_OBSERVED;
}

// Why the minutes [from, to) were not observed; `from` and `to` count from l->first.
static struct str explain_gap(const struct loading *l, int64_t from, int64_t to, struct arena *arena)
{
	int64_t m = from + (to - from) / 2, counted = 0, n = 0;
	const struct place *failing = NULL;
	struct buf names = BUF_INIT;
	bool lost = false;
	for (int64_t k = from; k < to; k++)
		lost |= l->shared[k] & LOST;
	for (size_t i = 0; i < l->nplaces; i++) {
		const struct place *p = &l->places[i];
		counted += p->first >= 0 && m >= p->first && p->weight[m / OBSERVED_DAY] > 0;
		if (!lacks(p, m) || !p->weight[m / OBSERVED_DAY])
			continue;
		if (n++ < NAMED_MAX)
			buf_addf(&names, "%s%.*s", n > 1 ? ", " : "", STR_ARG(p->name));
		if (p->failing_ms && p->failing_ms / MS_PER_MINUTE < l->first + to && to == l->n)
			failing = p;
	}
	if (n > NAMED_MAX)
		buf_addf(&names, " and %lld more", (long long)(n - NAMED_MAX));
	struct str why = counted == 0 ? STR("nothing was read of this time")
	                 : lost       ? STR("Kafka deleted messages before they were read")
	                 : failing    ? arena_str(arena, failing->trouble)
	                 : n < counted ? arena_text(arena, "nothing was read of %.*s", STR_ARG(buf_str(&names)))
	                               : STR("nothing was read of this time");
	buf_release(&names);
	return why;
}

static void list_gaps(const struct loading *l, struct observed *o)
{
	int64_t end = o->now < o->to ? o->now : o->to;
	o->gaps = arena_alloc(&o->arena, OBSERVED_GAPS_MAX * sizeof *o->gaps);
	for (int64_t m = o->from, to; m < end && o->ngaps < OBSERVED_GAPS_MAX; m = to) {
		for (to = m; to < end && o->state[to - o->from] == MINUTE_UNOBSERVED; to++)
			;
		if (to > m)
			o->gaps[o->ngaps++] =
				(struct observed_gap){m, to, explain_gap(l, m - l->first, to - l->first, &o->arena)};
		to += to == m;
	}
}

static bool load(struct loading *l, struct err *err)
{
	bool good = read_places(l, err) && source_status_each(l->redis, l->prefix, note_source, l, err) &&
	            read_shared(l, err) && read_marks(l, err);
	for (size_t i = 0; good && i < l->nplaces; i++)
		finish_place(l, &l->places[i]);
	return good;
}

bool observed_load(struct observed *ret, struct redis *r, const char *prefix, const struct observed_query *q,
                   struct err *err)
{
	struct loading l = {.q = q, .redis = r, .prefix = prefix};
	int64_t oldest = q->now_ms / MS_PER_HOUR - HOURS_BACK_MAX, ahead = q->now_ms / MS_PER_HOUR + 1;
	struct observed o = {.now = q->now_ms / MS_PER_MINUTE};
	oldest = oldest > 0 ? oldest : 0; // spans that end in 1970 begin before it
	o.from = (q->from > oldest ? q->from : oldest) * HOUR;
	o.to = (q->to < ahead ? q->to : ahead) * HOUR;
	o.to = o.to > o.from ? o.to : o.from;
	int64_t after = o.to + OBSERVED_JOIN, end = o.now < after ? o.now : after; // what comes next may join
	assert(q->from <= q->to);
	l.first_day = o.from / OBSERVED_DAY > WEEK ? o.from / OBSERVED_DAY - WEEK : 0;
	l.first = l.first_day * OBSERVED_DAY;
	l.n = end > l.first ? end - l.first : 0;
	l.days = (l.n + OBSERVED_DAY - 1) / OBSERVED_DAY;
	if (!load(&l, err)) {
		arena_release(&l.arena);
		return false;
	}
	o.state = arena_alloc(&o.arena, (size_t)(o.to - o.from) + 1);
	for (int64_t m = o.from; m < o.to; m++)
		o.state[m - o.from] = (uint8_t)(m >= o.now ? MINUTE_AHEAD : state_of(&l, m - l.first));
	list_gaps(&l, &o);
	arena_release(&l.arena);
	*ret = o;
	return true;
}

void observed_release(struct observed *o)
{
	arena_release(&o->arena);
	*o = (struct observed){0};
}

// ---- asking -------------------------------------------------------------------------------------

static enum minute_state at(const struct observed *o, int64_t minute)
{
	if (minute < o->from || minute >= o->to)
		return minute < o->now ? MINUTE_UNOBSERVED : MINUTE_AHEAD;
	return (enum minute_state)o->state[minute - o->from];
}

int64_t observed_count(const struct observed *o, int64_t from, int64_t to, enum minute_state state)
{
	int64_t n = 0;
	for (int64_t m = from; m < to; m++)
		n += at(o, m) == state;
	return n;
}

int observed_permille(const struct observed *o, int64_t from, int64_t to)
{
	int64_t seen = observed_count(o, from, to, MINUTE_OBSERVED),
			all = seen + observed_count(o, from, to, MINUTE_UNOBSERVED);
	return all ? (int)(seen * 1000 / all) : -1;
}

bool observed_is(const struct observed *o, int64_t minute)
{
	return at(o, minute) == MINUTE_OBSERVED;
}
