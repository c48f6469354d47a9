// SPDX-License-Identifier: Apache-2.0
// What callers say of their own calls, in a real Redis: it adds tokens to the calls that AWS's records tell
// of, never a call, and never a token that a metric does not have.
#include "ingest/record.h"
#include "tests/support/engine.h"

enum { RECORDS_MAX = 16 };

static const int64_t MINUTE = 496800 * 60 + 20; // 2026-09-04T00:20Z

static struct arena arena;
static struct record records[RECORDS_MAX];
static int nrecords;
static struct conf_list alone; // accounts without CloudTrail
static char pattern[] = "rol*";
static char *patterns[] = {pattern};
static struct conf_list roles = {patterns, 1}; // whose sessions are joined by the second
static int round_number;

// ---- records ------------------------------------------------------------------------------------

static struct call *put_call(int64_t minute, int who)
{
	records[nrecords] = test_call(&arena, minute, who, nrecords);
	return &records[nrecords++].call;
}

static struct call *put_stream(int64_t minute, int who)
{
	struct call *c = put_call(minute, who);
	c->time_is_end = false;
	c->streaming = true;
	return c;
}

static void set_tokens(struct call *c, enum token_kind kind, uint32_t tokens)
{
	c->known[kind] = true;
	c->tokens[kind] = tokens;
}

// Of a call, or of one that no record tells of.
static struct telemetry *put_telemetry(const struct call *of, int64_t minute, uint32_t input)
{
	struct telemetry *t = &records[nrecords].telemetry;
	records[nrecords++] = (struct record){.kind = RECORD_TELEMETRY};
	t->call = (struct call){.time_ms = minute * MS_PER_MINUTE,
	                        .time_is_end = true,
	                        .request_id = of ? of->request_id : STR("nobody's"),
	                        .account = STR(TEST_ACCOUNT),
	                        .region = STR(TEST_REGION)};
	set_tokens(&t->call, TOKENS_INPUT, input);
	return t;
}

static void put_metric(int64_t minute, int64_t sum)
{
	records[nrecords++] = test_metric(minute, TOKENS_INPUT, sum);
}

static void put_log(const struct call *of, uint32_t input)
{
	struct record *r = &records[nrecords++];
	*r = (struct record){.kind = RECORD_CALL_TOKENS, .call = *of};
	r->call.source = SOURCE_LOG;
	set_tokens(&r->call, TOKENS_INPUT, input);
}

// ---- running ------------------------------------------------------------------------------------

static const char *prefix_of_round(void)
{
	return arena_text(&arena, "t%d", round_number).p;
}

// Applies the records, in the order of the list or backwards, at once or one by one.
static struct engine_counts run(bool backwards, bool one_by_one)
{
	round_number++;
	struct engine_options o = test_options(prefix_of_round());
	o.window_ms = o.retention_ms;
	o.telemetry_without_cloudtrail = &alone;
	o.telemetry_roles = &roles;
	struct engine *e = open_with(&o);
	for (int i = 0; i < nrecords; i++) {
		add(e, &records[backwards ? nrecords - 1 - i : i]);
		if (one_by_one) {
			apply(e);
			settle_all(e);
		}
	}
	apply(e);
	settle_all(e);
	struct engine_counts counts = *engine_counts(e);
	engine_close(e);
	return counts;
}

// The figures of the round as sorted lines: who, type, tokens, exact, and what of that is telemetry's.
static const char *figures(void)
{
	static const char script[] =
		"local lines, start = {}, ARGV[1] .. ':" TEST_ACCT_REGION ":usage:' "
		"for _, key in ipairs(redis.call('KEYS', start .. '*')) do "
		"  local held = redis.call('HGETALL', key) "
		"  for i = 1, #held, 2 do "
		"    local who, kind = string.match(held[i], '([^/]*) %S+ (%S+)$') "
		"    local tokens, exact = string.match(held[i + 1], '^(%d+) %S+ (%d+)') "
		"    local told = string.match(held[i + 1], 'telemetry:(%d+)') or '0' "
		"    lines[#lines + 1] = who .. ' ' .. kind .. ' ' .. tokens .. ' ' .. exact .. ' ' .. told "
		"  end "
		"end "
		"table.sort(lines) "
		"return table.concat(lines, '; ')";
	struct err err = ERR_INIT;
	redis_cmdz(test_redis, "EVAL", script, "0", prefix_of_round(), NULL);
	must(redis_exec(test_redis, &err), &err);
	return arena_str(&arena, redis_str(test_redis, 0)).p;
}

static int64_t waiting(void)
{
	struct err err = ERR_INIT;
	struct telemetry_waiting w;
	must(telemetry_waiting_read(test_redis, prefix_of_round(), 0, INT64_MAX, &w, &err), &err);
	return w.old;
}

// The figures in every order, which must be the same.
static void expect(const char *want, const char *name)
{
	char shown[160];
	for (int i = 0; i < 4; i++) {
		static const char *const orders[] = {"", ", one by one", ", backwards", ", backwards, one by one"};
		run(i & 2, i & 1);
		snprintf(shown, sizeof shown, "%s%s", name, orders[i]);
		is_str(figures(), want, shown);
	}
}

static void start(void)
{
	nrecords = 0;
	alone = (struct conf_list){0};
}

// ---- cases --------------------------------------------------------------------------------------

static void test_joining(void)
{
	start();
	const struct call *c = put_call(MINUTE, 1);
	put_call(MINUTE, 2);
	put_telemetry(c, MINUTE, 700);
	put_metric(MINUTE, 1000);
	expect("session-1 input 700 700 700; session-2 input 300 0 0",
	       "telemetry is exact, and the others have the rest of the metric");
	put_telemetry(c, MINUTE, 700);
	expect("session-1 input 700 700 700; session-2 input 300 0 0", "twice is once");
	put_log(c, 600);
	expect("session-1 input 600 600 0; session-2 input 400 0 0", "a log knows better");

	start();
	c = put_call(MINUTE, 1);
	set_tokens(&records[0].call, TOKENS_INPUT, 500);
	put_telemetry(c, MINUTE, 700);
	put_metric(MINUTE, 1000);
	expect("(unattributed) input 300 0 0; session-1 input 700 700 700", "CloudTrail knows less");
}

static void test_waiting(void)
{
	start();
	put_telemetry(NULL, MINUTE, 700);
	put_telemetry(NULL, MINUTE, 700);
	struct engine_counts counts = run(false, true);
	is_str(figures(), "", "telemetry alone is no call");
	is_int((int64_t)counts.calls_new, 0, "and is counted as none");
	is_int(waiting(), 1, "it waits");
	struct call *c = put_call(MINUTE, 1);
	c->request_id = STR("nobody's");
	counts = run(false, true);
	is_int(waiting(), 0, "until its call comes");
	is_int((int64_t)counts.calls_new, 1, "which is one");
	run(true, true);
	is_int(waiting(), 0, "or has come");
	expect("session-1 input 700 700 700", "without a metric, nothing speaks against it");
}

static void test_refusing(void)
{
	start();
	const struct call *a = put_call(MINUTE, 1), *b = put_call(MINUTE, 2);
	put_telemetry(a, MINUTE, 900);
	put_telemetry(b, MINUTE, 300);
	put_metric(MINUTE, 1000);
	expect("session-1 input 700 0 0; session-2 input 300 300 300",
	       "of more than the metric has the most is refused");
	start();
	a = put_call(MINUTE, 1);
	put_log(a, 950);
	b = put_call(MINUTE, 2);
	put_telemetry(b, MINUTE, 300);
	put_metric(MINUTE, 1000);
	expect("session-1 input 950 950 0; session-2 input 50 0 0", "and never what a log knows");
	start();
	a = put_call(MINUTE, 1);
	put_telemetry(a, MINUTE, 1);
	put_metric(MINUTE, 1000);
	expect("(unattributed) input 999 0 0; session-1 input 1 1 1", "what is too little is nobody's, and shown");
	start();
	a = put_call(MINUTE, 1);
	put_telemetry(a, MINUTE, 4000000000);
	run(false, false);
	is_str(figures(), "", "what no call can have is not believed without a metric either");
	is_int(waiting(), 0, "it does not wait");
}

static void test_time(void)
{
	start();
	const struct call *c = put_stream(MINUTE, 1);
	put_call(MINUTE, 2);
	put_telemetry(c, MINUTE + 1, 700);
	put_metric(MINUTE, 300);
	put_metric(MINUTE + 1, 700);
	expect("session-1 input 700 700 700; session-2 input 300 0 0",
	       "telemetry knows in which minute a stream ended");
	start();
	c = put_call(MINUTE, 1);
	put_telemetry(c, MINUTE + 2, 700);
	put_metric(MINUTE, 700);
	expect("session-1 input 700 700 700", "but no clock of a caller moves a call that AWS saw end");
}

// Without its request id: by user, model and second.
static struct telemetry *put_telling(int64_t start_s, int64_t end_s, int who, uint32_t input)
{
	struct telemetry *t = put_telemetry(NULL, 0, input);
	t->call.request_id = STR_NONE;
	t->call.time_ms = end_s * 1000;
	t->start_ms = start_s * 1000 + 300;
	t->call.model = t->call.model_called = STR(TEST_MODEL);
	t->user = arena_text(&arena, "session-%d", who);
	return t;
}

static const char *telemetry_of_hour(int64_t hour)
{
	char key[160], day[WHEN_SIZE];
	when_format(hour * MS_PER_HOUR, day);
	snprintf(key, sizeof key, "%s:" TEST_ACCT_REGION ":usage_meta:%.13s:" TEST_MODEL, prefix_of_round(), day);
	ask("HGET", key, "telemetry", NULL);
	return arena_str(&arena, redis_str(test_redis, 0)).p;
}

static void test_seconds(void)
{
	const int64_t second = MINUTE * 60 + 30;
	start();
	put_stream(MINUTE, 1)->time_ms = second * 1000;
	put_call(MINUTE, 2);
	put_telling(second + 1, second + 20, 1, 700);
	put_metric(MINUTE, 1000);
	expect("session-1 input 700 700 700; session-2 input 300 0 0", "by user, model and second");
	put_telling(second + 1, second + 20, 1, 700);
	expect("session-1 input 700 700 700; session-2 input 300 0 0", "twice the same is once");
	put_telling(second - 1, second + 9, 1, 200);
	expect("session-1 input 500 0 0; session-2 input 500 0 0", "but not if another fits as well");
	is_str(telemetry_of_hour(MINUTE / 60), "0 0 2", "which is counted");

	start();
	put_stream(MINUTE, 1)->time_ms = second * 1000;
	put_stream(MINUTE, 1)->time_ms = (second + 1) * 1000;
	put_telling(second, second + 20, 1, 700);
	put_metric(MINUTE, 1000);
	expect("session-1 input 1000 0 0", "nor if it fits two calls");

	start();
	put_stream(MINUTE, 1)->time_ms = second * 1000;
	put_telling(second + 2, second + 20, 1, 700);
	put_telling(second, second + 20, 2, 700);
	put_telling(second, second + 20, 1, 700)->call.model = STR("amazon.nova-pro-v1:0");
	put_metric(MINUTE, 1000);
	expect("session-1 input 1000 0 0", "another second, user or model does not fit");

	start();
	struct call *c = put_stream(MINUTE, 1);
	c->time_ms = second * 1000;
	put_log(c, 600);
	put_telling(second, second + 20, 1, 700);
	put_metric(MINUTE, 1000);
	expect("(unattributed) input 400 0 0; session-1 input 600 600 0", "a log knows better, by second as well");

	start();
	c = put_stream(MINUTE, 1);
	c->time_ms = second * 1000;
	put_telemetry(c, MINUTE, 650);
	put_telling(second, second + 20, 1, 700);
	put_metric(MINUTE, 1000);
	expect("(unattributed) input 350 0 0; session-1 input 650 650 650", "and so does the request id");

	start();
	put_call(MINUTE, 1)->time_ms = (second + 20) * 1000;
	put_telling(second, second + 20, 1, 700);
	put_metric(MINUTE, 1000);
	expect("(unattributed) input 300 0 0; session-1 input 700 700 700", "what is no stream is known by its end");

	start();
	put_stream(MINUTE, 1)->time_ms = second * 1000;
	put_call(MINUTE, 2);
	put_telling(second, second + 40, 1, 700);
	put_metric(MINUTE, 300);
	put_metric(MINUTE + 1, 700);
	expect("session-1 input 700 700 700; session-2 input 300 0 0", "a stream is booked where it ended");

	start();
	put_stream(MINUTE, 1)->time_ms = second * 1000;
	put_stream(MINUTE, 2)->time_ms = MINUTE * MS_PER_MINUTE;
	put_stream(MINUTE, 3)->time_ms = MINUTE * MS_PER_MINUTE + 59999;
	put_telling(second, second + 40, 1, 700);
	put_metric(MINUTE, 300);
	put_metric(MINUTE + 1, 800);
	records[nrecords - 2].metric.samples = 1;
	records[nrecords - 1].metric.samples = 2;
	expect("session-1 input 700 700 700; session-2 input 258 0 0; session-3 input 142 0 0",
	       "beside streams of which SampleCounts tell");

	start();
	put_stream(MINUTE, 1)->time_ms = second * 1000;
	put_telling(second, second + 3000, 1, 700); // ends in the next hour
	put_metric(MINUTE, 1000);
	expect("(unattributed) input 300 0 0; session-1 input 700 700 700", "and in its own hour in any case");
}

static void test_place(void)
{
	static char account[] = TEST_ACCOUNT;
	static char *accounts[] = {account};
	start();
	const struct call *c = put_call(MINUTE, 1);
	put_telemetry(c, MINUTE, 700)->call.account = STR_NONE;
	put_telemetry(c, MINUTE, 700)->call.request_id = STR_NONE;
	put_metric(MINUTE, 1000);
	struct engine_counts counts = run(false, false);
	is_str(figures(), "session-1 input 1000 0 0", "without account or request id nothing is joined");
	ok(counts.telemetry[TELEMETRY_UNPLACED] == 1 && counts.telemetry[TELEMETRY_WITHOUT_ID] == 1,
	   "which is counted");
	int64_t unused[TELEMETRY_UNUSED];
	struct err err = ERR_INIT;
	must(telemetry_counts_read(test_redis, prefix_of_round(), unused, &err), &err);
	ok(unused[TELEMETRY_UNPLACED] == 1 && unused[TELEMETRY_WITHOUT_ID] == 1, "in Redis, too");

	start();
	alone = (struct conf_list){accounts, 1};
	struct telemetry *t = put_telemetry(NULL, MINUTE, 700);
	t->call.model = t->call.model_called = STR(TEST_MODEL);
	t->principal = STR("arn:aws:iam::" TEST_ACCOUNT ":role/app");
	put_metric(MINUTE, 1000);
	expect("(unattributed) input 300 0 0; app input 700 700 700", "where no CloudTrail comes, it is a call");
	start();
	alone = (struct conf_list){accounts, 1};
	put_telemetry(NULL, MINUTE, 700);
	counts = run(false, false);
	is_int((int64_t)counts.telemetry[TELEMETRY_NAMELESS], 1, "if it says of whom");
}

int main(void)
{
	start_test_redis();
	test_joining();
	test_waiting();
	test_refusing();
	test_time();
	test_seconds();
	test_place();
	stop_test_redis();
	arena_release(&arena);
	return done();
}
