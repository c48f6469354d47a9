// SPDX-License-Identifier: Apache-2.0
// Who looks, and when. Every daemon runs this thread; the one that holds the lease evaluates and delivers, the others ask
// for the lease each turn and take over when it lapses. Nothing here is on the way of a record: alerts that hang hold up alerts.
#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/when.h"
#include "serve/alert.h"

enum { TICK_MS = 200, LEASE_MIN_MS = 30000, DELIVER_MS = 20000, TOKEN_SIZE = 33 };

struct alert_watch {
	pthread_t thread;
	atomic_bool stop, reload;
	const struct conf *conf;
	struct alert_rules rules;
	struct figures *figures;
	char token[TOKEN_SIZE];
};

// Takes the lease, or makes it last longer if it is ours.
static bool take_lease(struct redis *r, const struct conf *conf, const char *token, bool *ret_mine, struct err *err)
{
	static const char renew[] = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end\n"
	                            "return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0";
	struct buf key = BUF_INIT;
	char ms[24];
	int64_t lease = 3 * conf->alerts_interval_ms;
	snprintf(ms, sizeof ms, "%lld", (long long)(lease > LEASE_MIN_MS ? lease : LEASE_MIN_MS) + DELIVER_MS);
	alert_key(&key, conf->redis_prefix, "lease");
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
	alert_key(&key, conf->redis_prefix, "lease");
	redis_cmdz(r, "EVAL", "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0", "1", key.data, token, NULL);
	if (!redis_exec(r, &err))
		err_clear(&err); // it lapses by itself
	buf_release(&key);
}

static void log_events(const json_t *events)
{
	size_t i;
	json_t *e;
	json_array_foreach(events, i, e) {
		log_info("alert", LOG_STR("event", json_string_value(json_object_get(e, "event"))), LOG_STR("rule", json_string_value(json_object_get(e, "rule"))),
		         LOG_STR("group", json_string_value(json_object_get(e, "group"))), LOG_STR("text", json_string_value(json_object_get(e, "text"))));
	}
}

bool alert_turn(const struct alert_rules *rules, struct figures *f, const struct conf *conf, const char *token, int64_t now_ms,
                struct alert_turn *ret, struct err *err)
{
	struct arena arena = ARENA_INIT;
	struct alert_check check = {.rules = rules, .figures = f, .redis = view_redis(figures_view(f)), .prefix = conf->redis_prefix,
	                            .now_ms = now_ms, .arena = &arena};
	json_t *events = NULL;
	*ret = (struct alert_turn){0};
	bool good = take_lease(check.redis, conf, token, &ret->mine, err);
	if (good && ret->mine) {
		good = alert_check(&check, err) && alert_state(&check, conf, token, &events, err);
		if (good) {
			ret->findings = check.n;
			ret->events = (int)json_array_size(events);
			log_events(events);
			good = alert_deliver(rules, check.redis, conf->redis_prefix, DELIVER_MS, &ret->sent, err);
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
		log_info("alert rules read again", LOG_INT("rules", fresh.nrules), LOG_INT("receivers", fresh.nreceivers));
	} else {
		alert_rules_release(&fresh);
		log_error("the alert rules were not taken; those in force stay", LOG_STR("why", err.msg));
	}
}

static void *watch(void *user)
{
	struct alert_watch *w = user;
	const struct timespec tick = {0, TICK_MS * 1000000L};
	struct redis *r = view_redis(figures_view(w->figures));
	int64_t due = when_ticks_ms() + w->conf->alerts_interval_ms;
	bool mine = false, good = true;
	for (; !w->stop; nanosleep(&tick, NULL)) {
		struct err err = ERR_INIT;
		struct alert_turn turn = {0};
		struct alert_sent sent = {0};
		int64_t now = when_ticks_ms();
		good = true;
		if (w->reload)
			reload(w);
		if (now >= due) {
			due = now + w->conf->alerts_interval_ms;
			good = alert_turn(&w->rules, w->figures, w->conf, w->token, when_now_ms(), &turn, &err);
			mine = turn.mine;
		} else if (mine && now / 1000 != (now - TICK_MS) / 1000) {
			good = alert_deliver(&w->rules, r, w->conf->redis_prefix, 1, &sent, &err); // what is to be tried again
		}
		if (!good)
			log_warn("alerts were not looked after this time", LOG_STR("why", err.msg));
	}
	if (good) // else Redis is away or hangs, and the lease ends by itself
		alert_lease_end(r, w->conf, w->token);
	return NULL;
}

bool alert_watch_start(struct alert_watch **ret, const struct conf *conf, struct err *err)
{
	struct alert_watch *w = xcalloc(1, sizeof *w);
	w->conf = conf;
	new_token(w->token);
	bool good = alert_rules_load(&w->rules, conf, err) &&
	            figures_open(&w->figures, conf->redis, conf->redis_ca, conf->redis_prefix, err);
	if (good && pthread_create(&w->thread, NULL, watch, w) != 0)
		good = err_set(err, ERR_FATAL, "no thread for the alerts");
	if (!good) {
		figures_close(w->figures);
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
	figures_close(w->figures);
	alert_rules_release(&w->rules);
	free(w);
}
