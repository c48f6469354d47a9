// SPDX-License-Identifier: Apache-2.0
// One request of a stream of invocation logs. Where they go, Bedrock says: to a log group, to a bucket, or to
// both, which have the same records. It may change while they are read. Then the latest records of the place
// before are read too.
#include <stdio.h>

#include "aws/logs.h"
#include "base/text.h"
#include "base/when.h"
#include "run/streams_priv.h"

enum { REASK_MS = 15 * 60000 }; // where they go

// The answer does not say of which log group it is. A dead letter of it must, or to replay it would be a way
// around what a log group may say (ingest/trust.h): the members are those of a subscription.
static void give_logs(struct streams *all, const struct stream *s, struct str group, struct str answer)
{
	struct buf b = BUF_INIT;
	str_cut(&answer, '{');
	buf_addf(&b, "{\"owner\":\"%s\",\"logGroup\":", s->place->account->id);
	buf_add_json(&b, group);
	buf_adds(&b, ",\"logEvents\":[],");
	buf_addstr(&b, answer);
	stream_give(all, s, buf_str(&b));
	buf_release(&b);
}

// Some time since it was asked before, events go to another log group: they are looked for from then on, and
// the latest ones of the group before are not forgotten.
static void change_group(struct stream *s, struct str before)
{
	buf_clear(&s->former);
	buf_addstr(&s->former, before);
	s->former_until_ms = when_now_ms() + LOGS_LATEST_MS;
	if (s->asked_at_ms - LOGS_LATE_MS < s->from_ms)
		s->from_ms = s->wanted_ms = s->asked_at_ms - LOGS_LATE_MS;
}

static bool has_files(const struct stream *s)
{
	return s->files_until_ms && s->began_ms <= s->files_until_ms;
}

// Those that go to CloudWatch Logs too are read there.
static void note_bucket(struct stream *s)
{
	if (s->logging.bucket.len && !s->logging.group.len) {
		buf_clear(&s->bucket);
		buf_clear(&s->prefix);
		buf_addstr(&s->bucket, buf_str(&s->logging.bucket));
		buf_addstr(&s->prefix, buf_str(&s->logging.prefix));
		s->files_until_ms = INT64_MAX;
	} else if (s->files_until_ms == INT64_MAX) {
		s->files_until_ms = when_now_ms() + LOGS_LATEST_MS;
	}
	if (!has_files(s))
		s->files_until_ms = 0;
}

// Their folders have the hour (UTC): PREFIX/AWSLogs/ACCOUNT/BedrockModelInvocationLogs/REGION/2026/11/02/05/.
static void begin_files(struct stream *s)
{
	struct buf folder = BUF_INIT;
	const char *prefix = s->prefix.len ? s->prefix.data : "";
	file_walk_begin(&s->files, buf_str(&s->bucket));
	for (int64_t hour = s->from_ms / MS_PER_HOUR; hour <= s->to_ms / MS_PER_HOUR; hour++) {
		char t[WHEN_SIZE]; // 2026-11-02T05:...
		when_format(hour * MS_PER_HOUR, t);
		buf_clear(&folder);
		buf_addf(&folder, "%s%sAWSLogs/%s/BedrockModelInvocationLogs/%s/%.4s/%.2s/%.2s/%.2s/", prefix,
		         *prefix && !str_ends(str_of(prefix), STR("/")) ? "/" : "", s->place->account->id,
		         s->place->region, t, t + 5, t + 8, t + 11);
		file_walk_add(&s->files, buf_str(&folder), STR_NONE);
	}
	s->walking = true;
	buf_release(&folder);
}

static enum aws_fault ask_where(struct stream *s, struct aws_answer *answer, struct err *err)
{
	const struct aws_place at = stream_at(s);
	struct buf before = BUF_INIT;
	buf_addstr(&before, buf_str(&s->logging.group));
	enum aws_fault fault = bedrock_logging_get(&at, &s->logging, answer, err);
	if (fault == AWS_NONE) {
		if (before.len && !str_eq(buf_str(&before), buf_str(&s->logging.group)))
			change_group(s, buf_str(&before));
		s->asked_ms = when_ticks_ms();
		s->asked_at_ms = s->began_ms;
		note_bucket(s);
		s->idle = !s->logging.group.len && !s->former.len && !has_files(s);
		s->note = s->idle ? "invocation logging is off" : NULL;
	}
	buf_release(&before);
	return fault;
}

// Where there is nothing to read, it is asked each time: the position that is taken for read must not be
// later than the answer.
static bool is_to_ask(const struct stream *s)
{
	return s->part == 0 && !s->token.len &&
	       (!s->asked_ms || s->idle || when_ticks_ms() - s->asked_ms > REASK_MS);
}

// Part 0 is to ask where they go, 1 the log group, 2 the one before, 3 the files on S3; 4 is the end.
static int part_from(const struct stream *s, int part)
{
	if (part <= 1 && s->logging.group.len)
		return 1;
	if (part <= 2 && s->former.len)
		return 2;
	return part <= 3 && has_files(s) ? 3 : 4;
}

static enum aws_fault read_group(struct streams *all, struct stream *s, struct aws_answer *answer,
                                 struct err *err)
{
	const struct aws_place at = stream_at(s);
	const struct buf *group = s->part == 1 ? &s->logging.group : &s->former;
	int n = 0;
	const struct logs_query q = {.group = group->data,
	                             .from_ms = s->from_ms,
	                             .to_ms = s->to_ms,
	                             .token = buf_str(&s->token)};
	enum aws_fault fault = logs_filter(&at, &q, answer, &s->token, &n, err);
	if (fault == AWS_REFUSED && s->part == 2) { // it was deleted
		err_clear(err);
		buf_clear(&s->former);
		s->note = "the log group of before is no longer there: its last events may be missing";
		return AWS_NONE;
	}
	if (fault == AWS_REFUSED) { // perhaps they go to another one now
		s->asked_ms = 0;
		s->reading = false;
	}
	if (fault != AWS_NONE)
		return fault;
	s->events += n;
	if (n)
		give_logs(all, s, buf_str(group), buf_str(&answer->body));
	s->part += s->token.len == 0;
	return AWS_NONE;
}

enum aws_fault stream_read_logs(struct streams *all, struct stream *s, bool *ret_complete,
                                struct aws_answer *answer, struct err *err)
{
	enum aws_fault fault = AWS_NONE;
	if (s->former.len && s->began_ms > s->former_until_ms)
		buf_clear(&s->former);
	if (is_to_ask(s)) {
		fault = ask_where(s, answer, err);
		s->part = fault == AWS_NONE;
	} else if (part_from(s, s->part) < 3) {
		s->part = part_from(s, s->part);
		fault = read_group(all, s, answer, err);
	} else if (has_files(s)) {
		if (!s->walking)
			begin_files(s);
		return stream_read_files(all, s, ret_complete, err);
	}
	*ret_complete = fault == AWS_NONE && part_from(s, s->part) == 4;
	return fault;
}
