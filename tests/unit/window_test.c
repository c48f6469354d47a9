// SPDX-License-Identifier: Apache-2.0
// What is bounded, and what becomes of the figures then: calls go when their window has passed, records that
// come later are counted and change nothing, every key that grows with the traffic expires or is pruned,
// sessions beyond a limit fold, and a Redis that lost everything is noticed.
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "pricing/model_id.h"
#include "store/batch.h"
#include "store/lost_calls.h"
#include "tests/support/engine.h"

enum { WINDOW_MS = 3000, CALLS = 30000 };

static struct arena arena;
static int forgotten;

static void on_forgotten(void *user)
{
	(void)user;
	forgotten++;
}

// Without what Redis 8 counts beside the data: the memory of Lua, and of connections.
static int64_t used_memory(void)
{
	struct err err = ERR_INIT;
	redis_cmdz(test_redis, "INFO", "memory", NULL);
	must(redis_exec(test_redis, &err), &err);
	char *text = xstrdup(redis_str(test_redis, 0)), *at = strstr(text, "used_memory_dataset:");
	// a negative one is printed without its sign
	int64_t bytes = at ? (int64_t)strtoull(at + 20, NULL, 10) : 0;
	free(text);
	return bytes;
}

// The meta hash beside a usage hash.
static void meta_key(char *ret, size_t size, const char *usage)
{
	const char *rest = strstr(usage, ":usage:") + strlen(":usage:");
	snprintf(ret, size, "%.*s_meta:%s", (int)(rest - usage - 1), usage, rest);
}

static void add_hash(struct buf *b, const char *key)
{
	int64_t n = ask("HGETALL", key, NULL, NULL);
	for (int64_t i = 0; i < n; i++) {
		buf_addstr(b, redis_elem(test_redis, 0, (size_t)i));
		buf_addc(b, '\n');
	}
	buf_addc(b, '.');
}

// The two hashes of an hour's figures, fields and values in the order of Redis.
static char *rollups(const char *key)
{
	struct buf b = BUF_INIT;
	char meta[200];
	meta_key(meta, sizeof meta, key);
	add_hash(&b, key);
	add_hash(&b, meta);
	return b.data;
}

static void usage_key(char *ret, size_t size, const char *prefix, int64_t hour)
{
	char when[WHEN_SIZE];
	snprintf(ret, size, "%s:" TEST_ACCT_REGION ":usage:%.13s:" TEST_MODEL, prefix,
	         when_format(hour * MS_PER_HOUR, when));
}

static void add_call(struct engine *e, int64_t minute, int who, int number)
{
	struct record r = test_call(&arena, minute, who, number);
	add(e, &r);
}

static void add_metric(struct engine *e, int64_t minute, int64_t sum)
{
	struct record r = test_metric(minute, TOKENS_INPUT, sum);
	add(e, &r);
}

static void late_records(int64_t hour)
{
	char key[160];
	struct engine_options o = test_options("late");
	o.window_ms = WINDOW_MS;
	struct engine *e = open_with(&o);
	usage_key(key, sizeof key, "late", hour);

	int64_t empty = used_memory();
	for (int i = 0; i < CALLS; i++)
		add_call(e, hour * 60 + i % 60, i % 50, i);
	for (int m = 0; m < 60; m++)
		add_metric(e, hour * 60 + m, 100000);
	apply(e);
	settle_all(e);
	int64_t full = used_memory();
	char *before = rollups(key), calls[96];
	snprintf(calls, sizeof calls, "late:" TEST_ACCT_REGION ":calls:%lld", (long long)(hour / 6));
	is_int(ask("HLEN", calls, NULL, NULL), CALLS, "inside the window every call is known");

	usleep((WINDOW_MS + 300) * 1000);
	is_int(ask("EXISTS", calls, NULL, NULL), 0, "after it none is");
	int64_t rest = used_memory();
	if (!ok(rest - empty < (full - empty) / 3, "and their memory is given back"))
		diag("%lld bytes, then %lld, of %lld a call", (long long)(full - empty), (long long)(rest - empty),
		     (long long)((full - empty) / CALLS));

	add_call(e, hour * 60 + 5, 1, CALLS + 1);
	add_call(e, hour * 60 + 5, 1, 7); // one that was counted
	add_metric(e, hour * 60 + 5, 9000000);
	apply(e);
	settle_all(e);
	char *after = rollups(key), bucket[24];
	is_str(after, before, "late records change no figure");
	snprintf(bucket, sizeof bucket, "%lld", (long long)(hour / 6));
	is_int(ask("HGET", "late:" TEST_ACCT_REGION ":late", bucket, NULL), 3, "and are counted in Redis");
	is_int((long long)engine_counts(e)->late, 3, "and by the engine");

	// Everything but the figures is gone, and a neighbour that is still open wants to see the hour.
	char cells[128];
	snprintf(cells, sizeof cells, "late:" TEST_ACCT_REGION ":cells:%lld:", (long long)hour);
	int64_t n = ask("KEYS", "late:*:cells:*", NULL, NULL);
	char **names = xcalloc((size_t)n + 1, sizeof *names);
	for (int64_t i = 0; i < n; i++)
		names[i] = xstrdup(redis_elem(test_redis, 0, (size_t)i));
	for (int64_t i = 0; i < n; i++) {
		ask("DEL", names[i], NULL, NULL);
		free(names[i]);
	}
	free(names);
	add_call(e, (hour / 6 + 1) * 360 + 1, 2, 1);
	add_metric(e, (hour / 6 + 1) * 360 + 2, 5000);
	apply(e);
	settle_all(e);
	char *last = rollups(key);
	is_str(last, before, "figures stay when their facts are gone");
	free(before);
	free(after);
	free(last);
	engine_close(e);
}

// A stream that begins in one bucket and ends in the next, whose end is told of once the first bucket's calls
// are forgotten.
static void late_across_the_edge(int64_t hour)
{
	struct engine_options o = test_options("edge");
	o.window_ms = WINDOW_MS;
	struct engine *e = open_with(&o);
	int64_t edge = (hour / 6 + 1) * 360;
	char began[160], ended[160];
	usage_key(began, sizeof began, "edge", edge / 60 - 1);
	usage_key(ended, sizeof ended, "edge", edge / 60);
	struct record start = test_call(&arena, edge - 1, 1, 1), end = start;
	start.call.time_is_end = false;
	start.call.streaming = end.call.streaming = true;
	end.call.time_ms = edge * MS_PER_MINUTE;

	add(e, &start);
	apply(e);
	usleep(WINDOW_MS / 2 * 1000);
	add_call(e, edge, 2, 2);
	apply(e);
	settle_all(e);
	char *first = rollups(began), *second = rollups(ended);
	usleep((WINDOW_MS / 2 + 300) * 1000);
	add(e, &end);
	apply(e);
	settle_all(e);
	char *first_after = rollups(began), *second_after = rollups(ended);
	is_str(first_after, first,
	       "a stream's end that comes when its start is forgotten changes nothing where it began");
	is_str(second_after, second, "nor where it ended");
	is_int((long long)engine_counts(e)->late, 1, "and is counted as late");
	free(first), free(second), free(first_after), free(second_after);
	engine_close(e);
}

// The window of a bucket begins when the bucket has ended, not when its first record came: neither a record
// of the future nor the first of a bucket under way closes it to those that come after.
static void live_records(void)
{
	struct engine_options o = test_options("live");
	int64_t now = when_now_ms() / MS_PER_HOUR, bucket = now / BUCKET_HOURS;
	int64_t ahead = (bucket + 1) * BUCKET_HOURS;
	char name[24];
	o.window_ms = 300;
	struct engine *e = open_with(&o);
	add_call(e, ahead * 60, 1, 1);
	add_call(e, now * 60, 1, 1);
	apply(e);
	usleep(400 * 1000);
	add_call(e, ahead * 60, 1, 2);
	add_call(e, now * 60, 1, 2);
	apply(e);
	is_int((long long)engine_counts(e)->late, 0,
	       "a bucket takes records for as long as the window after its end, whatever came first");
	is_int((long long)engine_counts(e)->calls_new, 4, "and they count");
	for (int i = 0; i < 2; i++) {
		snprintf(name, sizeof name, "%lld", (long long)bucket + i);
		ask("ZSCORE", "live:" TEST_ACCT_REGION ":open", name, NULL);
		int64_t end = ((bucket + i + 1) * BUCKET_HOURS + CALL_HOURS_MAX) * MS_PER_HOUR;
		is_int(strtoll(redis_str(test_redis, 0).p, NULL, 10), end + o.window_ms,
		       "it closes then, to the millisecond");
	}
	// Redis fails over to one whose clock is behind: what is packed stays closed.
	struct str packed = arena_text(&arena, "live:" TEST_ACCT_REGION ":packed:%lld", (long long)bucket);
	ask("RPUSH", packed.p, "calls", NULL);
	add_call(e, now * 60, 1, 3);
	apply(e);
	is_int((long long)engine_counts(e)->late, 1,
	       "a bucket that is packed is closed, whatever the clock says");
	engine_close(e);
}

// Keys that may stay: one a program, or one an account and Region, or pruned by rules of their own.
static bool may_stay(const char *key)
{
	static const char *const ends[] = {":schema",        ":acct_regions", ":signals",       ":epoch",
	                                   ":unpriced",      ":tagsets",      ":unpriced:seen", ":tagsets:seen",
	                                   ":cross_account", "}:open",        "}:due",          "}:late",
	                                   ":name_key",
	                                   "}:usage"};
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (str_ends(str_of(key), str_of(ends[i])))
			return true;
	return strstr(key, ":tags:") != NULL;
}

static void every_key_expires(int64_t hour)
{
	struct engine_options o = test_options("keys");
	struct engine *e = open_with(&o);
	for (int i = 0; i < 50; i++) {
		struct record r = test_call(&arena, hour * 60 + i, i, 0);
		r.call.caller.access_key = STR("ASIAKEY");
		add(e, &r);
		add_metric(e, hour * 60 + i, 1000);
	}
	struct record tags = {
		.kind = RECORD_SESSION_TAGS,
		.session_tags = {.time_ms = hour * MS_PER_HOUR,
	                     .access_key = STR("ASIAKEY"),
	                     .ntags = 1,
	                     .arn = STR("arn:aws:sts::" TEST_ACCOUNT ":assumed-role/role/session-1"),
	                     .tags = {{STR("team"), STR("a")}}}};
	add(e, &tags);
	apply(e);
	settle_all(e);
	int64_t n = ask("KEYS", "keys:*", NULL, NULL), forever = 0;
	char **names = xcalloc((size_t)n + 1, sizeof *names);
	for (int64_t i = 0; i < n; i++)
		names[i] = xstrdup(redis_elem(test_redis, 0, (size_t)i));
	for (int64_t i = 0; i < n; i++) {
		if (ask("PTTL", names[i], NULL, NULL) < 0 && !may_stay(names[i])) {
			diag("%s never expires", names[i]);
			forever++;
		}
		free(names[i]);
	}
	free(names);
	ok(n > 10 && forever == 0, "every key that grows with the traffic expires (%lld keys)", (long long)n);
	engine_close(e);
}

static void retention(int64_t hour)
{
	struct engine_options o = test_options("old");
	o.window_ms = 400;
	o.retention_ms = 1000;
	struct engine *e = open_with(&o);
	for (int h = 0; h < 24; h++)
		add_call(e, (hour - h) * 60, 1, h);
	apply(e);
	settle_all(e);
	is_int(ask("ZCARD", "old:" TEST_ACCT_REGION ":usage", NULL, NULL), 24, "24 hours have figures");
	add_call(e, (hour - 2) * 60, 1, 100); // not late yet: nothing is known to be so
	usleep(500 * 1000);
	apply(e);
	ok(ask("HLEN", "old:" TEST_ACCT_REGION ":late", NULL, NULL) > 0, "a late record is counted");
	usleep(1600 * 1000);
	engine_close(e);
	o.window_ms = 24LL * MS_PER_HOUR; // so that none of these is late, however long they take
	e = open_with(&o);
	for (int i = 0; i < 60; i++) {
		add_call(e, (hour - 100) * 60, 1, i);
		apply(e);
		settle_all(e);
	}
	ok(ask("ZCARD", "old:" TEST_ACCT_REGION ":usage", NULL, NULL) <= 3,
	   "hours past the retention leave the index");
	is_int(ask("HLEN", "old:" TEST_ACCT_REGION ":late", NULL, NULL), 0,
	       "and the count of what came too late for them");
	ok(ask("ZCARD", "old:" TEST_ACCT_REGION ":open", NULL, NULL) <= 2, "and the list of their buckets");

	struct err err = ERR_INIT;
	redis_cmdz(test_redis, "HSET", "old:tagsets", "feed", "{}", NULL);
	redis_cmdz(test_redis, "ZADD", "old:tagsets:seen", "1000", "feed", NULL);
	must(redis_exec(test_redis, &err), &err);
	settle_all(e);
	is_int(ask("HLEN", "old:tagsets", NULL, NULL) + ask("ZCARD", "old:tagsets:seen", NULL, NULL), 0,
	       "tags that no hour shows any more are dropped");
	engine_close(e);
}

static int64_t keys(const char *pattern)
{
	return ask("KEYS", pattern, NULL, NULL);
}

// An account and region that falls silent leaves nothing behind, a bill of it included. When it speaks again,
// to a worker that had written to it before, no loss is told, and its figures are those of one that never was
// silent.
static void silence(int64_t hour)
{
	struct err err = ERR_INIT;
	struct engine_options o = test_options("quiet"), fresh = test_options("fresh");
	char key[160];
	o.window_ms = 300;
	o.retention_ms = 900;
	o.on_forgotten = on_forgotten;
	forgotten = 0;
	struct engine *e[] = {open_with(&o), open_with(&o)};
	for (int i = 0; i < 2; i++) {
		add_call(e[i], hour * 60 + i, i, 1);
		apply(e[i]);
		settle_all(e[i]);
	}
	redis_cmdz(test_redis, "HSET", "quiet:" TEST_ACCT_REGION ":billed", "watermark", "1", NULL);
	redis_cmdz(test_redis, "SADD", "quiet:" TEST_ACCT_REGION ":actual:models", TEST_MODEL, NULL);
	redis_cmdz(test_redis, "ZADD", "quiet:" TEST_ACCT_REGION ":actual", "1", "1970-01-01T01:" TEST_MODEL,
	           NULL);
	redis_cmdz(test_redis, "SET", "quiet:" TEST_ACCT_REGION ":actual:1970-01-01T01:" TEST_MODEL, "", NULL);
	must(redis_exec(test_redis, &err), &err);
	usleep(400 * 1000);
	add_call(e[0], hour * 60, 1, 2);
	apply(e[0]);
	is_int(ask("HLEN", "quiet:" TEST_ACCT_REGION ":late", NULL, NULL), 1,
	       "a slot has a count of late records");
	usleep(1000 * 1000);
	settle_all(e[0]);
	is_int(ask("SISMEMBER", "quiet:acct_regions", TEST_ACCOUNT "/" TEST_REGION, NULL), 1,
	       "and while its bill is kept");
	is_int(ask("HLEN", "quiet:" TEST_ACCT_REGION ":billed", NULL, NULL), 1,
	       "is listed, as is how far that goes");
	is_int(keys("quiet:*:usage*") + keys("quiet:*:open") + keys("quiet:*:late") + keys("quiet:*:due"), 0,
	       "though of its estimate nothing is left");
	ask("DEL", "quiet:" TEST_ACCT_REGION ":actual:1970-01-01T01:" TEST_MODEL, NULL, NULL); // as it expires
	settle_all(e[0]);
	is_int(ask("SCARD", "quiet:acct_regions", NULL, NULL), 0, "then it is no longer listed");
	is_int(keys("quiet:*:billed") + keys("quiet:*:actual*"), 0, "and nothing is left of its bill");

	struct engine *speaking[] = {e[1], open_with(&fresh)};
	const char *prefixes[] = {"quiet", "fresh"};
	char *said[2];
	for (int i = 0; i < 2; i++) {
		add_call(speaking[i], (hour - 30) * 60, 1, 3);
		add_metric(speaking[i], (hour - 30) * 60, 1000);
		apply(speaking[i]);
		settle_all(speaking[i]);
		usage_key(key, sizeof key, prefixes[i], hour - 30);
		said[i] = rollups(key);
	}
	ok(strlen(said[0]) > 20 && strcmp(said[0], said[1]) == 0,
	   "when it speaks again its figures are those of one that never did before");
	is_int(ask("SCARD", "quiet:acct_regions", NULL, NULL), 1, "it is listed again");
	is_int(forgotten, 0, "and nobody takes its silence for a loss");
	free(said[0]), free(said[1]);
	engine_close(speaking[1]);
	engine_close(e[0]);
	engine_close(e[1]);
}

static bool is_stranded(void)
{
	return ask("EXISTS", "brink:" TEST_ACCT_REGION ":due", NULL, NULL) &&
	       !ask("SISMEMBER", "brink:acct_regions", TEST_ACCOUNT "/" TEST_REGION, NULL);
}

// Somebody who takes silent accounts and Regions off the list all the time never takes one off that has just
// spoken.
static void on_the_brink(int64_t hour)
{
	enum { CALLS_MADE = 400, MS_A_TRY = 1, TRIES = 100 };
	struct engine_options o = test_options("brink");
	int stranded = 0, listed = 0;
	o.window_ms = o.retention_ms = 1;
	pid_t settling = fork();
	if (settling == 0) {
		struct engine *e = open_with(&o);
		for (;;)
			settle_all(e);
	}
	struct engine *e = open_with(&o);
	for (int i = 0; i < CALLS_MADE; i++) {
		int tries = 0;
		add_call(e, hour * 60, 1, i);
		apply(e);
		while (tries < TRIES && is_stranded()) {
			usleep(MS_A_TRY * 1000);
			tries++;
		}
		stranded += tries == TRIES;
		usleep((useconds_t)(i % 20) * 200);
		listed += (int)ask("SCARD", "brink:acct_regions", NULL, NULL);
	}
	kill(settling, SIGKILL);
	waitpid(settling, NULL, 0);
	is_int(stranded, 0, "a slot that speaks while it is forgotten is listed");
	if (!ok(listed < CALLS_MADE, "though it was forgotten many times"))
		diag("%d", listed);
	engine_close(e);
}

// Somebody changes hours faster than they are computed: who computes all hours comes to an end.
static void always_due(int64_t hour)
{
	enum { HOURS = 48 };
	struct engine_options o = test_options("busy");
	struct err err = ERR_INIT;
	struct str marking[2 + 2 * HOURS] = {STR("ZADD"), STR("busy:" TEST_ACCT_REGION ":due")};
	o.learn_hours = 0;
	struct engine *e = open_with(&o);
	for (int h = 0; h < HOURS; h++)
		add_call(e, (hour - h) * 60 + 30, 1, 1);
	apply(e);
	is_int(ask("ZRANGE", "busy:" TEST_ACCT_REGION ":due", "0", "-1"), HOURS, "hours are due");
	for (size_t h = 0; h < HOURS; h++) {
		marking[2 + 2 * h] = STR("1");
		marking[3 + 2 * h] = arena_str(&arena, redis_elem(test_redis, 0, h));
	}
	pid_t changing = fork();
	if (changing == 0) {
		struct redis *r;
		must(redis_open(&r, (struct redis_target){.url = server.url}, &err), &err);
		for (;;) {
			redis_cmd(r, 2 + 2 * HOURS, marking);
			must(redis_exec(r, &err), &err);
		}
	}
	settle_all(e);
	ok(true, "computing all ends, though they are due again at once");
	kill(changing, SIGKILL);
	waitpid(changing, NULL, 0);
	engine_close(e);
}

// What is beside the accounts and Regions: tags of deleted roles, callers of other accounts, models that had
// no price.
static void outside_of_acct_regions(int64_t hour)
{
	struct err err = ERR_INIT;
	struct engine_options o = test_options("beside");
	const char *key = "beside:tags:" TEST_ACCOUNT ":role/role";
	struct record change = {
		.kind = RECORD_PRINCIPAL_TAGS,
		.principal_tags = {.account = STR(TEST_ACCOUNT), .name = STR("role"), .is_role = true}};
	struct principal_tags *t = &change.principal_tags;
	static const struct {
		enum tag_change change;
		int64_t hour; // before `hour`
		bool stays;
		const char *name;
	} steps[] = {{TAGS_SET, 5, true, "tags of a role stay"},
	             {TAGS_DELETED, 3, false, "until it was deleted"},
	             {TAGS_SET, 4, false, "also if it is told late what was before"},
	             {TAGS_CREATED, 2, true, "should it be there again, they stay"},
	             {TAGS_DELETED, 6, true, "also if an earlier deletion is told late"}};
	struct engine *e = open_with(&o);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		t->change = steps[i].change;
		t->time_ms = (hour - steps[i].hour) * MS_PER_HOUR;
		t->event_id = arena_text(&arena, "event-%zu", i);
		add(e, &change);
		apply(e);
		int64_t left = ask("PTTL", key, NULL, NULL);
		if (!ok(steps[i].stays ? left == -1
		                       : left > o.retention_ms && left < o.retention_ms + 2 * 24 * MS_PER_HOUR,
		        "%s", steps[i].name))
			diag("%lld", (long long)left);
	}
	struct record guest = test_call(&arena, hour * 60, 1, 1);
	guest.call.caller.arn = STR("arn:aws:sts::999999999999:assumed-role/role/session");
	add(e, &guest);
	apply(e);
	char now[24];
	snprintf(now, sizeof now, "%lld", (long long)(when_now_ms() - o.window_ms - 25 * MS_PER_HOUR));
	redis_cmdz(test_redis, "ZADD", "beside:cross_account", now, "888888888888 " TEST_ACCOUNT "/" TEST_REGION,
	           NULL);
	redis_cmdz(test_redis, "HSET", "beside:unpriced", "vendor.old", "why", NULL);
	redis_cmdz(test_redis, "ZADD", "beside:unpriced:seen", "1000", "vendor.old", NULL);
	must(redis_exec(test_redis, &err), &err);
	settle_all(e);
	is_int(ask("ZCARD", "beside:cross_account", NULL, NULL), 1,
	       "callers of other accounts are known as long as their calls");
	is_int(keys("beside:unpriced*"), 0, "and models without a price as long as figures");
	engine_close(e);
}

// Calls and input tokens of a row.
static int64_t calls_of(const char *key, const char *row)
{
	char field[160], meta[200];
	snprintf(field, sizeof field, "%s calls", row);
	meta_key(meta, sizeof meta, key);
	ask("HGET", meta, field, NULL);
	return redis_nil(test_redis, 0) ? 0 : strtoll(redis_str(test_redis, 0).p, NULL, 10);
}

static int64_t input_of(const char *key, const char *row)
{
	char field[160];
	snprintf(field, sizeof field, "%s input", row);
	ask("HGET", key, field, NULL);
	return redis_nil(test_redis, 0) ? 0 : strtoll(redis_str(test_redis, 0).p, NULL, 10);
}

// Session i calls first in minute i / 100; the hundred of the first minute keep their names, the next day's
// hundred theirs.
static void sessions_fold(int64_t hour)
{
	char key[160], next[160], field[160], kept_names[160];
	const char *others = "arn:aws:sts::" TEST_ACCOUNT ":assumed-role/role/* -";
	struct engine_options o = test_options("fold");
	int64_t day = hour / 24, named = 0, tokens = 0;
	o.sessions_max = 100;
	struct engine *e = open_with(&o);
	hour = day * 24 + 1;
	for (int i = 5999; i >= 0; i--)
		add_call(e, hour * 60 + i / 100, i, 0);
	for (int i = 0; i < 200; i++)
		add_call(e, hour * 60 + 90, i, 1);
	for (int m = 0; m < 60; m++)
		add_metric(e, hour * 60 + m, 123457);
	apply(e);
	int64_t begun = when_ticks_ms();
	settle_all(e);
	int64_t spent = when_ticks_ms() - begun;
	usage_key(key, sizeof key, "fold", hour);
	usage_key(next, sizeof next, "fold", hour + 1);
	for (int i = 0; i < 100; i++) {
		snprintf(field, sizeof field, "arn:aws:sts::" TEST_ACCOUNT ":assumed-role/role/session-%d -", i);
		named += calls_of(key, field) == 1;
		tokens += input_of(key, field);
	}
	is_int(named, 100, "of 6000 sessions of a role those that called first keep their names");
	is_int(calls_of(key, others), 5900, "the calls of the rest are one row");
	is_int(tokens + input_of(key, others), 60 * 123457, "and no token of the metric is lost or made");
	ok(ask("HLEN", key, NULL, NULL) < 400, "the rows of the hour are bounded");
	is_int(calls_of(next, others), 100, "who has no name in one hour has none in the next of that day");
	if (!ok(spent < 10000, "and they are settled in bounded time"))
		diag("%lld ms", (long long)spent);

	struct record early = test_call(&arena, hour * 60 - 30, 5000, 7);
	add(e, &early);
	apply(e);
	settle_all(e);
	snprintf(field, sizeof field, "arn:aws:sts::" TEST_ACCOUNT ":assumed-role/role/session-5000 -");
	is_int(calls_of(key, field), 1,
	       "a late record of an earlier call gives its session a name, in hours computed before, too");
	is_int(calls_of(key, others), 5900, "and takes that of another");
	snprintf(kept_names, sizeof kept_names,
	         "fold:" TEST_ACCT_REGION ":kept:%lld:arn:aws:sts::" TEST_ACCOUNT ":assumed-role/role/",
	         (long long)day);
	is_int(ask("ZCARD", kept_names, NULL, NULL), 100, "Redis keeps the names of so many and no more");
	ok(ask("PTTL", kept_names, NULL, NULL) > 0, "and for a while");
	snprintf(kept_names, sizeof kept_names,
	         "fold:" TEST_ACCT_REGION ":overflow:%lld:arn:aws:sts::" TEST_ACCOUNT ":assumed-role/role/",
	         (long long)day);
	int64_t overflow = ask("PFCOUNT", kept_names, NULL, NULL);
	if (!ok(overflow > 5700 && overflow < 6100, "about how many have none is known"))
		diag("%lld", (long long)overflow);
	engine_close(e);
}

static void add_garbage(struct engine *e, int64_t hour, int model, int user)
{
	struct record r = test_call(&arena, hour * 60 + model, user, model);
	r.call.model = r.call.model_called = arena_text(&arena, "vendor.no-such-model-%d", model);
	r.call.caller.arn = arena_text(&arena, "arn:aws:iam::" TEST_ACCOUNT ":user/user-%d", user);
	r.call.failed = model % 2;
	add(e, &r);
}

// Somebody sends records of models and users that there are not. What they come to is one row and one model
// hour beyond the number that keeps its name; models with a price stay what they are, whenever they come.
static void garbage_folds(int64_t hour)
{
	enum { MODELS = 50, NAMED = 10 };
	char key[160];
	struct engine_options o = test_options("garbage");
	o.users_max = o.models_max = NAMED;
	struct engine *e = open_with(&o);
	hour = hour / 24 * 24 + 1;
	for (int i = 0; i < MODELS; i++) {
		add_garbage(e, hour, i, i);
		struct record m = test_metric(hour * 60 + i, TOKENS_INPUT, 1000 + i);
		m.metric.model = arena_text(&arena, "vendor.no-such-model-%d", i);
		add(e, &m);
	}
	for (int i = 0; i < MODELS; i++) { // of a model with a price, later than all of them
		struct record r = test_call(&arena, hour * 60 + 59, i, 0);
		r.call.caller.arn = arena_text(&arena, "arn:aws:iam::" TEST_ACCOUNT ":user/user-%d", i);
		add(e, &r);
	}
	add_metric(e, hour * 60 + 59, 50000);
	apply(e);
	settle_all(e);
	is_int(ask("ZCARD", "garbage:" TEST_ACCT_REGION ":usage", NULL, NULL), NAMED + 2,
	       "of 50 models that there are not ten keep their names, and that with a price");
	is_int(keys("garbage:" TEST_ACCT_REGION ":usage:*"), NAMED + 2, "there are no other figures");
	is_int(ask("HLEN", "garbage:unpriced", NULL, NULL), NAMED + 1,
	       "and no more models without a price are told of");
	usage_key(key, sizeof key, "garbage", hour);
	is_int(calls_of(key, "arn:aws:iam::" TEST_ACCOUNT ":user/* -"), MODELS - NAMED,
	       "users without a name are one row");
	is_int(calls_of(key, "arn:aws:iam::" TEST_ACCOUNT ":user/user-8 -"), 1, "the others have theirs");
	char when[WHEN_SIZE], others[160], meta[200];
	snprintf(others, sizeof others, "garbage:" TEST_ACCT_REGION ":usage:%.13s:*",
	         when_format(hour * MS_PER_HOUR, when));
	meta_key(meta, sizeof meta, others);
	ask("HGET", meta, "metric input", NULL);
	is_str(redis_str(test_redis, 0).p, "41180 0", "no token of the others' metrics is lost or made");
	ask("HGET", others, "arn:aws:iam::" TEST_ACCOUNT ":user/* - input", NULL);
	ok(str_starts(redis_str(test_redis, 0), STR("15510 - 0 15510 0 ")), "nor of what they were split into");

	ask("HGET", meta, "digest", NULL);
	char *digest = xstrdup(redis_str(test_redis, 0));

	add_garbage(e, hour - 1, 45, 9); // a refused call
	apply(e);
	settle_all(e);
	ask("HGET", meta, "metric input", NULL);
	is_str(redis_str(test_redis, 0).p, "41180 0", "a late record of a call that cost nothing takes no name");
	add_garbage(e, hour - 1, 44, 8);
	apply(e);
	settle_all(e);
	ask("HGET", meta, "metric input", NULL);
	is_str(redis_str(test_redis, 0).p, "41145 0",
	       "a late record of an earlier call gives its model a name, and takes that of another");
	is_int(ask("ZCARD", "garbage:" TEST_ACCT_REGION ":usage", NULL, NULL), NAMED + 4,
	       "in hours computed before, too");
	ask("HGET", meta, "digest", NULL);
	ok(row_digest_parse(redis_str(test_redis, 0)) && strcmp(redis_str(test_redis, 0).p, digest) != 0,
	   "whoever keeps what was read can tell");
	free(digest);
	engine_close(e);
}

static int64_t sent_by_redis(void)
{
	ask("INFO", "stats", NULL, NULL);
	const char *at = strstr(redis_str(test_redis, 0).p, "total_net_output_bytes:");
	return at ? strtoll(at + 23, NULL, 10) : 0;
}

// Anybody may call models that there are not, by names that are all different: each has an hour to be
// computed, and none may have to read the names of all others for it.
static void many_models(int64_t hour)
{
	enum { MODELS = 2000, BYTES_EACH = 4000 };
	struct engine_options o = test_options("models");
	struct engine *e = open_with(&o);
	for (int i = 0; i < MODELS; i++) {
		struct record r = test_call(&arena, hour * 60 + i % 60, i, 0);
		r.call.model = r.call.model_called = arena_text(&arena, "vendor.no-such-model-%d", i);
		// no role, whose kept names are read too
		r.call.caller.arn = arena_text(&arena, "arn:aws:iam::" TEST_ACCOUNT ":user/user-%d", i);
		r.call.failed = true;
		add(e, &r);
	}
	apply(e);
	int64_t before = sent_by_redis();
	settle_all(e);
	int64_t each = (sent_by_redis() - before) / MODELS;
	is_int(ask("ZCARD", "models:" TEST_ACCT_REGION ":usage", NULL, NULL), MODELS,
	       "thousands of models of one hour have figures");
	if (!ok(each < BYTES_EACH, "and what is read for each does not grow with the others"))
		diag("%lld bytes each", (long long)each);
	engine_close(e);
}

// The same call again and again, as a stuck producer sends it, in more copies than a batch holds calls.
static void many_repetitions(int64_t hour)
{
	enum { COPIES = 100000, MS_MAX = 2000 };
	struct engine_options o = test_options("again");
	struct engine *e = open_with(&o);
	struct record r = test_call(&arena, hour * 60, 1, 1);
	clock_t begun = clock();
	for (int i = 0; i < COPIES; i++)
		add(e, &r);
	int64_t ms = (int64_t)(clock() - begun) * 1000 / CLOCKS_PER_SEC;
	if (!ok(ms < MS_MAX,
	        "copies of a call are folded in time that grows with their number, not with its square"))
		diag("%lld ms", (long long)ms);
	engine_close(e);
}

static void memory_of_a_batch(int64_t hour)
{
	enum { RECORDS = 5000 };
	struct engine_options o = test_options("bytes");
	struct engine *e = open_with(&o);
	for (int i = 0; i < RECORDS; i++)
		add_metric(e, (hour - i / 60) * 60 + i % 60, 1);
	ok(engine_pending_bytes(e) >= RECORDS * sizeof(struct batch_metric),
	   "metrics count in the memory of a batch");
	apply(e);
	is_int((long long)engine_pending_bytes(e), 0, "which is empty when it is safe");
	engine_close(e);
}

// Sessions are made all the time by an organisation's many accounts, most of which call in few others.
static void many_sessions(int64_t hour)
{
	enum { ACCT_REGIONS = 200, GUESTS = 1000, SESSIONS = 4000, MS_MAX = 2000 };
	struct err err = ERR_INIT;
	struct engine_options o = test_options("guests");
	struct engine *e = open_with(&o);
	for (int i = 0; i < ACCT_REGIONS; i++) {
		struct record r = test_call(&arena, hour * 60, 1, i);
		r.call.account = arena_text(&arena, "%012d", i);
		add(e, &r);
	}
	for (int i = 0; i < GUESTS; i++)
		redis_cmdz(test_redis, "ZADD", "guests:cross_account", "1e15",
		           arena_text(&arena, "9%011d %012d/" TEST_REGION, i, i % ACCT_REGIONS).p, NULL);
	must(redis_exec(test_redis, &err), &err);
	apply(e);
	for (int i = 0; i < SESSIONS; i++) {
		struct record r = {
			.kind = RECORD_SESSION_TAGS,
			.session_tags = {.time_ms = hour * MS_PER_HOUR,
		                     .access_key = arena_text(&arena, "ASIA%d", i),
		                     .arn = STR("arn:aws:sts::777777777777:assumed-role/role/session")}};
		add(e, &r);
	}
	clock_t begun = clock();
	apply(e);
	int64_t ms = (int64_t)(clock() - begun) * 1000 / CLOCKS_PER_SEC;
	if (!ok(ms < MS_MAX, "whom sessions concern is found without asking every guest of every account"))
		diag("%lld ms", (long long)ms);
	engine_close(e);
}

static int64_t peak_kb(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

// Freed memory that AddressSanitizer holds back would count as memory in use.
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=8";
}

static void many_acct_regions(int64_t hour)
{
	enum { ACCT_REGIONS = 4000, KB_MAX = 32 * 1024 };
	struct engine_options o = test_options("slots");
	struct engine *e = open_with(&o);
	for (int i = 0; i < ACCT_REGIONS; i++) {
		struct record r = test_call(&arena, hour * 60, i, 0);
		r.call.account = arena_text(&arena, "%012d", i);
		add(e, &r);
	}
	apply(e);
	int64_t before = peak_kb();
	settle_all(e);
	int64_t grown = peak_kb() - before;
	is_int(ask("SCARD", "slots:acct_regions", NULL, NULL), ACCT_REGIONS,
	       "thousands of accounts have figures");
	if (!ok(grown < KB_MAX, "and the memory to compute them does not grow with their number"))
		diag("%lld KB", (long long)grown);
	engine_close(e);
}

static void names_of_ours(int64_t hour)
{
	static const char *const names[] = {"(unattributed)",
	                                    "#x",
	                                    "arn:aws:sts::1:assumed-role/role/*",
	                                    "arn:aws:iam::1:user/a b",
	                                    "arn:aws:iam::1:user/a\x1b[2J",
	                                    "arn:aws:iam::1:user/a\xc2\x9b"
	                                    "2J",
	                                    "arn:aws:iam::1:user/\xe2\x80\xae"
	                                    "nna"};
	struct engine_options o = test_options("ours");
	struct engine *e = open_with(&o);
	int refused = 0;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct err err = ERR_INIT;
		struct record r = test_call(&arena, hour * 60, 1, (int)i);
		r.call.caller.arn = str_of(names[i]);
		refused += !engine_add(e, &r, &err) && err.kind == ERR_SKIP;
	}
	is_int(refused, sizeof names / sizeof *names,
	       "callers named like what is ours, or with what terminals obey, are refused");
	struct err err = ERR_INIT;
	struct record m = test_metric(hour * 60, TOKENS_INPUT, 1), r = test_call(&arena, hour * 60, 1, 1);
	r.call.model = m.metric.model = STR(MODEL_OTHERS_STORED);
	ok(!engine_add(e, &r, &err) && !engine_add(e, &m, &err), "so are models");
	r.call.model = STR(TEST_MODEL);
	r.call.caller.arn = STR("arn:aws:iam::111122223333:user/caf\xc3\xa9-\xe2\x82\xac");
	add(e, &r);
	engine_close(e);
}

static void redis_forgets(int64_t hour)
{
	struct engine_options o = test_options("gone");
	o.on_forgotten = on_forgotten;
	struct engine *e = open_with(&o);
	for (int i = 0; i < 3; i++) {
		add_call(e, hour * 60, 1, i);
		apply(e);
	}
	is_int(forgotten, 0, "a Redis that remembers is no news");
	ask("FLUSHALL", NULL, NULL, NULL);
	add_call(e, hour * 60, 1, 3);
	apply(e);
	is_int(forgotten, 1, "one that has forgotten is told of");
	add_call(e, hour * 60, 1, 4);
	apply(e);
	is_int(forgotten, 1, "once");
	ask("FLUSHALL", NULL, NULL, NULL);
	struct engine *new = open_with(&o);
	add_call(new, hour * 60, 1, 5);
	apply(new);
	is_int(forgotten, 1, "who has just begun knows nothing of it");
	add_call(e, hour * 60, 1, 6);
	apply(e);
	is_int(forgotten, 2, "but does not hide it from the others");
	engine_close(new);
	struct record ahead = test_call(&arena, (hour + 1000) * 60, 1, 1);
	struct err err = ERR_INIT;
	ok(!engine_add(e, &ahead, &err) && err.kind == ERR_SKIP && engine_counts(e)->future == 1,
	   "a record of the future is refused and counted");
	struct record early = test_call(&arena, INT64_C(1672531200) / 60 - 1, 0, 0);
	err_clear(&err);
	ok(!engine_add(e, &early, &err) && err.kind == ERR_SKIP && strstr(err.msg, "2022-12-31"),
	   "so is one from before Amazon Bedrock began");
	early.call.time_ms += MS_PER_MINUTE;
	ok(engine_add(e, &early, &err), "one of 2023 is not");
	engine_close(e);
}

static void add_calls(struct engine *e, int64_t hour, int first, int last)
{
	for (int i = 0; i < 40; i++)
		add_call(e, hour * 60 + i, first + i % (last - first + 1), i);
}

// Redis loses the pairs of a bucket, and not its calls: no call counts twice, and none gets another caller,
// however they come again: at once, packed and unpacked, and beside new calls.
static void pairs_are_lost(int64_t hour)
{
	char pairs[96], calls[96], bucket[24], usage[160];
	struct lost_calls lost;
	struct err err = ERR_INIT;
	struct engine_options o = test_options("pairs"), fresh = test_options("whole");
	o.reopen_ms = fresh.reopen_ms = 24LL * MS_PER_HOUR;
	struct engine *e = open_with(&o), *whole = open_with(&fresh);
	snprintf(bucket, sizeof bucket, "%lld", (long long)(hour / 6));
	snprintf(pairs, sizeof pairs, "pairs:" TEST_ACCT_REGION ":pairs:%s", bucket);
	snprintf(calls, sizeof calls, "pairs:" TEST_ACCT_REGION ":calls:%s", bucket);
	add_calls(e, hour, 1, 4);
	apply(e);
	is_int(ask("DEL", pairs, NULL, NULL), 1, "calls have pairs of a model and a caller");
	add_calls(e, hour, 0, 0); // which would get the number of another one
	apply(e);
	add_calls(e, hour, 1, 4);
	apply(e);
	must(lost_calls_read(test_redis, "pairs", &lost, &err), &err);
	is_int(lost.n, 40, "as these are lost, their calls are noted");
	is_int(lost.from_ms, hour / 6 * 6 * MS_PER_HOUR, "with their time");
	ask("ZADD", "pairs:" TEST_ACCT_REGION ":open", "1", bucket); // it has closed,
	ask("ZADD", "pairs:" TEST_ACCT_REGION ":pack", "1", bucket);
	settle_all(e);
	is_int(ask("EXISTS", calls, pairs, NULL), 0, "and is packed");
	engine_set_reopening(e, true);
	add_calls(e, hour, 1, 4);
	apply(e);
	settle_all(e);
	add_calls(whole, hour, 0, 0);
	add_calls(whole, hour, 1, 4);
	apply(whole);
	settle_all(whole);
	usage_key(usage, sizeof usage, "pairs", hour);
	char *got = rollups(usage);
	usage_key(usage, sizeof usage, "whole", hour);
	char *want = rollups(usage);
	ok(strlen(want) > 20 && strcmp(got, want) == 0, "figures are those of a Redis that has lost nothing");
	free(got), free(want);
	engine_close(whole);
	engine_close(e);
}

// A Redis that comes back as it was some batches ago, with the same epoch: what it lost is told of.
static void redis_comes_back_older(int64_t hour)
{
	static const char older[] =
		"local key = redis.call('KEYS', KEYS[1])[1]; local held = redis.call('HGET', key, '0'); "
		"local n, rest = string.match(held, '^(%d+)(.*)$'); redis.call('HSET', key, '0', (n - 1) .. rest); return 1";
	struct engine_options o = test_options("older");
	o.on_forgotten = on_forgotten;
	struct engine *e = open_with(&o);
	forgotten = 0;
	for (int i = 0; i < 3; i++) {
		add_call(e, hour * 60, 1, i);
		apply(e);
	}
	ask("EVAL", older, "1", "older:positions:-:-:*");
	engine_check_loss(e);
	apply(e);
	is_int(forgotten, 1, "a Redis that has come back older is told of, without a batch");
	engine_check_loss(e);
	apply(e);
	add_call(e, hour * 60, 1, 4);
	apply(e);
	is_int(forgotten, 1, "once");
	is_int(ask("DEL", "older:lost", NULL, NULL), 1, "it is noted for doctor");
	engine_set_noting_losses(e, false);
	ask("EVAL", older, "1", "older:positions:-:-:*");
	for (int i = 0; i < 2; i++) {
		engine_check_loss(e);
		apply(e);
	}
	is_int(forgotten, 2, "a caller with positions of its own is told likewise,");
	is_int(ask("EXISTS", "older:lost", NULL, NULL), 0, "and nothing is noted: that is left to it");
	engine_end_batches(e);
	is_int(keys("older:positions:*"), 0, "at the end nothing is kept of it");
	engine_close(e);
}

// The facts of a bucket that had no calls when it closed.
static void reopened_calls(int64_t hour)
{
	char bucket[24], calls[96];
	struct engine_options o = test_options("reopened");
	o.reopen_ms = 24LL * MS_PER_HOUR;
	struct engine *e = open_with(&o);
	snprintf(bucket, sizeof bucket, "%lld", (long long)(hour / 6));
	snprintf(calls, sizeof calls, "reopened:" TEST_ACCT_REGION ":calls:%s", bucket);
	add_metric(e, hour * 60, 1000);
	apply(e);
	ask("ZADD", "reopened:" TEST_ACCT_REGION ":open", "1", bucket); // it has closed,
	ask("ZREM", "reopened:" TEST_ACCT_REGION ":pack", bucket, NULL); // and there was nothing to pack
	engine_set_reopening(e, true);
	add_call(e, hour * 60, 1, 1);
	apply(e);
	is_int(ask("HLEN", calls, NULL, NULL), 1, "a call of a closed bucket counts");
	ok(ask("ZSCORE", "reopened:" TEST_ACCT_REGION ":pack", bucket, NULL) > 0, "and will be packed");
	engine_close(e);
}

static void refused_place(int64_t hour)
{
	struct engine_options o = test_options("places");
	struct err err = ERR_INIT;
	o.acct_regions_max = 1;
	struct engine *e = open_with(&o);
	struct record r = test_call(&arena, hour * 60, 1, 1);
	r.call.region = STR("eu-west-1");
	r.call.model = STR("no model");
	ok(!engine_add(e, &r, &err) && err.kind == ERR_SKIP, "a record of another Region is refused %s", err.msg);
	r = test_call(&arena, hour * 60, 1, 1);
	ok(engine_add(e, &r, &err), "and takes no place of acct_regions.max %s", err.msg);
	engine_close(e);
}

int main(void)
{
	int64_t hour = when_now_ms() / MS_PER_HOUR / 6 * 6 - 10; // not the first or last of its bucket
	start_test_redis();
	late_records(hour);
	late_across_the_edge(hour);
	live_records();
	every_key_expires(hour);
	retention(hour);
	silence(hour);
	on_the_brink(hour);
	always_due(hour);
	outside_of_acct_regions(hour);
	reopened_calls(hour);
	refused_place(hour);
	pairs_are_lost(hour);
	sessions_fold(hour);
	garbage_folds(hour);
	many_models(hour);
	names_of_ours(hour);
	memory_of_a_batch(hour);
	many_repetitions(hour);
	many_sessions(hour);
	many_acct_regions(hour);
	redis_forgets(hour);

	redis_comes_back_older(hour);
	arena_release(&arena);
	stop_test_redis();
	return done();
}
