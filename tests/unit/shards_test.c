// SPDX-License-Identifier: Apache-2.0
// The shards of an account and Region (store/shards.h): where calls are, that writers and readers that die
// half way lose nothing, and what becomes of another number in the configuration.
// tests/unit/convergence_test.c compares figures with those of one shard under random input.
#include "store/shards.h"

#include "store/evidence.h"
#include "store/keys.h"
#include "store/redis_cluster.h"
#include "store/telemetry_counts.h"
#include "tests/support/engine.h"

enum { HOURS = 3, MINUTES = 60 * HOURS, CALLERS = 7 };

static struct arena arena;
static int64_t first; // minute

static char shard_count[8] = "1", *shard_counts[] = {shard_count};
static struct conf_list counts = {shard_counts, 1};
static int told, told_held, told_configured;

static void on_shards(void *user, struct str acct_region, int held, int configured)
{
	(void)user;
	(void)acct_region;
	told++;
	told_held = held;
	told_configured = configured;
}

static struct engine_options options_of(const char *prefix)
{
	struct engine_options o = test_options(prefix);
	o.shards = &counts;
	o.on_shards = on_shards;
	o.reopen_ms = 24LL * MS_PER_HOUR;
	return o;
}

static struct engine *open_shards(const char *prefix, int n)
{
	struct engine_options o = options_of(prefix);
	snprintf(shard_count, sizeof shard_count, "%d", n);
	told = 0;
	return open_with(&o);
}

// Calls number from..to - 1, some of them at the edges of hours, and with the last ones the metrics.
static void add_calls(struct engine *e, int from, int to, bool metrics)
{
	for (int i = from; i < to; i++) {
		struct record r = test_call(&arena, first + i * 7 % MINUTES, i % CALLERS, i);
		r.call.known[TOKENS_INPUT] = r.call.known[TOKENS_OUTPUT] = i % 3 == 0;
		r.call.tokens[TOKENS_INPUT] = 100 + (uint32_t)i % 50;
		r.call.tokens[TOKENS_OUTPUT] = 10;
		add(e, &r);
	}
	for (int m = 0; m < MINUTES && metrics; m++) {
		struct record input = test_metric(first + m, TOKENS_INPUT, 50000),
					  output = test_metric(first + m, TOKENS_OUTPUT, 4000);
		add(e, &input);
		add(e, &output);
	}
}

enum { CALLS = 900 };

static void add_all(struct engine *e)
{
	add_calls(e, 0, CALLS, true);
}

static void write_all(const char *prefix, int shards)
{
	struct engine *e = open_shards(prefix, shards);
	add_all(e);
	apply(e);
	settle_all(e);
	engine_close(e);
}

// All figures of a prefix as sorted text.
static char *figures(const char *prefix)
{
	static const char lua[] =
		"local keys, out = redis.call('KEYS', ARGV[1] .. ':{*}:usage*'), {} table.sort(keys) "
		"for _, key in ipairs(keys) do out[#out + 1] = string.sub(key, #ARGV[1] + 1) "
		"if redis.call('TYPE', key).ok == 'hash' then local fields = redis.call('HKEYS', key) table.sort(fields) "
		"for _, f in ipairs(fields) do out[#out + 1] = f .. ' = ' .. redis.call('HGET', key, f) end "
		"else out[#out + 1] = table.concat(redis.call('ZRANGE', key, 0, -1), ' ') end end "
		"return table.concat(out, '\\n')";
	struct err err = ERR_INIT;
	redis_cmdz(test_redis, "EVAL", lua, "0", prefix, NULL);
	must(redis_exec(test_redis, &err), &err);
	return xstrdup(redis_str(test_redis, 0));
}

static bool compare_figures(const char *prefix, const char *other, bool show)
{
	char *a = figures(prefix), *b = figures(other);
	bool same = strlen(a) > 100 && strcmp(a, b) == 0;
	for (size_t i = 0; show && !same && (a[i] || b[i]); i++)
		if (a[i] != b[i]) {
			diag("%s: ...%.100s\n# %s: ...%.100s", prefix, a + i, other, b + i);
			break;
		}
	free(a);
	free(b);
	return same;
}

static bool same_figures(const char *prefix, const char *other)
{
	return compare_figures(prefix, other, true);
}

static int64_t keys(const char *pattern)
{
	return ask("KEYS", pattern, NULL, NULL);
}

// Calls under all keys of a pattern, packed or not.
static int64_t count_calls(const char *pattern)
{
	static const char lua[] = "local n = 0 for _, key in ipairs(redis.call('KEYS', ARGV[1])) do "
							  "n = n + redis.call('HLEN', key) end return n";
	struct err err = ERR_INIT;
	redis_cmdz(test_redis, "EVAL", lua, "0", pattern, NULL);
	must(redis_exec(test_redis, &err), &err);
	return redis_int(test_redis, 0);
}

static void test_places(void)
{
	write_all("one", 1);
	write_all("eight", 8);
	write_all("two", 2);
	ok(same_figures("one", "eight"), "eight shards give the figures of one");
	ok(same_figures("one", "two"), "and two");
	is_int(keys("one:{*~*"), 0, "one has no keys of its own");
	is_int(count_calls("eight:{*}:calls:*"), CALLS, "each call is kept once");
	is_int(count_calls("eight:" TEST_ACCT_REGION ":calls:*"), 0, "none by the account and Region");
	int64_t least = CALLS, most = 0;
	for (int k = 1; k <= 8; k++) {
		char pattern[96];
		snprintf(pattern, sizeof pattern, "eight:{" TEST_ACCOUNT "/" TEST_REGION "~%02d*}:calls:*", k);
		int64_t n = count_calls(pattern);
		least = n < least ? n : least;
		most = n > most ? n : most;
	}
	ok(least > CALLS / 8 * 2 / 3 && most < CALLS / 8 * 3 / 2, "a shard has %lld to %lld of %d calls",
	   (long long)least, (long long)most, CALLS);
	is_int(keys("eight:{*~09*"), 0, "there is no ninth");
	is_int(ask("GET", "eight:" TEST_ACCT_REGION ":shards", NULL, NULL), 8, "their number is in Redis");
	is_int(ask("ZCARD", "eight:{" TEST_ACCOUNT "/" TEST_REGION "~03di}:due", NULL, NULL), 0,
	       "nothing is left due");
	write_all("eight", 8);
	ok(same_figures("one", "eight"), "all of it once more changes nothing");
}

static void test_spread(void)
{
	enum { IDS = 64000 };
	int of[65] = {0}, least = IDS, most = 0;
	for (int i = 0; i < IDS; i++) {
		uint8_t id[EVIDENCE_ID] = {(uint8_t)(i >> 8), (uint8_t)i, 0, 0, 0, 0, 0x40, 0, 0x80};
		of[shard_of_call(id, 64)]++;
	}
	for (int k = 1; k <= 64; k++) {
		least = of[k] < least ? of[k] : least;
		most = of[k] > most ? of[k] : most;
	}
	ok(least > 850 && most < 1150, "ids that differ in two bytes spread over 64: %d to %d of 1,000", least,
	   most);
	uint8_t id[EVIDENCE_ID] = "twelve bytes";
	is_int(shard_of_call(id, 8), 3, "and every process finds the same shard"); // what Redis has depends on it
}

// Any power of two shards are in as many equal parts of the slots.
static void test_slots(void)
{
	static const char *const places[] = {TEST_ACCOUNT "/" TEST_REGION, "000000000000/ap-southeast-2", "x/y"};
	struct buf name = BUF_INIT, key = BUF_INIT;
	bool even = true;
	for (int n = 2; n <= SHARDS_MAX; n *= 2)
		for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
			uint64_t parts = 0;
			for (int k = 1; k <= n; k++) {
				struct str place = shard_place(&name, str_of(places[i]), k);
				parts |= UINT64_C(1) << (redis_slot(key_due(&key, "nowcast", place)) / (REDIS_SLOTS / n));
			}
			even &= parts == (n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1);
		}
	ok(even, "any power of two shards are in as many parts of the slots");
	// what Redis has depends on it
	is_str(shard_place(&name, STR("a/r"), 12).p, "a/r~12fp", "a shard's name");
	is_str(shard_place(&name, STR("a/r"), 0).p, "a/r", "and that of all of them");
	buf_release(&name);
	buf_release(&key);
}

static void test_counts(void)
{
	static char all[] = "2", one[] = " 111122223333/us-east-1 = 8", *items[] = {all, one};
	const struct conf_list list = {items, 2}, first_alone = {items, 1}, second_alone = {items + 1, 1};
	const struct str place = STR("111122223333/us-east-1"), other = STR("111122223333/eu-west-1");
	is_int(shard_counts_of(&list, place), 8, "what is said of an account and Region counts");
	is_int(shard_counts_of(&list, other), 2, "of the others, what is said of all");
	is_int(shard_counts_of(&first_alone, place), 2, "or only that");
	is_int(shard_counts_of(&second_alone, other), 1, "else one");
	is_int(shard_counts_of(NULL, place), 1, "without a list, too");
}

// Another number in the configuration changes nothing.
static void test_number(void)
{
	struct engine *e = open_shards("fixed", 1);
	add_calls(e, 0, CALLS / 2, false);
	apply(e);
	engine_close(e);
	e = open_shards("fixed", 8);
	add_all(e);
	apply(e);
	settle_all(e);
	ok(told == 1 && told_held == 1 && told_configured == 8,
	   "a place with facts keeps one shard, and it is said");
	apply(e);
	add_calls(e, 0, 10, false);
	apply(e);
	is_int(told, 1, "once");
	is_int((int64_t)engine_counts(e)->calls_new, CALLS - CALLS / 2, "each call was new once");
	engine_close(e);
	is_int(keys("fixed:{*~*") + keys("fixed:*:shards"), 0, "there are no shards");
	ok(same_figures("one", "fixed"), "the figures are the same");

	e = open_shards("three", 3);
	add_calls(e, 0, CALLS / 2, false);
	apply(e);
	engine_close(e);
	e = open_shards("three", 5);
	add_all(e);
	apply(e);
	is_int((int64_t)engine_counts(e)->calls_new, CALLS - CALLS / 2,
	       "a writer of five finds what one of three wrote");
	ok(told == 1 && told_held == 3 && told_configured == 5, "and says so");
	engine_close(e);
	e = open_shards("three", 1);
	settle_all(e);
	ok(told == 1 && told_held == 3, "who only computes finds them, too");
	engine_close(e);
	is_int(keys("three:{*~04*"), 0, "there is no fourth");
	ok(same_figures("one", "three"), "the figures are the same");
}

// A user of Redis with fewer rights dies where those end: the rest of the batch, or of a promotion, is
// missing.
static struct engine *open_dying(const char *prefix, int n, const char *user)
{
	struct engine_options o = options_of(prefix);
	snprintf(shard_count, sizeof shard_count, "%d", n);
	o.redis.url = arena_text(&arena, "unix://%s:secret@%s", user, server.url + strlen("unix:")).p;
	return open_with(&o);
}

static void let(const char *user, const char *const *rights)
{
	struct err err = ERR_INIT;
	struct str argv[16] = {STR("ACL"), STR("SETUSER"), str_of(user), STR("reset"), STR("on"), STR(">secret")};
	int n = 6;
	for (; *rights; rights++)
		argv[n++] = str_of(*rights);
	redis_cmd(test_redis, n, argv);
	must(redis_exec(test_redis, &err), &err);
}

static void test_deaths(void)
{
	struct err err = ERR_INIT, half = ERR_INIT, claims = ERR_INIT;
	size_t left;
	let("main", (const char *const[]){"+@all", "~dies:[a-z]*", "~dies:" TEST_ACCT_REGION "*", NULL});
	struct engine *e = open_dying("dies", 4, "main");
	add_all(e);
	ok(!engine_apply(e, &err), "a writer that may not write shards fails");
	engine_close(e);
	ok(keys("dies:" TEST_ACCT_REGION ":names:*") > 0 && keys("dies:{*~*") == 0,
	   "after it has written the rest");

	let("half", (const char *const[]){"+@all", "~dies:[a-z]*", "~dies:" TEST_ACCT_REGION "*",
	                                  "~dies:{" TEST_ACCOUNT "/" TEST_REGION "~01*",
	                                  "~dies:{" TEST_ACCOUNT "/" TEST_REGION "~02*", NULL});
	e = open_dying("dies", 4, "half");
	add_all(e);
	ok(!engine_apply(e, &half), "so does one that may write two of four");
	engine_close(e);
	ok(keys("dies:{*~02*") > 0 && keys("dies:{*~03*") == 0, "after these two");
	e = open_shards("dies", 4);
	settle_all(e); // what is there
	add_all(e);
	apply(e);
	engine_close(e);

	let("claims", (const char *const[]){"+@all", "~*", "-pexpire", NULL}); // which promoted.lua needs
	e = open_dying("dies", 4, "claims");
	ok(!engine_settle(e, true, &left, &claims), "one that may not take hours off a shard fails");
	diag("%s", claims.msg);
	engine_close(e);
	ok(ask("ZCARD", "dies:{" TEST_ACCOUNT "/" TEST_REGION "~03di}:due", NULL, NULL) > 0,
	   "they stay due there");
	ok(ask("ZCARD", "dies:" TEST_ACCT_REGION ":due", NULL, NULL) > 0,
	   "and are due in the account and Region");
	e = open_shards("dies", 4);
	settle_all(e);
	engine_close(e);
	ok(same_figures("one", "dies"), "the next one has them all, once");
	is_int(ask("ZCARD", "dies:{" TEST_ACCOUNT "/" TEST_REGION "~03di}:due", NULL, NULL), 0,
	       "and nothing is left");
}

static int64_t run_lua(const char *lua, const char *a, const char *b)
{
	struct err err = ERR_INIT;
	redis_cmdz(test_redis, "EVAL", lua, "0", a, b, NULL);
	must(redis_exec(test_redis, &err), &err);
	return redis_int(test_redis, 0);
}

// The master of the account and Region loses all that it had, or falls back to what it had a moment ago, and
// the shards do not: records are read again that change nothing there.
static void test_lost(void)
{
	static const char copy[] =
		"for _, key in ipairs(redis.call('KEYS', ARGV[1] .. ':{" TEST_ACCOUNT "/" TEST_REGION
		"}*')) do redis.call('COPY', key, ARGV[2] .. string.sub(key, #ARGV[1] + 1), 'REPLACE') end",
					  drop[] = "for _, key in ipairs(redis.call('KEYS', ARGV[1] .. ':{" TEST_ACCOUNT
							   "/" TEST_REGION "}*')) do redis.call('DEL', key) end";
	struct engine *e = open_shards("lost", 4);
	add_calls(e, 0, CALLS / 2, false);
	apply(e);
	settle_all(e);
	run_lua(copy, "lost", "before");
	add_all(e);
	apply(e);
	settle_all(e);
	ok(same_figures("one", "lost"), "all is there");
	run_lua(drop, "lost", "");
	run_lua(copy, "before", "lost");
	ok(!compare_figures("one", "lost", false), "the account and Region falls back");
	add_calls(e, 0, 0, true); // names are of the batch
	apply(e);
	settle_all(e);
	ok(same_figures("one", "lost"), "metrics again: calls that it has lost come from the shards");
	run_lua(drop, "lost", "");
	add_all(e);
	apply(e);
	is_int((int64_t)engine_counts(e)->calls_known, CALLS + CALLS / 2,
	       "after it has lost all, the shards know each call");
	settle_all(e);
	ok(same_figures("one", "lost"), "the figures are the same");
	run_lua(drop, "lost", "");
	engine_close(e);
	e = open_shards("lost", 2);
	add_all(e);
	struct err err = ERR_INIT;
	ok(!engine_apply(e, &err) && strstr(err.msg, "spread over 4"),
	   "but not by a writer that spreads them otherwise");
	diag("%s", err.msg);
	engine_close(e);
}

// As a worker does it, which waits for settle_ms: hours reach the account and Region, and are computed.
static void test_live(void)
{
	struct engine_options o = options_of("live");
	struct err err = ERR_INIT;
	size_t left;
	o.settle_ms = 20;
	snprintf(shard_count, sizeof shard_count, "%d", 4);
	struct engine *e = open_with(&o), *other = open_with(&o);
	for (int i = 0; i < CALLS; i += 100) {
		add_calls(e, i, i + 100, i + 100 == CALLS);
		apply(e);
		must(engine_settle(i % 200 ? e : other, false, &left, &err), &err);
	}
	for (int i = 0; i < 500 && keys("live:{*}:due"); i++) {
		usleep(10000);
		must(engine_settle(i % 2 ? e : other, false, &left, &err), &err);
	}
	is_int(keys("live:{*}:due"), 0, "nothing is left due, in shards neither");
	ok(same_figures("one", "live"), "the figures are the same");
	engine_close(e);
	engine_close(other);
}

// Records that come too late are late whatever their shard, and those of closed buckets are joined with calls
// that are packed.
static void test_late(void)
{
	struct engine_counts of[2];
	for (int i = 0; i < 2; i++) {
		const char *prefix = i ? "late4" : "late1";
		struct engine_options o = options_of(prefix);
		o.window_ms = 1; // the buckets close at once
		snprintf(shard_count, sizeof shard_count, "%d", i ? 4 : 1);
		struct engine *e = open_with(&o);
		add_calls(e, 0, CALLS / 2, false);
		apply(e);
		usleep(20000);
		settle_all(e);
		settle_all(e); // it packs
		add_calls(e, CALLS / 4, CALLS, true);
		apply(e);
		of[i] = *engine_counts(e);
		engine_close(e);
		e = open_with(&o);
		settle_all(e);
		engine_set_reopening(e, true);
		add_all(e);
		apply(e);
		settle_all(e);
		ok(keys(i ? "late4:{*~*}:packed:*" : "late1:{*}:packed:*") > 0, "calls are packed");
		is_int((int64_t)engine_counts(e)->calls_known, CALLS / 2,
		       "and records of closed hours joined with them");
		engine_close(e);
		ok(same_figures("one", prefix), "the figures are those of records in time");
	}
	is_int((int64_t)of[1].late, (int64_t)of[0].late,
	       "as many records are late with shards, calls and metrics");
	ok(of[0].late > CALLS / 2, "which some are");
}

static void test_telemetry(void)
{
	struct err err = ERR_INIT;
	struct telemetry_waiting waiting;
	struct engine *e = open_shards("waits", 4);
	for (int i = 0; i < 20; i++) {
		struct record r = {.kind = RECORD_TELEMETRY}, of = test_call(&arena, first, i, i);
		r.telemetry.call = of.call;
		r.telemetry.call.source = SOURCE_TELEMETRY;
		add(e, &r);
	}
	apply(e);
	engine_close(e);
	must(telemetry_waiting_read(test_redis, "waits", 0, 0, &waiting, &err), &err);
	is_int(waiting.recent, 20, "telemetry that waits for its call is counted over all shards");
}

// Once nothing is left, the number is the one that is configured then. docs/operations.md says how to get
// there.
static void test_change(void)
{
	write_all("changes", 4);
	static const char lua[] =
		"for _, key in ipairs(redis.call('KEYS', 'changes:{' .. ARGV[1] .. '~*')) do redis.call('UNLINK', key) end "
		"for _, key in ipairs(redis.call('KEYS', 'changes:{' .. ARGV[1] .. '}:*')) do "
		"local name = string.match(key, '}:([a-z_]+)') if not string.find(name, '^usage') then "
		"redis.call('UNLINK', key) end end";
	struct err err = ERR_INIT;
	redis_cmdz(test_redis, "EVAL", lua, "0", TEST_ACCOUNT "/" TEST_REGION, NULL);
	must(redis_exec(test_redis, &err), &err);
	ok(same_figures("one", "changes"), "figures stay when facts are deleted");
	write_all("changes", 2);
	is_int(told, 0, "the records read again are spread over another number");
	is_int(ask("GET", "changes:" TEST_ACCT_REGION ":shards", NULL, NULL), 2, "which Redis has");
	is_int(count_calls("changes:{*}:calls:*"), CALLS, "each is kept once");
	ok(same_figures("one", "changes"), "the figures are the same");
}

static void test_empty(void)
{
	struct engine_options o = options_of("empty");
	o.window_ms = o.reopen_ms = o.retention_ms = 1;
	snprintf(shard_count, sizeof shard_count, "%d", 4);
	struct engine *e = open_with(&o);
	add_calls(e, 0, 50, false);
	apply(e);
	for (int i = 0; i < 200 && keys("empty:acct_regions"); i++) {
		usleep(5000);
		settle_all(e);
	}
	is_int(keys("empty:*:shards") + keys("empty:acct_regions"), 0,
	       "nothing is left of the account and Region");
	is_int(keys("empty:{*}:open") + keys("empty:{*}:due") + keys("empty:{*}:late"), 0, "nor of its shards");
	engine_close(e);
	e = open_shards("empty", 2);
	add_calls(e, 0, 50, false);
	apply(e);
	is_int(ask("GET", "empty:" TEST_ACCT_REGION ":shards", NULL, NULL), 2, "then another number counts");
	engine_close(e);
}

int main(void)
{
	start_test_redis();
	first = (when_now_ms() / MS_PER_HOUR / 6 * 6 - 14) * 60; // over the edge of two buckets that have ended
	test_spread();
	test_slots();
	test_counts();
	test_places();
	test_number();
	test_deaths();
	test_live();
	test_lost();
	test_late();
	test_telemetry();
	test_change();
	test_empty();
	arena_release(&arena);
	stop_test_redis();
	return done();
}
