// SPDX-License-Identifier: Apache-2.0
// The decoder's limits: what is too large, too deep or too broken is one fault that says so, and costs no
// more than its share.
#include <time.h>

#include "tests/support/table.h"
#include "tests/tap.h"

enum { MB = 1 << 20 };

static uint64_t records, faults;
static size_t fault_bytes;
static char reason[480];

static void on_record(void *user, const struct record *r)
{
	(void)user, (void)r;
	records++;
}

static void on_fault(void *user, enum fault_kind kind, int index, struct str part, const char *why)
{
	(void)user, (void)kind, (void)index;
	faults++;
	fault_bytes += part.len;
	snprintf(reason, sizeof reason, "%s", why);
}

static struct decode_counts decode(struct buf *message, size_t limit)
{
	struct decoder *d = decoder_new((struct decode_limits){limit, 32, 0}, on_record, on_fault, NULL);
	records = faults = 0;
	fault_bytes = 0;
	reason[0] = '\0';
	decoder_message(d, message->data, message->len);
	struct decode_counts counts = *decoder_counts(d);
	decoder_free(d);
	buf_release(message);
	return counts;
}

static void fill(struct buf *b, const char *head, const char *unit, size_t n, const char *tail)
{
	buf_adds(b, head);
	for (size_t i = 0; i < n; i++)
		buf_adds(b, unit);
	buf_adds(b, tail);
}

static bool says(const char *words)
{
	bool good = strstr(reason, words) != NULL;
	if (!good)
		diag("reason: %s", reason);
	return good;
}

static void too_large(void)
{
	struct buf b = BUF_INIT;
	fill(&b, "", "xxxxxxxxxxxxxxxx", 100 * MB / 16, "");
	decode(&b, 64 * MB);
	ok(faults == 1 && says("message too large: 104857600 bytes, of at most 67108864"), "a message of 100 MB");
	fill(&b, "{\"bedrock\":\"", "xxxxxxxxxxxxxxxx", 13 * MB / 16, "\"}");
	decode(&b, 64 * MB);
	ok(faults == 1 && says("one value of more than 12 MB"), "a single value of 13 MB");
	fill(&b, "{\"records\":[{\"data\":\"", "QUFBQUFBQUFBQUFBQUFB", 4 * MB / 20, "\"}]}");
	decode(&b, 2 * MB);
	ok(faults == 1 && says("message too large"), "base64 beyond the limit");
	fill(&b, "", "{\"x\":\"bedrock\"} ", 4 * MB / 16, "");
	step_gzip(&b);
	decode(&b, 2 * MB);
	ok(faults == 1 && says("message too large: its gzip data"), "gzip beyond the limit");
}

static void too_broken(void)
{
	struct buf b = BUF_INIT;
	fill(&b, "", "{\"bedrock\"}\n", 5000, "");
	decode(&b, MB);
	ok(faults == 1001 && says("too many broken parts before it"),
	   "of 5000 broken lines a thousand are reported one by one");
	fill(&b, "{\"Records\":[{}", ",{bedrock}", 5000, "]}");
	decode(&b, MB);
	ok(faults == 1001 && says("too many broken parts before it"), "the same in a list");
	fill(&b, "", "{\"bedrock\":\n", MB / 16, "");
	decode(&b, MB);
	ok(faults <= 1001, "a million brackets that do not close end soon");
	fill(&b, "{\"bedrock\":", "[", 5000, "");
	decode(&b, MB);
	ok(faults == 1, "5000 brackets within each other");
}

// What a message of a few KB inflates to is not what its dead letters may take.
static void too_much_of_one(void)
{
	struct buf b = BUF_INIT;
	fill(&b, "{\"Records\":[{}",
	     ",{\"eventSource\":\"bedrock.amazonaws.com\",\"eventName\":\"Converse\",\"requestID\":\"r\",\"eventTime\":\"no\"}", 5000,
	     "]}");
	step_gzip(&b);
	size_t len = b.len;
	decode(&b, 4 * MB);
	ok(faults > 10 && fault_bytes <= 5 * len + 16 * 1024 && says("here is all of it"),
	   "5000 broken records in %zu bytes of gzip: dead letters of %zu bytes", len, fault_bytes);
}

static void too_many_tags(void)
{
	struct buf b = BUF_INIT;
	buf_adds(
		&b,
		"{\"eventSource\":\"iam.amazonaws.com\",\"eventName\":\"TagRole\",\"eventTime\":\"2026-11-02T05:00:00Z\",\"eventID\":\"e\","
		"\"recipientAccountId\":\"1\",\"requestParameters\":{\"roleName\":\"r\",\"tags\":[{\"key\":\"x\",\"value\":\"\"}");
	for (int i = 0; i < TAGS_MAX; i++)
		buf_addf(&b, ",{\"key\":\"k%d\",\"value\":\"v\"}", i);
	buf_adds(&b, "]}}");
	decode(&b, MB);
	ok(faults == 1 && records == 0 && says("more than 64 tags"), "65 tags");
}

// Sums are looked up among the points of the other statistics, not searched for.
static void many_points(void)
{
	enum { SUMS = 10000, POINTS = 100000 };
	static const char query[] =
		"{\"Id\":\"%s\",\"MetricStat\":{\"Metric\":{\"Namespace\":\"AWS/Bedrock\",\"MetricName\":\"InputTokenCount\","
		"\"Dimensions\":[{\"Name\":\"ModelId\",\"Value\":\"m\"}]},\"Period\":60,\"Stat\":\"%s\"}}";
	struct buf b = BUF_INIT;
	buf_adds(&b, "{\"Region\":\"us-east-1\",\"MetricDataQueries\":[");
	buf_addf(&b, query, "s", "Sum");
	buf_addc(&b, ',');
	buf_addf(&b, query, "n", "SampleCount");
	fill(&b, "],\"MetricDataResults\":[{\"Id\":\"n\",\"Timestamps\":[60", ",60", POINTS - 1, "],\"Values\":[1");
	fill(&b, "", ",1", POINTS - 1, "]}");
	fill(&b, "", ",{\"Id\":\"s\",\"Timestamps\":[1793595960],\"Values\":[1]}", SUMS, "]}");
	clock_t began = clock();
	decode(&b, 4 * MB);
	double took = (double)(clock() - began) / CLOCKS_PER_SEC;
	ok(records == SUMS && took < 2, "an answer of %d sums and %d points of another statistic: %.2f s", SUMS, POINTS,
	   took);
}

static void nothing(void)
{
	struct buf b = BUF_INIT;
	struct decode_counts c = decode(&b, MB);
	ok(c.messages == 1 && c.ignored == 1 && faults == 0, "an empty message without any bytes");
	buf_add(&b, "\0\0\0", 3);
	decode(&b, MB);
	ok(faults == 1 && says("starts with 00 00 00"), "zeros");
}

int main(void)
{
	too_large();
	too_broken();
	too_much_of_one();
	too_many_tags();
	many_points();
	nothing();
	return done();
}
