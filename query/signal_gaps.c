// SPDX-License-Identifier: Apache-2.0
#include "query/signal_gaps.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/when.h"
#include "query/observed.h"
#include "store/keys.h"

enum { PLACES_MAX = 100000, AT_ONCE = 64 };

struct search {
	struct arena *arena;
	int64_t first, n;   // minutes: the first since the epoch, and how many
	uint8_t *minutes;   // of one account and Region, a bit a signal
	struct str place;
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

// What is between two minutes of a signal, which are indices; `last` -1: it had not come before; `end` -1: it
// has not come since.
static void look_between(struct search *x, enum observed_signal s, int64_t last, int64_t end)
{
	uint8_t others = others_of(s);
	int64_t from = -1, to = end < 0 ? x->n : end, newest = -1, seen = 0;
	for (int64_t m = last + 1; m < to; m++) {
		if (!(x->minutes[m] & others))
			continue;
		from = from < 0 ? m : from;
		newest = m;
		seen++;
	}
	bool is_long = seen >= SIGNAL_GAP_SEEN && newest - (last < 0 ? from : last) > OBSERVED_JOIN;
	if (!is_long || (s == OBSERVED_LOGS && last < 0)) // logs may be off
		return;
	add_gap(x, (struct signal_gap){.place = x->place,
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
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static bool read_places(struct search *x, struct redis *r, const char *prefix, struct str **ret,
                        size_t *ret_n, struct err *err)
{
	struct buf key = BUF_INIT;
	redis_cmd(r, 2, (struct str[]){STR("SMEMBERS"), key_acct_regions(&key, prefix)});
	buf_release(&key);
	if (!redis_exec(r, err))
		return false;
	*ret_n = redis_len(r, 0) < PLACES_MAX ? redis_len(r, 0) : PLACES_MAX;
	*ret = arena_alloc(x->arena, (*ret_n + 1) * sizeof **ret);
	for (size_t i = 0; i < *ret_n; i++)
		(*ret)[i] = arena_str(x->arena, redis_elem(r, 0, i));
	if (*ret_n > 1)
		qsort(*ret, *ret_n, sizeof **ret, by_name);
	return true;
}

bool signal_gaps_read(struct arena *arena, struct redis *r, const char *prefix, int64_t now_ms, int days,
                      struct signal_gap **ret, size_t *ret_n, struct err *err)
{
	struct search x = {.arena = arena};
	struct str *places;
	size_t nplaces;
	int64_t end = now_ms / MS_PER_MINUTE, end_day = (end + OBSERVED_DAY - 1) / OBSERVED_DAY;
	int64_t first_day = end_day > days ? end_day - days : 0;
	x.first = first_day * OBSERVED_DAY;
	x.n = end > x.first ? end - x.first : 0;
	size_t bytes = (size_t)(end_day - first_day) * OBSERVED_DAY,
		   replies = (size_t)(end_day - first_day) * OBSERVED_SIGNALS; // of a place
	if (!read_places(&x, r, prefix, &places, &nplaces, err))
		return false;
	x.minutes = arena_alloc(arena, bytes + 1);
	for (size_t i = 0; i < nplaces; i++) {
		if (i % AT_ONCE == 0) {
			for (size_t k = i; k < nplaces && k < i + AT_ONCE; k++)
				observed_queue_read(r, prefix, places[k], first_day, end_day);
			if (!redis_exec(r, err))
				return false;
		}
		memset(x.minutes, 0, bytes);
		x.place = places[i];
		observed_take_signals(r, i % AT_ONCE * replies, end_day - first_day, x.minutes);
		for (int s = 0; s < OBSERVED_SIGNALS; s++)
			search_signal(&x, (enum observed_signal)s);
	}
	*ret = x.list;
	*ret_n = x.found;
	return true;
}
