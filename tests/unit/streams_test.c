// SPDX-License-Identifier: Apache-2.0
// How AWS's APIs are read over hours: what comes late, what is switched on or over meanwhile, and what
// throttles. The hours pass as fast as the requests are answered (tests/support/aws_fake.h).
#include "run/streams.h"

#include "aws/logs.h"
#include "base/text.h"
#include "base/when.h"
#include "tests/support/aws_fake.h"
#include "tests/tap.h"

#define MINUTES(n) ((int64_t)(n)*60000)

// ---- what AWS has -------------------------------------------------------------------------------

struct log_event {
	const char *group, *text;
	int64_t at_ms, there_ms; // when CloudWatch has it
};

struct file {
	char key[120];
	int64_t there_ms;
};

static struct {
	const char *group;           // of the invocation logs; NULL: logging is off
	const struct log_event *events;
	int nevents;
	int64_t throttled_until_ms, retry_after_s;
	int64_t earliest_ms;         // before it nothing may be asked
	int requests, too_soon;
	const char *gone;            // a log group that was deleted
	const char *bucket;          // of the invocation logs, where there is no group
	const struct file *files;
	int nfiles;
	const char *closed;          // a file that may not be read
	void (*between_pages)(void); // of a listing
	int listings;
	const char *queued, *undeleted; // messages; what deleting them answers
	const char *organization;    // what Organizations refuses with; NULL: it answers
	int broken_tags;             // pages that cannot be kept
} aws;

static int64_t number_in(const char *body, const char *member)
{
	const char *at = strstr(body, member);
	return at ? strtoll(at + strlen(member) + 2, NULL, 10) : 0; // "member": or "member":
}

static void answer_logs(const char *asked, struct buf *body)
{
	int64_t from = number_in(asked, "startTime"), to = number_in(asked, "endTime");
	int n = 0;
	buf_adds(body, "{\"events\":[");
	for (int i = 0; i < aws.nevents; i++) {
		const struct log_event *e = &aws.events[i];
		char group[64];
		snprintf(group, sizeof group, "\"%s\"", e->group);
		if (strstr(asked, group) && e->at_ms >= from && e->at_ms <= to && e->there_ms <= when_now_ms())
			buf_addf(body, "%s{\"message\":\"%s\"}", n++ ? "," : "", e->text);
	}
	buf_adds(body, "]}");
}

// Two keys a page.
static void answer_listing(const char *query, struct buf *body)
{
	struct buf prefix = BUF_INIT, after = BUF_INIT;
	const char *p = strstr(query, "prefix="), *a = strstr(query, "start-after=");
	const struct file *page[2], *best;
	int n = 0;
	bool more = false;
	buf_add_url_decoded(&prefix, (struct str){p + 7, strcspn(p + 7, "&")}, false);
	buf_adds(&after, "");
	if (a)
		buf_add_url_decoded(&after, str_of(a + 12), false);
	for (;; page[n++] = best) {
		best = NULL;
		for (int i = 0; i < aws.nfiles; i++) {
			const struct file *f = &aws.files[i];
			if (str_starts(str_of(f->key), buf_str(&prefix)) && f->there_ms <= when_now_ms() &&
			    strcmp(f->key, n ? page[n - 1]->key : after.data) > 0 &&
			    (!best || strcmp(f->key, best->key) < 0))
				best = f;
		}
		more = best && n == 2;
		if (!best || n == 2)
			break;
	}
	buf_adds(body, "<R>");
	for (int i = 0; i < n; i++)
		buf_addf(body, "<Contents><Key>%s</Key><LastModified>2026-11-02T05:06:07Z</LastModified><Size>9</Size></Contents>",
		         page[i]->key);
	buf_addf(body, "<IsTruncated>%s</IsTruncated></R>", more ? "true" : "false");
	aws.listings++;
	if (more && aws.between_pages)
		aws.between_pages();
	buf_release(&prefix);
	buf_release(&after);
}

// Three accounts on two pages, of which the first one is empty. One is gone since it was listed, and one has
// its tags on two pages.
static int answer_organization(const struct aws_fake_request *r, struct buf *body)
{
	bool next = strstr(r->body, "NextToken");
	if (aws.organization) {
		buf_addf(body, "{\"__type\":\"%s\",\"Message\":\"no\"}", aws.organization);
		return 400;
	}
	if (strcmp(r->operation, "ListAccounts") == 0 && !next)
		buf_adds(body, "{\"Accounts\":[],\"NextToken\":\"a\"}");
	else if (strcmp(r->operation, "ListAccounts") == 0)
		buf_adds(body, "{\"Accounts\":[{\"Arn\":\"arn:aws:organizations::1:account/o-1/111122223333\"},"
		               "{\"Arn\":\"arn:aws:organizations::1:account/o-1/222233334444\"},"
		               "{\"Arn\":\"arn:aws:organizations::1:account/o-1/333344445555\"}]}");
	else if (strstr(r->body, "222233334444")) {
		buf_adds(body, "{\"__type\":\"TargetNotFoundException\",\"Message\":\"no such account\"}");
		return 400;
	} else if (strstr(r->body, "333344445555") && !next)
		buf_adds(body, "{\"Tags\":[{\"Key\":\"one\",\"Value\":\"1\"}],\"NextToken\":\"b\"}");
	else
		buf_addf(body, "{\"Tags\":[{\"Key\":\"two\",\"Value\":\"%.12s\"}]}", strstr(r->body, "ResourceId") + 13);
	return 200;
}

static int answer_file(const char *key, struct buf *body)
{
	if (aws.closed && strstr(key, aws.closed)) {
		buf_adds(body, "<Error><Code>AccessDenied</Code><Message>closed</Message></Error>");
		return 403;
	}
	buf_addf(body, "{file %s}", key);
	return 200;
}

static int answer(const struct aws_fake_request *r, struct buf *body, struct buf *headers)
{
	int64_t now = when_now_ms();
	if (strcmp(r->operation, "/") == 0 || strstr(r->operation, "GetCallerIdentity")) { // STS
		buf_adds(body,
		         "<R><GetCallerIdentityResult><Account>111122223333</Account></GetCallerIdentityResult></R>");
		return 200;
	}
	aws.requests++;
	aws.too_soon += now < aws.earliest_ms;
	if (now < aws.throttled_until_ms) {
		buf_adds(body, "{\"__type\":\"ThrottlingException\",\"message\":\"Rate exceeded\"}");
		if (aws.retry_after_s) {
			buf_addf(headers, "Retry-After: %lld\r\n", (long long)aws.retry_after_s);
			aws.earliest_ms = now + aws.retry_after_s * 1000;
		}
		return 400;
	}
	if (strcmp(r->operation, "ListAccounts") == 0 || strcmp(r->operation, "ListTagsForResource") == 0)
		return answer_organization(r, body);
	if (strncmp(r->operation, "/logs/?", 7) == 0)
		answer_listing(r->operation + 7, body);
	else if (strncmp(r->operation, "/logs/", 6) == 0)
		return answer_file(r->operation + 6, body);
	else if (strcmp(r->operation, "/logging/modelinvocations") == 0 && aws.bucket)
		buf_addf(body, "{\"loggingConfig\":{\"s3Config\":{\"bucketName\":\"%s\",\"keyPrefix\":\"p\"}}}", aws.bucket);
	else if (strcmp(r->operation, "/logging/modelinvocations") == 0)
		buf_addf(body,
		         aws.group ? "{\"loggingConfig\":{\"cloudWatchConfig\":{\"logGroupName\":\"%s\"}}}" : "{}",
		         aws.group);
	else if (aws.gone && strstr(r->body, aws.gone)) {
		buf_adds(body, "{\"__type\":\"ResourceNotFoundException\",\"message\":\"There is no such log group.\"}");
		return 400;
	} else if (strcmp(r->operation, "FilterLogEvents") == 0)
		answer_logs(r->body, body);
	else if (strcmp(r->operation, "ReceiveMessage") == 0)
		buf_addf(body, "{\"Messages\":[%s]}", aws.queued);
	else if (strcmp(r->operation, "DeleteMessageBatch") == 0)
		buf_adds(body, aws.undeleted);
	else if (strcmp(r->operation, "LookupEvents") == 0)
		buf_adds(body, "{\"Events\":[]}");
	else
		return 404;
	return 200;
}

// ---- the reader ---------------------------------------------------------------------------------

struct reader {
	struct conf conf;
	struct streams streams;
	struct buf seen; // all messages
};

static void on_message(void *user, const struct stream *s, const char *path, struct str data)
{
	struct reader *r = user;
	(void)s, (void)path;
	buf_addstr(&r->seen, data);
}

static bool on_tags(void *user, const struct stream *s, struct str json, struct err *err)
{
	struct reader *r = user;
	(void)s;
	if (aws.broken_tags-- > 0)
		return err_set(err, ERR_RETRY, "Redis does not answer");
	buf_addstr(&r->seen, json);
	return true;
}

static void reader_open(struct reader *r, enum stream_kind kind)
{
	struct err err = ERR_INIT;
	*r = (struct reader){0};
	memset(&aws, 0, sizeof aws);
	conf_init(&r->conf);
	buf_adds(&r->seen, "");
	struct streams_options o = {
		.conf = &r->conf, .since_ms = MINUTES(180), .hooks = {on_message, on_tags, NULL, r}};
	o.wanted[kind] = true;
	if (!conf_set(&r->conf, STR("regions"), STR("us-east-1"), (struct conf_origin){CONF_FLAG, 0}, &err) ||
	    !conf_set(&r->conf, STR("trail.queue"), STR("https://sqs.us-east-1.amazonaws.com/111122223333/q"),
	              (struct conf_origin){CONF_FLAG, 0}, &err) ||
	    !streams_init(&r->streams, &o, &err)) {
		diag("%s", err.msg);
		abort();
	}
}

static void reader_close(struct reader *r)
{
	streams_release(&r->streams);
	conf_release(&r->conf);
	buf_release(&r->seen);
}

static void pass(int64_t ms)
{
	atomic_fetch_add(&aws_fake_ahead_ms, ms);
}

// Reads whatever is due until so much time has passed.
static void read_for(struct reader *r, int64_t ms)
{
	int64_t end = when_ticks_ms() + ms, due;
	for (;;) {
		struct stream *s = streams_next(&r->streams, &due);
		int64_t now = when_ticks_ms();
		if (now >= end)
			return;
		if (!s)
			pass((due < end ? due : end) - now + 1);
		else if (stream_open(&r->streams, s) && stream_turn(&r->streams, s))
			stream_finish(&r->streams, s);
	}
}

static bool has_seen(const struct reader *r, const char *text)
{
	return strstr(r->seen.data, text) != NULL;
}

// ---- invocation logs ----------------------------------------------------------------------------

static void test_late_event(void)
{
	struct reader r;
	reader_open(&r, STREAM_LOGS);
	int64_t now = when_now_ms();
	const struct log_event events[] = {
		{"g", "on time", now + MINUTES(20), now + MINUTES(21)},
		{"g", "the call took an hour", now + MINUTES(30), now + MINUTES(92)},
	};
	aws.group = "g";
	aws.events = events;
	aws.nevents = 2;
	read_for(&r, MINUTES(25));
	ok(has_seen(&r, "on time"), "an event of a log group");
	read_for(&r, MINUTES(85));
	ok(has_seen(&r, "took an hour"), "an event is read that came an hour after its time");
	ok(aws.requests < 240, "and not everything is read again each minute: %d requests in two hours",
	   aws.requests);
	reader_close(&r);
}

static void test_switched_on(void)
{
	struct reader r;
	reader_open(&r, STREAM_LOGS);
	int64_t now = when_now_ms();
	const struct log_event event = {"g", "the first one", now + MINUTES(3), now + MINUTES(4)};
	aws.events = &event;
	aws.nevents = 1;
	read_for(&r, MINUTES(2));
	aws.group = "g";
	read_for(&r, MINUTES(120));
	ok(has_seen(&r, "the first one"), "logging is switched on: the first event is read");
	reader_close(&r);
}

static void test_switched_off_meanwhile(void)
{
	struct reader r;
	reader_open(&r, STREAM_LOGS);
	struct stream *s = &r.streams.v[0];
	s->position_ms = when_now_ms() - MINUTES(60 * 48);
	s->was_read = true;
	read_for(&r, MINUTES(1));
	ok(s->gap_from_ms && s->gap_to_ms - s->gap_from_ms > MINUTES(60 * 46),
	   "logging was on before the daemon was away, and is off now: what was logged meanwhile is a gap");
	read_for(&r, MINUTES(60));
	ok(s->idle && !s->gap_to_ms, "which is said once");
	reader_close(&r);
}

static void test_another_group(void)
{
	struct reader r;
	reader_open(&r, STREAM_LOGS);
	int64_t now = when_now_ms();
	const struct log_event events[] = {
		{"before", "late in the old one", now + MINUTES(40), now + MINUTES(70)},
		{"after", "early in the new one", now + MINUTES(43), now + MINUTES(44)},
	};
	aws.group = "before";
	aws.events = events;
	aws.nevents = 2;
	read_for(&r, MINUTES(42));
	aws.group = "after";
	read_for(&r, MINUTES(120));
	ok(has_seen(&r, "early in the new one"), "logs go to another group: its first event is read");
	ok(has_seen(&r, "late in the old one"), "and the last one of the group before");
	aws.gone = "after";
	aws.group = "third";
	read_for(&r, MINUTES(12));
	ok(!r.streams.v[0].failing_ms && r.streams.v[0].note,
	   "when the log group is deleted, it is asked where they go now; that its last events may be missing is said");
	reader_close(&r);
}

// ---- invocation logs on S3 ----------------------------------------------------------------------

static struct file files[16];

static void put_file(const char *name, int64_t at_ms, int64_t there_ms)
{
	char t[WHEN_SIZE];
	when_format(at_ms, t);
	struct file *f = &files[aws.nfiles++];
	snprintf(f->key, sizeof f->key, "p/AWSLogs/111122223333/BedrockModelInvocationLogs/us-east-1/%.4s/%.2s/%.2s/%.2s/%s",
	         t, t + 5, t + 8, t + 11, name);
	f->there_ms = there_ms;
	aws.files = files;
}

static int count_seen(const struct reader *r, const char *text)
{
	int n = 0;
	for (const char *at = r->seen.data; (at = strstr(at, text)); at++)
		n++;
	return n;
}

static int64_t hour_ms; // in which the files are

static void put_before(void)
{
	aws.between_pages = NULL;
	put_file("0-before", hour_ms, when_now_ms());
}

static void test_files(void)
{
	struct reader r;
	reader_open(&r, STREAM_LOGS);
	int64_t now = when_now_ms();
	hour_ms = now - MINUTES(60);
	aws.bucket = "logs";
	put_file("a.json.gz", hour_ms, now);
	put_file("b.json.gz", hour_ms, now);
	put_file("c.json.gz", hour_ms, now);
	put_file("data/c_input.json.gz", hour_ms, now);
	put_file("an hour late", hour_ms, now + MINUTES(10));
	aws.between_pages = put_before;
	read_for(&r, MINUTES(5));
	ok(has_seen(&r, "/a.json.gz}") && has_seen(&r, "/b.json.gz}") && has_seen(&r, "/c.json.gz}"),
	   "the files of invocation logs on S3, of several pages of a listing");
	ok(has_seen(&r, "/0-before}"), "one that came before the first page, while the listing was read");
	ok(!has_seen(&r, "c_input"), "no bodies, which lie beside them");
	read_for(&r, MINUTES(20));
	ok(has_seen(&r, "late}"), "one that came late");
	is_int(count_seen(&r, "{file"), 5, "each is read once");
	ok(r.streams.v[0].position_ms > 0 && r.streams.v[0].position_ms <= when_now_ms() - LOGS_LATEST_MS,
	   "the hours in which files may still come are listed again");
	aws.closed = "closed";
	put_file("closed", when_now_ms(), when_now_ms());
	put_file("open", when_now_ms(), when_now_ms());
	int64_t position = r.streams.v[0].position_ms;
	read_for(&r, MINUTES(180));
	ok(has_seen(&r, "/open}") && r.streams.v[0].failing_ms && strstr(r.streams.v[0].why.msg, "closed"),
	   "a file that may not be read is named, and the others are read");
	ok(r.streams.v[0].position_ms <= position + MINUTES(2), "nothing is taken for read");
	aws.closed = NULL;
	read_for(&r, MINUTES(10));
	ok(has_seen(&r, "/closed}") && !r.streams.v[0].failing_ms, "once it may be, it is");
	is_int(count_seen(&r, "{file"), 7, "and each of the others still was read once");
	aws.bucket = NULL;
	aws.group = "g";
	put_file("last", when_now_ms(), when_now_ms() + MINUTES(2));
	read_for(&r, MINUTES(30));
	ok(has_seen(&r, "/last}"), "logs go to a log group now: the last files are read");
	reader_close(&r);
}

// ---- throttling ---------------------------------------------------------------------------------

static void test_throttled_for_an_hour(void)
{
	struct reader r;
	reader_open(&r, STREAM_CLOUDTRAIL);
	read_for(&r, MINUTES(10));
	int64_t position = r.streams.v[0].position_ms;
	aws.throttled_until_ms = when_now_ms() + MINUTES(60);
	aws.retry_after_s = 5400;
	aws.requests = 0;
	read_for(&r, MINUTES(60));
	ok(aws.requests <= 1 && !aws.too_soon, "an hour and a half is waited for, if AWS asks for it");
	aws.throttled_until_ms = 0;
	read_for(&r, MINUTES(60));
	ok(!r.streams.v[0].failing_ms, "and then it goes on");
	position = r.streams.v[0].position_ms;
	aws.throttled_until_ms = when_now_ms() + MINUTES(60);
	aws.retry_after_s = 90;
	aws.requests = 0;
	read_for(&r, MINUTES(60));
	is_int(aws.too_soon, 0, "in an hour of throttling nothing is asked sooner than AWS asks to wait");
	ok(aws.requests <= 41, "so there are %d requests in it", aws.requests);
	is_int(r.streams.v[0].position_ms, position, "nothing is taken for read");
	ok(r.streams.v[0].failing_ms && strstr(r.streams.v[0].why.msg, "throttles"), "the source says so");
	aws.throttled_until_ms = when_now_ms() + MINUTES(60);
	aws.retry_after_s = 0;
	aws.requests = 0;
	read_for(&r, MINUTES(60));
	ok(aws.requests < 40, "where AWS does not say how long, the wait grows: %d requests in an hour",
	   aws.requests);
	read_for(&r, MINUTES(20));
	ok(!r.streams.v[0].failing_ms && r.streams.v[0].position_ms > when_now_ms() - MINUTES(20),
	   "afterwards everything is read that came meanwhile");
	reader_close(&r);
}

// ---- a trail ------------------------------------------------------------------------------------

static void test_undeleted(void)
{
	struct reader r;
	reader_open(&r, STREAM_TRAIL);
	aws.queued = "{\"ReceiptHandle\":\"r0\",\"Body\":\"{}\"},{\"ReceiptHandle\":\"r1\",\"Body\":\"{}\"}";
	aws.undeleted = "{\"Successful\":[{\"Id\":\"m0\"}],\"Failed\":[{\"Id\":\"m1\",\"SenderFault\":true,"
					"\"Code\":\"ReceiptHandleIsInvalid\",\"Message\":\"The receipt handle has expired\"}]}";
	read_for(&r, 5);
	is_str(r.streams.v[0].note,
	       "messages of the queue that could not be deleted, and come again: 1; ReceiptHandleIsInvalid: The receipt handle has expired",
	       "a message that SQS does not delete, of a request that succeeds");
	aws.undeleted = "{\"Successful\":[{\"Id\":\"m0\"},{\"Id\":\"m1\"}]}";
	read_for(&r, 1000);
	ok(!r.streams.v[0].note, "once they are deleted, nothing is said");
	reader_close(&r);
}

static void test_queue_after_weeks(void)
{
	struct reader r;
	reader_open(&r, STREAM_TRAIL);
	struct stream *s = &r.streams.v[0];
	aws.queued = "";
	read_for(&r, 1000);
	ok(s->position_ms && !s->gap_to_ms, "a queue that is read first lacks nothing");
	int64_t was = when_now_ms() - MINUTES(60 * 24 * 20);
	stream_go_back(s, was);
	read_for(&r, 1000);
	is_int((s->gap_to_ms - was + MINUTES(1) / 2) / MINUTES(1), 60 * 24 * 6,
	       "after twenty days six are a gap: no queue keeps a message for longer than fourteen");
	ok(s->gap_from_ms == was, "from where it was read to");
	read_for(&r, MINUTES(1));
	ok(!s->gap_to_ms, "which is said once");
	reader_close(&r);
}

// ---- tags of accounts ---------------------------------------------------------------------------

static struct stream *account_tags(struct reader *r)
{
	return &r->streams.v[1]; // behind that of roles and users
}

static void test_account_tags(void)
{
	struct reader r;
	reader_open(&r, STREAM_TAGS);
	struct stream *s = account_tags(&r);
	aws.organization = "AWSOrganizationsNotInUseException";
	read_for(&r, MINUTES(5));
	ok(s->idle && !s->position_ms && strstr(s->note, "in no organisation"),
	   "an account that is in no organisation has no tags: %s", s->note);
	aws.organization = "AccessDeniedException";
	read_for(&r, MINUTES(60 * 24));
	ok(s->idle && !s->position_ms && strstr(s->note, "organizations:ListAccounts is missing"),
	   "one that may not ask is no failure, and the permission is named: %s", s->note);
	aws.organization = NULL;
	aws.broken_tags = 1;
	read_for(&r, MINUTES(60 * 24));
	is_str(r.seen.data,
	       "{\"ResourceTagMappingList\":[{\"ResourceARN\":\"arn:aws:organizations::1:account/o-1/111122223333\","
	       "\"Tags\":[{\"Key\":\"two\",\"Value\":\"111122223333\"}]}]}"
	       "{\"ResourceTagMappingList\":[{\"ResourceARN\":\"arn:aws:organizations::1:account/o-1/333344445555\","
	       "\"Tags\":[{\"Key\":\"one\",\"Value\":\"1\"},{\"Key\":\"two\",\"Value\":\"333344445555\"}]}]}",
	       "once it may, all pages are read, and again what could not be kept; an account that is gone is passed over");
	ok(!s->idle && !s->failing_ms && s->position_ms, "which is done");
	aws.requests = 0;
	aws.organization = "AccessDeniedException";
	read_for(&r, MINUTES(60 * 22));
	ok(!s->failing_ms, "then once a day");
	read_for(&r, MINUTES(180));
	ok(!s->idle && s->failing_ms && strstr(s->why.msg, "the permission organizations:ListAccounts is missing"),
	   "a permission that is taken back is a failure");
	reader_close(&r);
}

int main(void)
{
	aws_fake_start(answer);
	test_account_tags();
	test_late_event();
	test_switched_on();
	test_switched_off_meanwhile();
	test_another_group();
	test_files();
	test_throttled_for_an_hour();
	test_undeleted();
	test_queue_after_weeks();
	aws_fake_stop();
	return done();
}
