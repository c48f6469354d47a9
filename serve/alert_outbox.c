// SPDX-License-Identifier: Apache-2.0
// The outbox: messages waiting in Redis, by the time they are due. A message is put off before it is tried, so that whoever
// dies while sending leaves it to be tried again, and it is taken out once its receiver has it.
//
//     outbox (sorted set) id -> due      messages (hash) id -> JSON      dead (list) JSON with the last error
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/when.h"
#include "serve/alert.h"

enum { TRIES_MAX = 20, FIRST_WAIT_MS = 5000, LAST_WAIT_MS = 600000, CLAIM_MS = 60000 };
#define DEAD_LAST "999" // the newest thousand are kept

struct outbox {
	const struct alert_rules *rules;
	struct redis *redis;
	struct buf due, messages, dead;
	struct alert_sent *sent;
};

static const struct alert_receiver *receiver(const struct alert_rules *rules, const char *name)
{
	for (int i = 0; i < rules->nreceivers; i++)
		if (str_is(rules->receivers[i].name, name))
			return &rules->receivers[i];
	return NULL;
}

static int64_t wait_ms(int64_t tries)
{
	int64_t ms = tries < 8 ? (int64_t)FIRST_WAIT_MS << tries : LAST_WAIT_MS;
	return ms < LAST_WAIT_MS ? ms : LAST_WAIT_MS;
}

// The id of a message that is due, put off for the time that trying takes; empty: none.
static bool claim(struct outbox *o, struct buf *ret_id, json_t **ret_message, struct err *err)
{
	struct redis *r = o->redis;
	char until[24], later[24];
	int64_t now = when_now_ms();
	snprintf(until, sizeof until, "%lld", (long long)now);
	snprintf(later, sizeof later, "%lld", (long long)now + CLAIM_MS);
	buf_clear(ret_id);
	redis_cmdz(r, "ZRANGEBYSCORE", o->due.data, "-inf", until, "LIMIT", "0", "1", NULL);
	if (!redis_exec(r, err))
		return false;
	if (redis_len(r, 0) == 0)
		return true;
	buf_addstr(ret_id, redis_elem(r, 0, 0));
	redis_cmdz(r, "ZADD", o->due.data, "XX", later, ret_id->data, NULL);
	redis_cmdz(r, "HGET", o->messages.data, ret_id->data, NULL);
	if (!redis_exec(r, err))
		return false;
	struct str text = redis_str(r, 1);
	*ret_message = json_loadb(text.p ? text.p : "", text.len, 0, NULL);
	return true;
}

static bool take_out(struct outbox *o, const char *id, const char *dead, struct err *err)
{
	redis_cmdz(o->redis, "MULTI", NULL);
	redis_cmdz(o->redis, "ZREM", o->due.data, id, NULL);
	redis_cmdz(o->redis, "HDEL", o->messages.data, id, NULL);
	if (dead) {
		redis_cmdz(o->redis, "LPUSH", o->dead.data, dead, NULL);
		redis_cmdz(o->redis, "LTRIM", o->dead.data, "0", DEAD_LAST, NULL);
	}
	redis_cmdz(o->redis, "EXEC", NULL);
	return redis_exec(o->redis, err);
}

static bool put_back(struct outbox *o, const char *id, json_t *message, const struct err *why, struct err *err)
{
	int64_t tries = json_integer_value(json_object_get(message, "tries")) + 1;
	char due[24];
	json_object_set_new(message, "tries", json_integer(tries));
	json_object_set_new(message, "error", json_string(why->msg));
	char *text = json_dumps(message, JSON_COMPACT);
	bool dead = why->kind == ERR_CONFIG || tries >= TRIES_MAX, good;
	if (dead) {
		log_error("an alert could not be delivered and was given up; `nowcast alert list --dead` shows it", LOG_STR("id", id), LOG_STR("why", why->msg));
		o->sent->dead++;
		good = take_out(o, id, text, err);
	} else {
		log_warn("an alert could not be delivered yet", LOG_STR("id", id), LOG_STR("why", why->msg), LOG_INT("again_in_ms", wait_ms(tries - 1)));
		o->sent->failed++;
		snprintf(due, sizeof due, "%lld", (long long)(when_now_ms() + wait_ms(tries - 1)));
		redis_cmdz(o->redis, "HSET", o->messages.data, id, text, NULL);
		redis_cmdz(o->redis, "ZADD", o->due.data, "XX", due, id, NULL);
		good = redis_exec(o->redis, err);
	}
	free(text);
	return good;
}

static bool deliver(struct outbox *o, const char *id, json_t *message, struct err *err)
{
	struct err why = ERR_INIT;
	struct buf body = BUF_INIT, title = BUF_INIT;
	const char *name = json_string_value(json_object_get(message, "receiver"));
	const struct alert_receiver *to = name ? receiver(o->rules, name) : NULL;
	bool good;
	if (!to) {
		err_set(&why, ERR_CONFIG, "the configuration has no receiver %s any more", name ? name : "(none)");
		good = put_back(o, id, message, &why, err);
	} else {
		alert_message(to, json_object_get(message, "events"), id, &body, &title);
		if (alert_send(to, str_of(id), buf_str(&body), &why)) {
			o->sent->sent++;
			good = take_out(o, id, NULL, err);
		} else {
			good = put_back(o, id, message, &why, err);
		}
	}
	buf_release(&body);
	buf_release(&title);
	return good;
}

bool alert_deliver(const struct alert_rules *rules, struct redis *r, const char *prefix, int64_t budget_ms, struct alert_sent *ret, struct err *err)
{
	struct outbox o = {.rules = rules, .redis = r, .sent = ret};
	struct buf id = BUF_INIT;
	int64_t end = when_ticks_ms() + budget_ms;
	bool good = true;
	alert_key(&o.due, prefix, "outbox");
	alert_key(&o.messages, prefix, "messages");
	alert_key(&o.dead, prefix, "dead");
	while (good && when_ticks_ms() < end) {
		json_t *message = NULL;
		good = claim(&o, &id, &message, err);
		if (good && id.len == 0)
			break;
		if (good)
			good = message ? deliver(&o, id.data, message, err) : take_out(&o, id.data, NULL, err);
		json_decref(message);
	}
	buf_release(&id);
	buf_release(&o.due);
	buf_release(&o.messages);
	buf_release(&o.dead);
	return good;
}
