// SPDX-License-Identifier: Apache-2.0
// `nowcast alert check` and `nowcast alert backtest`: rules that are evaluated once, now, at another time
// or hour by hour.
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "alert/check.h"
#include "alert/outbox.h"
#include "alert/turn.h"
#include "base/text.h"
#include "base/when.h"
#include "cli/alert_priv.h"
#include "cli/selection.h"

enum { DELIVER_MS = 20000 };

// ---- check --------------------------------------------------------------------------------------

// Over the hours in Redis as they were at a time: it neither reads nor writes what evaluations have learned.
static struct alert_check hourly_check(const struct alert_command *a, const struct alert_rule *only,
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

// What would hold at another time than now: over the hours in Redis, with nothing written or delivered.
static bool check_at(struct alert_command *a, int64_t now_ms, struct err *err)
{
	struct arena arena = ARENA_INIT;
	struct alert_check c = hourly_check(a, NULL, now_ms, &arena);
	char when[WHEN_SIZE];
	bool good = alert_check(&c, err);
	for (int i = 0; good && i < c.n; i++)
		printf("%.*s: %.*s\n", STR_ARG(c.findings[i].rule->name), STR_ARG(c.findings[i].text));
	if (good)
		printf("%d condition%s %s at %s, by the figures of whole hours; nothing was delivered\n", c.n,
		       text_s(c.n), c.n == 1 ? "holds" : "hold", when_format(now_ms, when));
	arena_release(&arena);
	return good;
}

bool alert_check_now(struct alert_command *a, struct err *err)
{
	int64_t at_ms = -1;
	struct alert_turn turn;
	char token[48];
	if (!command_time(a->args, "--now", &at_ms, err) || !command_done(a->args, 1, 1, err))
		return false;
	if (at_ms >= 0)
		return check_at(a, at_ms, err);
	snprintf(token, sizeof token, "check-%d-%lld", (int)getpid(), (long long)when_now_ms());
	if (!alert_turn(&a->rules, a->rollups, a->conf, token, when_now_ms(), &turn, err))
		return false;
	struct alert_outbox *outbox = alert_outbox_new(a->redis, a->conf->redis_prefix);
	struct alert_sent sent = {0};
	bool good = !turn.mine || alert_outbox_deliver(outbox, &a->rules, DELIVER_MS, &sent, err);
	alert_outbox_free(outbox);
	alert_lease_end(a->redis, a->conf, token);
	if (!good)
		return false;
	if (!turn.mine)
		puts("another process evaluates the alerts; nothing was done");
	else
		printf("%d condition%s %s, %d event%s; messages: %d sent, %d to be tried again, %d given up\n",
		       turn.findings, text_s(turn.findings), turn.findings == 1 ? "holds" : "hold", turn.events,
		       text_s(turn.events), sent.sent, sent.failed, sent.dead);
	return true;
}

// ---- backtest -----------------------------------------------------------------------------------

// One hour, evaluated at its end. A finding that held in the hour before is not counted again.
static bool backtest_hour(struct alert_command *a, const struct alert_rule *only, int64_t hour, json_t **held,
                          int64_t *rings, struct err *err)
{
	struct arena arena = ARENA_INIT;
	struct alert_check c = hourly_check(a, only, (hour + 1) * MS_PER_HOUR - 1, &arena);
	json_t *now = json_object();
	char when[WHEN_SIZE];
	bool good = alert_check(&c, err);
	for (int i = 0; good && i < c.n; i++) {
		const struct alert_finding *f = &c.findings[i];
		struct buf key = BUF_INIT;
		buf_addf(&key, "%.*s|%.*s|%.*s", STR_ARG(f->rule->name), STR_ARG(f->group), STR_ARG(f->period));
		json_t *before = json_object_get(*held, key.data);
		if (!before || json_integer_value(before) < f->level) {
			printf("%s  %.*s: %.*s\n", when_format(c.now_ms, when), STR_ARG(f->rule->name), STR_ARG(f->text));
			++*rings;
		}
		json_object_set_new(now, key.data, json_integer(f->level));
		buf_release(&key);
	}
	json_decref(*held);
	*held = now;
	arena_release(&arena);
	return good;
}

bool alert_backtest(struct alert_command *a, struct err *err)
{
	const char *name = NULL;
	int64_t first, last, rings = 0, hours = 0;
	struct command *c = a->args;
	struct selection of = {0};
	if (!command_option(c, "--rule", &name, err) || !selection_take_span(&of, c, 1, err) ||
	    !command_done(c, 1, 1, err))
		return false;
	const struct alert_rule *only = name ? alert_rule_find(&a->rules, str_of(name)) : NULL;
	if (name && !only)
		return err_set(err, ERR_CONFIG, "--rule: there is no rule %s in %s", name,
		               *a->conf->alerts_file ? a->conf->alerts_file : "the built-in rules");
	if (!rollups_extent(a->rollups, &first, &last, err))
		return false;
	first = of.span.from > first ? of.span.from : first;
	last = of.span.to - 1 < last ? of.span.to - 1 : last;
	json_t *held = json_object();
	bool good = true;
	for (int64_t h = first; good && first && h <= last; h++, hours++)
		good = backtest_hour(a, only, h, &held, &rings, err);
	json_decref(held);
	if (good)
		printf("%lld ring%s in %lld hour%s%s\n", (long long)rings, text_s(rings), (long long)hours,
		       text_s(hours),
		       hours ? ", by the figures of whole hours" : ": there are no figures of that time");
	return good;
}
