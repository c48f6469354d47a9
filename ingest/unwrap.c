// SPDX-License-Identifier: Apache-2.0
// JSON objects to records. The keys of an object say what it is; they are tried in the order below, the most
// frequent first. An object with none of these keys is something else, and may hold records (search.c).
//
//     eventSource and eventName       a CloudTrail record; its eventSource says which recogniser reads it
//     namespace and metric_name       a data point of a metric stream
//     schemaType                      the invocation log
//     MetricDataResults, or an object with it     GetMetricData
//     Label and Datapoints, or an object with them     GetMetricStatistics
//     resourceMetrics                 metrics of OpenTelemetry
//     attributes and a time of OpenTelemetry    a log record or a span, perhaps telemetry of a call
//     insightDetails, AlarmName       CloudTrail Insights and alarms, which are about calls and metrics only
#include "ingest/decode_priv.h"
#include "ingest/operation.h"
#include "ingest/telemetry.h"

// An object: its fields, its own text (or STR_NONE).
struct object {
	struct top_fields t;
	struct str text;
};

static bool has_field(const struct object *o, enum top_field f)
{
	return o->t.f[f].doc != NULL;
}

// The account that recorded it: of a trail, else of a log, else of the caller.
static struct str recorder_of(const struct object *o)
{
	struct str account = STR_NONE;
	if (!json_str(o->t.f[F_recipientAccountId], &account) && !json_str(o->t.f[F_accountId], &account))
		json_str(json_get(o->t.f[F_userIdentity], STR("accountId")), &account);
	return account;
}

static void report_verdict(struct decoder *d, const struct object *o, enum verdict v, const struct err *err)
{
	if (v == OURS) {
		report_record(d, &d->record);
		return;
	}
	if (v == NOT_OURS) {
		d->explained++;
		report_ignored(d, 1);
	} else {
		report_fault_value(d, FAULT_RECORD, o->t.whole, o->text, err->msg);
	}
	if (d->arena.used)
		arena_reset(&d->arena);
}

static void decode_record(struct decoder *d, const struct object *o, recognise_fn *recognise)
{
	struct err err = ERR_INIT;
	d->recorder = recorder_of(o);
	enum verdict v = recognise(&o->t, &d->arena, &d->record, &err);
	report_verdict(d, o, v, &err);
}

// A log record may be the wrapper of a record of AWS, so it is searched if it is no telemetry of a call. What
// is in a span was written by the program that it is of.
static bool decode_telemetry(struct decoder *d, const struct object *o)
{
	struct err err = ERR_INIT;
	const struct json *f = o->t.f;
	bool is_span = f[F_endTimeUnixNano].doc != NULL;
	if (!f[F_attributes].doc || !(is_span || f[F_timeUnixNano].doc || f[F_observedTimeUnixNano].doc))
		return false;
	const struct telemetry_source source = {
		o->t.whole, json_present(json_get(o->t.whole, STR("resource")), d->resource),
		json_present(json_get(o->t.whole, STR("scope")), d->scope)};
	enum verdict v = telemetry_read(&source, &d->arena, &d->record, &err);
	if (v == NOT_OURS && !is_span) {
		if (d->arena.used)
			arena_reset(&d->arena);
		return false;
	}
	d->recorder = STR_NONE;
	report_verdict(d, o, v, &err);
	return true;
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

// The answer itself, or the object within it that holds the answer.
static struct json answer_of(const struct object *o)
{
	return o->t.f[has_field(o, F_Response) ? F_Response : F_Answer];
}

static bool is_metric_answer(const struct object *o)
{
	return has_field(o, F_MetricDataResults) ||
	       json_get(answer_of(o), STR("MetricDataResults")).doc != NULL;
}

static bool is_metric_statistics(const struct object *o)
{
	return (has_field(o, F_Label) && has_field(o, F_Datapoints)) ||
	       json_get(answer_of(o), STR("Datapoints")).doc != NULL;
}

static void decode_points(struct decoder *d, const struct object *o, metric_points_fn *read)
{
	struct sink sink = report_sink(d, o->t.whole, o->text);
	d->explained++;
	d->recorder = STR_NONE;
	read(&o->t, &d->arena, &sink);
}

bool decode_object(struct decoder *d, struct json v, struct str text)
{
	struct object o;
	struct str word;
	o.t.whole = v;
	o.text = text;
	json_pick(v, &d->top_keys, o.t.f);
	const struct json *f = o.t.f;
	if (has_field(&o, F_eventName) && json_str(f[F_eventSource], &word) &&
	    str_ends(word, STR(".amazonaws.com")))
		decode_cloudtrail(d, &o, word);
	else if (json_str(f[F_metric_name], &word) && json_str(f[F_namespace_], &word))
		decode_record(d, &o, metric_stream);
	else if (json_str(f[F_schemaType], &word) && str_is(word, "ModelInvocationLog"))
		decode_record(d, &o, invocation_log);
	else if (is_metric_answer(&o))
		decode_points(d, &o, metric_answer);
	else if (is_metric_statistics(&o))
		decode_points(d, &o, metric_statistics);
	else if (otel_is_json(f[F_resourceMetrics]))
		decode_points(d, &o, otel_decode_json);
	else if (decode_telemetry(d, &o))
		;
	else if (has_field(&o, F_insightDetails) || has_field(&o, F_AlarmName) || has_field(&o, F_alarmName))
		report_ignored(d, 1);
	else
		return false;
	d->counts.recognised++;
	return true;
}
