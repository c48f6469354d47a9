// SPDX-License-Identifier: Apache-2.0
// `nowcast alert backtest`: the alerts that would have rung. Hours whose facts are kept are evaluated by the
// minute, as `run` does it, older ones once, at their end. The last line says which were which.
#include <jansson.h>
#include <stdio.h>

#include "alert/check.h"
#include "base/text.h"
#include "base/when.h"
#include "cli/alert_priv.h"
#include "cli/selection.h"

enum { MINUTES = 60, WARM_HOURS = 2 };

struct backtest {
	struct alert_command *command;
	const struct alert_rule *only;
	struct alert_past *past;
	json_t *held; // RULE|GROUP|PERIOD -> [level, when it held last (ms)]
	int64_t rings, hours, by_minute;
	int64_t first_by_minute; // hour
};

struct alert_check alert_hourly_check(const struct alert_command *a, const struct alert_rule *only,
                                      int64_t now_ms, struct arena *arena)
{
	return (struct alert_check){.rules = &a->rules,
	                            .rollups = a->rollups,
	                            .redis = a->redis,
	                            .prefix = a->conf->redis_prefix,
	                            .now_ms = now_ms,
	                            .hourly = true,
	                            .only_rule = only,
	                            .arena = arena};
}

static struct alert_check minute_check(const struct alert_command *a, const struct alert_rule *only,
                                       int64_t minute, struct alert_past *past)
{
	struct alert_check c =
		alert_hourly_check(a, only, (minute + 1) * MS_PER_MINUTE - 1, alert_past_arena(past));
	c.hourly = false;
	c.past = past;
	return c;
}

bool alert_check_past(struct alert_command *a, struct alert_past *past, int64_t at_ms, bool *ret_kept,
                      struct alert_check *ret, struct err *err)
{
	int64_t last = at_ms / MS_PER_MINUTE - 1, hour = last / MINUTES;
	*ret_kept = false;
	for (int64_t h = hour > WARM_HOURS ? hour - WARM_HOURS : 1; h <= hour; h++) { // of 1970 nothing is kept
		if (!alert_past_begin(past, h, ret_kept, err))
			return false;
		for (int64_t m = h * MINUTES; *ret_kept && m <= last && m < (h + 1) * MINUTES; m++) {
			*ret = minute_check(a, NULL, m, past);
			if (!alert_check(ret, err))
				return false;
		}
	}
	return true;
}

// ---- what rings ---------------------------------------------------------------------------------

static void format_key(struct buf *key, const struct alert_finding *f)
{
	buf_addf(key, "%.*s|%.*s|%.*s", STR_ARG(f->rule->name), STR_ARG(f->group), STR_ARG(f->period));
}

// Whether its alert is up since a check not long before: it ends when its condition is gone for `clear`, or
// for longer than from one check to the next.
static bool is_up(const struct backtest *b, const char *key, const struct alert_finding *f, int64_t now_ms,
                  int64_t step_ms)
{
	json_t *was = json_object_get(b->held, key);
	int64_t longest = f->rule->clear_ms > step_ms ? f->rule->clear_ms : step_ms;
	return was && json_integer_value(json_array_get(was, 0)) >= f->level &&
	       (f->latched || now_ms - json_integer_value(json_array_get(was, 1)) <= longest);
}

static void note_findings(struct backtest *b, const struct alert_check *c, int64_t step_ms)
{
	struct buf key = BUF_INIT;
	char when[WHEN_SIZE];
	for (int i = 0; i < c->n; i++) {
		const struct alert_finding *f = &c->findings[i];
		buf_clear(&key);
		format_key(&key, f);
		if (!is_up(b, key.data, f, c->now_ms, step_ms)) {
			printf("%s  %.*s: %.*s\n", when_format(c->now_ms, when), STR_ARG(f->rule->name),
			       STR_ARG(f->text));
			b->rings++;
		}
		json_object_set_new(b->held, key.data,
		                    json_pack("[I,I]", (json_int_t)f->level, (json_int_t)c->now_ms));
	}
	buf_release(&key);
}

// ---- an hour ------------------------------------------------------------------------------------

static bool check_hour(struct backtest *b, int64_t hour, struct err *err)
{
	struct arena arena = ARENA_INIT;
	struct alert_check c =
		alert_hourly_check(b->command, b->only, (hour + 1) * MS_PER_HOUR - 1, &arena);
	bool good = alert_check(&c, err);
	if (good)
		note_findings(b, &c, MS_PER_HOUR);
	arena_release(&arena);
	return good;
}

static bool check_minutes(struct backtest *b, int64_t hour, struct err *err)
{
	int64_t now = b->command->now_ms / MS_PER_MINUTE;
	for (int64_t m = hour * MINUTES; m < (hour + 1) * MINUTES && m < now; m++) {
		struct alert_check c = minute_check(b->command, b->only, m, b->past);
		if (!alert_check(&c, err))
			return false;
		note_findings(b, &c, MS_PER_MINUTE);
	}
	return true;
}

static bool backtest_hour(struct backtest *b, int64_t hour, struct err *err)
{
	bool kept;
	if (!alert_past_begin(b->past, hour, &kept, err))
		return false;
	if (kept && b->by_minute++ == 0)
		b->first_by_minute = hour;
	b->hours++;
	return kept ? check_minutes(b, hour, err) : check_hour(b, hour, err);
}

// Of these nothing is kept of how they were.
static void print_left_out(const struct backtest *b)
{
	const struct alert_rules *rules = &b->command->rules;
	int n = 0;
	for (int i = 0; i < rules->nrules; i++) {
		const struct alert_rule *rule = &rules->rules[i];
		if ((b->only && rule != b->only) || (rule->kind != ALERT_BILL && rule->kind != ALERT_SILENT))
			continue;
		printf("%s %.*s (kind %s)", n++ ? "," : "not evaluated:", STR_ARG(rule->name),
		       alert_kind_names[rule->kind]);
	}
	if (n)
		puts(", since earlier bills, and when records arrived, are not kept");
}

static void print_summary(const struct backtest *b)
{
	char from[WHEN_SIZE];
	int64_t whole = b->hours - b->by_minute;
	printf("%lld ring%s in %lld hour%s", (long long)b->rings, text_s(b->rings), (long long)b->hours,
	       text_s(b->hours));
	if (!b->hours)
		puts(": there are no figures of that time");
	else if (!b->by_minute)
		puts(", by the figures of whole hours, as their minutes are not kept");
	else if (!whole)
		puts(", by the minute");
	else
		printf(
			", by the minute from %s on; %lld hour%s by the figures of the whole hour, as %s minutes are not kept\n",
			when_format(b->first_by_minute * MS_PER_HOUR, from), (long long)whole, text_s(whole),
			whole == 1 ? "its" : "their");
}

bool alert_backtest(struct alert_command *a, struct err *err)
{
	const char *name = NULL;
	int64_t first, last;
	struct command *c = a->args;
	struct selection of = {0};
	if (!command_option(c, "--rule", &name, err) || !selection_take_span(&of, c, 0, err) ||
	    !command_done(c, 0, 0, err))
		return false;
	const struct alert_rule *only = name ? alert_rule_find(&a->rules, str_of(name)) : NULL;
	if (name && !only)
		return err_set(err, ERR_CONFIG, "--rule: there is no rule %s in %s", name,
		               *a->conf->alerts_file ? a->conf->alerts_file : "the built-in rules");
	if (!rollups_extent(a->rollups, &first, &last, err))
		return false;
	a->now_ms = of.now_ms;
	first = of.span.from > first ? of.span.from : first;
	last = of.span.to - 1 < last ? of.span.to - 1 : last;
	struct backtest b = {.command = a,
	                     .only = only,
	                     .past = alert_past_new(&a->rules, only, a->rollups),
	                     .held = json_object()};
	bool good = true;
	for (int64_t h = first; good && first && h <= last; h++)
		good = backtest_hour(&b, h, err);
	if (good) {
		print_left_out(&b);
		print_summary(&b);
	}
	alert_past_free(b.past);
	json_decref(b.held);
	return good;
}
