// SPDX-License-Identifier: Apache-2.0
// `nowcast doctor`: is everything alive that the figures need? A line a finding: ok, note (look at it when
// you have time), warn (figures suffer), FAIL (nothing works), each with what to do.
#include <stdio.h>

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
	int found[HEALTH_FAIL + 1] = {0};
	if (!command_done(c, 0, 0, &err) ||
	    !view_open(&view, redis_target_of(&c->conf), &err))
		return command_fail(c, &err);
	health_check(&c->conf, view, print_finding, found);
	health_check_kafka(&c->conf, print_finding, found);
	view_close(view);
	printf("%d ok, %d notes, %d warnings, %d failures\n", found[HEALTH_OK], found[HEALTH_NOTE],
	       found[HEALTH_WARN], found[HEALTH_FAIL]);
	return found[HEALTH_FAIL] ? STATUS_FAILED : found[HEALTH_WARN] ? STATUS_THRESHOLD : STATUS_OK;
}
