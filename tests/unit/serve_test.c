// SPDX-License-Identifier: Apache-2.0
// What a question to the API may say, as a table; and who may ask, how often.
#include "base/when.h"
#include "tests/tap.h"
#include "web/api_query.h"
#include "web/auth.h"

#include <time.h>
#include <unistd.h>

enum { ALL = QUERY_SPAN | QUERY_BY | QUERY_FILTER | QUERY_LIMIT | QUERY_SEARCH | QUERY_STEP };

// "a=1&b=2", taken apart at & and =.
static void split(struct str text, struct http_request *r)
{
	*r = (struct http_request){0};
	while (text.len && r->nargs <= HTTP_ARGS_MAX) {
		struct str value = str_cut(&text, '&'), name = str_cut(&value, '=');
		if (r->nargs < HTTP_ARGS_MAX)
			r->args[r->nargs] = (struct http_arg){name, value.p ? value : STR("")};
		r->nargs++;
	}
}

static bool parse(const char *text, int words, struct api_query *q, struct err *err)
{
	struct http_request r;
	int64_t now;
	when_parse(STR("2026-11-02T05:40:00Z"), &now);
	*q = (struct api_query){.now_ms = now, .step = STEP_HOUR, .limit = 8};
	*err = (struct err)ERR_INIT;
	split(str_of(text), &r);
	return api_query_parse(q, &r, words, 24, (struct caller_sources){.team = STR("tag:team")}, err);
}

static void must_parse(const char *text, const char *from, const char *to)
{
	struct api_query q;
	struct err err;
	char a[WHEN_SIZE], b[WHEN_SIZE];
	if (!ok(parse(text, ALL, &q, &err), "\"%s\" is a question", text)) {
		diag("%s", err.msg);
		return;
	}
	is_str(when_format(q.from * MS_PER_HOUR, a), from, "from there");
	is_str(when_format(q.to * MS_PER_HOUR, b), to, "to there");
}

static void must_fail(const char *text, int words, const char *why)
{
	struct api_query q;
	struct err err;
	if (!ok(!parse(text, words, &q, &err) && strstr(err.msg, why), "\"%.60s\" is none: %s", text, why))
		diag("%s", err.msg);
}

static void test_questions(void)
{
	must_parse("", "2026-11-01T06:00:00Z", "2026-11-02T06:00:00Z");
	must_parse("hours=1", "2026-11-02T05:00:00Z", "2026-11-02T06:00:00Z");
	must_parse("from=2026-11-01T10:30:00Z", "2026-11-01T10:00:00Z", "2026-11-02T06:00:00Z");
	must_parse("from=2026-10-31&to=2026-11-01T00:00:01Z", "2026-10-31T00:00:00Z", "2026-11-01T01:00:00Z");
	must_parse("now=2026-01-01T00:00:00Z&hours=2", "2025-12-31T23:00:00Z", "2026-01-01T01:00:00Z");
	must_parse("step=day&hours=9600", "2025-09-28T06:00:00Z", "2026-11-02T06:00:00Z");
	must_parse("step=minute&hours=6&role=x&tag:env=&limit=10000", "2026-11-02T00:00:00Z",
	           "2026-11-02T06:00:00Z");
	must_fail("hours=0", ALL, "expected a number from 1 to");
	must_fail("hours=", ALL, "expected a number");
	must_fail("hours=+1", ALL, "expected a number");
	must_fail("hours=745", ALL, "from 1 to 744");
	must_fail("step=minute&hours=7", ALL, "from 1 to 6");
	must_fail("step=day&hours=9601", ALL, "from 1 to 9600");
	must_fail("from=2026-11-02&to=2026-11-02", ALL, "from is not before to");
	must_fail("from=2020-01-01&step=day", ALL, "at most 9600");
	must_fail("to=tomorrow", ALL, "expected a time");
	must_fail("now=", ALL, "expected a time");
	must_fail("hours=1&to=2026-11-02", ALL, "exclude each other");
	must_fail("hours=1&hours=2", ALL, "given twice");
	must_fail("limit=10001", ALL, "from 1 to 10000");
	must_fail("by=who", ALL, "no grouping");
	must_fail("by=team,model,team", ALL, "team is named twice");
	must_fail("by=hour,account,region,model,principal,role,team,token_type,tag:a", ALL, "more than 8");
	must_fail("colour=blue", ALL, "no parameter of this query");
	must_fail("role,team=x", ALL, "no parameter of this query");
	must_fail("=x", ALL, "no parameter of this query");
	must_fail("tag:=x", ALL, "no parameter of this query");
	must_fail("by=role", QUERY_SPAN, "no parameter of this query");
	must_fail("role=a&role=b&role=c&role=d&role=e&role=f&role=g&role=h&role=i", ALL, "more than 8 filters");
	must_fail("a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a", ALL,
	          "more than 32 parameters");
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		abort();
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static int64_t time_of_check(struct auth *a, struct str header, int64_t ticks)
{
	struct timespec from, to;
	clock_gettime(CLOCK_MONOTONIC, &from);
	enum auth_verdict v = auth_check(a, STR("t"), header, ticks);
	clock_gettime(CLOCK_MONOTONIC, &to);
	if (v != AUTH_WRONG)
		abort();
	return (to.tv_sec - from.tv_sec) * 1000000000 + to.tv_nsec - from.tv_nsec;
}

// A thousand tokens; one guess has nothing of any of them, one all but the last character of the first, one
// of the last.
static void test_constant_time(void)
{
	enum { ROUNDS = 4001, GUESSES = 3, TOKENS = 1000, LEN = 200 };
	static int64_t times[GUESSES][ROUNDS];
	static char text[TOKENS * (LEN + 20)], guesses[GUESSES][LEN + 20];
	char path[] = "/tmp/nowcast-tokens-XXXXXX";
	struct auth *a = NULL;
	struct err err = ERR_INIT;
	size_t n = 0;
	close(mkstemp(path));
	for (int i = 0; i < TOKENS; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "t%d %0*d\n", i, LEN, i);
	write_file(path, text);
	snprintf(guesses[0], sizeof guesses[0], "Bearer %0*d", LEN, 0);
	memset(guesses[0] + 7, 'x', LEN);
	snprintf(guesses[1], sizeof guesses[1], "Bearer %0*dx", LEN - 1, 0);
	snprintf(guesses[2], sizeof guesses[2], "Bearer %0*dx", LEN - 1, (TOKENS - 1) / 10);
	if (!ok(auth_open(&a, "auth.tokens.file", path, 10, &err), "a thousand tokens %s", err.msg))
		return;
	for (int64_t i = 0; i < ROUNDS; i++)
		for (int g = 0; g < GUESSES; g++)
			times[g][i] = time_of_check(a, str_of(guesses[g]), (i * GUESSES + g) * 6000);
	for (int g = 0; g < GUESSES; g++)
		qsort(times[g], ROUNDS, sizeof times[g][0], by_time);
	int64_t none = times[0][ROUNDS / 2], first = times[1][ROUNDS / 2], last = times[2][ROUNDS / 2];
	ok(first * 10 < none * 12 && none * 10 < first * 12 && last * 10 < none * 12 && none * 10 < last * 12,
	   "a guess takes as long however near it is (%lld, %lld, %lld ns)", (long long)none, (long long)first,
	   (long long)last);
	auth_close(a);
	unlink(path);
}

static void test_tokens(void)
{
	char path[] = "/tmp/nowcast-tokens-XXXXXX";
	struct auth *a = NULL;
	struct err err = ERR_INIT;
	int fd = mkstemp(path);
	close(fd);
	write_file(path, "# comment\n\n wall   0123456789abcdef \r\nbot\tfedcba9876543210\n");
	ok(auth_open(&a, "auth.tokens.file", path, 10, &err), "a file of tokens %s", err.msg);
	ok(auth_check(a, STR("p"), STR("Bearer 0123456789abcdef"), 0) == AUTH_YES, "a token of it");
	ok(auth_check(a, STR("p"), STR("bearer  fedcba9876543210 "), 0) == AUTH_YES,
	   "another, with its own blanks");
	ok(auth_check(a, STR("p"), STR_NONE, 0) == AUTH_MISSING, "none");
	ok(auth_check(a, STR("p"), STR("Basic 0123456789abcdef"), 0) == AUTH_MISSING, "another scheme");
	ok(auth_check(a, STR("p"), STR("Bearer"), 0) == AUTH_MISSING, "an empty one");
	ok(auth_check(a, STR("p"), STR("Bearer 0123456789abcde"), 0) == AUTH_WRONG, "one cut short");
	ok(auth_check(a, STR("p"), STR("Bearer 0123456789abcdef0"), 0) == AUTH_WRONG, "one too long");
	for (int i = 0; i < 8; i++)
		(void)!auth_check(a, STR("p"), STR("Bearer xxxxxxxxxxxxxxxxx"), 0);
	ok(auth_check(a, STR("p"), STR("Bearer xxxxxxxxxxxxxxxxx"), 0) == AUTH_SLOWER,
	   "after ten wrong ones: slower");
	ok(auth_check(a, STR("q"), STR("Bearer 0123456789abcdef"), 0) == AUTH_YES,
	   "which is no matter of another address");
	ok(auth_check(a, STR("p"), STR("Bearer 0123456789abcdef"), 0) == AUTH_YES,
	   "nor of a token that is right");
	ok(auth_check(a, STR("p"), STR_NONE, 0) == AUTH_SLOWER, "but of none");
	ok(auth_check(a, STR("p"), STR("Bearer 0123456789abcdef"), 7000) == AUTH_YES, "and passes");

	int passed = 0;
	for (int i = 0; i < 100; i++)
		passed += auth_rate(a, STR("r"), i % 2 ? STR_NONE : STR("Bearer xxxxxxxxxxxxxxxxx"), 0);
	is_int(passed, 40, "a burst of four seconds' worth");
	passed = 0;
	for (int i = 0; i < 100; i++)
		passed += auth_rate(a, STR("r"), STR("Bearer 0123456789abcdef"), 0);
	is_int(passed, 40, "a token has a rate of its own, whatever comes from its address");
	ok(!auth_rate(a, STR("r"), STR_NONE, 99) && auth_rate(a, STR("r"), STR_NONE, 200),
	   "then as many as the rate says");

	write_file(path, "wall short\n");
	ok(!auth_refresh(a, &err) && strstr(err.msg, ":1: expected `NAME TOKEN`"), "a bad file is refused: %s",
	   err.msg);
	ok(auth_check(a, STR("q"), STR("Bearer 0123456789abcdef"), 0) == AUTH_YES, "and what was in force stays");
	auth_close(a);
	unlink(path);
}

int main(void)
{
	test_questions();
	test_tokens();
	test_constant_time();
	return done();
}
