// SPDX-License-Identifier: Apache-2.0
// The settling of hours as Redis sees it: which are due, what they teach, what they came to. Teaching comes before settling:
// an hour that teaches something new makes the hours that learn from it due, so were it to teach only when it is settled
// itself, every hour of a backfill would be computed once for each hour before it.
#include <stdlib.h>

#include "base/buf.h"
#include "base/when.h"
#include "estimator/rows.h"
#include "estimator/store.h"

enum { LEASE_MS = 15000, DAY_MS = 86400000 };

// ---- tags of sessions ----------------------------------------------------------------------------------------------

void store_queue_tagsets(struct store *s, const struct series *series)
{
	struct buf key = BUF_INIT, seen = BUF_INIT, now = BUF_INIT;
	buf_addf(&key, "%s:tagsets", s->options->prefix);
	buf_addf(&seen, "%s:tagsets:seen", s->options->prefix);
	buf_addf(&now, "%lld", (long long)when_now_ms());
	for (int i = 0; i < series->ntagsets; i++) {
		redis_cmd(s->redis, 5, (struct str[]){STR("ZADD"), buf_str(&seen), STR("GT"), buf_str(&now), series->tagsets[i].id});
		redis_cmd(s->redis, 4, (struct str[]){STR("HSETNX"), buf_str(&key), series->tagsets[i].id, series->tagsets[i].json});
	}
	buf_release(&key);
	buf_release(&seen);
	buf_release(&now);
}

// A day of grace: the clock of this machine and that of Redis need not agree.
static void queue_old_tagsets(struct store *s)
{
	struct buf seen = BUF_INIT, before = BUF_INIT;
	buf_addf(&seen, "%s:tagsets:seen", s->options->prefix);
	buf_addf(&before, "%lld", (long long)(when_now_ms() - s->options->retention_ms - DAY_MS));
	redis_cmdz(s->redis, "ZRANGEBYSCORE", seen.data, "-inf", before.data, "LIMIT", "0", "256", NULL);
	buf_release(&seen);
	buf_release(&before);
}

static void queue_dropping(struct store *s, const struct str *ids, size_t n)
{
	struct buf key = BUF_INIT, seen = BUF_INIT;
	buf_addf(&key, "%s:tagsets", s->options->prefix);
	buf_addf(&seen, "%s:tagsets:seen", s->options->prefix);
	for (size_t i = 0; i < n; i++) {
		redis_cmd(s->redis, 3, (struct str[]){STR("HDEL"), buf_str(&key), ids[i]});
		redis_cmd(s->redis, 3, (struct str[]){STR("ZREM"), buf_str(&seen), ids[i]});
	}
	buf_release(&key);
	buf_release(&seen);
}

// ---- which are due -------------------------------------------------------------------------------------------------

static int by_series(const void *a, const void *b)
{
	const struct due *x = a, *y = b;
	int c = str_cmp(x->slot, y->slot);
	if (!c)
		c = str_cmp(x->model_hex, y->model_hex);
	return c ? c : (x->hour > y->hour) - (x->hour < y->hour);
}

bool store_claim(struct store *s, bool all, struct arena *arena, struct due **ret_due, int *ret_n, size_t *ret_left, struct err *err)
{
	struct buf slots = BUF_INIT;
	buf_addf(&slots, "%s:slots", s->options->prefix);
	redis_cmd(s->redis, 2, (struct str[]){STR("SMEMBERS"), buf_str(&slots)});
	buf_release(&slots);
	queue_old_tagsets(s);
	if (!redis_exec(s->redis, err))
		return false;
	size_t nslots = redis_len(s->redis, 0), nold = redis_len(s->redis, 1);
	struct str *names = arena_alloc(arena, (nslots + nold + 1) * sizeof *names);
	for (size_t i = 0; i < nslots; i++)
		names[i] = arena_str(arena, redis_elem(s->redis, 0, i));
	for (size_t i = 0; i < nold; i++)
		names[nslots + i] = arena_str(arena, redis_elem(s->redis, 1, i));
	for (size_t i = 0; i < nslots; i++) {
		redis_begin_eval(s->redis, s->claim, 1, 4);
		redis_arg(s->redis, store_key(s, arena, names[i], "%s", ""));
		redis_argz(s->redis, all ? "1" : "0");
		redis_argi(s->redis, LEASE_MS);
		redis_argi(s->redis, DUE_MAX);
	}
	queue_dropping(s, names + nslots, nold);
	if (!redis_exec(s->redis, err))
		return false;
	int n = 0;
	size_t left = 0, claimed = 0;
	for (size_t i = 0; i < nslots; i++)
		claimed += redis_len(s->redis, i);
	struct due *due = arena_alloc(arena, (claimed + 1) * sizeof *due);
	for (size_t i = 0; i < nslots; i++) {
		for (size_t k = 0; k < redis_len(s->redis, i); k++) {
			struct str member = redis_elem(s->redis, i, k);
			if (k == 0) {
				left += strtoull(member.p, NULL, 10);
				continue;
			}
			struct str hour = str_cut(&member, ':');
			due[n++] = (struct due){names[i], strtoll(arena_str(arena, hour).p, NULL, 10), arena_str(arena, member)};
		}
	}
	if (n > 1)
		qsort(due, (size_t)n, sizeof *due, by_series);
	*ret_due = due;
	*ret_n = n;
	*ret_left = left;
	return true;
}

// ---- what they teach -----------------------------------------------------------------------------------------------

static void queue_lesson(struct store *s, const struct series *series, const struct settled *x, struct arena *arena)
{
	redis_begin_eval(s->redis, s->lesson, 1, 1 + 9);
	redis_arg(s->redis, store_key(s, arena, series->slot, "%s", ""));
	redis_argi(s->redis, x->hour);
	redis_arg(s->redis, series->model_hex);
	for (int i = 0; i < 3; i++)
		redis_arg(s->redis, x->versions[i]);
	redis_arg(s->redis, x->lesson);
	redis_argi(s->redis, s->options->learn_hours);
	redis_argi(s->redis, s->options->window_ms + 2 * store_keep_ms(s));
	redis_argi(s->redis, s->options->settle_ms);
}

bool store_exchange_lessons(struct store *s, struct series *series, struct settled *hours, int n, struct arena *arena, struct err *err)
{
	struct redis *r = s->redis;
	series->first_lesson = hours[0].hour - s->options->learn_hours;
	series->nlessons = (int)(hours[n - 1].hour - series->first_lesson + 1);
	series->lessons = arena_alloc(arena, (size_t)series->nlessons * sizeof *series->lessons);
	for (int i = 0; i < n; i++)
		queue_lesson(s, series, &hours[i], arena);
	// The versions before the lessons: a lesson that changes in between is found out when the hour is settled.
	for (int i = 0; i < n; i++)
		redis_cmd(r, 3, (struct str[]){STR("HGET"), store_key(s, arena, series->slot, ":cells:%lld:%.*s", (long long)hours[i].hour, STR_ARG(series->model_hex)), STR("w")});
	for (int i = 0; i < series->nlessons; i++)
		redis_cmd(r, 2, (struct str[]){STR("GET"), store_key(s, arena, series->slot, ":lesson:%lld:%.*s", (long long)(series->first_lesson + i), STR_ARG(series->model_hex))});
	if (!redis_exec(r, err))
		return false;
	for (int i = 0; i < n; i++)
		hours[i].lessons = arena_str(arena, redis_str(r, (size_t)(n + i)));
	for (int i = 0; i < series->nlessons; i++)
		series->lessons[i] = arena_str(arena, redis_str(r, (size_t)(2 * n + i)));
	return true;
}

// ---- what they came to ---------------------------------------------------------------------------------------------

void store_queue_settled(struct store *s, const struct series *series, const struct settled *x)
{
	const struct engine_options *o = s->options;
	struct arena arena = ARENA_INIT;
	char when[WHEN_SIZE], digest[ROW_DIGEST_SIZE];
	struct buf member = BUF_INIT;
	uint64_t sum = 0;
	when_format(x->hour * MS_PER_HOUR, when);
	buf_addf(&member, "%.13s:%.*s", when, STR_ARG(series->model));
	redis_begin_eval(s->redis, s->settle, 1, 1 + 9 + 2 * (x->nrows + (x->nrows > 0)));
	redis_arg(s->redis, store_key(s, &arena, series->slot, "%s", ""));
	redis_argi(s->redis, x->hour);
	redis_arg(s->redis, series->model_hex);
	for (int i = 0; i < 3; i++)
		redis_arg(s->redis, x->versions[i]);
	redis_arg(s->redis, x->lessons);
	redis_argi(s->redis, o->settle_ms);
	redis_argi(s->redis, o->retention_ms);
	redis_arg(s->redis, buf_str(&member));
	for (int i = 0; i < x->nrows; i++) {
		redis_arg(s->redis, x->rows[i].field);
		redis_arg(s->redis, x->rows[i].value);
		sum += row_digest(x->rows[i].field, x->rows[i].value);
	}
	if (x->nrows > 0) {
		redis_argz(s->redis, ROW_DIGEST);
		redis_argz(s->redis, row_digest_format(sum, digest));
	}
	buf_release(&member);
	arena_release(&arena);
}
