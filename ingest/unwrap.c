// SPDX-License-Identifier: Apache-2.0
// JSON values to records. The keys of an object say what it is; they are tried in the order below, the most
// frequent first. Wrappers recurse. An object with none of these keys does not concern this program.
//
//     eventSource and eventName       a CloudTrail record; its eventSource says which recogniser reads it
//     topic and payload               a line of kcat -J: payload is a message
//     Records                         a trail's file; an SNS, SQS or Kinesis event; elements are values
//     detail, detail-type             EventBridge: detail is a value
//     namespace and metric_name       a data point of a metric stream
//     schemaType                      the invocation log
//     messageType and logEvents       a CloudWatch Logs subscription: each message is a message
//     awslogs                         the same as Lambda gets it: base64 in data
//     records                         Firehose over HTTP: base64 in each data
//     Events, CloudTrailEvent         lookup-events: CloudTrailEvent is a message
//     MetricDataResults, or an object with it     GetMetricData
//     Sns, kinesis, message, Message, data        a message in a string, as log shippers write it
#include <stdio.h>

#include "ingest/decode_priv.h"
#include "ingest/operation.h"

// An object that is being unwrapped: its fields, its own text (or STR_NONE), the wrappers around it.
struct object {
	struct top_fields t;
	struct str text;
	int depth;
};

static bool has_field(const struct object *o, enum top_field f)
{
	return o->t.f[f].doc != NULL;
}

// ---- records ----

static void decode_record(struct decoder *d, const struct object *o, recognise_fn *recognise)
{
	struct err err = ERR_INIT;
	enum verdict v = recognise(&o->t, &d->arena, &d->record, &err);
	if (v == OURS) {
		report_record(d, &d->record);
		return;
	}
	if (v == NOT_OURS)
		report_ignored(d, 1);
	else
		report_fault_value(d, o->t.whole, o->text, err.msg);
	if (d->arena.used)
		arena_reset(&d->arena);
}

static void decode_cloudtrail(struct decoder *d, const struct object *o, struct str source)
{
	if (operation_is_network_activity(&o->t))
		report_ignored(d, 1);
	else if (str_is(source, "bedrock.amazonaws.com") || str_is(source, "bedrock-runtime.amazonaws.com"))
		decode_record(d, o, cloudtrail_call);
	else if (str_is(source, "sts.amazonaws.com"))
		decode_record(d, o, cloudtrail_session);
	else if (str_is(source, "bedrock-mantle.amazonaws.com"))
		decode_record(d, o, cloudtrail_mantle);
	else if (str_is(source, "iam.amazonaws.com"))
		decode_record(d, o, cloudtrail_principal);
	else
		report_ignored(d, 1);
}

static bool is_metric_answer(const struct object *o)
{
	struct json answer = o->t.f[has_field(o, F_Response) ? F_Response : F_Answer];
	return has_field(o, F_MetricDataResults) || json_get(answer, STR("MetricDataResults")).doc;
}

static void decode_metric_answer(struct decoder *d, const struct object *o)
{
	struct sink sink = report_sink(d, o->t.whole, o->text);
	metric_answer(&o->t, &d->arena, &sink);
}

// ---- wrappers ----

// A field that must hold a message in a string; anything else is a fault of `holder`, the object with the
// field.
struct message_field {
	const char *name; // for the fault
	struct json holder;
	struct str holder_text;
	bool base64;
};

static void decode_message_field(struct decoder *d, struct json v, struct message_field field, int depth)
{
	struct str s;
	char z[120];
	if (json_str(v, &s)) {
		d->decode_contents(d, s, field.base64, depth + 1);
		return;
	}
	snprintf(z, sizeof z, "%s should be a string, and is %s", field.name, json_type_name(json_type(v)));
	report_fault_value(d, field.holder, field.holder_text, z);
}

static void decode_elements(struct decoder *d, struct json list, int depth)
{
	struct json item;
	for (struct json_iter it = json_begin(list); json_next(&it, NULL, &item);)
		decode_value(d, item, STR_NONE, depth + 1);
}

static void decode_log_events(struct decoder *d, const struct object *o)
{
	struct str type;
	struct json item;
	if (!json_str(o->t.f[F_messageType], &type) || !str_is(type, "DATA_MESSAGE")) {
		report_ignored(d, 1); // CONTROL_MESSAGE: CloudWatch Logs checks that the destination answers
		return;
	}
	if (json_type(o->t.f[F_logEvents]) != JSON_ARRAY) {
		report_fault_value(d, o->t.whole, o->text,
		                   "a DATA_MESSAGE of CloudWatch Logs without its list logEvents");
		return;
	}
	for (struct json_iter it = json_begin(o->t.f[F_logEvents]); json_next(&it, NULL, &item);)
		decode_message_field(d, json_get(item, STR("message")),
		                     (struct message_field){"logEvents[].message", item, STR_NONE, false}, o->depth);
}

static void decode_firehose(struct decoder *d, struct json records, int depth)
{
	struct json item;
	for (struct json_iter it = json_begin(records); json_next(&it, NULL, &item);) {
		struct json data = json_get(item, STR("data"));
		if (json_type(data) == JSON_NONE)
			decode_value(d, item, STR_NONE, depth + 1);
		else
			decode_message_field(d, data, (struct message_field){"records[].data", item, STR_NONE, true},
			                     depth);
	}
}

// A line of kcat -J. A payload of null is a tombstone.
static void decode_kcat(struct decoder *d, const struct object *o)
{
	struct json payload = o->t.f[F_payload];
	if (json_type(payload) == JSON_NULL)
		report_ignored(d, 1);
	else if (json_type(payload) == JSON_OBJECT || json_type(payload) == JSON_ARRAY)
		decode_value(d, payload, STR_NONE, o->depth + 1);
	else
		decode_message_field(d, payload, (struct message_field){"payload", o->t.whole, o->text, false},
		                     o->depth);
}

// A value under a key that other programs use too: a string that may hold a message, or a value.
static void decode_possible_message(struct decoder *d, struct json v, int depth)
{
	struct str s;
	if (json_type(v) == JSON_OBJECT || json_type(v) == JSON_ARRAY)
		decode_value(d, v, STR_NONE, depth + 1);
	else if (json_str(v, &s))
		d->decode_contents(d, s, false, depth + 1);
	else
		report_ignored(d, 1);
}

static void decode_unknown_wrapper(struct decoder *d, const struct object *o)
{
	static const enum top_field keys[] = {F_Sns, F_kinesis, F_message, F_Message, F_data};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		if (has_field(o, keys[i])) {
			decode_possible_message(d, o->t.f[keys[i]], o->depth);
			return;
		}
	}
	report_ignored(d, 1);
}

// ---- values ----

static void decode_object(struct decoder *d, struct json v, struct str text, int depth)
{
	struct object o;
	struct str source;
	o.t.whole = v;
	o.text = text;
	o.depth = depth;
	json_pick(v, &d->top_keys, o.t.f);
	const struct json *f = o.t.f;
	if (has_field(&o, F_eventName) && json_str(f[F_eventSource], &source) &&
	    str_ends(source, STR(".amazonaws.com")))
		decode_cloudtrail(d, &o, source);
	else if (has_field(&o, F_topic) && has_field(&o, F_payload))
		decode_kcat(d, &o);
	else if (json_type(f[F_Records]) == JSON_ARRAY)
		decode_elements(d, f[F_Records], depth);
	else if (has_field(&o, F_detail_type) && has_field(&o, F_detail))
		decode_possible_message(d, f[F_detail], depth);
	else if (has_field(&o, F_metric_name) && has_field(&o, F_namespace_))
		decode_record(d, &o, metric_stream);
	else if (has_field(&o, F_schemaType))
		decode_record(d, &o, invocation_log);
	else if (has_field(&o, F_messageType))
		decode_log_events(d, &o);
	else if (has_field(&o, F_awslogs))
		decode_message_field(d, json_get(f[F_awslogs], STR("data")),
		                     (struct message_field){"awslogs.data", v, text, true}, depth);
	else if (json_type(f[F_records]) == JSON_ARRAY)
		decode_firehose(d, f[F_records], depth);
	else if (json_type(f[F_Events]) == JSON_ARRAY)
		decode_elements(d, f[F_Events], depth);
	else if (has_field(&o, F_CloudTrailEvent))
		decode_message_field(d, f[F_CloudTrailEvent],
		                     (struct message_field){"CloudTrailEvent", v, text, false}, depth);
	else if (is_metric_answer(&o))
		decode_metric_answer(d, &o);
	else
		decode_unknown_wrapper(d, &o);
}

void decode_value(struct decoder *d, struct json v, struct str text, int depth)
{
	char z[100];
	struct str s;
	if (depth > d->limits.nesting) {
		snprintf(z, sizeof z, "wrappers are nested more than %d deep", d->limits.nesting);
		report_fault_value(d, v, text, z);
		return;
	}
	switch (json_type(v)) {
	case JSON_OBJECT:
		decode_object(d, v, text, depth);
		break;
	case JSON_ARRAY:
		decode_elements(d, v, depth);
		break;
	case JSON_STRING:
		if (json_str(v, &s))
			d->decode_contents(d, s, false, depth + 1);
		break;
	default:
		report_ignored(d, 1);
	}
}
