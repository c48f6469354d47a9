// SPDX-License-Identifier: Apache-2.0
// The built-in catalogue against tests/price.txt, and price files against tests/price_file.txt. Both grow
// without C.
#include "pricing/price.h"

#include <time.h>

#include "base/buf.h"
#include "base/when.h"
#include "pricing/price_file.h"
#include "tests/support/slurp.h"
#include "tests/tap.h"

static struct str trim(struct str s)
{
	while (s.len && s.p[0] == ' ')
		s = (struct str){s.p + 1, s.len - 1};
	while (s.len && s.p[s.len - 1] == ' ')
		s.len--;
	return s;
}

// One token type of one case; false if it is not as `want` says: a rate, "-", or the start of a reason.
static bool check_type(const struct price_query *q, struct str want, bool reason)
{
	struct rate rate;
	int64_t pico;
	enum price_miss miss = catalogue_find(catalogue_builtin(), q, &rate);
	const char *why = price_miss_text(miss), *type = token_type_names[q->type];
	bool found = miss == MISS_NONE;
	if (found != (!reason && !str_is(want, "-"))) {
		diag("%s: %s", type, why);
		return false;
	}
	if (reason && !memmem(why, strlen(why), want.p, want.len)) {
		diag("%s: %s", type, why);
		return false;
	}
	if (found && (!usd_parse_scaled(want, 6, &pico) || pico != rate.pico_per_token ||
	              rate.from_ms > q->time_ms || rate.to_ms <= q->time_ms || !*rate.source)) {
		diag("%s: %lld picodollars, %s", type, (long long)rate.pico_per_token, rate.source);
		return false;
	}
	return true;
}

static void check_case(struct str line)
{
	struct str rest = line, names = trim(str_cut(&rest, '|'));
	struct str model = trim(str_cut(&names, '=')), foundation = trim(names);
	struct str place = trim(str_cut(&rest, '|')), when = trim(str_cut(&rest, '|')), want = trim(rest);
	struct str region = str_cut(&place, ' '), tier = str_cut(&place, ' ');
	int64_t time_ms = 0, prompt = 0;
	int t = 0;
	bool good = when_parse(when, &time_ms), reason = want.len && want.p[0] == '!';
	while (tier.len && t < PRICE_TIERS && !str_is(tier, price_tier_names[t]))
		t++;
	good = good && t < PRICE_TIERS && (!place.len || usd_parse_scaled(place, 0, &prompt));
	if (reason)
		want = trim((struct str){want.p + 1, want.len - 1});
	for (int type = 0; type < TOKEN_TYPES; type++) {
		struct price_query q = {.model = model,
		                        .foundation = foundation,
		                        .region = region,
		                        .tier = good ? (enum price_tier)t : TIER_STANDARD,
		                        .prompt_tokens = prompt,
		                        .type = (enum token_type)type,
		                        .time_ms = time_ms};
		good = check_type(&q, reason ? want : str_cut(&want, ' '), reason) && good;
	}
	ok(good, "%.*s %.*s in %.*s at %.*s, %s, prompt %lld", STR_ARG(model), STR_ARG(foundation),
	   STR_ARG(region), STR_ARG(when), price_tier_names[t % PRICE_TIERS], (long long)prompt);
}

static void check_rates(void)
{
	struct buf text = BUF_INIT;
	if (!must_slurp("tests/price.txt", &text))
		return;
	for (struct str rest = buf_str(&text); rest.len;) {
		struct str line = trim(str_cut(&rest, '\n'));
		if (line.len && line.p[0] != '#')
			check_case(line);
	}
	buf_release(&text);
}

static void check_file(struct str want, struct str text)
{
	struct err err = ERR_INIT;
	struct price_rows rows;
	bool read = price_file_read(&rows, text, "f.csv", &err), good;
	struct buf got = BUF_INIT;
	if (read)
		buf_addf(&got, "ok %zu", rows.n);
	else
		buf_adds(&got, err.msg);
	good = str_starts(want, STR("ok ")) ? str_eq(want, buf_str(&got))
	                                    : !read && memmem(err.msg, strlen(err.msg), want.p, want.len);
	if (!ok(good && (read || err.kind == ERR_CONFIG), "%.*s", STR_ARG(want)))
		diag("%s", got.data);
	if (read)
		price_rows_release(&rows);
	buf_release(&got);
}

static void check_files(void)
{
	struct buf text = BUF_INIT;
	if (!must_slurp("tests/price_file.txt", &text))
		return;
	struct str want = STR_NONE, body = STR_NONE;
	for (struct str rest = buf_str(&text); rest.len;) {
		struct str line = str_cut(&rest, '\n');
		if (str_starts(line, STR("== "))) {
			if (want.len)
				check_file(want, body);
			want = (struct str){line.p + 3, line.len - 3};
			body = (struct str){line.p + line.len + 1, 0};
		} else if (want.len) {
			body.len = (size_t)(line.p + line.len + 1 - body.p);
		}
	}
	check_file(want, body);
	buf_release(&text);
}

// A cut anywhere in a good file must be an error or a shorter file, never a crash; under a sanitizer this is
// a test.
static void check_truncated(void)
{
	struct buf text = BUF_INIT;
	if (!must_slurp("pricing/builtin.csv", &text))
		return;
	size_t whole = 0, parsed = 0;
	for (size_t cut = text.len; cut > 0; cut -= cut > 97 ? 97 : cut) {
		struct catalogue *c;
		struct err err = ERR_INIT;
		bool good = catalogue_parse(&c, (struct str){text.data, cut}, "cut.csv", &err);
		whole += cut == text.len && good;
		parsed += good;
		if (good)
			catalogue_free(c);
	}
	ok(whole == 1 && parsed < text.len / 97, "a file cut anywhere is read or refused");
	buf_release(&text);
}

static void report_speed(void)
{
	enum { N = 1000000 };
	struct timespec a, b;
	struct rate rate;
	struct price_query q = {.model = STR("us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
	                        .region = STR("us-east-1"),
	                        .time_ms = INT64_C(1793577600000)};
	int64_t sum = 0;
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (int i = 0; i < N; i++) {
		q.type = (enum token_type)(i % TOKEN_TYPES);
		if (catalogue_find(catalogue_builtin(), &q, &rate) == MISS_NONE)
			sum += rate.pico_per_token;
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	diag("a look-up takes %lld ns (sum %lld)",
	     (long long)((b.tv_sec - a.tv_sec) * 1000000000LL + b.tv_nsec - a.tv_nsec) / N, (long long)sum);
}

int main(void)
{
	check_rates();
	check_files();
	check_truncated();
	report_speed();
	return done();
}
