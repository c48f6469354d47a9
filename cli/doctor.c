// SPDX-License-Identifier: Apache-2.0
// `nowcast doctor`: checks what the figures need, and prints a line for each finding, with what to do: ok,
// note (worth a look), warn (figures are less exact, or missing), FAIL (something does not work).
#include <stdio.h>

#include "base/text.h"
#include "cli/commands.h"
#include "query/health.h"

static void print_finding(void *user, enum health_level level, const char *what, const char *text)
{
	int *found = user;
	found[level]++;
	printf("%-5s %-10s %s\n", health_word(level), what, text);
}

int cmd_doctor(struct command *c)
{
	struct err err = ERR_INIT;
	struct view *view = NULL;
	int found[HEALTH_LEVELS] = {0};
	int64_t now_ms;
	if (!command_now(c, &now_ms, &err) || !command_done(c, 0, 0, &err) ||
	    !view_open(&view, redis_target_of(&c->conf), &err))
		return command_fail(c, &err);
	struct err bad_file = ERR_INIT; // a bad mapping file is one of the findings
	bool mapped = view_map(view, &c->conf, &bad_file);
	(void)mapped;
	health_check(&c->conf, view, now_ms, print_finding, found);
	health_check_kafka(&c->conf, view, print_finding, found);
	view_close(view);
	printf("%d ok, %d note%s, %d warning%s, %d failure%s\n", found[HEALTH_OK], found[HEALTH_NOTE],
	       text_s(found[HEALTH_NOTE]), found[HEALTH_WARN], text_s(found[HEALTH_WARN]), found[HEALTH_FAIL],
	       text_s(found[HEALTH_FAIL]));
	return found[HEALTH_FAIL] ? STATUS_FAILED : found[HEALTH_WARN] ? STATUS_THRESHOLD : STATUS_OK;
}
