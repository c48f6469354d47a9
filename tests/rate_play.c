// SPDX-License-Identifier: Apache-2.0
// The spike rule alone, fast: rate_play TENTHS FLOOR-MICRO <arrivals, a line a caller: NAME
// MINUTE:CALLS:MICRO ...
//
// Minutes rise; what they hold is what arrived in them. Prints NAME and every minute at whose end the
// caller's rate jumps, with c or d: by its calls or its dollars. Totals of hours, by arrival, stand for what
// the figures say of other days.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/rate_baseline.h"
#include "base/buf.h"

enum { HOURS_MAX = 24 * 400, HOURS_BACK = 5 };

static int64_t hour_calls[HOURS_MAX], hour_micro[HOURS_MAX], first_hour;

static void ask(const struct rate_baseline *p, struct rate_test *a)
{
	struct rate_spike jump;
	int64_t hour = p->at_minute / 60;
	int64_t of_calls[RATE_DAYS], of_micro[RATE_DAYS];
	int days = 0;
	for (; days < RATE_DAYS && hour - (days + 1) * 24 > first_hour; days++) {
		of_calls[days] = hour_calls[hour - (days + 1) * 24];
		of_micro[days] = hour_micro[hour - (days + 1) * 24];
	}
	a->calls = seasonal_baseline_of(of_calls, days);
	a->micro = seasonal_baseline_of(of_micro, days);
	int64_t calls = 0, micro = 0;
	for (int k = 0; k < HOURS_BACK && k <= hour; k++) {
		calls += hour_calls[hour - k];
		micro += hour_micro[hour - k];
	}
	a->call_micro = calls ? micro / calls : 0;
	if (rate_baseline_calls_spike(p, a, &jump))
		printf(" %lldc", (long long)p->at_minute);
	else if (rate_baseline_usd_spike(p, a, &jump))
		printf(" %lldd", (long long)p->at_minute);
}

static void play(char *line, struct rate_test *a)
{
	char *next, *name = strtok_r(line, " \n", &next);
	struct rate_baseline p = {0};
	if (!name)
		return;
	memset(hour_calls, 0, sizeof hour_calls);
	memset(hour_micro, 0, sizeof hour_micro);
	printf("%s", name);
	for (char *word; (word = strtok_r(NULL, " \n", &next));) {
		long long minute, calls, micro;
		if (sscanf(word, "%lld:%lld:%lld", &minute, &calls, &micro) != 3 || minute < 1 ||
		    minute / 60 >= HOURS_MAX || minute < p.at_minute)
			exit(2);
		if (p.at_minute == 0)
			first_hour = minute / 60;
		for (int64_t m = p.at_minute ? p.at_minute + 1 : minute; m < minute; m++) {
			rate_baseline_add(&p, m, 0, 0);
			ask(&p, a);
		}
		rate_baseline_add(&p, minute, calls, micro);
		hour_calls[minute / 60] += calls;
		hour_micro[minute / 60] += micro;
		ask(&p, a);
	}
	puts("");
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t size = 0;
	if (argc != 3) {
		fputs("usage: rate_play TENTHS FLOOR-MICRO <arrivals\n", stderr);
		return 2;
	}
	struct rate_test a = {.factor_tenths = atoll(argv[1]), .floor_micro = atoll(argv[2]), .span = RATE_QUICK};
	while (getline(&line, &size, stdin) > 0)
		play(line, &a);
	free(line);
	return 0;
}
