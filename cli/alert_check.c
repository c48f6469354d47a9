// SPDX-License-Identifier: Apache-2.0
// `nowcast alert check`: rules that are evaluated once, now or at another time.
#include <stdio.h>
#include <unistd.h>

#include "alert/check.h"
#include "alert/outbox.h"
#include "alert/turn.h"
#include "base/text.h"
#include "base/when.h"
#include "cli/alert_priv.h"

enum { DELIVER_MS = 20000 };

// What would hold at another time than now, with nothing written or delivered: by the minutes before that
// time, else over whole hours.
static bool check_at(struct alert_command *a, int64_t at_ms, struct err *err)
{
	struct alert_check c;
	char when[WHEN_SIZE];
	struct alert_past *past = alert_past_new(&a->rules, NULL, a->rollups);
	struct arena arena = ARENA_INIT;
	bool by_minute = false, good = alert_check_past(a, past, at_ms, &by_minute, &c, err);
	if (good && !by_minute) {
		c = alert_hourly_check(a, NULL, at_ms, &arena);
		good = alert_check(&c, err);
	}
	for (int i = 0; good && i < c.n; i++)
		printf("%.*s: %.*s\n", STR_ARG(c.findings[i].rule->name), STR_ARG(c.findings[i].text));
	if (good)
		printf("%d condition%s %s at %s, by the figures of %s; nothing was delivered\n", c.n,
		       text_s(c.n), c.n == 1 ? "holds" : "hold", when_format(at_ms, when),
		       by_minute ? "the minutes before" : "whole hours, as minutes of that time are not kept");
	alert_past_free(past);
	arena_release(&arena);
	return good;
}

bool alert_check_now(struct alert_command *a, struct err *err)
{
	int64_t at_ms = -1;
	struct alert_turn turn;
	char token[48];
	if (!command_time(a->args, "--now", &at_ms, err) || !command_done(a->args, 0, 0, err))
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
