// SPDX-License-Identifier: Apache-2.0
// Who looks, and when. Every daemon runs this thread; the one that holds the lease evaluates and delivers,
// the others ask for the lease each turn and take over when it lapses. Nothing here is on the way of a
// record, and between two turns messages go their way: no receiver holds up a turn.
#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/alert.h"
#include "alert/keys.h"
#include "base/log.h"
#include "base/when.h"

enum { TICK_MS = 200, LOOK_MS = 500, END_MS = 3000, LEASE_MIN_MS = 50000, TOKEN_SIZE = 33 };

struct alert_watch {
	pthread_t thread;
	atomic_bool stop, reload;
	const struct conf *conf;
	struct alert_rules rules;
	struct rollups *rollups;
	struct alert_outbox *outbox;
	char token[TOKEN_SIZE];
	int64_t due, look;        // the next turn, the next look at the outbox (when_ticks_ms)
	bool mine;                // the lease, as of the last turn
};

// Takes the lease, or makes it last longer if it is ours.
static bool take_lease(struct redis *r, const struct conf *conf, const char *token, bool *ret_mine,
                       struct err *err)
{
	static const char renew[] =
		"if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end\n"
		"return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0";
	struct buf key = BUF_INIT;
	char ms[24];
	int64_t lease = 3 * conf->alerts_interval_ms;
	snprintf(ms, sizeof ms, "%lld", (long long)(lease > LEASE_MIN_MS ? lease : LEASE_MIN_MS));
	alert_key(&key, conf->redis_prefix, ALERT_KEY_LEASE);
	redis_cmdz(r, "EVAL", renew, "1", key.data, token, ms, NULL);
	buf_release(&key);
	if (!redis_exec(r, err))
		return false;
	*ret_mine = redis_int(r, 0) == 1;
	return true;
}

void alert_lease_end(struct redis *r, const struct conf *conf, const char *token)
{
	struct err err = ERR_INIT;
	struct buf key = BUF_INIT;
	alert_key(&key, conf->redis_prefix, ALERT_KEY_LEASE);
	redis_cmdz(r, "EVAL",
	           "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0",
	           "1", key.data, token, NULL);
	if (!redis_exec(r, &err))
		err_clear(&err); // it lapses by itself
	buf_release(&key);
}

static void log_events(const json_t *events)
{
	size_t i;
	json_t *e;
	json_array_foreach(events, i, e) {
		log_info("alert", LOG_STR("event", json_string_value(json_object_get(e, "event"))),
		         LOG_STR("rule", json_string_value(json_object_get(e, "rule"))),
		         LOG_STR("group", json_string_value(json_object_get(e, "group"))),
		         LOG_STR("text", json_string_value(json_object_get(e, "text"))));
	}
}

bool alert_turn(const struct alert_rules *rules, struct rollups *f, const struct conf *conf,
                const char *token, int64_t now_ms, struct alert_turn *ret, struct err *err)
{
	struct arena arena = ARENA_INIT;
	struct alert_check check = {.rules = rules,
	                            .rollups = f,
	                            .redis = view_redis(rollups_view(f)),
	                            .prefix = conf->redis_prefix,
	                            .now_ms = now_ms,
	                            .arena = &arena};
	json_t *events = NULL;
	*ret = (struct alert_turn){0};
	bool good = take_lease(check.redis, conf, token, &ret->mine, err);
	if (good && ret->mine) {
		good = alert_check(&check, err) && alert_state(&check, conf, token, &events, err);
		if (good) {
			ret->findings = check.n;
			ret->events = (int)json_array_size(events);
			log_events(events);
		}
	}
	json_decref(events);
	arena_release(&arena);
	return good;
}

static void new_token(char *ret)
{
	unsigned char raw[16];
	RAND_bytes(raw, sizeof raw);
	for (size_t i = 0; i < sizeof raw; i++)
		snprintf(ret + 2 * i, 3, "%02x", raw[i]);
}

// Alerts of rules that are gone end by themselves; messages for receivers that are gone are given up visibly.
static void reload(struct alert_watch *w)
{
	struct err err = ERR_INIT;
	struct alert_rules fresh;
	w->reload = false;
	if (alert_rules_load(&fresh, w->conf, &err)) {
		alert_rules_release(&w->rules);
		w->rules = fresh;
		log_info("alert rules read again", LOG_INT("rules", fresh.nrules),
		         LOG_INT("receivers", fresh.nreceivers));
	} else {
		alert_rules_release(&fresh);
		log_error("the alert rules were not taken; those in force stay", LOG_STR("why", err.msg));
	}
}

// A turn if it is time for one, and what messages need.
static bool go_on(struct alert_watch *w, struct err *err)
{
	struct alert_turn turn = {0};
	struct alert_sent sent = {0};
	int64_t now = when_ticks_ms();
	bool good = true;
	if (now >= w->due) {
		w->due = now + w->conf->alerts_interval_ms;
		w->look = now;
		good = alert_turn(&w->rules, w->rollups, w->conf, w->token, when_now_ms(), &turn, err);
		w->mine = turn.mine;
	}
	bool looks = w->mine && now >= w->look;
	if (looks)
		w->look = now + LOOK_MS;
	return good && (!(looks || alert_outbox_busy(w->outbox)) ||
	                alert_outbox_step(w->outbox, looks ? &w->rules : NULL, &sent, err));
}

static void *watch(void *user)
{
	struct alert_watch *w = user;
	bool good = true;
	w->due = when_ticks_ms() + w->conf->alerts_interval_ms;
	for (; !w->stop; alert_outbox_wait(w->outbox, TICK_MS)) {
		struct err err = ERR_INIT;
		if (w->reload)
			reload(w);
		good = go_on(w, &err);
		if (!good)
			log_warn("alerts were not looked after this time", LOG_STR("why", err.msg));
	}
	for (int64_t end = when_ticks_ms() + END_MS;
	     good && alert_outbox_busy(w->outbox) && when_ticks_ms() < end;
	     alert_outbox_wait(w->outbox, TICK_MS)) {
		struct err err = ERR_INIT;
		struct alert_sent sent = {0};
		good = alert_outbox_step(w->outbox, NULL, &sent, &err);
	}
	if (good) // else Redis is away or hangs, and the lease ends by itself
		alert_lease_end(view_redis(rollups_view(w->rollups)), w->conf, w->token);
	return NULL;
}

bool alert_watch_start(struct alert_watch **ret, const struct conf *conf, struct err *err)
{
	struct alert_watch *w = xcalloc(1, sizeof *w);
	w->conf = conf;
	new_token(w->token);
	bool good = alert_rules_load(&w->rules, conf, err) &&
	            rollups_open(&w->rollups, redis_target_of(conf), err);
	if (good)
		w->outbox = alert_outbox_new(view_redis(rollups_view(w->rollups)), conf->redis_prefix);
	if (good && pthread_create(&w->thread, NULL, watch, w) != 0)
		good = err_set(err, ERR_FATAL, "no thread for the alerts");
	if (!good) {
		alert_outbox_free(w->outbox);
		rollups_close(w->rollups);
		alert_rules_release(&w->rules);
		free(w);
		return false;
	}
	*ret = w;
	return true;
}

void alert_watch_reload(struct alert_watch *w)
{
	if (w)
		w->reload = true;
}

void alert_watch_quit(struct alert_watch *w)
{
	if (w)
		w->stop = true;
}

void alert_watch_stop(struct alert_watch *w)
{
	if (!w)
		return;
	alert_watch_quit(w);
	pthread_join(w->thread, NULL);
	alert_outbox_free(w->outbox);
	rollups_close(w->rollups);
	alert_rules_release(&w->rules);
	free(w);
}
