// SPDX-License-Identifier: Apache-2.0
// Which signal was missing, where and since when (query/signal_gaps.h): only while another one shows that it
// should have come.
#include "query/signal_gaps.h"

#include <stdio.h>

#include "base/when.h"
#include "store/keys.h"
#include "store/source_status.h"
#include "tests/support/engine.h"

static int64_t now; // minutes since the epoch; 2 days are looked at
static const char *place = "111122223333/us-east-1";

// Notes a signal in every `step`th of the minutes [from, to), which count back from now.
static void come(const char *prefix, enum observed_signal s, int from, int to, int step)
{
	struct err err = ERR_INIT;
	struct buf key = BUF_INIT;
	redis_cmd(test_redis, 3, (struct str[]){STR("SADD"), key_acct_regions(&key, prefix), str_of(place)});
	must(redis_exec(test_redis, &err), &err);
	buf_release(&key);
	for (int m = from; m > to; m -= step) {
		const struct observed_span span = {str_of(place), s, now - m, now - m + 1};
		observed_queue(test_redis, prefix, &span, 1000LL * MS_PER_HOUR);
	}
	must(redis_exec(test_redis, &err), &err);
}

// "metrics 300-" or "calls 300-100" in minutes before now, with "!" if it never came; "": nothing is missing.
static void misses(const char *what, const char *prefix, const char *want)
{
	struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	struct signal_gaps gaps;
	struct buf text = BUF_INIT;
	must(signal_gaps_read(&arena, test_redis, prefix, now * MS_PER_MINUTE, 2, &gaps, &err), &err);
	for (size_t i = 0; i < gaps.n; i++) {
		buf_addf(&text, "%s%s %lld-", i ? " " : "", observed_words[gaps.v[i].signal],
		         (long long)(now - gaps.v[i].from));
		if (gaps.v[i].to)
			buf_addf(&text, "%lld", (long long)(now - gaps.v[i].to));
		buf_adds(&text, gaps.v[i].never ? "!" : "");
	}
	is_str(text.len ? text.data : "", want, what);
	buf_release(&text);
	arena_release(&arena);
}

// The API of AWS is asked for metrics.
static void ask_for_metrics(const char *prefix)
{
	struct err err = ERR_INIT;
	const struct source_status s = {
		.source = STR("metrics"), .acct_region = str_of(place), .position_ms = now * MS_PER_MINUTE};
	source_status_queue(test_redis, prefix, &s);
	must(redis_exec(test_redis, &err), &err);
}

// There are figures of an hour.
static void use_hour(const char *prefix, int64_t hour)
{
	struct err err = ERR_INIT;
	struct buf key = BUF_INIT, member = BUF_INIT, score = BUF_INIT;
	buf_addf(&score, "%lld", (long long)hour);
	redis_cmd(test_redis, 4,
	          (struct str[]){STR("ZADD"), key_usage_index(&key, prefix, str_of(place)), buf_str(&score),
	                         key_member(&member, hour, STR("claude"))});
	must(redis_exec(test_redis, &err), &err);
	buf_release(&key);
	buf_release(&member);
	buf_release(&score);
}

int main(void)
{
	now = when_now_ms() / MS_PER_MINUTE;
	start_test_redis();
	misses("nothing of nobody", "none", "");
	come("quiet", OBSERVED_CALLS, 1000, 700, 1);
	come("quiet", OBSERVED_METRICS, 1000, 700, 1);
	misses("when nobody calls, nothing is missing", "quiet", "");
	come("even", OBSERVED_CALLS, 1000, 10, 7);
	come("even", OBSERVED_METRICS, 1000, 2, 11);
	misses("a signal that is behind is not missing", "even", "");
	come("metrics", OBSERVED_CALLS, 1000, 0, 5);
	come("metrics", OBSERVED_METRICS, 1000, 400, 5);
	misses("metrics that stopped while calls go on", "metrics", "metrics 404-");
	come("metrics", OBSERVED_METRICS, 100, 0, 5);
	misses("and came back", "metrics", "metrics 404-100");
	come("calls", OBSERVED_METRICS, 1000, 0, 5);
	misses("calls that never came", "calls", "calls 1000-!");
	come("calls", OBSERVED_CALLS, 200, 0, 5);
	misses("until they did", "calls", "calls 1000-200");
	come("logs", OBSERVED_CALLS, 1000, 0, 5);
	come("logs", OBSERVED_METRICS, 1000, 0, 5);
	misses("logs that were never on are not missing", "logs", "");
	come("logs", OBSERVED_LOGS, 1000, 500, 5);
	misses("logs that stopped are", "logs", "logs 504-");
	come("few", OBSERVED_CALLS, 1000, 900, 5);
	come("few", OBSERVED_METRICS, 1000, 900, 5);
	come("few", OBSERVED_CALLS, 500, 200, 100);
	misses("three minutes of another signal are too few to tell", "few", "");
	come("asked", OBSERVED_METRICS, 2000, 5, 1);
	come("asked", OBSERVED_CALLS, 2000, 1200, 5);
	come("asked", OBSERVED_CALLS, 300, 3, 5);
	ask_for_metrics("asked");
	misses("minutes of metrics that an API was asked for are no sign of calls", "asked", "");
	use_hour("asked", (now - 700) / 60);
	misses("a whole hour of them with figures is", "asked", "calls 1204-300");
	stop_test_redis();
	return done();
}
