// SPDX-License-Identifier: Apache-2.0
// A stream played as it arrived, through the whole program, with the spike rule looking every minute:
//
//     alert_play REDIS-URL STREAM.ndjson      lines as `kcat -C -J` has them, in the order of `ts`
//
// Each minute's messages are decoded, joined in Redis and settled; then the built-in spike rule is asked, as
// the daemon would ask it at the end of that minute. Prints a line a finding: the time of the look (ms),
// whose, and what it says.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/check.h"
#include "base/when.h"
#include "pricing/prices.h"
#include "run/intake.h"

struct play {
	struct conf conf;
	struct prices *prices;
	struct intake intake;
	struct alert_rules rules;
	struct buf scratch;
};

static void must(bool good, const struct err *err)
{
	if (good)
		return;
	fprintf(stderr, "alert_play: %s\n", err->msg);
	exit(1);
}

static void settle(struct play *p)
{
	struct err err = ERR_INIT;
	size_t left = 1;
	must(intake_apply(&p->intake, &err), &err);
	while (left)
		must(engine_settle(p->intake.engine, true, &left, &err), &err);
}

static void look(struct play *p, int64_t now_ms)
{
	struct err err = ERR_INIT;
	struct arena arena = ARENA_INIT;
	struct rollups *rollups; // opened again, since its cache ages by the wall clock
	settle(p);
	must(rollups_open(&rollups, redis_target_of(&p->conf), &err), &err);
	struct alert_check c = {.rules = &p->rules,
	                        .rollups = rollups,
	                        .redis = view_redis(rollups_view(rollups)),
	                        .prefix = p->conf.redis_prefix,
	                        .now_ms = now_ms,
	                        .only_rule = alert_rule_find(&p->rules, STR("spike")),
	                        .arena = &arena};
	must(alert_check(&c, &err), &err);
	for (int i = 0; i < c.n; i++)
		printf("%lld %.*s %.*s\n", (long long)now_ms, STR_ARG(c.findings[i].group),
		       STR_ARG(c.findings[i].text));
	rollups_close(rollups);
	arena_release(&arena);
}

static void play(struct play *p, FILE *f)
{
	struct err err = ERR_INIT;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int64_t minute = 0, messages = 0;
	while ((len = getline(&line, &size, f)) > 0) {
		struct origin origin = {.path = "stream"};
		struct str payload;
		const char *at = strstr(line, "\"ts\":");
		int64_t now = at ? strtoll(at + 5, NULL, 10) / MS_PER_MINUTE : 0;
		for (minute = minute ? minute : now; minute < now; minute++)
			look(p, (minute + 1) * MS_PER_MINUTE - 1);
		if (at && kcat_line((struct str){line, (size_t)len}, &p->scratch, &origin, &payload) && payload.len) {
			intake_message(&p->intake, &origin, payload);
			messages++;
		}
		if (intake_is_full(&p->intake))
			must(intake_apply(&p->intake, &err), &err);
	}
	look(p, (minute + 1) * MS_PER_MINUTE - 1);
	free(line);
	if (messages == 0)
		must(err_set(&err, ERR_CONFIG, "the stream has no line as `kcat -C -J` writes them"), &err);
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct play p = {.scratch = BUF_INIT};
	FILE *f = argc == 3 ? fopen(argv[2], "r") : NULL;
	if (!f) {
		fputs("usage: alert_play REDIS-URL STREAM.ndjson\n", stderr);
		return 2;
	}
	conf_init(&p.conf);
	must(conf_set(&p.conf, STR("redis"), str_of(argv[1]), (struct conf_origin){.source = CONF_FLAG}, &err),
	     &err);
	must(prices_load(&p.prices, &p.conf, &err) && alert_rules_load(&p.rules, &p.conf, &err) &&
	     intake_open(&p.intake, &p.conf, p.prices, (size_t)p.conf.message_bytes, NULL, NULL, &err), &err);
	play(&p, f);
	fclose(f);
	intake_close(&p.intake);
	alert_rules_release(&p.rules);
	prices_free(p.prices);
	buf_release(&p.scratch);
	conf_release(&p.conf);
	return 0;
}
