// SPDX-License-Identifier: Apache-2.0
// Which receivers are notified of an event. All events of one evaluation that concern a receiver are one
// message, so that many alerts at once are one message. The end of an alert is sent to the receivers that
// were notified of it, whatever the rule says by then. Silenced alerts are up like others; receivers are
// notified when the silence ends. An Alertmanager keeps alerts in memory only and ends those it does not hear
// of: what is up is repeated to it, in one message that replaces the one before.
#include "alert/state_priv.h"

#include <fnmatch.h>
#include <string.h>


enum { AGAIN_MS = 5 * 60000 };

bool alert_is_silenced(const struct alert_change *s, const json_t *alert)
{
	const char *id;
	json_t *x;
	json_object_foreach(s->silences, id, x) {
		if (alert_number(x, "until") > s->check->now_ms &&
		    fnmatch(alert_string(x, "rule"), alert_string(alert, "rule"), 0) == 0 &&
		    fnmatch(alert_string(x, "group"), alert_string(alert, "group"), 0) == 0)
			return true;
	}
	return false;
}

static bool list_has_name(struct str list, struct str name)
{
	if (list.len == 0)
		return true; // all
	while (list.len)
		if (str_eq(str_trim(str_cut(&list, ',')), name))
			return true;
	return false;
}

static bool array_has(const json_t *list, const json_t *text)
{
	size_t i;
	json_t *one;
	json_array_foreach(list, i, one) {
		if (json_equal(one, text))
			return true;
	}
	return false;
}

// Puts the event into the message of a receiver.
static void add_to_message(struct alert_change *s, const struct alert_receiver *to, json_t *event, bool again)
{
	struct buf id = BUF_INIT;
	if (again)
		buf_addf(&id, "again-%.*s", STR_ARG(to->name));
	else
		buf_addf(&id, "%lld-%.*s", (long long)s->message_ms, STR_ARG(to->name));
	json_t *message = json_object_get(s->messages, id.data);
	if (!message) {
		message = json_pack("{s:o, s:I, s:i, s:[]}", "receiver", alert_json(to->name), "created",
		                    (json_int_t)s->clock_ms, "tries", 0, "events");
		json_object_set_new(s->messages, id.data, message);
	}
	json_array_append(json_object_get(message, "events"), event);
	buf_release(&id);
}

// Adds an event to the messages of the rule's receivers and notes these in the alert; its end to those noted.
// `again`: to Alertmanagers only.
static void add_to_messages(struct alert_change *s, const struct alert_rule *rule, json_t *alert,
                            json_t *event, bool again)
{
	const struct alert_rules *rules = s->check->rules;
	bool over = strcmp(alert_string(event, "event"), "resolved") == 0;
	json_t *notified = json_object_get(alert, "told_to");
	for (int i = 0; i < rules->nreceivers; i++) {
		const struct alert_receiver *to = &rules->receivers[i];
		json_t *name = alert_json(to->name);
		bool noted = !notified || array_has(notified, name);
		if ((over ? noted : list_has_name(rule->receivers, to->name)) &&
		    (!again || to->kind == TO_ALERTMANAGER)) {
			add_to_message(s, to, event, again);
			if (!noted)
				json_array_append(notified, name);
		}
		json_decref(name);
	}
}

// An alert as receivers see it: without the fields that only the evaluation uses.
static json_t *event_of(const struct alert_change *s, const json_t *alert, const char *event)
{
	json_t *copy = json_deep_copy(alert);
	json_object_del(copy, "terms");
	json_object_del(copy, "told_to");
	json_object_set_new(copy, "event", json_string(event));
	json_object_set_new(copy, "at", json_integer(s->check->now_ms));
	return copy;
}

void alert_notify(struct alert_change *s, const struct alert_rule *rule, json_t *alert, const char *event)
{
	json_t *copy = event_of(s, alert, event);
	json_array_append(s->events, copy);
	json_array_append(s->history, copy);
	add_to_messages(s, rule, alert, copy, false);
	json_decref(copy);
	json_object_set_new(alert, "again", json_integer(s->check->now_ms));
}

void alert_notify_again(struct alert_change *s, const struct alert_rule *rule, json_t *alert)
{
	int64_t ago = s->check->now_ms - alert_number(alert, "again"); // below 0: the clock was set back
	if (!json_is_true(json_object_get(alert, "told")) || (ago >= 0 && ago < AGAIN_MS) ||
	    alert_is_silenced(s, alert))
		return;
	json_object_set_new(alert, "again", json_integer(s->check->now_ms));
	json_t *copy = event_of(s, alert, "firing");
	add_to_messages(s, rule, alert, copy, true);
	json_decref(copy);
}
