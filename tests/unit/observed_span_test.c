// SPDX-License-Identifier: Apache-2.0
// Which minutes of a span were observed (query/observed.h), out of what Redis holds of them.
#include "query/observed.h"

#include "query/rollups.h"
#include "store/keys.h"
#include "store/observed.h"
#include "store/source_status.h"
#include "tests/support/engine.h"

#define US "111122223333/us-east-1"
#define EU "111122223333/eu-west-1"
enum { DAY0 = 20000, HOUR0 = DAY0 * 24, MIN0 = DAY0 * OBSERVED_DAY };

static const char *prefix;

static void run(void)
{
	struct err err = ERR_INIT;
	must(redis_exec(test_redis, &err), &err);
}

static void begin(const char *name)
{
	diag("%s", name);
	prefix = name;
}

// Minutes [from, to) of day 0 were observed.
static void seen(const char *place, int from, int to)
{
	struct buf key = BUF_INIT;
	const struct observed_span s = {*place ? str_of(place) : STR_NONE, OBSERVED_CALLS, MIN0 + from,
	                                MIN0 + to};
	char newest[32];
	observed_queue(test_redis, prefix, &s, 100000LL * MS_PER_HOUR);
	if (*place) {
		redis_cmd(test_redis, 3,
		          (struct str[]){STR("SADD"), key_acct_regions(&key, prefix), str_of(place)});
		snprintf(newest, sizeof newest, "%lld", (long long)(MIN0 + to - 1) * MS_PER_MINUTE);
		redis_cmd(test_redis, 5,
		          (struct str[]){STR("ZADD"), key_signals(&key, prefix), STR("GT"), str_of(newest),
		                         STR("call")});
	}
	buf_release(&key);
	run();
}

// The gaps of hours [from, to) of day 0, as of a minute of it: "120-180 nothing was read of this time; ...".
static const char *gaps(int from, int to, int now, const struct group_filter *only)
{
	static char text[600];
	struct err err = ERR_INIT;
	struct observed o;
	const struct observed_query q = {only, HOUR0 + from, HOUR0 + to, (int64_t)(MIN0 + now) * MS_PER_MINUTE};
	size_t n = 0;
	must(observed_load(&o, test_redis, prefix, &q, &err), &err);
	*text = '\0';
	for (int i = 0; i < o.ngaps; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%lld-%lld %.*s", i ? "; " : "",
		                      (long long)o.gaps[i].from - MIN0, (long long)o.gaps[i].to - MIN0,
		                      STR_ARG(o.gaps[i].why));
	observed_release(&o);
	return text;
}

static void one_place(void)
{
	struct err err = ERR_INIT;
	struct observed o;
	begin("one");
	is_str(gaps(0, 1, 60, NULL), "0-60 nothing was read of this time", "an empty Redis has observed nothing");
	seen(US, 0, 60);
	seen(US, 119, 180);
	seen(US, 240, 300);
	is_str(gaps(0, 5, 300, NULL), "180-240 nothing was read of this time",
	       "an hour without anything is a gap, a minute less is none");
	is_str(gaps(0, 6, 360, NULL), "180-240 nothing was read of this time; 300-360 nothing was read of this time",
	       "so is the last hour");
	is_str(gaps(1, 4, 600, NULL), "180-240 nothing was read of this time", "the minutes after a span count");
	const struct observed_query q = {NULL, HOUR0, HOUR0 + 7, (int64_t)(MIN0 + 340) * MS_PER_MINUTE};
	must(observed_load(&o, test_redis, prefix, &q, &err), &err);
	is_int(observed_count(&o, MIN0, MIN0 + 420, MINUTE_OBSERVED), 240, "minutes that were observed");
	is_int(observed_count(&o, MIN0, MIN0 + 420, MINUTE_UNOBSERVED), 60, "were not");
	is_int(observed_count(&o, MIN0, MIN0 + 420, MINUTE_COMING), 40, "may still come");
	is_int(observed_count(&o, MIN0, MIN0 + 420, MINUTE_AHEAD), 80, "are ahead");
	is_int(observed_permille(&o, MIN0 + 120, MIN0 + 240), 500, "half of two hours");
	is_int(observed_permille(&o, MIN0 + 120, MIN0 + 420), 666, "what is to come is no part of it");
	is_int(observed_permille(&o, MIN0 + 310, MIN0 + 420), -1, "where all is to come there is no part");
	observed_release(&o);
}

static void two_places(void)
{
	struct group_filter eu = {.by = {.n = 1, .by = {BY_REGION}}, .value = {STR("eu-west-1")}};
	begin("two");
	seen(US, 0, 600);
	seen(EU, 0, 180);
	seen(EU, 300, 600);
	is_str(gaps(0, 10, 600, NULL), "180-300 nothing was read of " EU, "a Region that lacks time is named");
	is_str(gaps(0, 10, 600, &eu), "180-300 nothing was read of this time", "a filter asks of it alone");
	eu.value[0] = STR("us-east-1");
	is_str(gaps(0, 10, 600, &eu), "", "the other one lacks nothing");
	begin("small");
	seen(US, 0, 600);
	seen(EU, 0, 5);
	is_str(gaps(0, 10, 600, NULL), "", "one that is hardly used makes no gap");
	begin("new");
	seen(US, 0, 600);
	seen(EU, 400, 600);
	is_str(gaps(0, 10, 600, NULL), "", "nor does one before it was first used");
}

static void kafka(void)
{
	struct buf key = BUF_INIT;
	char value[128];
	begin("kafka");
	seen(US, 0, 60);
	seen(US, 540, 600);
	is_str(gaps(0, 10, 600, NULL), "60-540 nothing was read of this time", "a night without a record");
	seen("", 0, 700);
	is_str(gaps(0, 10, 600, NULL), "", "was quiet if Kafka was read to its end");
	is_str(gaps(0, 12, 720, NULL), "600-720 nothing was read of this time",
	       "silence that lasts is not known to be one");
	snprintf(value, sizeof value, "%lld 9 %lld %lld retention", (long long)MIN0 * MS_PER_MINUTE,
	         (long long)(MIN0 + 100) * MS_PER_MINUTE, (long long)(MIN0 + 131) * MS_PER_MINUTE);
	redis_cmd(test_redis, 4,
	          (struct str[]){STR("HSET"), key_missing(&key, prefix), STR("topic 0 5 c g"), str_of(value)});
	buf_release(&key);
	run();
	is_str(gaps(0, 10, 600, NULL), "101-131 Kafka deleted messages before they were read",
	       "what Kafka deleted was not read");
	begin("api");
	seen(US, 0, 60);
	seen(US, 540, 600);
	seen("", 0, 600);
	const struct source_status s = {.source = STR("cloudtrail"),
	                                .acct_region = STR(US),
	                                .position_ms = 1,
	                                .failing_ms = (int64_t)(MIN0 + 590) * MS_PER_MINUTE,
	                                .text = STR("no permission")};
	source_status_queue(test_redis, prefix, &s);
	run();
	is_str(gaps(0, 10, 600, NULL), "60-540 nothing was read of this time",
	       "Kafka says nothing of what is read by AWS's APIs");
	is_str(gaps(10, 12, 720, NULL), "600-720 cloudtrail has failed since then: no permission",
	       "a source that fails is the reason");
}

static void known_otherwise(void)
{
	struct buf key = BUF_INIT;
	char hours[2][24];
	begin("billed");
	seen(US, 0, 60);
	seen(US, 540, 600);
	snprintf(hours[0], sizeof hours[0], "%d", HOUR0 + 2);
	snprintf(hours[1], sizeof hours[1], "%d", HOUR0 + 6);
	key_billed(&key, prefix, STR(US));
	redis_cmdz(test_redis, "HSET", key.data, "since", hours[0], "watermark", hours[1], NULL);
	run();
	is_str(gaps(0, 10, 600, NULL), "60-120 nothing was read of this time; 360-540 nothing was read of this time",
	       "what is billed is observed");
	begin("upgraded");
	seen(US, 540, 600);
	snprintf(hours[0], sizeof hours[0], "%lld", (long long)(MIN0 + 300) * MS_PER_MINUTE);
	key_observed_since(&key, prefix);
	redis_cmdz(test_redis, "SET", key.data, hours[0], NULL);
	buf_release(&key);
	run();
	is_str(gaps(0, 10, 600, NULL), "300-540 nothing was read of this time",
	       "what was before minutes were noted counts as observed");
}

static void cached(void)
{
	struct err err = ERR_INIT;
	struct rollups *f;
	int64_t now_ms = (int64_t)(MIN0 + 700) * MS_PER_MINUTE;
	begin("one");
	must(rollups_open(&f, (struct redis_target){server.url, NULL, prefix, NULL}, &err), &err);
	const struct observed *o = rollups_observed(f, NULL, HOUR0, HOUR0 + 10, now_ms, &err);
	ok(o && observed_permille(o, MIN0 + 120, MIN0 + 240) == 500, "a page's sums know the same minutes");
	ok(o && rollups_observed(f, NULL, HOUR0 - 48, HOUR0 + 2, now_ms, &err) == o,
	   "and read those of two months once");
	struct group_filter us = {.by = {.n = 1, .by = {BY_REGION}}, .value = {STR("us-east-1")}};
	ok(rollups_observed(f, &us, HOUR0, HOUR0 + 10, now_ms, &err) != o, "those of a filter are others");
	rollups_close(f);
}

// A span that ends in 1970 begins before the first minute there is.
static void before_the_epoch(void)
{
	struct err err = ERR_INIT;
	struct observed o;
	const struct observed_query q = {NULL, -30 * 24, 1, 30 * MS_PER_MINUTE},
								earlier = {NULL, -30 * 24, -1, 30 * MS_PER_MINUTE};
	begin("epoch");
	must(observed_load(&o, test_redis, prefix, &q, &err), &err);
	is_int(o.from, 0, "it is cut there");
	is_int(observed_count(&o, -600, 60, MINUTE_UNOBSERVED), 630, "and nothing was observed");
	ok(o.ngaps == 1 && o.gaps[0].from == 0 && o.gaps[0].to == 30, "of which the minutes since are a gap");
	observed_release(&o);
	must(observed_load(&o, test_redis, prefix, &earlier, &err), &err);
	is_int(o.to - o.from, 0, "of one that ends before it nothing is left");
	observed_release(&o);
}

int main(void)
{
	start_test_redis();
	before_the_epoch();
	one_place();
	two_places();
	kafka();
	known_otherwise();
	cached();
	stop_test_redis();
	return done();
}
