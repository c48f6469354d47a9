// SPDX-License-Identifier: Apache-2.0
// From findings to events. An alert is one rule, group and period. It is up from the first finding until
// there was none for the rule's `clear` time (so that a figure around a limit does not flap), or, for
// budgets, until the period is over. When the terms of its rule change, its level is taken from the new
// finding; without one it ends.
//
//     no alert, a finding          -> firing
//     a higher level, other terms  -> updated
//     no finding for `clear`       -> resolved
//
// Of a rule that finds more than UP_MAX groups, the most expensive have an alert each, and one alert says how
// many more there are.
#include "alert/keys.h"
#include "alert/state_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alert/check_priv.h"
#include "aws/http_client.h"
#include "base/embed.h"
#include "base/when.h"

EMBED(alert_commit_lua, "alert/commit.lua")

enum { HISTORY_MAX = 1000, EXPLAINED_MAX = 50, UP_MAX = 1000 };
#define MORE "(more)" // the group of what a rule finds beyond its limit

// How many alerts a rule has, of UP_MAX.
struct rule_count {
	int up, more;
	struct usd more_usd;
	const struct alert_finding *last; // that was left out
};

// ---- reading ------------------------------------------------------------------------------------

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

static bool read_alerts(struct alert_change *s, struct err *err)
{
	struct buf alerts = BUF_INIT, silences = BUF_INIT, outbox = BUF_INIT;
	struct redis *r = s->check->redis;
	alert_key(&alerts, s->check->prefix, ALERT_KEY_UP);
	alert_key(&silences, s->check->prefix, ALERT_KEY_SILENCES);
	alert_key(&outbox, s->check->prefix, ALERT_KEY_OUTBOX);
	redis_cmdz(r, "HGETALL", alerts.data, NULL);
	redis_cmdz(r, "HGETALL", silences.data, NULL);
	redis_cmdz(r, "ZRANGE", outbox.data, "0", "-1", NULL);
	buf_release(&alerts);
	buf_release(&silences);
	buf_release(&outbox);
	if (!redis_exec(r, err))
		return false;
	redis_sort_fields(r, 0); // events are written in this order
	s->up = read_hash(r, 0);
	s->silences = read_hash(r, 1);
	s->message_ms = s->clock_ms;
	for (size_t i = 0; i < redis_len(r, 2); i++) {
		struct str id = redis_elem(r, 2, i);
		int64_t waits = str_cut_count(&id);
		s->message_ms = waits < s->message_ms ? s->message_ms : waits + 1;
	}
	const char *id;
	json_t *x;
	json_object_foreach(s->silences, id, x) { // by both clocks: a look at another time ends none
		if (alert_number(x, "until") < s->check->now_ms && alert_number(x, "until") < s->clock_ms)
			json_array_append_new(s->over, json_string(id));
	}
	return true;
}

// ---- figures ------------------------------------------------------------------------------------

static void set_usd(json_t *j, const char *key, struct usd u)
{
	char text[USD_SIZE];
	json_object_set_new(j, key, json_string(usd_format(u, 6, text)));
}

// The address of the page: alerts.link, else that of `listen` unless only this machine reaches it.
static void add_page_url(struct buf *b, const struct conf *conf)
{
	char name[256] = "";
	struct str link = str_of(conf->alerts_link), host = str_of(conf->listen),
			   port = str_after_last(host, ':');
	if (link.len) {
		buf_addstr(b, link.p[link.len - 1] == '/' ? (struct str){link.p, link.len - 1} : link);
		return;
	}
	host.len -= host.len ? port.len + 1 : 0;
	if (!host.len || str_starts(host, STR("127.")) || str_is(host, "localhost") || str_is(host, "[::1]"))
		return;
	if (str_is(host, "0.0.0.0") || str_is(host, "[::]")) {
		if (gethostname(name, sizeof name - 1) != 0)
			return;
		host = str_of(name);
	}
	buf_addf(b, "http%s://%.*s:%.*s", *conf->listen_tls_cert ? "s" : "", STR_ARG(host), STR_ARG(port));
}

// "view": the query of the page that shows it; "link": the same with the page's address, where that is known.
static void set_link(const struct alert_change *s, const struct alert_finding *f, json_t *alert)
{
	char from[WHEN_SIZE], to[WHEN_SIZE];
	struct buf b = BUF_INIT;
	add_page_url(&b, s->conf);
	size_t base = b.len;
	if (f->to > f->from) {
		buf_addf(&b, "/?from=%s&to=%s", when_format(f->from * MS_PER_HOUR, from),
		         when_format(f->to * MS_PER_HOUR, to));
		if (f->rule->by.n) {
			buf_addf(&b, "&%.*s=", STR_ARG(f->rule->by.name[0]));
			buf_add_url_part(&b, f->group, false);
		}
	}
	if (base)
		json_object_set_new(alert, "link", alert_json(buf_str(&b)));
	if (b.len > base)
		json_object_set_new(alert, "view", alert_json((struct str){b.data + base, b.len - base}));
	buf_release(&b);
}

// What a rule is about. An alert keeps its level only as long as this stays the same.
static json_t *terms_of(const struct alert_rule *rule)
{
	char amount[USD_SIZE];
	struct buf b = BUF_INIT;
	buf_addf(&b, "%s by %.*s only %.*s of %s a %s", alert_kind_names[rule->kind],
	         STR_ARG(rule->by.n ? rule->by.name[0] : STR("all")), STR_ARG(rule->only),
	         usd_format(rule->amount, 6, amount), alert_period_names[rule->period]);
	json_t *j = alert_json(buf_str(&b));
	buf_release(&b);
	return j;
}

static bool has_terms(const json_t *alert, const struct alert_rule *rule)
{
	json_t *terms = terms_of(rule);
	bool same = json_equal(terms, json_object_get(alert, "terms"));
	json_decref(terms);
	return same;
}

// The figures of a finding over what the alert said before.
static bool set_figures(struct alert_change *s, const struct alert_finding *f, json_t *alert, bool full,
                    struct err *err)
{
	struct buf who = BUF_INIT;
	bool good = !full || s->explained++ >= EXPLAINED_MAX || alert_add_contributors(s->check, f, &who, err);
	json_object_set_new(alert, "text", alert_json(f->text));
	json_object_set_new(alert, "basis", alert_json(f->basis));
	json_object_set_new(alert, "level", json_integer(f->level));
	json_object_set_new(alert, "terms", terms_of(f->rule));
	json_object_set_new(alert, "severity", alert_json(alert_rule_severity(f->rule, f->level)));
	json_object_set_new(alert, "seen", json_integer(s->check->now_ms));
	set_usd(alert, "usd", f->usd);
	set_usd(alert, "usd_low", f->low);
	set_usd(alert, "usd_high", f->high);
	set_usd(alert, "against", f->against);
	if (full)
		json_object_set_new(alert, "contributors", alert_json(buf_str(&who)));
	set_link(s, f, alert);
	buf_release(&who);
	return good;
}

// ---- updating -----------------------------------------------------------------------------------

static void add_field_of(struct buf *b, const struct alert_finding *f)
{
	buf_addf(b, "%.*s|%.*s|%.*s", STR_ARG(f->rule->name), STR_ARG(f->group), STR_ARG(f->period));
}

static bool update_alert(struct alert_change *s, const struct alert_finding *f, struct err *err)
{
	struct buf field = BUF_INIT;
	add_field_of(&field, f);
	json_t *alert = json_deep_copy(json_object_get(s->up, field.data));
	int64_t level = alert && has_terms(alert, f->rule) ? alert_number(alert, "level") : 0;
	bool notified = alert && json_is_true(json_object_get(alert, "told")), worse = f->level > level;
	if (!alert)
		alert = json_pack("{s:o, s:s, s:o, s:o, s:s, s:I, s:[]}", "rule", alert_json(f->rule->name), "kind",
		                  alert_kind_names[f->rule->kind], "group", alert_json(f->group), "period",
		                  alert_json(f->period), "state", "firing", "since", (json_int_t)s->check->now_ms,
		                  "told_to");
	bool good = alert && set_figures(s, f, alert, worse || !notified, err);
	bool silenced = good && alert_is_silenced(s, alert);
	// the level that receivers last heard of: a lower estimate does not lower it, and a rise during a
	// silence is reported when the silence ends
	if (good && (level > f->level || (silenced && notified)))
		json_object_set_new(alert, "level", json_integer(level));
	json_object_set_new(alert, "silenced", json_boolean(silenced));
	if (good && !silenced && !notified) {
		json_object_set_new(alert, "told", json_true());
		alert_notify(s, f->rule, alert, "firing");
	} else if (good && !silenced && worse) {
		alert_notify(s, f->rule, alert, "updated");
	} else if (good) {
		alert_notify_again(s, f->rule, alert);
	}
	if (good)
		json_object_set(s->set, field.data, alert);
	json_decref(alert);
	buf_release(&field);
	return good;
}

// One alert for all groups beyond the limit of a rule.
static bool update_overflow_alert(struct alert_change *s, const struct rule_count *count, struct err *err)
{
	const struct alert_rule *rule = count->last->rule;
	struct alert_finding f = {.rule = rule,
	                          .group = STR(MORE),
	                          .period = STR(""),
	                          .level = 1,
	                          .usd = count->more_usd,
	                          .low = count->more_usd,
	                          .high = count->more_usd,
	                          .against = count->last->against,
	                          .basis = STR("")};
	f.text = alert_format(
		s->check->arena,
		"it holds for %d more groups than the %d that are listed, together %s; a floor, `only` or a wider `by` makes them fewer",
		count->more, UP_MAX, alert_money(f.usd).text);
	return update_alert(s, &f, err);
}

// Alerts that are up continue; new ones are added up to UP_MAX a rule, the most expensive first.
static bool update_alerts(struct alert_change *s, struct err *err)
{
	const struct alert_check *c = s->check;
	struct rule_count *counts = xcalloc((size_t)c->rules->nrules + 1, sizeof *counts);
	bool good = true;
	const char *field;
	json_t *alert;
	json_object_foreach(s->up, field, alert) {
		const struct alert_rule *rule = alert_rule_find(c->rules, str_of(alert_string(alert, "rule")));
		if (rule && strcmp(alert_string(alert, "group"), MORE) != 0)
			counts[rule - c->rules->rules].up++;
	}
	for (int i = 0; good && i < c->n; i++) {
		const struct alert_finding *f = &c->findings[i];
		struct rule_count *count = &counts[f->rule - c->rules->rules];
		struct buf b = BUF_INIT;
		add_field_of(&b, f);
		bool fresh = !json_object_get(s->up, b.data);
		buf_release(&b);
		if (fresh && count->up >= UP_MAX) {
			count->more++;
			count->more_usd = usd_add(count->more_usd, f->usd);
			count->last = f;
			continue;
		}
		count->up += fresh;
		good = update_alert(s, f, err);
	}
	for (int i = 0; good && i < c->rules->nrules; i++)
		good = counts[i].more == 0 || update_overflow_alert(s, &counts[i], err);
	free(counts);
	return good;
}

// Why an alert is over that no finding is about any more, in `buf`; NULL: it is not.
static const char *end_reason(const struct alert_change *s, const struct alert_rule *rule, json_t *alert,
                          char *buf, size_t size)
{
	int64_t from, to, now = s->check->now_ms, seen = alert_number(alert, "seen");
	char when[WHEN_SIZE];
	if (!rule)
		return "its rule is not in the configuration any more";
	if (rule->kind == ALERT_BUDGET && strcmp(alert_string(alert, "group"), MORE) != 0) { // latched
		if (!has_terms(alert, rule))
			return "its rule was changed";
		alert_period_of(rule->period, now / MS_PER_HOUR, &from, &to, when);
		snprintf(buf, size, "the %s is over", alert_period_names[rule->period]);
		return strcmp(when, alert_string(alert, "period")) == 0 ? NULL : buf;
	}
	if (seen > now) // the clock was set back: it counts from now
		json_object_set_new(alert, "seen", json_integer(now));
	snprintf(buf, size, "it last held at %s", when_format(seen, when));
	return seen > now || now - seen < rule->clear_ms ? NULL : buf;
}

static void end_missing_alerts(struct alert_change *s)
{
	const char *field;
	json_t *alert;
	json_object_foreach(s->up, field, alert) {
		char why[64];
		const struct alert_rule *rule = alert_rule_find(s->check->rules, str_of(alert_string(alert, "rule")));
		if (json_object_get(s->set, field) || (s->check->only_rule && rule != s->check->only_rule))
			continue;
		const char *ended = end_reason(s, rule, alert, why, sizeof why);
		if (!ended) {
			alert_notify_again(s, rule, alert);
			json_object_set(s->set, field, alert);
			continue;
		}
		json_array_append_new(s->del, json_string(field));
		json_object_set_new(alert, "state", json_string("resolved"));
		json_object_set_new(alert, "ended", json_string(ended));
		if (json_is_true(json_object_get(alert, "told")))
			alert_notify(s, rule, alert, "resolved");
	}
}

// ---- writing ------------------------------------------------------------------------------------

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

static bool commit_change(struct alert_change *s, const char *token, struct err *err)
{
	enum { NKEYS = 6 };
	static const enum alert_key keys[NKEYS] = {ALERT_KEY_UP,     ALERT_KEY_LEASE,    ALERT_KEY_HISTORY,
	                                           ALERT_KEY_OUTBOX, ALERT_KEY_MESSAGES, ALERT_KEY_SILENCES};
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
	json_t *all = json_pack("{s:O, s:O, s:o, s:O, s:O}", "set", s->set, "del", s->del, "history", history,
	                        "messages", s->messages, "over", s->over);
	char *text = json_dumps(all, JSON_COMPACT);
	redis_begin(r, 3 + NKEYS + 4);
	redis_argz(r, "EVAL");
	redis_arg(r, alert_commit_lua());
	redis_argi(r, NKEYS);
	for (int i = 0; i < NKEYS; i++)
		redis_arg(r, alert_key(&key, s->check->prefix, keys[i]));
	redis_argz(r, token);
	redis_argi(r, when_now_ms());
	redis_argi(r, HISTORY_MAX);
	redis_argz(r, text);
	free(text);
	json_decref(all);
	buf_release(&key);
	if (!redis_exec(r, err))
		return false;
	return redis_int(r, 0) == 1 ||
	       err_set(err, ERR_RETRY, "alerts: another process took over; nothing was written");
}

bool alert_state_update(struct alert_check *c, const struct conf *conf, const char *token,
                        json_t **ret_events, struct err *err)
{
	struct alert_change s = {.check = c,
	                         .conf = conf,
	                         .clock_ms = when_now_ms(),
	                         .set = json_object(),
	                         .del = json_array(),
	                         .history = json_array(),
	                         .messages = json_object(),
	                         .events = json_array(),
	                         .over = json_array()};
	bool good = read_alerts(&s, err) && update_alerts(&s, err);
	if (good) {
		end_missing_alerts(&s);
		if (json_object_size(s.set) || json_array_size(s.del) || json_array_size(s.over))
			good = commit_change(&s, token, err);
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
	json_decref(s.over);
	return good;
}
