// SPDX-License-Identifier: Apache-2.0
// `nowcast doctor`: checks what the figures need, and prints a line for each finding, with what to do: ok,
// note (worth a look), warn (figures are less exact, or missing), FAIL (something does not work).
#include <stdio.h>

#include "alert/unmatched.h"
#include "base/text.h"
#include "cli/colour.h"
#include "cli/commands.h"
#include "query/health.h"

static void print_finding(void *user, enum health_level level, const char *what, const char *text)
{
	int *found = user;
	found[level]++;
	static const enum colour colours[HEALTH_LEVELS] = {[HEALTH_OK] = COLOUR_GOOD,
	                                                   [HEALTH_WARN] = COLOUR_WARN,
	                                                   [HEALTH_FAIL] = COLOUR_BAD};
	printf("%s%-5s%s %-10s %s\n", colour_begin(stdout, colours[level]), health_word(level),
	       colour_end(stdout, colours[level]), what, text);
}

static void warn_of_rule(void *user, const char *text)
{
	print_finding(user, HEALTH_WARN, "alerts", text);
}

// The rules as the daemon would load them now.
static void check_rules(const struct conf *conf, struct rollups *rollups, int64_t now_ms, int *found)
{
	struct alert_rules rules;
	struct err err = ERR_INIT;
	struct buf text = BUF_INIT;
	if (!alert_rules_load(&rules, conf, &err)) {
		buf_addf(&text, "%s; a running daemon keeps its rules, and cannot start again with these", err.msg);
		print_finding(found, HEALTH_FAIL, "alerts", text.data);
	} else if (!alert_rules_each_unmatched(&rules, rollups, now_ms, warn_of_rule, found, &err)) {
		print_finding(found, HEALTH_FAIL, "alerts", err.msg);
	} else {
		buf_addf(&text, "%s: %d rule%s, %d receiver%s",
		         *conf->alerts_file ? conf->alerts_file : "the built-in rules", rules.nrules,
		         text_s(rules.nrules), rules.nreceivers, text_s(rules.nreceivers));
		print_finding(found, HEALTH_OK, "alerts", text.data);
	}
	buf_release(&text);
	alert_rules_release(&rules);
}

int cmd_doctor(struct command *c)
{
	struct err err = ERR_INIT;
	struct rollups *rollups = NULL;
	int found[HEALTH_LEVELS] = {0};
	int64_t now_ms;
	if (!command_now(c, &now_ms, &err) || !command_done(c, 0, 0, &err) ||
	    !rollups_open(&rollups, redis_target_of(&c->conf), &err))
		return command_fail(c, &err);
	struct view *view = rollups_view(rollups);
	struct err bad_file = ERR_INIT; // a bad mapping file is one of the findings
	bool mapped = view_map(view, &c->conf, &bad_file);
	(void)mapped;
	static struct last_day none; // too large for the stack
	struct prices_kept prices = {.mark = 0};
	health_check(&c->conf, view, now_ms, &none, &prices, print_finding, found);
	prices_kept_release(&prices);
	health_check_kafka(&c->conf, view, print_finding, found);
	check_rules(&c->conf, rollups, now_ms, found);
	rollups_close(rollups);
	printf("%d ok, %d note%s, %d warning%s, %d failure%s\n", found[HEALTH_OK], found[HEALTH_NOTE],
	       text_s(found[HEALTH_NOTE]), found[HEALTH_WARN], text_s(found[HEALTH_WARN]), found[HEALTH_FAIL],
	       text_s(found[HEALTH_FAIL]));
	return found[HEALTH_FAIL] ? STATUS_FAILED : found[HEALTH_WARN] ? STATUS_THRESHOLD : STATUS_OK;
}
