// SPDX-License-Identifier: Apache-2.0
// From findings to events. An alert is one rule, group and period; it is up from the first finding until none has come for
// the rule's `clear` time (a figure that wavers around a limit does not flap it), or, for budgets, until the period is over.
//
//     no alert + finding -> firing      higher level -> updated      gone for `clear` -> resolved
//
// All events of one evaluation that a receiver is to hear of are one message: a storm is one line longer, not one page more.
// Silenced alerts are up like others and told when the silence ends. An Alertmanager keeps what it was told in memory only, and
// ends what it does not hear of: it is told again and again what is up, in one message that takes the place of the last.
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/embed.h"
#include "base/when.h"
#include "serve/alert.h"

EMBED(alert_commit_lua, "serve/alert_commit.lua")

enum { HISTORY_MAX = 1000, AGAIN_MS = 5 * 60000, EXPLAINED_MAX = 50 };

struct state {
	struct alert_check *check;
	const struct conf *conf;
	int64_t clock_ms;  // of the wall: tells messages apart
	int explained;     // alerts of which it was summed up who contributes: in a storm not of every one, or it would never end
	json_t *up;        // field -> alert, as they stood
	json_t *silences;  // array
	json_t *set, *del, *history, *messages, *events;
};

void alert_key(struct buf *b, const char *prefix, const char *what)
{
	if (what)
		buf_addf(b, "{%s:alerts}:%s", prefix, what);
	else
		buf_addf(b, "%s:alerts", prefix);
}

static json_t *text_of(struct str s)
{
	json_t *j = json_stringn(s.p ? s.p : "", s.len);
	return j ? j : json_string("(not UTF-8)");
}

static const char *field_of(const json_t *alert, const char *key)
{
	const char *z = json_string_value(json_object_get(alert, key));
	return z ? z : "";
}

static int64_t number_of(const json_t *alert, const char *key)
{
	return json_integer_value(json_object_get(alert, key));
}

// ---- reading -------------------------------------------------------------------------------------------------------

static json_t *read_hash(struct redis *r, size_t reply)
{
	json_t *all = json_object();
	for (size_t i = 0; i + 1 < redis_len(r, reply); i += 2) {
		struct str value = redis_elem(r, reply, i + 1);
		char *name = xstrdup(redis_elem(r, reply, i));
		json_t *one = json_loadb(value.p, value.len, 0, NULL);
		if (json_is_object(one))
			json_object_set(all, name, one);
		json_decref(one);
		free(name);
	}
	return all;
}

static bool read_state(struct state *s, struct err *err)
{
	struct buf alerts = BUF_INIT, silences = BUF_INIT;
	struct redis *r = s->check->redis;
	alert_key(&alerts, s->check->prefix, NULL);
	alert_key(&silences, s->check->prefix, "silences");
	redis_cmdz(r, "HGETALL", alerts.data, NULL);
	redis_cmdz(r, "HGETALL", silences.data, NULL);
	buf_release(&alerts);
	buf_release(&silences);
	if (!redis_exec(r, err))
		return false;
	s->up = read_hash(r, 0);
	s->silences = read_hash(r, 1);
	return true;
}

static bool is_silenced(const struct state *s, const json_t *alert)
{
	const char *id;
	json_t *x;
	json_object_foreach(s->silences, id, x) {
		if (number_of(x, "until") > s->check->now_ms && fnmatch(field_of(x, "rule"), field_of(alert, "rule"), 0) == 0 &&
		    fnmatch(field_of(x, "group"), field_of(alert, "group"), 0) == 0)
			return true;
	}
	return false;
}

// ---- events --------------------------------------------------------------------------------------------------------

static void set_usd(json_t *j, const char *key, struct usd u)
{
	char text[USD_SIZE];
	json_object_set_new(j, key, json_string(usd_format(u, 6, text)));
}

static void add_percent_encoded(struct buf *b, struct str s)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] && strchr(plain, s.p[i]))
			buf_addc(b, s.p[i]);
		else
			buf_addf(b, "%%%02X", (unsigned char)s.p[i]);
	}
}

static void set_link(const struct state *s, const struct alert_finding *f, json_t *alert)
{
	char from[WHEN_SIZE], to[WHEN_SIZE];
	struct buf b = BUF_INIT;
	if (!*s->conf->alerts_link)
		return;
	buf_adds(&b, s->conf->alerts_link);
	if (f->to > f->from) {
		buf_addf(&b, "/?from=%s&to=%s", when_format(f->from * MS_PER_HOUR, from), when_format(f->to * MS_PER_HOUR, to));
		if (f->rule->by.n) {
			buf_addf(&b, "&%.*s=", STR_ARG(f->rule->by.name[0]));
			add_percent_encoded(&b, f->group);
		}
	}
	json_object_set_new(alert, "link", text_of(buf_str(&b)));
	buf_release(&b);
}

// The figures of a finding over what the alert said before.
static bool refresh(struct state *s, const struct alert_finding *f, json_t *alert, bool full, struct err *err)
{
	struct buf who = BUF_INIT;
	bool good = !full || s->explained++ >= EXPLAINED_MAX || alert_contributors(s->check, f, &who, err);
	json_object_set_new(alert, "text", text_of(f->text));
	json_object_set_new(alert, "basis", text_of(f->basis));
	json_object_set_new(alert, "level", json_integer(f->level));
	json_object_set_new(alert, "seen", json_integer(s->check->now_ms));
	set_usd(alert, "usd", f->usd);
	set_usd(alert, "usd_low", f->low);
	set_usd(alert, "usd_high", f->high);
	set_usd(alert, "against", f->against);
	if (full)
		json_object_set_new(alert, "contributors", text_of(buf_str(&who)));
	set_link(s, f, alert);
	buf_release(&who);
	return good;
}

// Puts the alert into the messages of the receivers that its rule names, or of all; `again`: of those that forget.
static void address(struct state *s, const struct alert_rule *rule, const json_t *event, bool again)
{
	const struct alert_rules *rules = s->check->rules;
	for (int i = 0; i < rules->nreceivers; i++) {
		const struct alert_receiver *to = &rules->receivers[i];
		struct str rest = rule ? rule->receivers : STR_NONE, name;
		bool wanted = rest.len == 0;
		if (again && to->kind != TO_ALERTMANAGER)
			continue;
		while (rest.len && !wanted) {
			name = str_cut(&rest, ',');
			while (name.len && name.p[0] == ' ')
				name.p++, name.len--;
			while (name.len && name.p[name.len - 1] == ' ')
				name.len--;
			wanted = str_eq(name, to->name);
		}
		if (!wanted)
			continue;
		struct buf id = BUF_INIT;
		if (again)
			buf_addf(&id, "again-%.*s", STR_ARG(to->name));
		else
			buf_addf(&id, "%lld-%.*s", (long long)s->clock_ms, STR_ARG(to->name));
		json_t *message = json_object_get(s->messages, id.data);
		if (!message) {
			message = json_pack("{s:o, s:I, s:i, s:[]}", "receiver", text_of(to->name), "created", (json_int_t)s->clock_ms, "tries", 0, "events");
			json_object_set_new(s->messages, id.data, message);
		}
		json_array_append(json_object_get(message, "events"), (json_t *)event);
		buf_release(&id);
	}
}

static void tell(struct state *s, const struct alert_rule *rule, json_t *alert, const char *event)
{
	json_t *copy = json_deep_copy(alert);
	json_object_set_new(copy, "event", json_string(event));
	json_object_set_new(copy, "at", json_integer(s->check->now_ms));
	json_array_append(s->events, copy);
	json_array_append(s->history, copy);
	address(s, rule, copy, false);
	json_decref(copy);
	json_object_set_new(alert, "again", json_integer(s->check->now_ms));
}

static void tell_again(struct state *s, const struct alert_rule *rule, json_t *alert)
{
	if (!json_is_true(json_object_get(alert, "told")) || s->check->now_ms - number_of(alert, "again") < AGAIN_MS || is_silenced(s, alert))
		return;
	json_object_set_new(alert, "again", json_integer(s->check->now_ms));
	json_t *copy = json_deep_copy(alert);
	json_object_set_new(copy, "event", json_string("firing"));
	json_object_set_new(copy, "at", json_integer(s->check->now_ms));
	address(s, rule, copy, true);
	json_decref(copy);
}

static bool weigh_finding(struct state *s, const struct alert_finding *f, struct err *err)
{
	struct buf field = BUF_INIT;
	buf_addf(&field, "%.*s|%.*s|%.*s", STR_ARG(f->rule->name), STR_ARG(f->group), STR_ARG(f->period));
	json_t *alert = json_deep_copy(json_object_get(s->up, field.data));
	bool fresh = !alert, louder = alert && f->level > number_of(alert, "level");
	bool told = alert && json_is_true(json_object_get(alert, "told"));
	if (fresh)
		alert = json_pack("{s:o, s:s, s:o, s:o, s:o, s:s, s:I}", "rule", text_of(f->rule->name), "kind", alert_kind_names[f->rule->kind],
		                  "group", text_of(f->group), "period", text_of(f->period), "severity", text_of(f->rule->severity), "state", "firing",
		                  "since", (json_int_t)s->check->now_ms);
	int64_t level = fresh ? 0 : number_of(alert, "level");
	bool good = alert && refresh(s, f, alert, fresh || louder || !told, err);
	if (good && level > f->level) // a lower estimate does not take back what was told
		json_object_set_new(alert, "level", json_integer(level));
	bool silenced = good && is_silenced(s, alert);
	json_object_set_new(alert, "silenced", json_boolean(silenced));
	if (good && !silenced && !told) {
		json_object_set_new(alert, "told", json_true());
		tell(s, f->rule, alert, "firing");
	} else if (good && !silenced && louder) {
		tell(s, f->rule, alert, "updated");
	} else if (good) {
		tell_again(s, f->rule, alert);
	}
	if (good)
		json_object_set(s->set, field.data, alert);
	json_decref(alert);
	buf_release(&field);
	return good;
}

// Is the period of a latched alert still the present one?
static bool latched(const struct state *s, const struct alert_rule *rule, const json_t *alert)
{
	int64_t from, to;
	char name[WHEN_SIZE];
	if (!rule || rule->kind != ALERT_BUDGET)
		return false;
	alert_period_of(rule->period, s->check->now_ms / MS_PER_HOUR, &from, &to, name);
	return strcmp(name, field_of(alert, "period")) == 0;
}

static void weigh_missing(struct state *s)
{
	const char *field;
	json_t *alert;
	json_object_foreach(s->up, field, alert) {
		const struct alert_rule *rule = alert_rule_find(s->check->rules, str_of(field_of(alert, "rule")));
		if (json_object_get(s->set, field) || (s->check->only_rule && rule != s->check->only_rule))
			continue;
		if (latched(s, rule, alert)) {
			tell_again(s, rule, alert);
			json_object_set(s->set, field, alert);
			continue;
		}
		if (rule && rule->kind != ALERT_BUDGET && s->check->now_ms - number_of(alert, "seen") < rule->clear_ms)
			continue;
		json_array_append_new(s->del, json_string(field));
		json_object_set_new(alert, "state", json_string("resolved"));
		if (json_is_true(json_object_get(alert, "told")))
			tell(s, rule, alert, "resolved");
	}
}

// ---- writing -------------------------------------------------------------------------------------------------------

static void dump_values(json_t *object) // its values become JSON texts
{
	const char *key;
	json_t *value;
	void *next;
	json_object_foreach_safe(object, next, key, value) {
		char *text = json_dumps(value, JSON_COMPACT);
		json_object_set_new(object, key, json_string(text));
		free(text);
	}
}

static bool commit(struct state *s, const char *token, struct err *err)
{
	static const char *const whats[] = {NULL, "lease", "history", "outbox", "messages"};
	struct redis *r = s->check->redis;
	struct buf key = BUF_INIT;
	json_t *history = json_array();
	for (size_t i = 0; i < json_array_size(s->history); i++) {
		char *text = json_dumps(json_array_get(s->history, i), JSON_COMPACT);
		json_array_append_new(history, json_string(text));
		free(text);
	}
	dump_values(s->set);
	dump_values(s->messages);
	json_t *all = json_pack("{s:O, s:O, s:o, s:O}", "set", s->set, "del", s->del, "history", history, "messages", s->messages);
	char *text = json_dumps(all, JSON_COMPACT);
	redis_begin(r, 3 + 5 + 4);
	redis_argz(r, "EVAL");
	redis_arg(r, alert_commit_lua());
	redis_argi(r, 5);
	for (int i = 0; i < 5; i++) {
		buf_clear(&key);
		alert_key(&key, s->check->prefix, whats[i]);
		redis_arg(r, buf_str(&key));
	}
	redis_argz(r, token);
	redis_argi(r, when_now_ms());
	redis_argi(r, HISTORY_MAX);
	redis_argz(r, text);
	free(text);
	json_decref(all);
	buf_release(&key);
	if (!redis_exec(r, err))
		return false;
	return redis_int(r, 0) == 1 || err_set(err, ERR_RETRY, "alerts: another process took over; nothing was written");
}

bool alert_state(struct alert_check *c, const struct conf *conf, const char *token, json_t **ret_events, struct err *err)
{
	struct state s = {.check = c, .conf = conf, .clock_ms = when_now_ms(), .set = json_object(), .del = json_array(), .history = json_array(),
	                  .messages = json_object(), .events = json_array()};
	bool good = read_state(&s, err);
	for (int i = 0; good && i < c->n; i++)
		good = weigh_finding(&s, &c->findings[i], err);
	if (good) {
		weigh_missing(&s);
		if (token && (json_object_size(s.set) || json_array_size(s.del)))
			good = commit(&s, token, err);
	}
	if (good)
		*ret_events = json_incref(s.events);
	json_decref(s.up);
	json_decref(s.silences);
	json_decref(s.set);
	json_decref(s.del);
	json_decref(s.history);
	json_decref(s.messages);
	json_decref(s.events);
	return good;
}
