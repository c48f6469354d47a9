// SPDX-License-Identifier: Apache-2.0
// `nowcast alert ...`: for people who are woken, and for those who write the rules. Each action is a row of a
// table and a function; alert_check.c has those that evaluate rules.
#include <fnmatch.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/keys.h"
#include "alert/message.h"
#include "alert/send.h"
#include "alert/unmatched.h"
#include "base/nearest.h"
#include "base/text.h"
#include "base/when.h"
#include "cli/alert_priv.h"
#include "cli/commands.h"
#include "cli/table.h"

enum { DAY_MS = 24 * MS_PER_HOUR, HISTORY_SHOWN_MAX = 1000, WAIT_MS = 20 };

static const char *text_at(const json_t *j, const char *key)
{
	const char *z = json_string_value(json_object_get(j, key));
	return z ? z : "";
}

static const char *time_at(const json_t *j, const char *key, char *buf)
{
	return when_format(json_integer_value(json_object_get(j, key)), buf);
}

static int severity_rank(const json_t *j)
{
	const char *z = text_at(j, "severity");
	return strcmp(z, "critical") == 0 ? 0 : strcmp(z, "warning") == 0 ? 1 : 2;
}

struct entry {
	struct str name; // of the reply
	json_t *value;
};

// The worst first, then the newest.
static int compare_urgency(const void *a, const void *b)
{
	const json_t *x = ((const struct entry *)a)->value, *y = ((const struct entry *)b)->value;
	int worse = severity_rank(x) - severity_rank(y);
	json_int_t s = json_integer_value(json_object_get(x, "since")),
			   t = json_integer_value(json_object_get(y, "since"));
	return worse ? worse : s > t ? -1 : s < t ? 1 : strcmp(text_at(x, "text"), text_at(y, "text"));
}

// JSON objects in Redis: the values of a hash, or the first ones of a list.
struct stored_objects {
	enum alert_key key;
	const char *last; // index in the list; NULL: it is a hash
	const char *none; // what is printed if there is none
	// false: it does not hold at `now_ms`, and is not printed
	bool (*print)(struct str name, const json_t *j, int64_t now_ms);
};

// Prints each object; those of a hash by urgency.
static bool print_objects(struct alert_command *a, const struct stored_objects *o, struct err *err)
{
	struct buf key = BUF_INIT;
	bool hash = !o->last;
	alert_key(&key, a->conf->redis_prefix, o->key);
	if (hash)
		redis_cmdz(a->redis, "HGETALL", key.data, NULL);
	else
		redis_cmdz(a->redis, "LRANGE", key.data, "0", o->last, NULL);
	buf_release(&key);
	if (!redis_exec(a->redis, err))
		return false;
	size_t n = redis_len(a->redis, 0), step = hash ? 2 : 1, found = 0, shown = 0;
	struct entry *list = xcalloc(n / step + 1, sizeof *list);
	for (size_t i = 0; i + step <= n; i += step) {
		struct str value = redis_elem(a->redis, 0, i + step - 1);
		list[found] = (struct entry){hash ? redis_elem(a->redis, 0, i) : STR_NONE,
		                             json_loadb(value.p, value.len, 0, NULL)};
		found += list[found].value != NULL;
	}
	if (hash)
		qsort(list, found, sizeof *list, compare_urgency);
	for (size_t i = 0; i < found; i++) {
		shown += o->print(list[i].name, list[i].value, a->now_ms);
		json_decref(list[i].value);
	}
	free(list);
	if (shown == 0)
		puts(o->none);
	return true;
}

// ---- list ---------------------------------------------------------------------------------------

static bool print_alert(struct str name, const json_t *j, int64_t now_ms)
{
	char since[WHEN_SIZE];
	(void)name;
	if (json_integer_value(json_object_get(j, "since")) > now_ms)
		return false;
	printf("%-8s %-8s since %s  %s: %s%s\n", "up", text_at(j, "severity"), time_at(j, "since", since),
	       text_at(j, "rule"), text_at(j, "text"),
	       json_is_true(json_object_get(j, "silenced")) ? "  (silenced)" : "");
	if (*text_at(j, "contributors"))
		printf("         most by: %s\n", text_at(j, "contributors"));
	return true;
}

static bool print_silence(struct str name, const json_t *j, int64_t now_ms)
{
	char until[WHEN_SIZE];
	if (json_integer_value(json_object_get(j, "until")) <= now_ms)
		return false;
	printf("silence  %.*s  rule %s, group %s, until %s  %s\n", STR_ARG(name), text_at(j, "rule"),
	       text_at(j, "group"), time_at(j, "until", until), text_at(j, "why"));
	return true;
}

static bool print_event(struct str name, const json_t *j, int64_t now_ms)
{
	char at[WHEN_SIZE];
	(void)name;
	if (json_integer_value(json_object_get(j, "at")) > now_ms)
		return false;
	printf("%-8s %-8s at    %s  %s: %s%s%s\n", text_at(j, "event"), text_at(j, "severity"),
	       time_at(j, "at", at), text_at(j, "rule"), text_at(j, "text"),
	       *text_at(j, "ended") ? "; ended: " : "", text_at(j, "ended"));
	return true;
}

static bool print_dead(struct str name, const json_t *j, int64_t now_ms)
{
	char at[WHEN_SIZE];
	(void)name;
	if (json_integer_value(json_object_get(j, "created")) > now_ms)
		return false;
	const json_t *events = json_object_get(j, "events"), *first = json_array_get(events, 0);
	printf("dead     for %s, of %s, %zu events, %d tries: %s\n", text_at(j, "receiver"),
	       time_at(j, "created", at), json_array_size(events),
	       (int)json_integer_value(json_object_get(j, "tries")), text_at(j, "error"));
	printf("         %s %s: %s%s\n", text_at(first, "event"), text_at(first, "rule"), text_at(first, "text"),
	       json_array_size(events) > 1 ? ", and more" : "");
	return true;
}

static bool print_undelivered(struct alert_command *a, struct err *err)
{
	struct buf outbox = BUF_INIT, dead = BUF_INIT;
	alert_key(&outbox, a->conf->redis_prefix, ALERT_KEY_OUTBOX);
	alert_key(&dead, a->conf->redis_prefix, ALERT_KEY_DEAD);
	redis_cmdz(a->redis, "ZCARD", outbox.data, NULL);
	redis_cmdz(a->redis, "LLEN", dead.data, NULL);
	buf_release(&outbox);
	buf_release(&dead);
	if (!redis_exec(a->redis, err))
		return false;
	if (redis_int(a->redis, 0) || redis_int(a->redis, 1))
		printf("messages: %lld waiting to be delivered, %lld given up (--dead)\n",
		       (long long)redis_int(a->redis, 0), (long long)redis_int(a->redis, 1));
	return true;
}

static bool list_alerts(struct alert_command *a, struct err *err)
{
	const char *history = NULL;
	static const struct stored_objects up = {ALERT_KEY_UP, NULL, "no alert is up", print_alert},
									   silences = {ALERT_KEY_SILENCES, NULL, "no silences", print_silence},
									   given_up = {ALERT_KEY_DEAD, "-1", "no message was given up",
												   print_dead};
	char last[24];
	bool dead = command_switch(a->args, "--dead");
	if (!command_now(a->args, &a->now_ms, err) ||
	    !command_option(a->args, "--history", &history, err) || !command_done(a->args, 0, 0, err))
		return false;
	if (dead)
		return print_objects(a, &given_up, err);
	if (history) {
		int n = atoi(history);
		if (n < 1 || n > HISTORY_SHOWN_MAX)
			return err_set(err, ERR_CONFIG, "--history: expected a number from 1 to %d, got \"%s\"",
			               HISTORY_SHOWN_MAX, history);
		snprintf(last, sizeof last, "%d", n - 1);
		struct stored_objects events = {ALERT_KEY_HISTORY, last, "no events yet", print_event};
		return print_objects(a, &events, err);
	}
	return print_objects(a, &up, err) && print_objects(a, &silences, err) && print_undelivered(a, err);
}

// ---- silence ------------------------------------------------------------------------------------

static bool parse_duration(const char *text, int64_t *ret_ms, struct err *err)
{
	char *end;
	long long n = strtoll(text, &end, 10);
	int64_t unit = *end == 'm' ? MS_PER_MINUTE : *end == 'h' ? MS_PER_HOUR : *end == 'd' ? DAY_MS : 0;
	if (end == text || !unit || end[1] || n < 1 || n > 100000)
		return err_set(err, ERR_CONFIG, "--for: expected a duration such as 30m, 2h or 3d, got \"%s\"", text);
	*ret_ms = n * unit;
	return true;
}

// The daemon may have other rules than this command, so a pattern that matches none is only noted.
static void note_unknown_rule(const struct alert_command *a, const char *pattern)
{
	char name[256];
	for (int i = 0; i < a->rules.nrules; i++) {
		snprintf(name, sizeof name, "%.*s", STR_ARG(a->rules.rules[i].name));
		if (fnmatch(pattern, name, 0) == 0)
			return;
	}
	fprintf(stderr, "note: %s has no rule %s, so this silences nothing unless the daemon has other rules\n",
	        *a->conf->alerts_file ? a->conf->alerts_file : "the built-in set", pattern);
}

static bool silence_rule(struct alert_command *a, struct err *err)
{
	const char *group = "*", *span = "2h", *why = "", *end = NULL;
	struct command *c = a->args;
	struct buf key = BUF_INIT;
	int64_t ms = 0, now = when_now_ms();
	char id[24], until[WHEN_SIZE];
	if (!command_option(c, "--only", &group, err) || !command_option(c, "--for", &span, err) ||
	    !command_option(c, "--why", &why, err) || !command_option(c, "--end", &end, err) ||
	    !command_done(c, end ? 0 : 1, end ? 0 : 1, err) || !parse_duration(span, &ms, err))
		return false;
	for (size_t i = 0; i < c->nflags; i++) // it would silence all groups
		if (str_is(c->flags[i].key, "group"))
			return err_set(err, ERR_CONFIG,
			               "--group is the consumer group; --only GROUP says which alerts are silenced");
	alert_key(&key, a->conf->redis_prefix, ALERT_KEY_SILENCES);
	if (end) {
		redis_cmdz(a->redis, "HDEL", key.data, end, NULL);
		buf_release(&key);
		if (!redis_exec(a->redis, err))
			return false;
		if (redis_int(a->redis, 0) == 0)
			return err_set(err, ERR_CONFIG, "there is no silence %s; `nowcast alert list` shows them", end);
		puts("ended");
		return true;
	}
	json_t *j = json_pack("{s:s, s:s, s:I, s:s}", "rule", c->argv[0], "group", group, "until",
	                      (json_int_t)(now + ms), "why", why);
	if (!j) {
		buf_release(&key);
		return err_set(err, ERR_CONFIG, "a silence takes UTF-8 only");
	}
	char *text = json_dumps(j, JSON_COMPACT);
	snprintf(id, sizeof id, "%llx", (long long)now);
	redis_cmdz(a->redis, "HSET", key.data, id, text, NULL);
	buf_release(&key);
	free(text);
	json_decref(j);
	if (!redis_exec(a->redis, err))
		return false;
	printf("silence %s: rule %s, group %s, until %s\n", id, c->argv[0], group, when_format(now + ms, until));
	note_unknown_rule(a, c->argv[0]);
	return true;
}

// ---- test ---------------------------------------------------------------------------------------

// `name` is none of the receivers; NULL: there are none.
static bool refuse_receiver(const struct alert_command *a, const char *name, struct err *err)
{
	struct nearest near = nearest_of(str_of(name));
	for (int i = 0; i < a->rules.nreceivers; i++)
		nearest_try(&near, a->rules.receivers[i].name);
	if (!a->rules.nreceivers)
		return err_set(err, ERR_CONFIG, "there is no receiver: add a [receiver NAME] to alerts.file");
	return err_set(err, ERR_CONFIG, "alerts.file has no [receiver %s]%s%.*s%s `nowcast alert rules` lists them", name,
	               near.word.len ? "; did you mean " : "", STR_ARG(near.word), near.word.len ? "?" : ";");
}

static bool test_receivers(struct alert_command *a, struct err *err)
{
	if (!command_done(a->args, 0, 1, err))
		return false;
	const char *only = a->args->argc ? a->args->argv[0] : NULL;
	int tried = 0, failed = 0;
	char id[40];
	int64_t now = when_now_ms();
	struct alert_sender *sender = alert_sender_new();
	struct alert_sending **sendings = xcalloc((size_t)a->rules.nreceivers + 1, sizeof *sendings);
	snprintf(id, sizeof id, "%lld-test", (long long)now);
	for (int i = 0; i < a->rules.nreceivers; i++) {
		const struct alert_receiver *to = &a->rules.receivers[i];
		struct buf body = BUF_INIT;
		if (only && !str_is(to->name, only))
			continue;
		alert_message_trial(to, now, id, &body);
		sendings[i] = alert_send(sender, to, str_of(id), &body);
	}
	for (int i = 0; i < a->rules.nreceivers; i++) {
		const struct alert_receiver *to = &a->rules.receivers[i];
		const struct err *why = NULL;
		if (!sendings[i])
			continue;
		while (!alert_sending_over(sendings[i], &why))
			alert_sender_wait(sender, WAIT_MS);
		printf("%-6s %.*s (%s)%s%s\n", why ? "failed" : "sent", STR_ARG(to->name),
		       receiver_kind_names[to->kind], why ? ": " : "", why ? why->msg : "");
		tried++;
		failed += why != NULL;
		alert_sending_free(sendings[i]);
	}
	free(sendings);
	alert_sender_free(sender);
	if (tried == 0)
		return refuse_receiver(a, only, err);
	return failed == 0 ||
	       err_set(err, ERR_FATAL, "%d of %d receiver%s did not take the message", failed, tried, text_s(tried));
}

// ---- rules --------------------------------------------------------------------------------------

static void add_percents(struct buf *b, const struct alert_rule *r)
{
	for (int i = 0; i < r->nat; i++)
		buf_addf(b, "%s%lld", i ? "," : "", (long long)r->at[i]);
	if (r->nat)
		buf_addstr(b, STR(" %"));
}

static void warn_of_rule(void *user, const char *text)
{
	(void)user;
	printf("warning: %s\n", text);
}

// What is in force, in one line a rule and a receiver.
static bool list_rules(struct alert_command *a, struct err *err)
{
	struct table table = TABLE_INIT;
	struct buf at = BUF_INIT;
	static const char *const heads[] = {"rule",   "kind", "by",       "only",     "period",
	                                    "amount", "at",   "severity", "receivers"};
	if (!command_now(a->args, &a->now_ms, err) || !command_done(a->args, 0, 0, err))
		return false;
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
		table_column(&table, str_of(heads[i]),
		             i < 4 || i == 8 ? TABLE_NAME
		             : i == 5        ? TABLE_NUMBER
		                             : TABLE_TEXT,
		             0);
	for (int i = 0; i < a->rules.nrules; i++) {
		const struct alert_rule *r = &a->rules.rules[i];
		bool has_amount = usd_cmp(r->amount, USD_ZERO) > 0;
		char usd[USD_SIZE], grouped[1 + TEXT_GROUPED_SIZE(USD_SIZE)] = "$";
		text_group_thousands(usd_format(r->amount, 2, usd), grouped + 1);
		buf_clear(&at);
		if (r->kind == ALERT_BUDGET || r->kind == ALERT_BILL)
			add_percents(&at, r);
		table_cell(&table, r->name);
		table_cell(&table, str_of(alert_kind_names[r->kind]));
		table_cell(&table, r->by.n ? r->by.name[0] : STR("all"));
		table_cell(&table, r->only);
		table_cell(&table,
		           has_amount || r->kind == ALERT_BILL ? str_of(alert_period_names[r->period]) : STR_NONE);
		table_cell(&table, has_amount ? str_of(grouped) : STR_NONE);
		table_cell(&table, buf_str(&at));
		table_cell(&table, r->severity);
		table_cell(&table, r->receivers.len ? r->receivers : a->rules.nreceivers ? STR("all") : STR_NONE);
	}
	table_print(&table, stdout, table_terminal_width(), -1, "\n");
	printf("%s; %d receiver%s", *a->conf->alerts_file ? a->conf->alerts_file : "the built-in rules",
	       a->rules.nreceivers, text_s(a->rules.nreceivers));
	for (int i = 0; i < a->rules.nreceivers; i++)
		printf("%s %.*s (%s)", i ? "," : ":", STR_ARG(a->rules.receivers[i].name),
		       receiver_kind_names[a->rules.receivers[i].kind]);
	putchar('\n');
	buf_release(&at);
	table_release(&table);
	return alert_rules_each_unmatched(&a->rules, a->rollups, a->now_ms, warn_of_rule, NULL, err);
}

// ---- the table ----------------------------------------------------------------------------------

int cmd_alert(struct command *c)
{
	static const struct {
		const char *name;
		bool (*run)(struct alert_command *a, struct err *err);
	} actions[] = {
		{"list", list_alerts},    {"rules", list_rules},      {"silence", silence_rule},
		{"test", test_receivers}, {"check", alert_check_now}, {"backtest", alert_backtest},
	};
	struct err err = ERR_INIT;
	struct alert_command a = {.args = c, .conf = &c->conf};
	const char *verb = command_verb(c, "list, rules, silence, test, check or backtest", &err);
	bool good = false;
	if (verb && alert_rules_load(&a.rules, &c->conf, &err) &&
	    rollups_open(&a.rollups, redis_target_of(&c->conf), &err) &&
	    view_map(rollups_view(a.rollups), &c->conf, &err)) {
		a.redis = view_redis(rollups_view(a.rollups));
		for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
			if (strcmp(verb, actions[i].name) == 0)
				good = actions[i].run(&a, &err);
	}
	rollups_close(a.rollups);
	alert_rules_release(&a.rules);
	return good ? STATUS_OK : command_fail(c, &err);
}
