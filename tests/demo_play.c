// SPDX-License-Identifier: Apache-2.0
// How good the estimate of the demo's hour is, over many starts of it: make accuracy-demo [STARTS=100]
//
//     demo_play [STARTS [SEED]]
//
// The first half of the table plays the hour of one seed, as `nowcast demo` does, at other times: the calls
// fall into other minutes, and so do the metrics. The second half has another seed for each start. Every
// start goes through a private Redis, once without any bill and once after the bill of a day before.
//
//     off     sum |estimate - truth| / sum truth, in dollars by principal: the mean over the starts, the
//             worst, how many are above the reach
//     >35 %   the part of the callers that are off by more than that
//     held    how often the band holds the truth, by count
//
// Exit status 3: it falls short of its reach.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/conf.h"
#include "base/log.h"
#include "base/when.h"
#include "demo/billed_day.h"
#include "demo/truth.h"
#include "store/redis.h"
#include "store/view.h"
#include "tests/redis_server.h"

enum {
	CALLER_OFF = 350, // tenths of a percent
	REACH_WORST = 120, // no start is further off, without a bill
	REACH_CALLERS = 3 // percent of the callers of all starts
};

static const int64_t first_ms = 1793577600000; // 2026-11-02T00:00:00Z

struct score {
	const char *name;
	int64_t starts, off, worst, worst_start, above, callers, callers_off, held;
};

static struct redis_server server;

static void must(bool good, const struct err *err)
{
	if (good)
		return;
	fprintf(stderr, "demo_play: %s\n", err->msg);
	redis_server_stop(&server);
	exit(1);
}

static void add_truth(struct score *s, int64_t start, const struct truth *t)
{
	int64_t off = truth_missed(t), tenths;
	s->starts++;
	s->off += off;
	s->above += off > REACH_WORST;
	if (getenv("DEMO_PLAY_ALL"))
		printf("%s, start %" PRId64 ": %.3f\n", s->name, start, (double)off / 1000);
	if (off > s->worst) {
		s->worst = off;
		s->worst_start = start;
	}
	for (int i = 0; i < t->n; i++) {
		const struct truth_row *r = &t->rows[i];
		if (!truth_off(r, &tenths))
			continue;
		s->callers++;
		s->callers_off += llabs(tenths) > CALLER_OFF;
		s->held += usd_cmp(r->low, r->truth) <= 0 && usd_cmp(r->truth, r->high) <= 0;
	}
}

static void play(const struct conf *conf, int64_t start, int64_t from_ms, uint64_t seed, struct score *first,
                 struct score *taught)
{
	struct err err = ERR_INIT;
	struct redis *redis;
	struct view *view = NULL;
	struct traffic traffic;
	struct truth truth;
	must(redis_open(&redis, redis_target_of(conf), &err), &err);
	redis_cmd(redis, 1, (struct str[]){STR("FLUSHALL")});
	must(redis_exec(redis, &err), &err);
	redis_close(redis);
	traffic_make(&traffic, from_ms, seed);
	must(traffic_replay(conf, &traffic, &err) && view_open(&view, redis_target_of(conf), &err), &err);
	must(truth_read(view, &traffic, &truth, &err), &err);
	add_truth(first, start, &truth);
	must(billed_day_add(conf, from_ms, seed, &err) && truth_read(view, &traffic, &truth, &err), &err);
	add_truth(taught, start, &truth);
	view_close(view);
	traffic_release(&traffic);
}

static bool print_score(const struct score *s, bool reach)
{
	bool far = reach && s->worst > REACH_WORST,
		 many = reach && s->callers_off * 100 > s->callers * REACH_CALLERS;
	double callers = s->callers ? (double)s->callers : 1;
	printf("%-32s %6" PRId64 "   %.3f  %.3f (start %3" PRId64 ")  %5" PRId64 "  %5.1f %%  %.2f   %s%s%s\n",
	       s->name, s->starts, (double)s->off / (double)s->starts / 1000, (double)s->worst / 1000,
	       s->worst_start, s->above, 100 * (double)s->callers_off / callers, (double)s->held / callers,
	       far ? "worst" : "", far && many ? ", " : "",
	       many  ? "callers"
	       : far ? ""
	             : "-");
	return !far && !many;
}

int main(int argc, char **argv)
{
	int64_t starts = argc > 1 ? atoll(argv[1]) : 100;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	struct conf conf;
	struct score scores[] = {{.name = "the same calls"},
	                         {.name = "the same calls, after a bill"},
	                         {.name = "other calls"},
	                         {.name = "other calls, after a bill"}};
	if (starts < 1 || !redis_server_start(&server)) {
		fprintf(stderr, starts < 1 ? "usage: demo_play [STARTS [SEED]]\n" : "demo_play: no redis-server\n");
		return 1;
	}
	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, false); // one of the models has no price
	conf_init(&conf);
	struct err err = ERR_INIT;
	must(conf_set(&conf, STR("redis"), str_of(server.url), (struct conf_origin){CONF_FLAG, 0}, &err) &&
	         conf_set(&conf, STR("window"), STR("48h"), (struct conf_origin){CONF_FLAG, 0}, &err),
	     &err);
	for (int64_t i = 0; i < starts; i++) {
		int64_t from_ms = first_ms + i * MS_PER_HOUR / starts;
		play(&conf, i, from_ms, seed, &scores[0], &scores[1]);
		play(&conf, i, from_ms, seed + 1000 + (uint64_t)i, &scores[2], &scores[3]);
	}
	printf("%-32s %6s   %-5s  %-17s  %5s  %7s  %-4s   %s\n", "the demo's hour", "starts", "off", "worst",
	       "above", ">35 %", "held", "short");
	bool good = print_score(&scores[0], true);
	print_score(&scores[1], false);
	good = print_score(&scores[2], true) && good;
	print_score(&scores[3], false);
	printf("reach, without a bill: no start above %.2f, at most %d %% of callers off by more than 35 %%\n",
	       REACH_WORST / 1000.0, REACH_CALLERS);
	conf_release(&conf);
	redis_server_stop(&server);
	return good ? 0 : 3;
}
