// SPDX-License-Identifier: Apache-2.0
// Cases in which figures once depended on the order of the records, each as small as it gets. The records of
// a case are applied at once; one by one, with all hours settled after each; and one by one backwards. The
// figures must be the same. tests/unit/convergence_test.c tries the same with random input.
#include "ingest/record.h"
#include "tests/support/engine.h"

enum { RECORDS_MAX = 40 };

static const int64_t MIDNIGHT = 496800 * 60; // a minute: 2026-09-04T00:00Z

#define PROFILE "a1b2c3d4e5f6"
#define PROFILE_ARN "arn:aws:bedrock:us-east-1:" TEST_ACCOUNT ":application-inference-profile/" PROFILE

static struct arena arena;
static struct record records[RECORDS_MAX];
static int nrecords;
static int names_max; // of each group

// ---- records ------------------------------------------------------------------------------------

static struct record *put(struct record r)
{
	if (nrecords == RECORDS_MAX)
		abort();
	records[nrecords] = r;
	return &records[nrecords++];
}

static struct call *put_call(int64_t minute, int who)
{
	return &put(test_call(&arena, minute, who, nrecords))->call;
}

static void set_tokens(struct call *c, uint32_t tokens)
{
	c->known[TOKENS_INPUT] = true;
	c->tokens[TOKENS_INPUT] = tokens;
}

static struct metric *put_metric(int64_t minute, int64_t sum)
{
	return &put(test_metric(minute, TOKENS_INPUT, sum))->metric;
}

static void put_tags(const char *access_key, const char *team)
{
	struct session_tags *t = &put((struct record){.kind = RECORD_SESSION_TAGS})->session_tags;
	*t = (struct session_tags){
		.time_ms = MIDNIGHT * MS_PER_MINUTE, .access_key = str_of(access_key), .ntags = 1};
	t->tags[0] = (struct tag){STR("team"), str_of(team)};
}

// Another record of a call, of another source and time.
static struct call *put_record_of(const struct call *c, enum call_source source, int64_t minute)
{
	struct record r = {.kind = source == SOURCE_LOG ? RECORD_CALL_TOKENS : RECORD_CALL, .call = *c};
	r.call.source = source;
	r.call.time_ms = minute * MS_PER_MINUTE;
	return &put(r)->call;
}

// ---- running ------------------------------------------------------------------------------------

static struct engine *open_engine(const char *prefix)
{
	struct engine_options o = test_options(prefix);
	o.window_ms = o.retention_ms;
	o.sessions_max = o.users_max = o.models_max = names_max;
	return open_with(&o);
}

static void run_at_once(const char *prefix)
{
	struct engine *e = open_engine(prefix);
	for (int i = 0; i < nrecords; i++)
		add(e, &records[i]);
	apply(e);
	settle_all(e);
	engine_close(e);
}

static void run_one_by_one(const char *prefix, bool backwards)
{
	struct engine *e = open_engine(prefix);
	for (int i = 0; i < nrecords; i++) {
		add(e, &records[backwards ? nrecords - 1 - i : i]);
		apply(e);
		settle_all(e);
	}
	engine_close(e);
}

// The figures, and the statistics that weights are learned from, as sorted lines.
static const char *figures(const char *prefix)
{
	static const char script[] =
		"local lines, start = {}, ARGV[1] .. ':{" TEST_ACCOUNT "/" TEST_REGION "}:' "
		"for _, kind in ipairs({'usage', 'usage_meta'}) do "
		"  for _, key in ipairs(redis.call('KEYS', start .. kind .. ':*')) do "
		"    local held = redis.call('HGETALL', key) "
		"    for i = 1, #held, 2 do "
		"      lines[#lines + 1] = string.sub(key, #start + 1) .. ' ' .. held[i] .. ' = ' .. held[i + 1] "
		"    end "
		"  end "
		"end "
		"for _, key in ipairs(redis.call('KEYS', start .. 'hour_stats:*')) do "
		"  lines[#lines + 1] = string.sub(key, #start + 1) .. ' ' .. redis.sha1hex(redis.call('GET', key)) "
		"end "
		"table.sort(lines) "
		"return table.concat(lines, '\\n')";
	struct err err = ERR_INIT;
	redis_cmdz(test_redis, "EVAL", script, "0", prefix, NULL);
	must(redis_exec(test_redis, &err), &err);
	return arena_str(&arena, redis_str(test_redis, 0)).p;
}

static void show_difference(const char *a, const char *b)
{
	const char *line_a = a, *line_b = b;
	for (; *a && *a == *b; a++, b++)
		if (*a == '\n')
			line_a = a + 1, line_b = b + 1;
	diag("at once: %.200s\n# one by one: %.200s", line_a, line_b);
}

static void check(const char *what)
{
	static int number;
	char prefix[3][16];
	for (int i = 0; i < 3; i++)
		snprintf(prefix[i], sizeof prefix[i], "c%d-%d", number, i);
	number++;
	run_at_once(prefix[0]);
	run_one_by_one(prefix[1], false);
	run_one_by_one(prefix[2], true);
	const char *once = figures(prefix[0]), *forwards = figures(prefix[1]), *backwards = figures(prefix[2]);
	if (!ok(*once && strcmp(once, forwards) == 0 && strcmp(once, backwards) == 0, "%s", what))
		show_difference(once, strcmp(once, forwards) ? forwards : backwards);
	nrecords = 0;
	names_max = 1000;
	arena_reset(&arena);
}

// ---- cases --------------------------------------------------------------------------------------

// A caller without evidence takes the mean of callers with its tags, if these call in the same hour. Others
// are not to be asked, though the same run may have read their hours.
static void hours_together(void)
{
	static const char *const roles[] = {"one", "two", "three"};
	for (int i = 0; i < 3; i++) {
		struct call *c = put_call(MIDNIGHT + (i == 2 ? 180 : 30), i);
		c->caller.arn = arena_text(&arena, "arn:aws:sts::" TEST_ACCOUNT ":assumed-role/%s/session", roles[i]);
		c->caller.access_key = i == 1 ? STR("ASIA1") : STR("ASIA0");
		if (i < 2)
			set_tokens(c, i ? 90000 : 1000);
	}
	put_tags("ASIA0", "team-0");
	check("hours that are settled together give what each gives alone");
}

static void streams_before_the_edge(void)
{
	for (int i = 0; i < 5; i++) { // every stream takes three minutes
		struct call *c = put_call(MIDNIGHT + 10 * i, i % 2);
		c->streaming = true;
		c->time_is_end = false;
		put_metric(MIDNIGHT + 10 * i + 3, 1000 + i)->samples = 1;
	}
	put_call(MIDNIGHT, 2);
	put_metric(MIDNIGHT, 70000)->samples = 2;
	struct call *c = put_call(MIDNIGHT - 8, 3);
	c->streaming = true;
	c->time_is_end = false;
	put_record_of(c, SOURCE_COMPLETION, MIDNIGHT - 8)->time_is_end = true; // changes nothing in its own hour
	check("an hour learns from no minute before those that make it due");
}

// Parts of streams are no whole numbers, and the sum of such depends on their order.
static void sums_of_parts(void)
{
	for (int key = 0, i = 0; key < 7; key++) {
		for (int k = 0; k <= key; k++, i++) {
			struct call *c = put_call(MIDNIGHT + 10, 0);
			c->request_id = arena_text(&arena, "stream-%d", i);
			c->caller.access_key = arena_text(&arena, "ASIA%d", key);
			c->streaming = true;
			c->time_is_end = false;
		}
	}
	for (int i = 0; i < 5; i++)
		put_metric(MIDNIGHT + 10 + i, 9000 - 1000 * i)->samples = 11 - 2 * i;
	check("statistics do not depend on the order in which Redis has the calls");
}

static void late_foundation(void)
{
	struct call *c = put_call(MIDNIGHT + 1, 0);
	c->model = STR(PROFILE);
	c->model_called = STR(PROFILE_ARN);
	set_tokens(c, 1000);
	put_record_of(c, SOURCE_API, MIDNIGHT + 1)->foundation = STR("amazon.nova-pro-v1:0");
	check("a record that says nothing but the model behind a profile changes the price");
}

static void two_foundations(void)
{
	static const char *const behind[] = {"amazon.nova-lite-v1:0", "amazon.nova-pro-v1:0"};
	for (int i = 0; i < 2; i++) {
		struct call *c = put_call(MIDNIGHT + 1, i);
		c->model = STR(PROFILE);
		c->model_called = STR(PROFILE_ARN);
		c->foundation = str_of(behind[i]);
		set_tokens(c, 1000);
	}
	check("of two models behind a profile the same one counts, in a batch and one by one");
}

static void foundation_of_another_bucket(void)
{
	for (int i = 0; i < 2; i++) {
		struct call *c = put_call(MIDNIGHT + (i ? 10 * 60 : 60), i);
		c->model = STR(PROFILE);
		c->model_called = STR(PROFILE_ARN);
		c->foundation = i ? STR("amazon.nova-pro-v1:0") : STR_NONE;
		set_tokens(c, 1000);
	}
	check("what is behind a profile does not depend on which hours are read together");
}

static void late_tags(void)
{
	struct call *c = put_call(MIDNIGHT - 2, 0);
	c->caller.access_key = STR("ASIA0");
	put_metric(MIDNIGHT + 1, 5000);
	put_tags("ASIA0", "team-0");
	check("late tags reach the hour that shows a call of the bucket before");
}

static void late_tags_of_moved_call(void)
{
	struct call *c = put_call(MIDNIGHT - 20, 0);
	c->caller.access_key = STR("ASIA0");
	c->streaming = true;
	c->time_is_end = false;
	struct call *log = put_record_of(c, SOURCE_LOG, MIDNIGHT + 5);
	log->time_is_end = true;
	log->caller.access_key = STR("ASIA1");
	put_tags("ASIA0", "team-0");
	check("late tags reach a call that another record has moved to the next bucket");
}

static void displaced_by_a_later_call(void)
{
	names_max = 1;
	put_call(MIDNIGHT - 2, 0);
	put_metric(MIDNIGHT + 1, 5000);
	put_call(MIDNIGHT + 15 * 60, 0);
	put_call(MIDNIGHT + 14 * 60, 1);
	check("a name that is lost in the afternoon is lost at midnight, too");
}

static void first_overflow(void)
{
	names_max = 1;
	put_call(MIDNIGHT - 2, 0);
	put_metric(MIDNIGHT + 1, 5000);
	put_call(MIDNIGHT + 14 * 60, 1);
	put_call(MIDNIGHT + 15 * 60, 2);
	check("as a group exceeds its limit, callers of the day before lose their names");
}

static void hour_left_empty(void)
{
	struct call *c = put_call(MIDNIGHT - 20, 0);
	c->model = STR(PROFILE);
	c->model_called = STR(PROFILE_ARN);
	c->streaming = true;
	c->time_is_end = false;
	put_record_of(c, SOURCE_API, MIDNIGHT + 5)->time_is_end = true;
	check("an hour whose calls have moved to another leaves nothing behind");
}

static void hour_left_empty_after_another(void)
{
	set_tokens(put_call(MIDNIGHT - 2, 0), 1000);
	struct call *c = put_call(MIDNIGHT + 8, 1);
	c->streaming = true;
	c->time_is_end = false;
	put_record_of(c, SOURCE_COMPLETION, MIDNIGHT + 60)->time_is_end = true;
	check("nor does it teach anything, though it looks back at calls");
}

int main(void)
{
	static void (*const cases[])(void) = {
		hours_together,  streams_before_the_edge, sums_of_parts,
		late_foundation, two_foundations,         foundation_of_another_bucket,
		late_tags,       late_tags_of_moved_call, displaced_by_a_later_call,
		first_overflow,  hour_left_empty, hour_left_empty_after_another};
	start_test_redis();
	names_max = 1000;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		cases[i]();
	stop_test_redis();
	arena_release(&arena);
	return done();
}
