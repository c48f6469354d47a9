// SPDX-License-Identifier: Apache-2.0
#include "query/scoreboard.h"

#include <assert.h>
#include <stdlib.h>

#include "base/when.h"
#include "reconcile/export.h"
#include "store/keys.h"
#include "store/schema.h"

enum { DAY_LENGTH = 10 }; // 2026-11-02

static struct scoreboard_day *find_or_add_day(struct scoreboard *s, struct str day)
{
	for (int i = 0; i < s->n; i++)
		if (str_eq(s->days[i].day, day))
			return &s->days[i];
	if (s->n == s->cap)
		s->days = xrealloc(s->days, (size_t)(s->cap = s->cap ? s->cap * 2 : 31), sizeof *s->days);
	s->days[s->n] = (struct scoreboard_day){.day = arena_str(&s->arena, day)};
	return &s->days[s->n++];
}

static void read_field(struct scoreboard *s, struct str field, struct str value)
{
	struct str day = str_cut(&field, ' ');
	for (int k = 0; day.len == DAY_LENGTH && k < SCORE_HORIZONS; k++) {
		if (!str_is(field, score_horizon_names[k]))
			continue;
		struct scoreboard_day *d = find_or_add_day(s, day);
		if (!score_read(arena_str(&s->arena, value), &d->at[k], d->worst[k], &d->nworst[k]))
			d->at[k] = (struct score){0};
		assert(d->nworst[k] >= 0 && d->nworst[k] <= SCORE_WORST_MAX);
	}
}

static int compare_newest_first(const void *a, const void *b)
{
	return str_cmp(((const struct scoreboard_day *)b)->day, ((const struct scoreboard_day *)a)->day);
}

bool scoreboard_read(struct scoreboard *s, struct redis *r, const char *prefix, struct str period,
                     struct err *err)
{
	struct buf key = BUF_INIT;
	key_scores(&key, prefix, period);
	redis_cmdz(r, "HGETALL", key.data, NULL);
	buf_release(&key);
	if (!redis_exec(r, err))
		return false;
	for (size_t i = 0; i + 1 < redis_len(r, 0); i += 2)
		read_field(s, redis_elem(r, 0, i), redis_elem(r, 0, i + 1));
	if (s->n > 1)
		qsort(s->days, (size_t)s->n, sizeof *s->days, compare_newest_first);
	s->total = (struct scoreboard_day){.day = STR("all")};
	for (int i = 0; i < s->n; i++)
		for (int k = 0; k < SCORE_HORIZONS; k++)
			score_add(&s->total.at[k], &s->days[i].at[k]);
	return true;
}

bool scoreboard_load(struct scoreboard *s, const struct conf *conf, const char *period, struct err *err)
{
	struct redis *r;
	struct arena arena = ARENA_INIT;
	struct buf key = BUF_INIT;
	int64_t first, end;
	if (period && strcmp(period, "all") != 0 && !export_period_hours(str_of(period), &first, &end))
		return err_set(err, ERR_CONFIG, "--period: expected a month like 2026-11, or all; got \"%s\"",
		               period);
	if (!schema_open(&r, redis_target_of(conf), SCHEMA_READ, err))
		return false;
	key_reconcile_periods(&key, conf->redis_prefix);
	redis_cmdz(r, "SMEMBERS", key.data, NULL);
	bool good = redis_exec(r, err);
	size_t n = 0;
	struct str *all = good ? redis_copy_list(r, 0, &arena, &n) : NULL;
	for (size_t i = 0; good && i < n; i++)
		if (!period || strcmp(period, "all") == 0 || str_is(all[i], period))
			good = scoreboard_read(s, r, conf->redis_prefix, all[i], err);
	buf_release(&key);
	arena_release(&arena);
	redis_close(r);
	return good;
}

void scoreboard_release(struct scoreboard *s)
{
	arena_release(&s->arena);
	free(s->days);
	*s = (struct scoreboard){0};
}

struct usd scoreboard_bias(const struct score *s)
{
	return usd_sub(s->estimated, s->billed);
}

int scoreboard_causes(const struct score *s, enum score_cause ret[SCORE_CAUSES])
{
	int n = 0;
	for (int i = 0; i < SCORE_CAUSES; i++) {
		if (s->cause[i].pico <= 0)
			continue;
		int at = n++;
		for (; at > 0 && usd_cmp(s->cause[ret[at - 1]], s->cause[i]) < 0; at--)
			ret[at] = ret[at - 1];
		ret[at] = (enum score_cause)i;
	}
	assert(n <= SCORE_CAUSES);
	return n;
}

int64_t scoreboard_ratio(struct usd part, struct usd whole)
{
	usd_pico p = part.pico < 0 ? -part.pico : part.pico, w = whole.pico;
	for (; w > (usd_pico)1 << 100; w >>= 1) // far beyond any bill; the product must fit
		p >>= 1;
	if (w <= 0)
		return 0;
	int64_t ratio = (int64_t)((p * 10000 + w / 2) / w);
	return part.pico < 0 ? -ratio : ratio;
}
