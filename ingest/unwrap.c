// SPDX-License-Identifier: Apache-2.0
// The decoder, from JSON values down to records: what an object is, is told by the keys it has, in the order
// below, the commonest first. Wrappers recurse; an object with none of these keys is none of our business.
//
//     eventSource and eventName       a CloudTrail record; its eventSource tells the rest
//     topic and payload               a line of kcat -J: payload is a message
//     Records                         a trail's file, or an SNS, SQS or Kinesis event; each element is a value
//     detail, detail-type             EventBridge: detail is a value
//     namespace and metric_name       a point of a metric stream
//     schemaType                      the invocation log
//     messageType and logEvents       a CloudWatch Logs subscription: each message is a message
//     awslogs                         the same as Lambda gets it: base64 in data
//     records                         Firehose over HTTP: base64 in each data
//     Events, CloudTrailEvent         lookup-events: CloudTrailEvent is a message
//     MetricDataResults, or an object that holds it     GetMetricData
//     Sns, kinesis, message, Message, data              a message in a string, as shippers of logs write it
#include <stdio.h>

#include "ingest/decode_priv.h"

static void told(struct decoder *d, enum verdict v, const struct top *t, struct str text,
                 const struct err *err)
{
	if (v == OURS) {
		decoder_sink.record(d, &d->record);
	} else if (v == NOT_OURS) {
		decoder_ignore(d, 1);
	} else {
		decoder_fault_value(d, t->whole, text, err->msg);
	}
	if (v != OURS && d->arena.used)
		arena_reset(&d->arena);
}

static void cloudtrail(struct decoder *d, const struct top *t, struct str source, struct str text)
{
	struct err err = ERR_INIT;
	struct record *r = &d->record;
	enum verdict v = NOT_OURS;
	if (str_is(source, "bedrock.amazonaws.com") || str_is(source, "bedrock-runtime.amazonaws.com"))
		v = cloudtrail_call(t, &d->arena, r, &err);
	else if (str_is(source, "sts.amazonaws.com"))
		v = cloudtrail_session(t, &d->arena, r, &err);
	else if (str_is(source, "bedrock-mantle.amazonaws.com"))
		v = cloudtrail_mantle(t, &d->arena, r, &err);
	else if (str_is(source, "iam.amazonaws.com"))
		v = cloudtrail_principal(t, &d->arena, r, &err);
	told(d, v, t, text, &err);
}

static void each(struct decoder *d, struct json list, int depth)
{
	struct json item;
	for (struct json_iter it = json_begin(list); json_next(&it, NULL, &item);)
		decoder_value(d, item, STR_NONE, depth + 1);
}

// A field that must hold a message in a string; its absence is a fault of the object it is missing in.
static void message_in(struct decoder *d, struct json v, const char *name, struct json whole, struct str text,
                       int depth)
{
	struct str s;
	char z[120];
	if (json_str(v, &s)) {
		decoder_bytes(d, s, depth + 1);
		return;
	}
	snprintf(z, sizeof z, "%s should be a string, and is %s", name, json_type_name(json_type(v)));
	decoder_fault_value(d, whole, text, z);
}

static void base64_in(struct decoder *d, struct json v, const char *name, struct json whole, struct str text,
                      int depth)
{
	struct str s;
	if (json_str(v, &s) && depth < d->limits.nesting)
		decoder_base64(d, s, depth + 1);
	else
		message_in(d, v, name, whole, text, depth);
}

static void log_events(struct decoder *d, const struct top *t, struct str text, int depth)
{
	struct str type;
	struct json item;
	if (!json_str(t->f[F_messageType], &type) || !str_is(type, "DATA_MESSAGE")) {
		decoder_ignore(d, 1); // CONTROL_MESSAGE: a probe
		return;
	}
	if (json_type(t->f[F_logEvents]) != JSON_ARRAY) {
		decoder_fault_value(d, t->whole, text,
		                    "a DATA_MESSAGE of CloudWatch Logs without its list logEvents");
		return;
	}
	for (struct json_iter it = json_begin(t->f[F_logEvents]); json_next(&it, NULL, &item);)
		message_in(d, json_get(item, STR("message")), "logEvents[].message", item, STR_NONE, depth);
}

static void firehose(struct decoder *d, struct json records, int depth)
{
	struct json item;
	for (struct json_iter it = json_begin(records); json_next(&it, NULL, &item);) {
		struct json data = json_get(item, STR("data"));
		if (json_type(data) == JSON_NONE)
			decoder_value(d, item, STR_NONE, depth + 1);
		else
			base64_in(d, data, "records[].data", item, STR_NONE, depth);
	}
}

// A line of kcat -J. Its payload is a message; null is a tombstone.
static void kcat(struct decoder *d, const struct top *t, struct str text, int depth)
{
	struct json payload = t->f[F_payload];
	if (json_type(payload) == JSON_NULL)
		decoder_ignore(d, 1);
	else if (json_type(payload) == JSON_OBJECT || json_type(payload) == JSON_ARRAY)
		decoder_value(d, payload, STR_NONE, depth + 1);
	else
		message_in(d, payload, "payload", t->whole, text, depth);
}

static bool has(const struct top *t, enum top_field f)
{
	return t->f[f].doc != NULL;
}

static bool is_metric_answer(const struct top *t)
{
	struct json answer = has(t, F_Response) ? t->f[F_Response] : t->f[F_Answer];
	return has(t, F_MetricDataResults) || json_get(answer, STR("MetricDataResults")).doc;
}

static void response_cache(struct decoder *d, const struct top *t, struct str text)
{
	struct sink sink = decoder_sink;
	sink.user = d;
	d->current = t->whole;
	d->current_text = text;
	metric_answer(t, &d->arena, &sink);
}

// A string that may hold a message, under a key that means anything: text of other kinds is not ours.
static void perhaps(struct decoder *d, struct json v, int depth)
{
	struct str s;
	if (json_type(v) == JSON_OBJECT || json_type(v) == JSON_ARRAY)
		decoder_value(d, v, STR_NONE, depth + 1);
	else if (json_str(v, &s))
		decoder_bytes(d, s, depth + 1);
	else
		decoder_ignore(d, 1);
}

static void vague(struct decoder *d, const struct top *t, int depth)
{
	static const enum top_field keys[] = {F_Sns, F_kinesis, F_message, F_Message, F_data};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		if (has(t, keys[i])) {
			perhaps(d, t->f[keys[i]], depth);
			return;
		}
	}
	decoder_ignore(d, 1);
}

static void object(struct decoder *d, struct json v, struct str text, int depth)
{
	struct err err = ERR_INIT;
	struct top t;
	struct str source;
	t.whole = v;
	json_pick(v, &d->top_keys, t.f);
	if (has(&t, F_eventName) && json_str(t.f[F_eventSource], &source) &&
	    str_ends(source, STR(".amazonaws.com")))
		cloudtrail(d, &t, source, text);
	else if (has(&t, F_topic) && has(&t, F_payload))
		kcat(d, &t, text, depth);
	else if (json_type(t.f[F_Records]) == JSON_ARRAY)
		each(d, t.f[F_Records], depth);
	else if (has(&t, F_detail_type) && has(&t, F_detail))
		perhaps(d, t.f[F_detail], depth);
	else if (has(&t, F_metric_name) && has(&t, F_namespace_))
		told(d, metric_stream(&t, &d->arena, &d->record, &err), &t, text, &err);
	else if (has(&t, F_schemaType))
		told(d, invocation_log(&t, &d->arena, &d->record, &err), &t, text, &err);
	else if (has(&t, F_messageType))
		log_events(d, &t, text, depth);
	else if (has(&t, F_awslogs))
		base64_in(d, json_get(t.f[F_awslogs], STR("data")), "awslogs.data", v, text, depth);
	else if (json_type(t.f[F_records]) == JSON_ARRAY)
		firehose(d, t.f[F_records], depth);
	else if (json_type(t.f[F_Events]) == JSON_ARRAY)
		each(d, t.f[F_Events], depth);
	else if (has(&t, F_CloudTrailEvent))
		message_in(d, t.f[F_CloudTrailEvent], "CloudTrailEvent", v, text, depth);
	else if (is_metric_answer(&t))
		response_cache(d, &t, text);
	else
		vague(d, &t, depth);
}

void decoder_value(struct decoder *d, struct json v, struct str text, int depth)
{
	char z[100];
	struct str s;
	if (depth > d->limits.nesting) {
		snprintf(z, sizeof z, "wrappers are nested more than %d deep", d->limits.nesting);
		decoder_fault_value(d, v, text, z);
		return;
	}
	switch (json_type(v)) {
	case JSON_OBJECT:
		object(d, v, text, depth);
		break;
	case JSON_ARRAY:
		each(d, v, depth);
		break;
	case JSON_STRING:
		if (json_str(v, &s))
			decoder_bytes(d, s, depth + 1);
		break;
	default:
		decoder_ignore(d, 1);
	}
}
