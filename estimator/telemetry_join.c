// SPDX-License-Identifier: Apache-2.0
#include "estimator/telemetry_join.h"

#include <stdlib.h>
#include <string.h>

#include "estimator/rate_class.h"

enum { SPAN_HOURS = 3, TOLERANCE = 1 }; // seconds by which clocks may differ

// Calls of one second and caller, which telemetry may be of.
struct candidate {
	struct str user; // name of their session
	int64_t second;
	bool is_end;
	int hour, minute; // of the span's hours; where they are
	int32_t at;
	int64_t fits;     // tellings that fit them
};

struct join {
	struct span *span;
	struct hour *hours[SPAN_HOURS]; // copies; NULL: no facts
	struct candidate *list;
	size_t n;
	struct arena *arena;
};

static const struct hour **hour_of_span(struct span *s, int i)
{
	return i == 0 ? &s->before : i == 1 ? &s->hour : &s->after;
}

static int64_t count_tellings(struct span *s)
{
	int64_t n = 0;
	for (int i = 0; i < SPAN_HOURS; i++)
		n += *hour_of_span(s, i) ? (*hour_of_span(s, i))->ntellings : 0;
	return n;
}

// ---- candidates ---------------------------------------------------------------------------------

static int by_user_and_second(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	int c = str_cmp(x->user, y->user);
	if (c)
		return c;
	if (x->second != y->second)
		return x->second < y->second ? -1 : 1;
	const int left[] = {x->is_end, x->hour, x->minute, x->at},
			  right[] = {y->is_end, y->hour, y->minute, y->at};
	for (int i = 0; i < 4; i++)
		if (left[i] != right[i])
			return left[i] < right[i] ? -1 : 1;
	return 0;
}

static size_t list_candidates(const struct join *j, struct candidate *ret)
{
	size_t n = 0;
	for (int i = 0; i < SPAN_HOURS; i++) {
		for (int m = 0; j->hours[i] && m < 60; m++) {
			const struct minute *at = &j->hours[i]->minutes[m];
			for (int32_t k = 0; k < at->ncalls; k++) {
				const struct calls *c = &at->calls[k];
				if (!c->second || c->n <= 0)
					continue;
				if (ret)
					ret[n] = (struct candidate){
						.user = str_after_last(j->span->callers[c->caller].arn, '/'),
						.second = c->second,
						.is_end = c->second_is_end,
						.hour = i,
						.minute = m,
						.at = k,
					};
				n++;
			}
		}
	}
	return n;
}

// The first candidate of the user that is not before `second`.
static size_t find_first(const struct join *j, struct str user, int64_t second)
{
	size_t low = 0, high = j->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = str_cmp(j->list[middle].user, user);
		if (c < 0 || (c == 0 && j->list[middle].second < second))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct calls *calls_of(const struct join *j, const struct candidate *c)
{
	return &j->hours[c->hour]->minutes[c->minute].calls[c->at];
}

// The calls that the telling fits, as it says that they began, or ended: `visit` is called with each.
typedef void visit_fn(struct join *j, struct candidate *c, void *user);
static void visit_fitting(struct join *j, const struct telling *t, visit_fn *visit, void *user)
{
	for (int is_end = 0; is_end < 2; is_end++) {
		int64_t second = is_end ? t->end : t->start;
		for (size_t i = find_first(j, t->user, second - TOLERANCE); i < j->n; i++) {
			struct candidate *c = &j->list[i];
			if (!str_eq(c->user, t->user) || c->second > second + TOLERANCE)
				break;
			if (c->is_end == is_end)
				visit(j, c, user);
		}
	}
}

static void count_fit(struct join *j, struct candidate *c, void *user)
{
	(void)j;
	(void)user;
	c->fits++;
}

struct fitting {
	int64_t calls;
	struct candidate *last;
};

static void count_calls(struct join *j, struct candidate *c, void *user)
{
	struct fitting *f = user;
	f->calls += calls_of(j, c)->n;
	f->last = c;
}

// ---- joining ------------------------------------------------------------------------------------

static void set_tokens(struct calls *c, const struct telling *t)
{
	int64_t prompt = 0, parts = 0;
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		if (t->known[kind]) {
			c->exact_n[kind] = 1;
			c->exact[kind] = t->tokens[kind];
		}
		if (kind == TOKENS_OUTPUT || !c->exact_n[kind])
			continue;
		prompt += c->exact[kind];
		parts++;
	}
	if (t->known[TOKENS_CACHE_WRITE] && t->tokens[TOKENS_CACHE_WRITE] == 0)
		c->exact_n[TOKENS_CACHE_WRITE_1H] = 1;
	if (t->known[TOKENS_OUTPUT])
		c->exact_n[TOKENS_OUTPUT_MAX] = c->exact[TOKENS_OUTPUT_MAX] = 0;
	c->rate_class = (uint8_t)rate_class_of(rate_class_tier(c->rate_class), prompt, parts == METRIC_KINDS - 1);
	c->telemetry = true;
}

static bool comes_after(const struct calls *a, const struct calls *b)
{
	return a->caller > b->caller || (a->caller == b->caller && a->rate_class > b->rate_class);
}

// Calls of a minute are sorted by caller and rate class.
static void put_calls(struct minute *to, const struct calls *c, struct arena *arena)
{
	struct calls *more = arena_alloc(arena, ((size_t)to->ncalls + 1) * sizeof *more);
	int32_t at = 0;
	while (at < to->ncalls && !comes_after(&to->calls[at], c))
		at++;
	if (at)
		memcpy(more, to->calls, (size_t)at * sizeof *more);
	more[at] = *c;
	if (at < to->ncalls)
		memcpy(more + at + 1, to->calls + at, (size_t)(to->ncalls - at) * sizeof *more);
	to->calls = more;
	to->ncalls++;
}

// A stream that ended in another minute of its hour.
struct move {
	const struct candidate *from;
	int to;
	struct calls calls;
};

// What is moved is taken away before anything is put anywhere, for that changes places.
static void move_calls(struct join *j, struct move *moves, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct calls *from = calls_of(j, moves[i].from);
		moves[i].calls = *from;
		moves[i].calls.started = moves[i].calls.started_sixths = 0;
		from->n = from->started = from->started_sixths = 0;
		from->telemetry = false;
		memset(from->exact_n, 0, sizeof from->exact_n);
		memset(from->exact, 0, sizeof from->exact);
	}
	for (size_t i = 0; i < n; i++)
		put_calls(&j->hours[moves[i].from->hour]->minutes[moves[i].to], &moves[i].calls, j->arena);
}

static void join_hour(struct join *j, int i, struct move *moves, size_t *nmoves, int64_t *ret_unjoined)
{
	const struct hour *h = j->hours[i];
	for (int32_t k = 0; h && k < h->ntellings; k++) {
		const struct telling *t = &h->tellings[k];
		struct fitting f = {0};
		visit_fitting(j, t, count_calls, &f);
		if (f.calls != 1 || f.last->fits != 1) {
			*ret_unjoined += i == 1;
			continue;
		}
		struct calls *c = calls_of(j, f.last);
		set_tokens(c, t);
		if (c->started && f.last->hour == i && t->minute > f.last->minute)
			moves[(*nmoves)++] = (struct move){.from = f.last, .to = t->minute};
	}
}

int64_t telemetry_join(struct span *s, struct arena *arena)
{
	struct join j = {.span = s, .arena = arena};
	int64_t tellings = count_tellings(s), unjoined = 0;
	size_t nmoves = 0;
	if (!tellings)
		return 0;
	for (int i = 0; i < SPAN_HOURS; i++)
		if (*hour_of_span(s, i))
			*hour_of_span(s, i) = j.hours[i] = hour_copy(*hour_of_span(s, i), arena);
	j.list = arena_alloc(arena, (list_candidates(&j, NULL) + 1) * sizeof *j.list);
	j.n = list_candidates(&j, j.list);
	if (j.n > 1)
		qsort(j.list, j.n, sizeof *j.list, by_user_and_second);
	for (int i = 0; i < SPAN_HOURS; i++)
		for (int32_t k = 0; j.hours[i] && k < j.hours[i]->ntellings; k++)
			visit_fitting(&j, &j.hours[i]->tellings[k], count_fit, NULL);
	struct move *moves = arena_alloc(arena, (size_t)tellings * sizeof *moves);
	for (int i = 0; i < SPAN_HOURS; i++)
		join_hour(&j, i, moves, &nmoves, &unjoined);
	move_calls(&j, moves, nmoves);
	return unjoined;
}
