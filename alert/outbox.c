// SPDX-License-Identifier: Apache-2.0
// Each receiver gets one message at a time, the oldest that waits for it, so that it learns of events in
// their order. A receiver that stalls or fails delays no other one. Before a message is tried its due time is
// moved into the future, so that a process that dies while sending leaves it to be tried again. It is removed
// once its receiver has taken it.
//
//     outbox (sorted set) id -> due      messages (hash) id -> JSON      dead (list) JSON with the last error
//
// An id is "<milliseconds>-<receiver>", or "again-<receiver>" for what is repeated to an Alertmanager, which
// is sent before any new message.
#include "alert/outbox.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/message_priv.h"
#include "alert/state_priv.h"
#include "alert/send.h"
#include "alert/keys.h"
#include "base/log.h"
#include "base/when.h"

// A message is given up when it is this old and was tried this often. Then those behind it are tried.
enum { GIVE_UP_MS = 2 * MS_PER_HOUR, TRIES_MIN = 4 };
enum { FIRST_WAIT_MS = 5000, LAST_WAIT_MS = 600000, CLAIM_MS = 60000, DRAIN_MS = 20, DELIVERIES_MAX = 64 };
#define DEAD_LAST "999" // the newest thousand are kept

struct delivery {
	char *id;
	json_t *message;               // NULL: lost, there is nothing to send
	struct alert_sending *sending; // NULL: the receiver is gone
	enum { UNDER_WAY, TAKEN, PUT_BACK, GIVEN_UP } end;
};

struct alert_outbox {
	struct redis *redis;
	struct buf due, messages, dead; // keys
	struct alert_sender *sender;
	struct delivery *deliveries;
	int n, cap;
};

static const char *receiver_of(const char *id)
{
	const char *dash = strchr(id, '-');
	return dash ? dash + 1 : id;
}

static int64_t wait_ms(int64_t tries)
{
	int64_t ms = tries < 8 ? (int64_t)FIRST_WAIT_MS << tries : LAST_WAIT_MS;
	return ms < LAST_WAIT_MS ? ms : LAST_WAIT_MS;
}

// ---- what has ended -----------------------------------------------------------------------------

static void note_failure(struct delivery *f, const struct err *why, struct alert_sent *ret)
{
	int64_t tries = alert_number(f->message, "tries") + 1;
	int64_t age = when_now_ms() - alert_number(f->message, "created");
	json_object_set_new(f->message, "tries", json_integer(tries));
	json_object_set_new(f->message, "error", json_string(why->msg));
	if (why->kind == ERR_CONFIG || (tries >= TRIES_MIN && age >= GIVE_UP_MS)) {
		log_error("an alert could not be delivered and was given up; `nowcast alert list --dead` shows it",
		          LOG_STR("id", f->id), LOG_STR("why", why->msg));
		f->end = GIVEN_UP;
		ret->dead++;
	} else {
		log_warn("an alert could not be delivered yet", LOG_STR("id", f->id), LOG_STR("why", why->msg),
		         LOG_INT("again_in_ms", wait_ms(tries - 1)));
		f->end = PUT_BACK;
		ret->failed++;
	}
}

static bool has_ended(struct delivery *f, struct alert_sent *ret)
{
	struct err gone = ERR_INIT;
	const struct err *why = &gone;
	if (f->end != UNDER_WAY)
		return true;
	if (!f->sending)
		err_set(&gone, ERR_CONFIG, "the configuration has no receiver %s any more", receiver_of(f->id));
	else if (!alert_sending_over(f->sending, &why))
		return false;
	if (why) {
		note_failure(f, why, ret);
	} else {
		f->end = TAKEN;
		ret->sent++;
	}
	return true;
}

// Ordered so that no message is lost if Redis dies in between.
static void note_end(struct alert_outbox *o, const struct delivery *f)
{
	char due[24];
	char *text = json_dumps(f->message, JSON_COMPACT);
	if (f->end == PUT_BACK) {
		snprintf(due, sizeof due, "%lld",
		         (long long)(when_now_ms() + wait_ms(alert_number(f->message, "tries") - 1)));
		redis_cmdz(o->redis, "HSET", o->messages.data, f->id, text, NULL);
		redis_cmdz(o->redis, "ZADD", o->due.data, "XX", due, f->id, NULL);
	}
	if (f->end == GIVEN_UP) {
		redis_cmdz(o->redis, "LPUSH", o->dead.data, text, NULL);
		redis_cmdz(o->redis, "LTRIM", o->dead.data, "0", DEAD_LAST, NULL);
	}
	if (f->end != PUT_BACK) {
		redis_cmdz(o->redis, "ZREM", o->due.data, f->id, NULL);
		redis_cmdz(o->redis, "HDEL", o->messages.data, f->id, NULL);
	}
	free(text);
}

static void release_delivery(struct delivery *f)
{
	alert_sending_free(f->sending);
	json_decref(f->message);
	free(f->id);
}

// Writes the result of deliveries that have ended, and drops them once that is written.
static bool finish_ended(struct alert_outbox *o, struct alert_sent *ret, struct err *err)
{
	int ended = 0, left = 0;
	for (int i = 0; i < o->n; i++)
		if (has_ended(&o->deliveries[i], ret)) {
			note_end(o, &o->deliveries[i]);
			ended++;
		}
	if (ended == 0)
		return true;
	if (!redis_exec(o->redis, err))
		return false;
	for (int i = 0; i < o->n; i++) {
		if (o->deliveries[i].end == UNDER_WAY)
			o->deliveries[left++] = o->deliveries[i];
		else
			release_delivery(&o->deliveries[i]);
	}
	o->n = left;
	return true;
}

// ---- what is due --------------------------------------------------------------------------------

struct waiting_message {
	char *id;
	int64_t due;
};

static int by_receiver_and_time(const void *a, const void *b)
{
	const char *x = ((const struct waiting_message *)a)->id, *y = ((const struct waiting_message *)b)->id;
	int c = strcmp(receiver_of(x), receiver_of(y));
	long long s = strtoll(x, NULL, 10), t = strtoll(y, NULL, 10); // of "again": 0
	return c ? c : s < t ? -1 : s > t;
}

static bool is_under_way(const struct alert_outbox *o, const char *receiver)
{
	for (int i = 0; i < o->n; i++)
		if (strcmp(receiver_of(o->deliveries[i].id), receiver) == 0)
			return true;
	return false;
}

// The first message of each receiver to whom nothing is on its way, if it is due. *ret: ids, in the arena.
static bool read_due(struct alert_outbox *o, struct arena *arena, struct waiting_message **ret, int *ret_n,
                     struct err *err)
{
	int64_t now = when_now_ms();
	redis_cmdz(o->redis, "ZRANGE", o->due.data, "0", "-1", "WITHSCORES", NULL);
	if (!redis_exec(o->redis, err))
		return false;
	int n = (int)(redis_len(o->redis, 0) / 2), due = 0;
	struct waiting_message *list = arena_alloc(arena, ((size_t)n + 1) * sizeof *list);
	for (int i = 0; i < n; i++) {
		struct str score = redis_elem(o->redis, 0, 2 * (size_t)i + 1);
		list[i].id = (char *)arena_str(arena, redis_elem(o->redis, 0, 2 * (size_t)i)).p;
		list[i].due = strtoll(arena_str(arena, score).p, NULL, 10);
	}
	qsort(list, (size_t)n, sizeof *list, by_receiver_and_time);
	const char *last = NULL;
	for (int i = 0; i < n && o->n + due < DELIVERIES_MAX; i++) {
		const char *receiver = receiver_of(list[i].id);
		// a due time further away than any wait: the clock was set back
		bool first = !last || strcmp(last, receiver) != 0,
			 later = list[i].due > now && list[i].due <= now + LAST_WAIT_MS;
		last = receiver;
		if (first && !later && !is_under_way(o, receiver))
			list[due++] = list[i];
	}
	*ret = list;
	*ret_n = due;
	return true;
}

static void begin_sending(struct alert_outbox *o, const struct alert_rules *rules, const char *id,
                          json_t *message)
{
	const struct alert_receiver *to = alert_receiver_find(rules, str_of(receiver_of(id)));
	struct buf body = BUF_INIT;
	if (o->n == o->cap)
		o->deliveries =
			xrealloc(o->deliveries, (size_t)(o->cap = o->cap ? o->cap * 2 : 8), sizeof *o->deliveries);
	assert(o->n < DELIVERIES_MAX);
	struct delivery *f = &o->deliveries[o->n++];
	*f = (struct delivery){.id = xstrdup(str_of(id)), .message = message, .end = message ? UNDER_WAY : TAKEN};
	if (to && message) {
		alert_message(to, json_object_get(message, "events"), id, &body);
		f->sending = alert_send(o->sender, to, str_of(id), &body);
	}
	buf_release(&body);
}

static bool begin_due(struct alert_outbox *o, const struct alert_rules *rules, struct err *err)
{
	struct arena arena = ARENA_INIT;
	struct waiting_message *list;
	char until[24];
	int n = 0;
	bool good = read_due(o, &arena, &list, &n, err);
	snprintf(until, sizeof until, "%lld", (long long)when_now_ms() + CLAIM_MS);
	for (int i = 0; good && i < n; i++) {
		redis_cmdz(o->redis, "HGET", o->messages.data, list[i].id, NULL);
		redis_cmdz(o->redis, "ZADD", o->due.data, "XX", until, list[i].id, NULL);
	}
	good = good && (n == 0 || redis_exec(o->redis, err));
	for (int i = 0; good && i < n; i++) {
		struct str text = redis_str(o->redis, 2 * (size_t)i);
		json_t *message = json_loadb(text.p ? text.p : "", text.len, 0, NULL);
		if (!json_is_object(message)) {
			json_decref(message);
			message = NULL;
		}
		begin_sending(o, rules, list[i].id, message);
	}
	arena_release(&arena);
	return good;
}

// ---- all ----------------------------------------------------------------------------------------

struct alert_outbox *alert_outbox_new(struct redis *r, const char *prefix)
{
	struct alert_outbox *o = xcalloc(1, sizeof *o);
	o->redis = r;
	o->sender = alert_sender_new();
	alert_key(&o->due, prefix, ALERT_KEY_OUTBOX);
	alert_key(&o->messages, prefix, ALERT_KEY_MESSAGES);
	alert_key(&o->dead, prefix, ALERT_KEY_DEAD);
	return o;
}

void alert_outbox_free(struct alert_outbox *o)
{
	if (!o)
		return;
	for (int i = 0; i < o->n; i++)
		release_delivery(&o->deliveries[i]);
	alert_sender_free(o->sender);
	free(o->deliveries);
	buf_release(&o->due);
	buf_release(&o->messages);
	buf_release(&o->dead);
	free(o);
}

bool alert_outbox_step(struct alert_outbox *o, const struct alert_rules *rules, struct alert_sent *ret,
                       struct err *err)
{
	return finish_ended(o, ret, err) && (!rules || begin_due(o, rules, err));
}

void alert_outbox_wait(struct alert_outbox *o, int64_t ms)
{
	alert_sender_wait(o->sender, ms);
}

bool alert_outbox_busy(const struct alert_outbox *o)
{
	return o->n > 0;
}

bool alert_outbox_deliver(struct alert_outbox *o, const struct alert_rules *rules, int64_t budget_ms,
                   struct alert_sent *ret, struct err *err)
{
	int64_t end = when_ticks_ms() + budget_ms;
	while (when_ticks_ms() < end) {
		if (!alert_outbox_step(o, rules, ret, err))
			return false;
		if (!alert_outbox_busy(o))
			break;
		alert_outbox_wait(o, DRAIN_MS);
	}
	return true;
}
