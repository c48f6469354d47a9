// SPDX-License-Identifier: Apache-2.0
// The demo's traffic is what it says: every record is one that the decoder knows, the metrics add up to the
// truth to the token, and the same seed makes the same bytes.
#include "demo/traffic.h"

#include <string.h>

#include "base/when.h"
#include "demo/truth.h"
#include "ingest/decode.h"
#include "tests/tap.h"

struct seen {
	int64_t kinds[RECORD_KINDS], faults, early, late;
	int64_t sums[TOKEN_KINDS];
	const struct traffic *traffic;
};

static void on_record(void *user, const struct record *r)
{
	struct seen *s = user;
	s->kinds[r->kind]++;
	if (r->kind == RECORD_METRIC)
		s->sums[r->metric.token_kind] += r->metric.sum;
	if (r->kind == RECORD_CALL || r->kind == RECORD_CALL_TOKENS) {
		s->early += r->call.time_ms < s->traffic->from_ms - 1000; // eventTime has no milliseconds
		s->late += r->call.time_ms > s->traffic->to_ms;
	}
}

static void on_fault(void *user, enum fault_kind kind, int index, struct str part, const char *reason)
{
	struct seen *s = user;
	(void)kind, (void)index;
	if (s->faults++ == 0)
		diag("%s: %.*s", reason, STR_ARG(part));
}

static bool is_again(const struct traffic *t, size_t i) // the same bytes as a message before
{
	for (size_t k = 0; k < i; k++)
		if (t->messages[k].text.p == t->messages[i].text.p)
			return true;
	return false;
}

static int64_t off(int64_t estimated, int64_t truth)
{
	int64_t tenths = -1;
	struct truth_row r = {.priced = true, .estimated = {estimated}, .truth = {truth}};
	ok(truth_off(&r, &tenths), "%lld is so far off %lld", (long long)estimated, (long long)truth);
	return tenths;
}

static void test_off(void)
{
	is_int(off(35478, 35446), 1, "0.09 % is a tenth, not nothing");
	is_int(off(51694, 63791), -190, "-18.96 % is -19.0 %");
	is_int(off(100049, 100000), 0, "0.049 % is nothing");
	is_int(off(99951, 100000), 0, "on either side");
}

int main(void)
{
	struct traffic t, twin;
	const int64_t from_ms = 1793577600000 + 17 * MS_PER_MINUTE + 12345; // not at the start of anything
	traffic_make(&t, from_ms, 7);
	traffic_make(&twin, from_ms, 7);

	bool same = t.n == twin.n, sorted = true;
	size_t again = 0;
	struct seen seen = {.traffic = &t};
	struct decoder *d = decoder_new((struct decode_limits){1 << 20, 16, 0}, on_record, on_fault, &seen);
	for (size_t i = 0; i < t.n; i++) {
		same = same && str_eq(t.messages[i].text, twin.messages[i].text) &&
		       t.messages[i].arrives_ms == twin.messages[i].arrives_ms;
		sorted = sorted && (i == 0 || t.messages[i - 1].arrives_ms <= t.messages[i].arrives_ms);
		if (is_again(&t, i))
			again++;
		else
			decoder_message(d, t.messages[i].text.p, t.messages[i].text.len);
	}
	ok(same, "the same seed makes the same messages");
	ok(sorted, "in order of arrival");
	ok(again * 100 > t.n && again * 10 < t.n, "some of them twice");
	is_int(seen.faults, 0, "the decoder knows them all");
	is_int((long long)decoder_counts(d)->ignored, 0, "and none is none of our business");
	ok(seen.kinds[RECORD_CALL_TOKENS] > 0 && seen.kinds[RECORD_SESSION_TAGS] > 0 &&
	       seen.kinds[RECORD_PRINCIPAL_TAGS] > 0,
	   "streams that end, sessions and tags are among them");
	is_int(seen.early + seen.late, 0, "the calls are those of the hour");

	int64_t calls = 0, truth[TOKEN_TYPES] = {0};
	for (int i = 0; i < t.ntruth; i++) {
		calls += t.truth[i].calls + t.truth[i].failed;
		for (int k = 0; k < TOKEN_TYPES; k++)
			truth[k] += t.truth[i].tokens[k];
	}
	is_int(seen.kinds[RECORD_CALL], calls, "the truth counts every call");
	is_int(seen.sums[TOKENS_INPUT], truth[TOKEN_INPUT], "metrics add up to the truth: input");
	is_int(seen.sums[TOKENS_OUTPUT], truth[TOKEN_OUTPUT], "output");
	is_int(seen.sums[TOKENS_CACHE_READ], truth[TOKEN_CACHE_READ], "cache reads");
	is_int(seen.sums[TOKENS_CACHE_WRITE], truth[TOKEN_CACHE_WRITE_5M] + truth[TOKEN_CACHE_WRITE_1H],
	       "cache writes");

	test_off();

	decoder_free(d);
	traffic_release(&t);
	traffic_release(&twin);
	return done();
}
