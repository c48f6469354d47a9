// SPDX-License-Identifier: Apache-2.0
#include "alert/turn.h"

#include <stdio.h>

#include "alert/check.h"
#include "alert/keys.h"
#include "alert/state_priv.h"
#include "base/log.h"

enum { LEASE_MIN_MS = 50000 };

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
		good = alert_check(&check, err) && alert_state_update(&check, conf, token, &events, err);
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
