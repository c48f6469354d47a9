// SPDX-License-Identifier: Apache-2.0
// What the decoder found in a message: counts it, numbers it (struct record, index) and calls back.
//
// One message causes at most FAULTS_MAX faults by parts of it, and one value at most SAME_MAX: each holds a
// copy of the part, so hostile input must not choose how many there are. Together the parts hold no more than
// FAULT_FACTOR times the message and FAULT_BYTES: parts of a message that was inflated, or that lie in each
// other, are larger than it. One fault more says that there were more, and holds the whole message.
#include <assert.h>
#include <stdio.h>

#include "ingest/decode_priv.h"
#include "ingest/signs.h"

enum {
	FAULTS_MAX = 1100,
	SAME_MAX = 10,
	FAULT_FACTOR = 4,
	FAULT_BYTES = 16 * 1024,
	FAULT_HEAD = 150, // about what a dead letter has beside its part: its origin, its reason
};

const char *fault_word(enum fault_kind kind)
{
	static const char *const words[FAULT_KINDS] = {
		[FAULT_BROKEN] = "broken",
		[FAULT_FORMAT] = "format",
		[FAULT_LIMIT] = "limit",
		[FAULT_RECORD] = "record",
		[FAULT_UNREAD_CALL] = "unread_call",
		[FAULT_UNREAD_LOG] = "unread_log",
		[FAULT_UNREAD_METRIC] = "unread_metric",
		[FAULT_QUOTED] = "quoted",
		[FAULT_REFUSED] = "refused",
		[FAULT_UNTRUSTED] = "untrusted",
		[FAULT_CUSTOM_EVENT] = "custom_event",
		[FAULT_FOREIGN_ACCOUNT] = "foreign_account",
		[FAULT_IMPLAUSIBLE] = "implausible",
	};
	assert(kind < FAULT_KINDS);
	return words[kind];
}

const char *fault_advice(enum fault_kind kind)
{
	static const char *const advice[FAULT_KINDS] = {
		[FAULT_BROKEN] = "damaged or cut off; look whether a shipper splits or truncates long lines",
		[FAULT_FORMAT] = "in a format that is not read; send JSON, gzip or OpenTelemetry",
		[FAULT_LIMIT] =
			"beyond message.bytes, unwrap.depth or unwrap.work; raise the limit, or send smaller messages",
		[FAULT_RECORD] = "records in which a field is missing or wrong; the reason beside each names it",
		[FAULT_UNREAD_CALL] =
			"calls of Bedrock in a form that is not read, so they are not counted; send the CloudTrail record as AWS wrote it",
		[FAULT_UNREAD_LOG] =
			"invocation logs in a form that is not read, so they are not counted; send the record as AWS wrote it",
		[FAULT_UNREAD_METRIC] =
			"token metrics in a form that is not read; send a metric stream, or the answer with its query",
		[FAULT_QUOTED] =
			"records quoted in prompts, parameters or other texts that callers write; they are not counted",
		[FAULT_REFUSED] = "records with values that make no sense",
		[FAULT_UNTRUSTED] =
			"records from a topic, file or log group that may not carry them; if it may, a trust rule says so, and then replay them",
		[FAULT_CUSTOM_EVENT] =
			"records in EventBridge events that AWS did not send (their source does not begin with aws.); find out who sends them",
		[FAULT_FOREIGN_ACCOUNT] =
			"records of accounts that are not yours to count, or that a log group of another account tells; if they are, add the account to accounts.allowed, or a trust rule, and replay them",
		[FAULT_IMPLAUSIBLE] =
			"records with more tokens than a call can have; in no total: calls are counted, and get tokens from the metrics",
	};
	assert(kind < FAULT_KINDS);
	return advice[kind];
}

struct unit unit_begin(struct decoder *d)
{
	struct unit u = {d->explained, d->next_index, d->signs};
	d->signs = 0;
	return u;
}

void unit_end(struct decoder *d, const struct unit *u, struct json v, struct str text, bool counted)
{
	enum fault_kind kind;
	const char *reason;
	unsigned signs = d->signs;
	d->signs = u->signs;
	if (d->explained == u->explained) {
		if (signs_are_complete(signs, &kind, &reason))
			report_fault_value(d, kind, v, text, reason);
		else
			d->signs |= signs; // the rest of them may stand beside the unit
	}
	if (counted && d->next_index == u->next_index)
		report_ignored(d, 1);
}

void report_record(struct decoder *d, struct record *r)
{
	r->index = d->next_index++;
	r->recorder = d->recorder;
	r->carrier = d->carrier;
	d->counts.records[r->kind]++;
	d->explained++;
	d->on_record(d->user, r);
	if (d->arena.used)
		arena_reset(&d->arena);
}

void report_ignored(struct decoder *d, size_t n)
{
	d->counts.ignored += n;
	d->next_index += (int)n;
}

void report_dropped(struct decoder *d)
{
	d->counts.dropped_unparsed++;
	report_ignored(d, 1);
}

// Whether the fault is one too many; for the first such, the whole message is reported.
static bool is_beyond_max(struct decoder *d, struct str part)
{
	d->fault_bytes += part.len + FAULT_HEAD;
	if (!d->faults_ended && d->counts.faults - d->faults_before < FAULTS_MAX &&
	    d->fault_bytes <= FAULT_FACTOR * d->message.len + FAULT_BYTES)
		return false;
	if (!d->faults_ended)
		d->on_fault(d->user, FAULT_LIMIT, -1, d->message,
		            "the message has too many parts that cannot be read; here is all of it");
	d->faults_ended = true;
	d->counts.faults++;
	return true;
}

static void put_fault(struct decoder *d, enum fault_kind kind, int index, struct str part, const char *reason)
{
	d->explained++;
	if (is_beyond_max(d, part))
		return;
	d->counts.faults++;
	d->on_fault(d->user, kind, index, part, reason);
	d->next_index++;
}

void report_fault(struct decoder *d, enum fault_kind kind, struct str part, const char *reason)
{
	bool whole = part.p == d->message.p && part.len == d->message.len;
	put_fault(d, kind, whole && d->next_index == 0 ? -1 : d->next_index, part, reason);
}

void report_fault_value(struct decoder *d, enum fault_kind kind, struct json v, struct str text,
                        const char *reason)
{
	if (!text.len) {
		buf_clear(&d->part);
		json_print(v, &d->part);
		text = buf_str(&d->part);
	}
	put_fault(d, kind, d->next_index, text, reason);
}

static void sink_record(void *user, struct record *r)
{
	report_record(user, r);
}

static void sink_ignored(void *user, size_t n)
{
	report_ignored(user, n);
}

static void sink_fault(void *user, const struct err *err)
{
	struct decoder *d = user;
	assert(err->kind == ERR_SKIP);
	d->current_faults++;
	if (d->current_faults < SAME_MAX)
		report_fault_value(d, FAULT_RECORD, d->current, d->current_text, err->msg);
	else if (d->current_faults == SAME_MAX)
		report_fault_value(d, FAULT_RECORD, d->current, d->current_text, "and more of the same answer");
}

struct sink report_sink(struct decoder *d, struct json v, struct str text)
{
	d->current = v;
	d->current_text = text;
	d->current_faults = 0;
	return (struct sink){d, sink_record, sink_ignored, sink_fault};
}
