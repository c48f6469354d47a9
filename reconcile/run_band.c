// SPDX-License-Identifier: Apache-2.0
// The factor of the error bands, from the scored days in Redis: the newest BAND_DAYS of the period, the one
// before and the one after it. A function of the scores alone, so that a second run gives the same.
#include <stdio.h>
#include <stdlib.h>

#include "reconcile/run_priv.h"
#include "reconcile/score.h"
#include "store/keys.h"
#include "store/redis.h"

enum { MONTHS = 3, DAYS_MAX = MONTHS * 31 };

struct scored_day {
	struct str name; // "2026-11-02 24h"
	struct band_misses misses;
};

static void queue_month(struct redis *r, const char *prefix, int month)
{
	struct buf key = BUF_INIT;
	char period[16];
	snprintf(period, sizeof period, "%04d-%02d", month / 12, month % 12 + 1);
	redis_cmd(r, 2, (struct str[]){STR("HGETALL"), key_scores(&key, prefix, str_of(period))});
	buf_release(&key);
}

static int newest_first(const void *a, const void *b)
{
	return str_cmp(((const struct scored_day *)b)->name, ((const struct scored_day *)a)->name);
}

static int list_days(struct redis *r, struct scored_day *ret)
{
	struct score_worst worst[SCORE_WORST_MAX];
	struct score s;
	int n = 0, nworst;
	for (size_t month = 0; month < MONTHS; month++)
		for (size_t i = 0; i + 1 < redis_len(r, month) && n < DAYS_MAX; i += 2) {
			struct str name = redis_elem(r, month, i);
			if (!str_ends(name, STR(" 24h")) || !score_read(redis_elem(r, month, i + 1), &s, worst, &nworst))
				continue;
			ret[n++] = (struct scored_day){name, s.misses};
		}
	if (n > 1)
		qsort(ret, (size_t)n, sizeof *ret, newest_first);
	return n < BAND_DAYS ? n : BAND_DAYS;
}

bool reconcile_run_publish_band(struct reconcile_run *w, struct err *err)
{
	struct redis *r = w->publish->redis;
	struct scored_day days[DAYS_MAX];
	struct band_misses misses = {0};
	struct str name = w->period->name;
	int64_t year, month;
	if (!usd_parse_scaled(str_cut(&name, '-'), 0, &year) || !usd_parse_scaled(name, 0, &month))
		return true;
	for (int i = -1; i <= 1; i++)
		queue_month(r, w->conf->redis_prefix, (int)(year * 12 + month - 1) + i);
	if (!redis_exec(r, err))
		return false;
	int n = list_days(r, days);
	for (int i = 0; i < n; i++)
		band_merge(&misses, &days[i].misses);
	if (n == 0)
		return true; // the earlier factor stays
	struct buf key = BUF_INIT;
	char scale[16];
	snprintf(scale, sizeof scale, "%d", band_scale(&misses, n));
	key_band(&key, w->conf->redis_prefix);
	redis_cmdz(r, "SET", key.data, scale, NULL);
	buf_release(&key);
	return redis_exec(r, err);
}
