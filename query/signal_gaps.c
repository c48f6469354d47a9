// SPDX-License-Identifier: Apache-2.0
#include "query/signal_gaps.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/usd.h"
#include "base/when.h"
#include "query/observed.h"
#include "store/keys.h"
#include "store/source_status.h"

enum {
	PLACES_MAX = 100000,
	AT_ONCE = 64,
	HOUR = 60,
	CALL_MAX = 15, // minutes: metrics of a call come at its end, maybe in the next hour
};

// An account and Region. `asked`: the signals, a bit each, that AWS's APIs are asked for there. Their minutes
// were asked for, whether or not there was a record.
struct place {
	struct str name;
	uint8_t asked;
};

struct search {
	struct arena *arena;
	int64_t first, n;   // minutes: the first since the epoch, and how many
	int64_t days;       // that these are of, from the beginning of the first
	uint8_t *minutes;   // of one account and Region, a bit a signal
	bool *used;         // by hour: whether it has figures; all false where no API is asked
	struct place *places, *place;
	size_t nplaces;
	struct signal_gap *list;
	size_t found, cap;
};

// The signals that show that one should have come.
static uint8_t others_of(enum observed_signal s)
{
	return s == OBSERVED_LOGS ? 1 << OBSERVED_CALLS : (uint8_t)(((1 << OBSERVED_SIGNALS) - 1) & ~(1 << s));
}

static void add_gap(struct search *x, struct signal_gap gap)
{
	if (x->found == x->cap) {
		size_t cap = x->cap ? x->cap * 2 : 16;
		struct signal_gap *more = arena_alloc(x->arena, cap * sizeof *more);
		if (x->found)
			memcpy(more, x->list, x->found * sizeof *more);
		x->list = more;
		x->cap = cap;
	}
	x->list[x->found++] = gap;
}

// Whether minute `m` between two minutes of a signal shows that it should have come. Of a minute that an API
// was asked for nothing is known but its hour: it shows something if there are figures of that hour, which
// has none of that signal.
static bool is_evidence(const struct search *x, uint8_t others, int64_t m, int64_t last, int64_t to)
{
	uint8_t seen = x->minutes[m] & others;
	int64_t hour = m / HOUR;
	return (seen & ~x->place->asked) ||
	       (seen && x->used[hour] && hour * HOUR > last + CALL_MAX && (hour + 1) * HOUR <= to);
}

// What is between two minutes of a signal, which are indices; `last` -1: it had not come before; `end` -1: it
// has not come since.
static void look_between(struct search *x, enum observed_signal s, int64_t last, int64_t end)
{
	uint8_t others = others_of(s);
	int64_t from = -1, to = end < 0 ? x->n : end, newest = -1, seen = 0;
	for (int64_t m = last + 1; m < to; m++) {
		if (!is_evidence(x, others, m, last, to))
			continue;
		from = from < 0 ? m : from;
		newest = m;
		seen++;
	}
	bool is_long = seen >= SIGNAL_GAP_SEEN && newest - (last < 0 ? from : last) > OBSERVED_JOIN;
	if (!is_long || (s == OBSERVED_LOGS && last < 0)) // logs may be off
		return;
	add_gap(x, (struct signal_gap){.place = x->place->name,
	                               .signal = s,
	                               .from = x->first + (last < 0 ? from : last + 1),
	                               .to = end < 0 ? 0 : x->first + end,
	                               .seen = seen,
	                               .never = last < 0 && end < 0});
}

static void search_signal(struct search *x, enum observed_signal s)
{
	int64_t last = -1;
	for (int64_t m = 0; m < x->n; m++) {
		if (!(x->minutes[m] >> s & 1))
			continue;
		if (m - last > OBSERVED_JOIN)
			look_between(x, s, last, m);
		last = m;
	}
	look_between(x, s, last, -1);
}

static int by_name(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	return str_cmp(x->name, y->name);
}

// "cloudtrail", "metrics", "metrics_mantle", "logs" (run/streams.h).
static void note_asked(void *user, const struct source_status *s)
{
	struct search *x = user;
	const struct place wanted = {.name = s->acct_region};
	struct place *p = bsearch(&wanted, x->places, x->nplaces, sizeof *x->places, by_name);
	int signal = str_is(s->source, "cloudtrail")            ? OBSERVED_CALLS
	             : str_starts(s->source, STR("metrics")) ? OBSERVED_METRICS
	             : str_is(s->source, "logs")             ? OBSERVED_LOGS
	                                                     : -1;
	if (p && signal >= 0 && s->position_ms > 0)
		p->asked |= (uint8_t)(1 << signal);
}

static bool read_places(struct search *x, struct redis *r, const char *prefix, struct err *err)
{
	struct buf key = BUF_INIT;
	redis_cmd(r, 2, (struct str[]){STR("SMEMBERS"), key_acct_regions(&key, prefix)});
	buf_release(&key);
	if (!redis_exec(r, err))
		return false;
	size_t n = redis_len(r, 0) < PLACES_MAX ? redis_len(r, 0) : PLACES_MAX;
	x->places = arena_alloc(x->arena, (n + 1) * sizeof *x->places);
	for (size_t i = 0; i < n; i++)
		if (redis_elem(r, 0, i).len) // else it is damaged
			x->places[x->nplaces++] = (struct place){.name = arena_str(x->arena, redis_elem(r, 0, i))};
	if (x->nplaces > 1)
		qsort(x->places, x->nplaces, sizeof *x->places, by_name);
	return !x->nplaces || source_status_each(r, prefix, note_asked, x, err);
}

// Queues the minutes of a place and, where an API is asked, its hours with figures.
static void queue_place(const struct search *x, struct redis *r, const char *prefix, const struct place *p)
{
	struct buf key = BUF_INIT, from = BUF_INIT, to = BUF_INIT;
	observed_queue_read(r, prefix, p->name, x->first / OBSERVED_DAY, x->first / OBSERVED_DAY + x->days);
	buf_addf(&from, "%lld", (long long)x->first / HOUR);
	buf_addf(&to, "(%lld", (long long)x->first / HOUR + x->days * 24);
	if (p->asked)
		redis_cmd(r, 5,
		          (struct str[]){STR("ZRANGEBYSCORE"), key_usage_index(&key, prefix, p->name), buf_str(&from),
		                         buf_str(&to), STR("WITHSCORES")});
	buf_release(&key);
	buf_release(&from);
	buf_release(&to);
}

// Reads its replies, from `reply` on. Returns the next one's number.
static size_t take_place(struct search *x, struct redis *r, size_t reply)
{
	size_t minutes = (size_t)x->days * OBSERVED_DAY, n = (size_t)x->days * OBSERVED_SIGNALS;
	memset(x->minutes, 0, minutes);
	memset(x->used, 0, minutes / HOUR * sizeof *x->used);
	observed_take_signals(r, reply, x->days, x->minutes);
	if (!x->place->asked)
		return reply + n;
	for (size_t i = 0; i + 1 < redis_len(r, reply + n); i += 2) {
		int64_t hour; // the score of a model hour
		if (usd_parse_scaled(redis_elem(r, reply + n, i + 1), 0, &hour) && hour >= x->first / HOUR &&
		    hour - x->first / HOUR < x->days * 24)
			x->used[hour - x->first / HOUR] = true;
	}
	return reply + n + 1;
}

bool signal_gaps_read(struct arena *arena, struct redis *r, const char *prefix, int64_t now_ms, int days,
                      struct signal_gaps *ret, struct err *err)
{
	struct search x = {.arena = arena};
	int64_t end = now_ms / MS_PER_MINUTE, end_day = (end + OBSERVED_DAY - 1) / OBSERVED_DAY;
	int64_t first_day = end_day > days ? end_day - days : 0;
	x.first = first_day * OBSERVED_DAY;
	x.n = end > x.first ? end - x.first : 0;
	x.days = end_day - first_day;
	if (!read_places(&x, r, prefix, err))
		return false;
	x.minutes = arena_alloc(arena, (size_t)x.days * OBSERVED_DAY + 1);
	x.used = arena_alloc(arena, ((size_t)x.days * 24 + 1) * sizeof *x.used);
	for (size_t i = 0, reply = 0; i < x.nplaces; i++) {
		if (i % AT_ONCE == 0) {
			for (size_t k = i; k < x.nplaces && k < i + AT_ONCE; k++)
				queue_place(&x, r, prefix, &x.places[k]);
			reply = 0;
			if (!redis_exec(r, err))
				return false;
		}
		x.place = &x.places[i];
		reply = take_place(&x, r, reply);
		for (int s = 0; s < OBSERVED_SIGNALS; s++)
			search_signal(&x, (enum observed_signal)s);
	}
	*ret = (struct signal_gaps){x.list, x.found};
	return true;
}
