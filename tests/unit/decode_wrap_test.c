// SPDX-License-Identifier: Apache-2.0
// Property: wrapping does not change what is read. Records in a random tree of wrappers, up to six deep, give
// the same records as bare, in the same order, and no fault; and such a message with some of its bytes
// changed gives no crash, and the same twice. Prints its seed; SEED=N runs it again.
#include <time.h>

#include "base/when.h"
#include "tests/support/table.h"
#include "tests/tap.h"

enum { ROUNDS = 400, RECORDS_MAX = 12, DEPTH_MAX = 5 };

static uint64_t state;

static uint32_t random_below(uint32_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % n;
}

static void collect(void *user, const struct record *r)
{
	record_describe(r, user);
	buf_addc(user, '\n');
}

static void one_record(struct buf *out)
{
	uint32_t id = random_below(1000000);
	if (random_below(4) == 0)
		buf_addf(
			out,
			"{\"account_id\":\"111122223333\",\"region\":\"us-east-1\",\"namespace\":\"AWS/Bedrock\",\"metric_name\":\"InputTokenCount\","
			"\"dimensions\":{\"ModelId\":\"m\"},\"timestamp\":1793595960000,\"value\":{\"sum\":%u.0}}",
			id);
	else
		buf_addf(
			out,
			"{\"eventTime\":\"2026-11-02T05:06:07Z\",\"eventSource\":\"bedrock.amazonaws.com\",\"awsRegion\":\"us-east-1\","
			"\"recipientAccountId\":\"111122223333\",\"eventName\":\"Converse\",\"requestParameters\":{\"modelId\":\"m\"},"
			"\"userIdentity\":{\"arn\":\"arn:aws:iam::111122223333:user/bo\\u0062 \\\"}]{\"},\"requestID\":\"r-%u\"}",
			id);
}

static void apply(struct buf *b, const char *steps)
{
	struct str rest = str_of(steps);
	while (rest.len)
		if (!step(b, str_cut(&rest, '\n')))
			abort();
}

// One message, in one more wrapper.
static void wrap(struct buf *b)
{
	static const char *const wrappers[] = {
		"gzip",
		"base64\nwrap {\"requestId\":\"q\",\"records\":[{\"data\":\"<>\"}]}",
		"gzip\nbase64\nwrap {\"awslogs\":{\"data\":\"<>\"}}",
		"wrap {\"messageType\":\"DATA_MESSAGE\",\"logEvents\":[{\"id\":\"1\",\"message\":\"<>\"}]}",
		"wrap {\"topic\":\"t\",\"partition\":0,\"offset\":1,\"payload\":\"<>\"}",
		"wrap {\"EventId\":\"e\",\"CloudTrailEvent\":\"<>\"}",
		"wrap {\"Message\":\"<>\"}",
		"wrap {\"log\":\"<>\",\"stream\":\"stdout\"}",
		"wrap {\"schema\":{\"type\":\"string\"},\"payload\":\"<>\"}",
		"wrap {\"Records\":[{\"body\":\"<>\",\"eventSource\":\"aws:sqs\"}]}",
		"wrap {\"streams\":[{\"values\":[[\"1\",\"<>\"]]}]}",
		"wrap {\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":{\"stringValue\":\"<>\"}}]}]}]}",
		"base64\nwrap {\"a\":{\"b\":[\"<>\"]}}",
		"avro\nbase64\nwrap {\"data\":\"<>\"}",
		"field 3\nbase64",
		"base64\navro\nbase64\nwrap {\"data\":\"<>\"}",
		"gzip\nfield 2\nbase64\nwrap {\"data\":\"<>\"}",
	};
	bool text = b->len && (b->data[0] == '{' || b->data[0] == '[');
	uint32_t n = sizeof wrappers / sizeof *wrappers;
	apply(b, wrappers[random_below(text ? n : 3)]);
}

// Some records, bare or together: appends their bare lines to `bare`, and what holds them to `out`.
static void group(struct buf *bare, struct buf *out)
{
	uint32_t n = 1 + random_below(RECORDS_MAX), form = random_below(5);
	static const char *const open[] = {"", "", "{\"Records\":[", "[", "{\n  \"Records\": [\n"};
	static const char *const between[] = {"\n", "", ",", " , ", ",\n  "};
	static const char *const close[] = {"", "", "]}", "]", "\n]\n}\n"};
	buf_adds(out, open[form]);
	for (uint32_t i = 0; i < n; i++) {
		struct buf one = BUF_INIT;
		one_record(&one);
		buf_addstr(bare, buf_str(&one));
		buf_addc(bare, '\n');
		if (i)
			buf_adds(out, between[form]);
		if (random_below(8) == 0)
			apply(&one, "around {\"detail-type\":\"AWS API Call via CloudTrail\",\"detail\":<>}");
		buf_addstr(out, buf_str(&one));
		buf_release(&one);
	}
	buf_adds(out, close[form]);
	for (uint32_t depth = random_below(DEPTH_MAX); depth > 0; depth--)
		wrap(out);
}

static uint64_t faults(struct str message, struct buf *out)
{
	struct decoder *d = decoder_new((struct decode_limits){4 << 20, 64, 0}, collect, collect_fault, out);
	decoder_message(d, message.p, message.len);
	uint64_t n = decoder_counts(d)->faults;
	decoder_free(d);
	return n;
}

static bool same_when_wrapped(void)
{
	struct buf bare = BUF_INIT, message = BUF_INIT, want = BUF_INIT, got = BUF_INIT, again = BUF_INIT;
	group(&bare, &message);
	bool good = faults(buf_str(&bare), &want) == 0 && faults(buf_str(&message), &got) == 0 &&
	            str_eq(buf_str(&want), buf_str(&got));
	if (!good)
		diag("message: %.2000s\n# got: %s# want: %s", message.data, got.len ? got.data : "", want.data);
	for (uint32_t i = 0; i < 4; i++)
		message.data[random_below((uint32_t)message.len)] ^= (char)(1 + random_below(255));
	buf_clear(&got);
	faults(buf_str(&message), &got);
	faults(buf_str(&message), &again);
	good = good && str_eq(buf_str(&got), buf_str(&again));
	buf_release(&bare);
	buf_release(&message);
	buf_release(&want);
	buf_release(&got);
	buf_release(&again);
	return good;
}

int main(void)
{
	const char *seed = getenv("SEED");
	bool good = true;
	state = seed ? strtoull(seed, NULL, 10) : (uint64_t)when_now_ms();
	diag("SEED=%llu", (unsigned long long)state);
	for (int i = 0; good && i < ROUNDS; i++)
		good = same_when_wrapped();
	ok(good, "records are the same in any wrapper, and damage is told the same way twice");
	return done();
}
