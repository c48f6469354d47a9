// SPDX-License-Identifier: Apache-2.0
#include "query/snapshot.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "base/when.h"
#include "query/group.h"
#include "reconcile/asof.h"
#include "store/keys.h"
#include "store/redis.h"

enum { TICK_MS = 200, LOOK_MS = 10000, DUE_SNAPSHOTS_MAX = 8 };

struct due_snapshot {
	int64_t hour;
	enum asof horizon;
};

// Lists the hours whose snapshot may be stored now: at most three of each horizon, since the grace is two
// hours.
static int list_due(int64_t now_ms, struct due_snapshot *ret)
{
	int n = 0;
	for (int k = 0; k < ASOF_HORIZONS; k++) {
		const struct asof_horizon *z = &asof_horizons[k];
		int64_t newest = (now_ms - z->after_ms) / MS_PER_HOUR - 1;
		for (int64_t hour = newest; n < DUE_SNAPSHOTS_MAX; hour--) {
			if (now_ms - ((hour + 1) * MS_PER_HOUR + z->after_ms) > z->grace_ms)
				break;
			ret[n++] = (struct due_snapshot){hour, (enum asof)k};
		}
	}
	return n;
}

static bool drop_stored(struct redis *r, const char *prefix, struct due_snapshot *due, int *n,
                        struct err *err)
{
	struct buf key = BUF_INIT;
	int kept = 0;
	for (int i = 0; i < *n; i++) {
		key_asof(&key, prefix, due[i].hour);
		redis_cmdz(r, "HGET", key.data, asof_horizons[due[i].horizon].name, NULL);
	}
	buf_release(&key);
	if (*n && !redis_exec(r, err))
		return false;
	for (int i = 0; i < *n; i++)
		if (redis_nil(r, (size_t)i))
			due[kept++] = due[i];
	*n = kept;
	return true;
}

static void queue_field(struct redis *r, const char *key, const char *horizon, struct str value,
                        int64_t keep_ms)
{
	char ms[24];
	snprintf(ms, sizeof ms, "%lld", (long long)keep_ms);
	redis_cmd(r, 4, (struct str[]){STR("HSETNX"), str_of(key), str_of(horizon), value});
	redis_cmdz(r, "PEXPIRE", key, ms, NULL);
}

// The groups are by account, Region and caller, and sorted, so those of an account and Region are neighbours.
static void queue_acct_regions(struct redis *r, const struct conf *conf, const struct groups *g,
                               const struct due_snapshot *due)
{
	struct buf key = BUF_INIT, acct_region = BUF_INIT, packed = BUF_INIT;
	for (int32_t i = 0, end; i < g->n; i = end) {
		const struct str *keys = g->list[i].keys;
		buf_clear(&packed);
		for (end = i;
		     end < g->n && str_eq(g->list[end].keys[0], keys[0]) && str_eq(g->list[end].keys[1], keys[1]);
		     end++) {
			const struct group *x = &g->list[end];
			if (x->usd.pico || x->usd_high.pico)
				asof_add(&packed,
				         &(struct asof_entry){asof_caller(x->keys[2]), x->usd, x->usd_low, x->usd_high});
		}
		buf_clear(&acct_region);
		buf_addf(&acct_region, "%.*s/%.*s", STR_ARG(keys[0]), STR_ARG(keys[1]));
		key_acct_region_asof(&key, conf->redis_prefix, buf_str(&acct_region), due->hour);
		if (packed.len)
			queue_field(r, key.data, asof_horizons[due->horizon].name, buf_str(&packed),
			            conf->scoreboard_keep_ms);
	}
	buf_release(&key);
	buf_release(&acct_region);
	buf_release(&packed);
}

// The note that it is stored comes last: if a daemon dies before, the next one does the work again.
static bool store_snapshot(struct view *v, const struct conf *conf, const struct grouping *by,
                     const struct due_snapshot *due, int64_t now_ms, struct err *err)
{
	struct groups g;
	struct buf key = BUF_INIT, note = BUF_INIT;
	struct redis *r = view_redis(v);
	groups_init(&g, by);
	bool good = view_each(v, due->hour, due->hour + 1, groups_add, &g, err);
	if (good) {
		groups_sort(&g, ORDER_NAME);
		queue_acct_regions(r, conf, &g, due);
		key_asof(&key, conf->redis_prefix, due->hour);
		asof_note(&note, now_ms, view_band_scale(v));
		queue_field(r, key.data, asof_horizons[due->horizon].name, buf_str(&note), conf->scoreboard_keep_ms);
		good = redis_exec(r, err);
	}
	groups_release(&g);
	buf_release(&key);
	buf_release(&note);
	return good;
}

bool snapshot_take(struct view *v, const struct conf *conf, int64_t now_ms, int *ret_taken, struct err *err)
{
	struct due_snapshot due[DUE_SNAPSHOTS_MAX];
	struct grouping by;
	int n = list_due(now_ms, due), taken = 0;
	view_choose(v, VIEW_ESTIMATE);
	bool good = grouping_parse(&by, STR("account,region,principal"), (struct caller_sources){0}, err) &&
	            drop_stored(view_redis(v), conf->redis_prefix, due, &n, err);
	for (; good && taken < n; taken++)
		good = store_snapshot(v, conf, &by, &due[taken], now_ms, err);
	*ret_taken = taken;
	return good;
}

// ---- the thread ---------------------------------------------------------------------------------

struct snapshots {
	pthread_t thread;
	atomic_bool stop;
	const struct conf *conf;
	struct view *view;
};

static void *run_snapshots(void *user)
{
	struct snapshots *s = user;
	const struct timespec tick = {0, TICK_MS * 1000000L};
	int64_t due_ms = when_ticks_ms();
	for (; !s->stop; nanosleep(&tick, NULL)) {
		struct err err = ERR_INIT;
		int taken;
		if (when_ticks_ms() < due_ms)
			continue;
		due_ms = when_ticks_ms() + LOOK_MS;
		if (!snapshot_take(s->view, s->conf, when_now_ms(), &taken, &err))
			log_warn("the snapshot of the estimate for the scoreboard could not be stored; trying again",
			         LOG_STR("why", err.msg));
	}
	return NULL;
}

bool snapshots_start(struct snapshots **ret, const struct conf *conf, struct err *err)
{
	*ret = NULL;
	if (conf->scoreboard_keep_ms == 0)
		return true;
	struct snapshots *s = xcalloc(1, sizeof *s);
	s->conf = conf;
	bool good = view_open(&s->view, redis_target_of(conf), err) && view_map(s->view, conf, err);
	if (good && pthread_create(&s->thread, NULL, run_snapshots, s) != 0)
		good = err_set(err, ERR_FATAL, "no thread for the scoreboard's snapshots");
	if (!good) {
		view_close(s->view);
		free(s);
		return false;
	}
	*ret = s;
	return true;
}

void snapshots_quit(struct snapshots *s)
{
	if (s)
		s->stop = true;
}

void snapshots_stop(struct snapshots *s)
{
	if (!s)
		return;
	snapshots_quit(s);
	pthread_join(s->thread, NULL);
	view_close(s->view);
	free(s);
}
