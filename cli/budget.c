// SPDX-License-Identifier: Apache-2.0
// `nowcast budget list|status|set`: the budgets of alerts.file, what is spent of each and when it will be
// passed (alert/budgets.h). `list` has a row for each, `status` some lines; budget_set.c changes the file.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/budgets_json.h"
#include "alert/unmatched.h"
#include "base/csv.h"
#include "base/nearest.h"
#include "base/text.h"
#include "base/when.h"
#include "cli/budget_priv.h"
#include "cli/commands.h"
#include "cli/report_priv.h"
#include "cli/table.h"
#include "query/short_names.h"

struct budget_reader {
	struct command *args;
	const char *format;     // table, csv or json
	struct str name;        // the rule of one budget; STR_NONE: all
	bool passed;            // the amount of one of them is
	struct alert_rules rules;
	struct budgets budgets;
	struct rollups *rollups;
	struct arena arena;
};

// ---- words --------------------------------------------------------------------------------------

static struct str money(struct budget_reader *x, struct usd usd)
{
	return arena_text(&x->arena, "$%.*s", STR_ARG(report_usd(&x->arena, usd)));
}

// "team payments", "all"
static struct str whose(struct budget_reader *x, const struct budget *b)
{
	const struct grouping *by = &b->rule->by;
	if (by->n == 0)
		return STR("all");
	struct str key = b->spent.keys[0];
	return arena_text(&x->arena, "%.*s %.*s", STR_ARG(by->name[0]),
	                  STR_ARG(key.len ? short_name(&x->arena, key) : STR("(none)")));
}

static bool is_passed(const struct budget *b)
{
	return usd_cmp(b->spent.usd, b->rule->amount) >= 0;
}

static struct str when_passed(struct budget_reader *x, const struct budget *b)
{
	char when[WHEN_SIZE];
	if (is_passed(b))
		return STR("passed");
	if (!b->passes_ms)
		return STR_NONE;
	when_format(b->passes_ms, when);
	return arena_text(&x->arena, "%.10s %.5s", when, when + 11);
}

static struct str period_text(struct budget_reader *x, const struct budget *b)
{
	char name[WHEN_SIZE];
	int64_t from, to;
	alert_period_of(b->rule->period, b->from, &from, &to, name);
	return arena_text(&x->arena, "%s %s", alert_period_names[b->rule->period], name);
}

static struct str percent_text(struct budget_reader *x, const struct budget *b)
{
	return arena_text(&x->arena, "%lld%%", (long long)budget_percent(b->spent.usd, b->rule->amount));
}

// ---- what was not observed ----------------------------------------------------------------------

// Of the longest period of those budgets: what was spent in such minutes is in no sum.
static bool print_unobserved(struct budget_reader *x, struct err *err)
{
	const struct budget *longest = NULL;
	for (int i = 0; i < x->budgets.n; i++)
		if (!longest || x->budgets.list[i].from < longest->from)
			longest = &x->budgets.list[i];
	if (!longest)
		return true;
	int64_t now = x->budgets.now_ms / MS_PER_HOUR;
	const struct observed_query q = {NULL, longest->from, now + 1, x->budgets.now_ms};
	struct view *v = rollups_view(x->rollups);
	struct observed o;
	if (!observed_load(&o, view_redis(v), view_prefix(v), &q, err))
		return false;
	report_print_observed(stdout, true, &o,
	                      arena_text(&x->arena, "the %.*s", STR_ARG(period_text(x, longest))).p);
	observed_release(&o);
	return true;
}

// ---- list ---------------------------------------------------------------------------------------

static bool print_table(struct budget_reader *x, struct err *err)
{
	static const struct {
		const char *head;
		enum table_kind kind;
		int rank;
	} columns[] = {
		{"budget", TABLE_NAME, 0},   {"of", TABLE_NAME, 0},        {"period", TABLE_TEXT, 1},
		{"amount", TABLE_NUMBER, 0}, {"spent", TABLE_NUMBER, 0},   {"used", TABLE_NUMBER, 0},
		{"expected", TABLE_NUMBER, 2}, {"passes (UTC)", TABLE_TEXT, 0}, {"basis", TABLE_TEXT, 3},
	};
	struct table t = TABLE_INIT;
	char basis[GROUP_BASIS_SIZE];
	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
		table_column(&t, str_of(columns[i].head), columns[i].kind, columns[i].rank);
	for (int i = 0; i < x->budgets.n; i++) {
		const struct budget *b = &x->budgets.list[i];
		table_cell(&t, b->rule->name);
		table_cell(&t, whose(x, b));
		table_cell(&t, period_text(x, b));
		table_cell(&t, money(x, b->rule->amount));
		table_cell(&t, money(x, b->spent.usd));
		table_cell(&t, percent_text(x, b));
		table_paint(&t, budget_used_ppm(b) >= 1000000 ? COLOUR_BAD : COLOUR_PLAIN);
		table_cell(&t, money(x, b->expected));
		table_cell(&t, when_passed(x, b));
		table_cell(&t, str_of(group_basis(&b->spent, basis)));
	}
	table_print(&t, stdout, table_terminal_width(), -1, "\n");
	table_release(&t);
	return print_unobserved(x, err);
}

static void print_csv(struct budget_reader *x)
{
	static const char *const heads[] = {"budget",       "by",       "group", "period",  "from",
	                                    "to",           "amount",   "usd",   "usd_low", "usd_high",
	                                    "used_percent", "expected", "passes"};
	struct buf b = BUF_INIT;
	struct csv_writer w = CSV_WRITER(&b);
	char time[WHEN_SIZE];
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
		csv_strz(&w, heads[i]);
	csv_end_row(&w);
	for (int i = 0; i < x->budgets.n; i++) {
		const struct budget *u = &x->budgets.list[i];
		csv_str(&w, u->rule->name);
		csv_str(&w, u->rule->by.n ? u->rule->by.name[0] : STR("all"));
		csv_str(&w, u->spent.keys[0]);
		csv_strz(&w, alert_period_names[u->rule->period]);
		csv_strz(&w, when_format(u->from * MS_PER_HOUR, time));
		csv_strz(&w, when_format(u->to * MS_PER_HOUR, time));
		const struct usd usd[] = {u->rule->amount, u->spent.usd, u->spent.usd_low, u->spent.usd_high};
		for (size_t k = 0; k < sizeof usd / sizeof *usd; k++)
			csv_usd(&w, usd[k], 6);
		csv_int(&w, budget_percent(u->spent.usd, u->rule->amount));
		csv_usd(&w, u->expected, 6);
		csv_strz(&w, u->passes_ms ? when_format(u->passes_ms, time) : "");
		csv_end_row(&w);
	}
	(void)!text_print(stdout, &b); // main looks whether all was written
	buf_release(&b);
}

static void print_json(struct budget_reader *x)
{
	struct buf b = BUF_INIT;
	struct json_writer j = JSON_WRITER(&b);
	jw_object(&j, NULL);
	jw_time(&j, "now", x->budgets.now_ms);
	budgets_json(&j, &x->budgets, x->budgets.n);
	jw_end(&j);
	buf_addc(&b, '\n');
	(void)!text_print(stdout, &b);
	buf_release(&b);
}

// ---- status -------------------------------------------------------------------------------------

static void add_marks(struct buf *out, const struct budget *b, const struct alert_rule *r)
{
	int64_t mark = budget_mark(r, b->spent.usd_low);
	buf_addf(out, "  marks     ");
	for (int i = 0; i < r->nat; i++)
		buf_addf(out, "%s%lld%%", i ? ", " : "", (long long)r->at[i]);
	if (mark)
		buf_addf(out, ": %lld%% is passed", (long long)mark);
	else
		buf_adds(out, ": none is passed");
	buf_adds(out, ", by the lower end of the band\n");
}

static void add_rules(struct budget_reader *x, struct buf *out, const struct budget *b)
{
	int n = 0;
	for (int i = 0; i < x->rules.nrules; i++) {
		const struct alert_rule *r = &x->rules.rules[i];
		if (alert_rules_are_one_budget(r, b->rule) && r->kind == ALERT_BUDGET)
			add_marks(out, b, r);
	}
	buf_adds(out, "  rules     ");
	for (int i = 0; i < x->rules.nrules; i++) {
		const struct alert_rule *r = &x->rules.rules[i];
		if (!alert_rules_are_one_budget(r, b->rule))
			continue;
		struct str to = r->receivers.len        ? r->receivers
		                : x->rules.nreceivers ? STR("every receiver")
		                                      : STR("nobody: no receiver is configured");
		buf_addf(out, "%s%.*s (%s) to %.*s", n++ ? "; " : "", STR_ARG(r->name), alert_kind_names[r->kind],
		         STR_ARG(to));
	}
	buf_addc(out, '\n');
}

static void add_status(struct budget_reader *x, struct buf *out, const struct budget *b)
{
	const struct group *g = &b->spent;
	struct str passes = when_passed(x, b);
	char from[WHEN_SIZE], to[WHEN_SIZE], basis[GROUP_BASIS_SIZE];
	when_format(b->from * MS_PER_HOUR, from);
	when_format(b->to * MS_PER_HOUR, to);
	buf_addf(out, "%.*s: %.*s, ", STR_ARG(b->rule->name), STR_ARG(whose(x, b)));
	if (b->rule->period == PERIOD_HOUR)
		buf_addf(out, "the hour from %.10s %.5s to %.5s UTC\n", from, from + 11, to + 11);
	else
		buf_addf(out, "%.*s (%.10s to %.10s, 00:00 UTC)\n", STR_ARG(period_text(x, b)), from, to);
	buf_addf(out, "  spent     %.*s of %.*s, %lld%%; between %.*s and %.*s%s%s\n", STR_ARG(money(x, g->usd)),
	         STR_ARG(money(x, b->rule->amount)), (long long)budget_percent(g->usd, b->rule->amount),
	         STR_ARG(money(x, g->usd_low)), STR_ARG(money(x, g->usd_high)),
	         *group_basis(g, basis) ? "; " : "", basis);
	if (g->unpriced)
		buf_addf(out, "            and %lld token%s without a price: `nowcast doctor` names their models\n",
		         (long long)g->unpriced, text_s(g->unpriced));
	buf_addf(out, "  expected  %.*s at the end, by %s: ", STR_ARG(money(x, b->expected)),
	         !b->at_this_rate                 ? "the forecast"
	         : b->rule->period <= PERIOD_DAY ? "the rate of the last hours"
	                                          : "the rate of the last day");
	if (is_passed(b))
		buf_addf(out, "it is passed by %.*s already\n", STR_ARG(money(x, usd_sub(g->usd, b->rule->amount))));
	else if (passes.len)
		buf_addf(out, "passed on %.*s UTC\n", STR_ARG(passes));
	else
		buf_adds(out, "not passed in this period\n");
	add_rules(x, out, b);
}

static bool print_status(struct budget_reader *x, struct err *err)
{
	struct buf b = BUF_INIT;
	for (int i = 0; i < x->budgets.n; i++) {
		if (i)
			buf_addc(&b, '\n');
		add_status(x, &b, &x->budgets.list[i]);
	}
	(void)!text_print(stdout, &b);
	buf_release(&b);
	return print_unobserved(x, err);
}

// ---- the command --------------------------------------------------------------------------------

// Leaves the budgets of the rule that was asked for.
static bool choose_budget(struct budget_reader *x, struct err *err)
{
	const struct alert_rule *rule = alert_rule_find(&x->rules, x->name);
	struct nearest near = nearest_of(x->name);
	int n = 0;
	if (!x->name.len)
		return true;
	for (int i = 0; i < x->budgets.n; i++)
		if (rule && alert_rules_are_one_budget(x->budgets.list[i].rule, rule))
			x->budgets.list[n++] = x->budgets.list[i];
	x->budgets.n = n;
	if (rule && alert_rule_is_budget(rule))
		return true;
	for (int i = 0; i < x->rules.nrules; i++)
		if (alert_rule_is_budget(&x->rules.rules[i]))
			nearest_try(&near, x->rules.rules[i].name);
	return err_set(err, ERR_CONFIG, "there is no budget %.*s%s%.*s%s; `nowcast budget list` shows them",
	               STR_ARG(x->name), near.word.len ? ": did you mean " : "", STR_ARG(near.word),
	               near.word.len ? "?" : "");
}

static void say_none(const struct budget_reader *x)
{
	const char *file = x->args->conf.alerts_file;
	fprintf(stderr, "nowcast budget: %s%s; `nowcast budget set month --amount 5000` makes one%s\n",
	        x->name.len ? "nothing is spent of this budget yet, by anybody"
	        : *file     ? file
	                    : "there is no budget",
	        x->name.len || !*file ? "" : " has no budget of which anything is spent",
	        *file ? "" : ", once alerts.file names the file of your rules");
}

static bool read_budgets(struct budget_reader *x, bool status, struct err *err)
{
	struct command *c = x->args;
	int64_t now_ms;
	x->format = command_switch(c, "--json") ? "json" : "table";
	if (!command_now(c, &now_ms, err) || !command_option(c, "--format", &x->format, err) ||
	    !command_done(c, 0, status ? 1 : 0, err))
		return false;
	if (strcmp(x->format, "table") && strcmp(x->format, "csv") && strcmp(x->format, "json"))
		return err_set(err, ERR_CONFIG, "--format: expected table, csv or json, got \"%s\"", x->format);
	x->name = c->argc ? str_of(c->argv[0]) : STR_NONE;
	return alert_rules_load(&x->rules, &c->conf, err) &&
	       rollups_open(&x->rollups, redis_target_of(&c->conf), err) &&
	       view_map(rollups_view(x->rollups), &c->conf, err) &&
	       budgets_read(&x->budgets, x->rollups, &x->rules, now_ms, err) && choose_budget(x, err);
}

static void warn_of_rule(void *user, const char *text)
{
	(void)user;
	printf("warning: %s\n", text);
}

static bool show_budgets(struct budget_reader *x, bool status, struct err *err)
{
	if (!read_budgets(x, status, err))
		return false;
	for (int i = 0; i < x->budgets.n; i++)
		x->passed |= is_passed(&x->budgets.list[i]);
	if (strcmp(x->format, "csv") == 0)
		return print_csv(x), true;
	if (strcmp(x->format, "json") == 0)
		return print_json(x), true;
	if (x->budgets.n == 0)
		return say_none(x), true;
	return (status ? print_status(x, err) : print_table(x, err)) &&
	       budgets_each_unmatched(&x->budgets, warn_of_rule, NULL, err);
}

int cmd_budget(struct command *c)
{
	struct err err = ERR_INIT;
	struct budget_reader x = {.args = c};
	const char *verb = command_verb(c, "list, status or set", &err);
	bool status = verb && strcmp(verb, "status") == 0;
	bool good = verb && (strcmp(verb, "set") == 0 ? budget_set(c, &err) : show_budgets(&x, status, &err));
	bool above = good && status && x.passed;
	budgets_release(&x.budgets);
	alert_rules_release(&x.rules);
	rollups_close(x.rollups);
	arena_release(&x.arena);
	return !good ? command_fail(c, &err) : above ? STATUS_THRESHOLD : STATUS_OK;
}
