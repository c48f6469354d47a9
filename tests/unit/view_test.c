// SPDX-License-Identifier: Apache-2.0
// Readers see an hour as it was settled at one time, also while it is settled again and again: its calls
// belong to its tokens.
#include <signal.h>
#include <sys/wait.h>

#include "store/view.h"
#include "tests/support/engine.h"

#define CALLER "arn:aws:iam::" TEST_ACCOUNT ":user/ann - "
#define LONG_NAME "vendor.a-model-with-a-name-that-is-long-enough-for-a-page-of-hours-to-be-asked-for-in-pieces"

enum { HOURS = 160, READS = 600, FIRST_HOUR = 494280 };

// An hour has as many calls as tokens.
static const char settle_lua[] =
	"local index, meta, usage, n = KEYS[1], KEYS[1] .. '_meta:' .. ARGV[2], KEYS[1] .. ':' .. ARGV[2], ARGV[3] "
	"redis.call('ZADD', index, ARGV[1], ARGV[2]) "
	"redis.call('HSET', meta, '" CALLER "calls', n .. ' 0', 'digest', string.format('%016x', n)) "
	"redis.call('HSET', usage, '" CALLER "input', n .. ' 0 ' .. n .. ' 0 0 0 0 0 0')";

static void settle_hour_as(struct redis *r, int64_t hour, int n)
{
	char text[3][WHEN_SIZE + sizeof LONG_NAME], when[WHEN_SIZE];
	snprintf(text[0], sizeof text[0], "%lld", (long long)hour);
	snprintf(text[1], sizeof text[1], "%.13s:%s", when_format(hour * MS_PER_HOUR, when), LONG_NAME);
	snprintf(text[2], sizeof text[2], "%d", n);
	redis_cmdz(r, "EVAL", settle_lua, "1", "torn:" TEST_ACCT_REGION ":usage", text[0], text[1], text[2],
	           NULL);
}

static void settle_for_ever(void)
{
	struct redis *r;
	struct err err = ERR_INIT;
	must(redis_open(&r, (struct redis_target){.url = server.url}, &err), &err);
	for (int n = 1;; n++) {
		settle_hour_as(r, FIRST_HOUR + n * 7 % HOURS, 1 + n % 9);
		must(redis_exec(r, &err), &err);
	}
}

struct seen {
	int hours, torn;
};

static bool look_at_hour(void *user, struct view *v, const struct model_hour *hour)
{
	struct seen *seen = user;
	int64_t calls = 0, tokens = 0;
	(void)v;
	for (int i = 0; i < hour->nrows; i++) {
		if (hour->rows[i].kind == ROW_TOKENS)
			tokens += hour->rows[i].figure.tokens;
		else
			calls += hour->rows[i].calls.charged;
	}
	seen->hours++;
	seen->torn += calls != tokens;
	return true;
}

int main(void)
{
	struct err err = ERR_INIT;
	struct view *v;
	struct seen seen = {0};
	start_test_redis();
	redis_cmdz(test_redis, "SADD", "torn:acct_regions", TEST_ACCOUNT "/" TEST_REGION, NULL);
	for (int64_t hour = 0; hour < HOURS; hour++)
		settle_hour_as(test_redis, FIRST_HOUR + hour, 1);
	must(redis_exec(test_redis, &err), &err);
	pid_t settling = fork();
	if (settling == 0)
		settle_for_ever();
	must(view_open(&v, (struct redis_target){server.url, NULL, "torn", NULL}, &err), &err);
	for (int i = 0; i < READS; i++)
		must(view_each(v, FIRST_HOUR, FIRST_HOUR + HOURS, look_at_hour, &seen, &err), &err);
	kill(settling, SIGKILL);
	waitpid(settling, NULL, 0);
	is_int(seen.hours, HOURS * READS, "all hours are seen each time");
	is_int(seen.torn, 0, "and none has calls of one time and tokens of another");
	view_close(v);
	stop_test_redis();
	return done();
}
