// SPDX-License-Identifier: Apache-2.0
// CloudWatch metric streams in OpenTelemetry format, versions 1.0.0 and 0.7.0 ("CloudWatch metric stream
// output in OpenTelemetry format" in the Amazon CloudWatch User Guide; opentelemetry-proto, metrics.proto).
//
// A message is a sequence of (varint length, ExportMetricsServiceRequest), or one such request without its
// length, as collectors write it. What matters here differs between the versions in one place: how a data
// point names its dimensions.
//
//     request.resource_metrics(1) . resource(1) . attributes(1)      cloud.account.id, cloud.region
//                                 . scope metrics(2) . metrics(2)    name(1) = amazonaws.com/NAMESPACE/METRIC
//                                                    . summary(11) . data_points(1)
//     1.0.0   point . attributes(7)    KeyValue: Namespace, MetricName, Dimensions = list of KeyValue
//     0.7.0   point . labels(1)        StringKeyValue: Namespace, MetricName, and one for each dimension
//     both    point . start(2) and time(3) fixed64 ns, count(4) fixed64, sum(5) double, quantile values(6)
//             with quantile(1) and value(2) double: quantile 0 is the Minimum, 1 the Maximum
//
// OpenTelemetry's receiver of Firehose (awsfirehose, record type cwmetrics) makes such requests of a stream
// in JSON, with names of its own. The namespace is in the resource: service.namespace AWS and service.name
// Bedrock. The metric's name is bare, each attribute of a point is a dimension, and its time is the start of
// the minute.
//
// Collectors write either in JSON as well (OTLP specification, "JSON Protobuf Encoding"): the same fields by
// their names in lowerCamelCase, whole numbers of 64 bits as strings, and what is 0 or empty may be left out.
// Of these the form of 1.0.0 is read.
#include "ingest/field.h"
#include "ingest/otlp.h"
#include "ingest/proto.h"
#include "ingest/recognise_priv.h"

static const uint64_t MINUTE_NS = 60000000000u;

static bool set_broken(struct err *err, const char *what)
{
	return err_set(err, ERR_SKIP, "OpenTelemetry data is broken within a %s", what);
}

// KeyValue {key = 1, value = 2}. In version 1 the value is an AnyValue, of which string = 1 and kvlist = 6
// are read.
static bool read_key_value(struct str in, bool any, struct str *key, struct str *text, struct str *list,
                           struct err *err)
{
	struct proto_field f;
	int more;
	struct str value = STR_NONE;
	*key = *text = *list = STR_NONE;
	while ((more = proto_next(&in, &f)) > 0) {
		if (proto_is_bytes(&f, 1))
			*key = f.bytes;
		else if (proto_is_bytes(&f, 2))
			value = f.bytes;
	}
	if (more < 0)
		return set_broken(err, "key and value");
	if (!any) {
		*text = value;
		return true;
	}
	while ((more = proto_next(&value, &f)) > 0) {
		if (proto_is_bytes(&f, 1))
			*text = f.bytes;
		else if (proto_is_bytes(&f, 6))
			*list = f.bytes;
	}
	return more == 0 || set_broken(err, "value");
}

struct point {
	uint64_t start_ns, end_ns, count;
	double sum;
	struct metric_samples samples; // but for the count
	bool bare; // of a metric with a bare name
	struct metric_series *series; // its dimensions are those of the point
};

static bool read_dimension_list(struct str list, struct point *p, struct err *err)
{
	struct proto_field f;
	int more;
	struct str name, value, unused;
	while ((more = proto_next(&list, &f)) > 0) {
		if (!proto_is_bytes(&f, 1))
			continue;
		if (!read_key_value(f.bytes, true, &name, &value, &unused, err))
			return false;
		metric_dims_add(&p->series->dims, p->series->mantle, name, value);
	}
	return more == 0 || set_broken(err, "list of dimensions");
}

static bool read_attribute(const struct proto_field *f, struct point *p, struct err *err)
{
	struct str key, text, list;
	bool any = f->number == 7;
	if (!read_key_value(f->bytes, any, &key, &text, &list, err))
		return false;
	if (any && !p->bare)
		return !str_is(key, "Dimensions") || read_dimension_list(list, p, err);
	if (!str_is(key, "Namespace") && !str_is(key, "MetricName"))
		metric_dims_add(&p->series->dims, p->series->mantle, key, text);
	return true;
}

static void note_quantile(struct point *p, double quantile, double value)
{
	if (quantile == 0)
		p->samples.minimum = value;
	else if (quantile == 1)
		p->samples.maximum = value;
}

static void read_quantile(struct str in, struct point *p)
{
	struct proto_field f;
	double quantile = 0, value = 0;
	while (proto_next(&in, &f) > 0)
		if (f.wire == FIXED64 && (f.number == 1 || f.number == 2))
			memcpy(f.number == 1 ? &quantile : &value, &f.word, sizeof f.word);
	note_quantile(p, quantile, value);
}

static bool read_point(struct str in, struct point *p, struct err *err)
{
	struct proto_field f;
	int more;
	p->series->dims = (struct metric_dims){0};
	while ((more = proto_next(&in, &f)) > 0) {
		if (proto_is_bytes(&f, 1) || proto_is_bytes(&f, 7)) {
			if (!read_attribute(&f, p, err))
				return false;
		} else if (proto_is_bytes(&f, 6)) {
			read_quantile(f.bytes, p);
		} else if (f.wire == FIXED64 && f.number == 2) {
			p->start_ns = f.word;
		} else if (f.wire == FIXED64 && f.number == 3) {
			p->end_ns = f.word;
		} else if (f.wire == FIXED64 && f.number == 4) {
			p->count = f.word;
		} else if (f.wire == FIXED64 && f.number == 5) {
			memcpy(&p->sum, &f.word, sizeof p->sum);
		}
	}
	return more == 0 || set_broken(err, "data point");
}

// Context of one message.
struct otel_reader {
	struct metric_series series; // account and region: of the resource; the rest: of the metric
	struct str service; // of the resource: service.namespace and service.name
	struct str service_namespace;
	bool bare; // the metric's name is
	struct arena *arena;
	const struct sink *sink;
};

static struct point point_of(struct otel_reader *w)
{
	return (struct point){.series = &w->series, .bare = w->bare, .samples = METRIC_SAMPLES_INIT};
}

static void report_point(struct otel_reader *w, struct point *p)
{
	struct err err = ERR_INIT;
	struct record r;
	if (metric_dims_read(&w->series.dims) != OURS) {
		w->sink->ignored(w->sink->user, 1);
		return;
	}
	if (p->bare && p->end_ns) {
		p->start_ns = p->end_ns;
		p->end_ns += MINUTE_NS;
	}
	if (p->end_ns - p->start_ns != MINUTE_NS)
		err_set(&err, ERR_SKIP, "the data point's period is not 60 s: it goes from %llu to %llu ns",
		        (unsigned long long)p->start_ns, (unsigned long long)p->end_ns);
	else if (!w->series.account.len)
		err_set(&err, ERR_SKIP, "cloud.account.id is missing in the resource's attributes");
	else if (p->start_ns % 1000000)
		err_set(&err, ERR_SKIP, "the data point's time is not the start of a minute: %llu ns since 1970",
		        (unsigned long long)p->start_ns);
	if (!err.kind && metric_fill(&r, w->arena, &w->series, (int64_t)(p->start_ns / 1000000), p->sum, &err)) {
		p->samples.count = (double)p->count;
		metric_set_samples(&r.metric, p->samples);
		w->sink->record(w->sink->user, &r);
	} else {
		w->sink->fault(w->sink->user, &err);
	}
}

static void decode_point(struct otel_reader *w, struct str in)
{
	struct err err = ERR_INIT;
	struct point p = point_of(w);
	if (read_point(in, &p, &err))
		report_point(w, &p);
	else
		w->sink->fault(w->sink->user, &err);
}

// The namespace and name within "amazonaws.com/AWS/Bedrock/InputTokenCount"; of a bare name, the resource's
// namespace.
static enum verdict read_metric_name(struct otel_reader *w, struct str name)
{
	const struct str prefix = STR("amazonaws.com/");
	struct metric_series *s = &w->series;
	w->bare = !str_starts(name, prefix);
	if (w->bare && str_is(w->service_namespace, "AWS") && str_is(w->service, "Bedrock"))
		return metric_kind(s, STR("AWS/Bedrock"), name);
	if (w->bare && str_is(w->service_namespace, "AWS") && str_is(w->service, "BedrockMantle"))
		return metric_kind(s, STR("AWS/BedrockMantle"), name);
	if (w->bare)
		return NOT_OURS;
	name.p += prefix.len;
	name.len -= prefix.len;
	struct str metric = str_after_last(name, '/');
	if (metric.len == name.len)
		return NOT_OURS;
	return metric_kind(s, (struct str){name.p, name.len - metric.len - 1}, metric);
}

static bool decode_metric(struct otel_reader *w, struct str in, struct err *err)
{
	struct proto_field f;
	int more;
	struct str name = STR_NONE, rest = in;
	while ((more = proto_next(&rest, &f)) > 0)
		if (proto_is_bytes(&f, 1))
			name = f.bytes;
	if (more < 0)
		return set_broken(err, "metric");
	if (read_metric_name(w, name) == NOT_OURS) {
		w->sink->ignored(w->sink->user, 1);
		return true;
	}
	for (rest = in; proto_next(&rest, &f) > 0;) {
		if (!proto_is_bytes(&f, 11))
			continue;
		struct str summary = f.bytes;
		while ((more = proto_next(&summary, &f)) > 0)
			if (proto_is_bytes(&f, 1))
				decode_point(w, f.bytes);
		if (more < 0)
			return set_broken(err, "summary");
	}
	return true;
}

static bool decode_scope_metrics(struct otel_reader *w, struct str in, struct err *err)
{
	struct proto_field f;
	int more;
	while ((more = proto_next(&in, &f)) > 0)
		if (proto_is_bytes(&f, 2) && !decode_metric(w, f.bytes, err))
			return false;
	return more == 0 || set_broken(err, "scope's metrics");
}

static void forget_resource(struct otel_reader *w)
{
	w->series.account = w->series.region = w->service = w->service_namespace = STR_NONE;
}

static void note_resource(struct otel_reader *w, struct str key, struct str text)
{
	if (str_is(key, "cloud.account.id"))
		w->series.account = text;
	else if (str_is(key, "cloud.region"))
		w->series.region = text;
	else if (str_is(key, "service.namespace"))
		w->service_namespace = text;
	else if (str_is(key, "service.name"))
		w->service = text;
}

static bool read_resource(struct otel_reader *w, struct str in, struct err *err)
{
	struct proto_field f;
	int more;
	struct str key, text, list;
	while ((more = proto_next(&in, &f)) > 0) {
		if (!proto_is_bytes(&f, 1))
			continue;
		if (!read_key_value(f.bytes, true, &key, &text, &list, err))
			return false;
		note_resource(w, key, text);
	}
	return more == 0 || set_broken(err, "resource");
}

static bool decode_resource_metrics(struct otel_reader *w, struct str in, struct err *err)
{
	struct proto_field f;
	int more;
	struct str rest = in;
	forget_resource(w);
	while ((more = proto_next(&rest, &f)) > 0) // the resource may come after its metrics
		if (proto_is_bytes(&f, 1) && !read_resource(w, f.bytes, err))
			return false;
	if (more < 0)
		return set_broken(err, "resource's metrics");
	for (rest = in; proto_next(&rest, &f) > 0;)
		if (proto_is_bytes(&f, 2) && !decode_scope_metrics(w, f.bytes, err))
			return false;
	return true;
}

bool otel_plausible(struct str s)
{
	struct str request;
	struct proto_field f;
	if (otlp_metrics_plausible(s))
		return true;
	// '\n' is the tag of resource_metrics
	if (!proto_varint(&s, &(uint64_t){0}) || s.len < 2 || s.p[0] != '\n')
		return false;
	request = s;
	return proto_next(&request, &f) > 0 ? f.bytes.len == 0 || f.bytes.p[0] == '\n' || f.bytes.p[0] == 0x12
	                                    : s.len > 2; // it may be truncated: otel_decode reports that
}

static void decode_request(struct otel_reader *w, struct str request)
{
	struct err err = ERR_INIT;
	struct proto_field f;
	int more = 0;
	bool good = true;
	while (good && (more = proto_next(&request, &f)) > 0)
		if (proto_is_bytes(&f, 1))
			good = decode_resource_metrics(w, f.bytes, &err);
	if (good && more < 0)
		good = set_broken(&err, "request");
	if (!good)
		w->sink->fault(w->sink->user, &err);
}

void otel_decode(struct str s, struct arena *a, const struct sink *sink)
{
	struct otel_reader w = {.arena = a, .sink = sink};
	if (otlp_metrics_plausible(s)) {
		decode_request(&w, s);
		return;
	}
	while (s.len) {
		struct err err = ERR_INIT;
		struct str request;
		size_t left = s.len;
		if (!proto_bytes(&s, &request)) {
			err_set(
				&err, ERR_SKIP,
				"OpenTelemetry data is truncated: the record that starts %zu bytes before the end says it is longer",
				left);
			sink->fault(sink->user, &err);
			return;
		}
		decode_request(&w, request);
	}
}

// ---- the same in JSON ----------------------------------------------------------------------------

// A number of 64 bits: digits, as a string or a number. Absent: 0.
static bool read_json_number(struct json v, const char *name, uint64_t *ret, struct err *err)
{
	struct str text;
	int64_t number;
	*ret = 0;
	if (json_missing(v))
		return true;
	if (json_int(v, &number) && number >= 0) {
		*ret = (uint64_t)number;
		return true;
	}
	bool good = json_str(v, &text) && text.len > 0 && text.len < 20;
	for (size_t i = 0; good && i < text.len; i++) {
		good = text.p[i] >= '0' && text.p[i] <= '9';
		*ret = *ret * 10 + (uint64_t)(text.p[i] - '0');
	}
	return good || err_set(err, ERR_SKIP, "the data point's %s is no whole number", name);
}

// The next {"key": KEY, "value": {...}} of a list of attributes; others are skipped.
static bool next_json_attribute(struct json_iter *it, struct str *key, struct json *value)
{
	struct json item;
	while (json_next(it, NULL, &item))
		if (json_str(json_get(item, STR("key")), key)) {
			*value = json_get(item, STR("value"));
			return true;
		}
	return false;
}

static struct str json_text_of(struct json any)
{
	struct str text;
	return json_str(json_get(any, STR("stringValue")), &text) ? text : STR_NONE;
}

static void read_json_attributes(struct json list, struct point *p)
{
	struct str key;
	struct json value;
	for (struct json_iter it = json_begin(list); next_json_attribute(&it, &key, &value);) {
		struct json dimensions = json_get(json_get(value, STR("kvlistValue")), STR("values"));
		if (p->bare) {
			if (!str_is(key, "Namespace") && !str_is(key, "MetricName"))
				metric_dims_add(&p->series->dims, p->series->mantle, key, json_text_of(value));
		} else if (str_is(key, "Dimensions")) {
			for (struct json_iter d = json_begin(dimensions); next_json_attribute(&d, &key, &value);)
				metric_dims_add(&p->series->dims, p->series->mantle, key, json_text_of(value));
		}
	}
}

static void read_json_quantiles(struct json list, struct point *p)
{
	struct json one;
	for (struct json_iter it = json_begin(list); json_next(&it, NULL, &one);) {
		struct json quantile = json_get(one, STR("quantile")), value = json_get(one, STR("value"));
		double of = 0, tokens = 0;
		if ((json_missing(quantile) || json_double(quantile, &of)) &&
		    (json_missing(value) || json_double(value, &tokens)))
			note_quantile(p, of, tokens);
	}
}

static void decode_json_point(struct otel_reader *w, struct json point)
{
	struct err err = ERR_INIT;
	struct point p = point_of(w);
	struct json sum = json_get(point, STR("sum"));
	w->series.dims = (struct metric_dims){0};
	read_json_attributes(json_get(point, STR("attributes")), &p);
	read_json_quantiles(json_get(point, STR("quantileValues")), &p);
	if (read_json_number(json_get(point, STR("startTimeUnixNano")), "start", &p.start_ns, &err) &&
	    read_json_number(json_get(point, STR("timeUnixNano")), "time", &p.end_ns, &err) &&
	    read_json_number(json_get(point, STR("count")), "count", &p.count, &err) &&
	    (json_missing(sum) || json_double(sum, &p.sum) ||
	     err_set(&err, ERR_SKIP, "the data point's sum is no number")))
		report_point(w, &p);
	else
		w->sink->fault(w->sink->user, &err);
}

static void decode_json_metric(struct otel_reader *w, struct json metric)
{
	struct err err = ERR_INIT;
	struct str name = STR_NONE;
	struct json points = json_get(json_get(metric, STR("summary")), STR("dataPoints")), point;
	json_str(json_get(metric, STR("name")), &name);
	if (read_metric_name(w, name) == NOT_OURS) {
		w->sink->ignored(w->sink->user, 1);
		return;
	}
	if (json_type(points) != JSON_ARRAY) {
		err_set(&err, ERR_SKIP, "a token metric in OpenTelemetry's JSON has no summary with dataPoints");
		w->sink->fault(w->sink->user, &err);
		return;
	}
	for (struct json_iter it = json_begin(points); json_next(&it, NULL, &point);)
		decode_json_point(w, point);
}

static void decode_json_scopes(struct otel_reader *w, struct json scopes)
{
	struct json scope, metric;
	for (struct json_iter it = json_begin(scopes); json_next(&it, NULL, &scope);)
		for (struct json_iter m = json_begin(json_get(scope, STR("metrics"))); json_next(&m, NULL, &metric);)
			decode_json_metric(w, metric);
}

bool otel_is_json(struct json list)
{
	struct json one;
	struct json_iter it = json_begin(list);
	if (json_type(list) != JSON_ARRAY)
		return false;
	while (json_next(&it, NULL, &one))
		if (json_type(json_get(one, STR("scopeMetrics"))) != JSON_ARRAY)
			return false;
	return true;
}

void otel_decode_json(const struct top_fields *t, struct arena *a, const struct sink *sink)
{
	struct otel_reader w = {.arena = a, .sink = sink};
	struct json one, value;
	struct str key;
	for (struct json_iter it = json_begin(t->f[F_resourceMetrics]); json_next(&it, NULL, &one);) {
		struct json attributes = json_get(json_get(one, STR("resource")), STR("attributes"));
		forget_resource(&w);
		for (struct json_iter r = json_begin(attributes); next_json_attribute(&r, &key, &value);)
			note_resource(&w, key, json_text_of(value));
		decode_json_scopes(&w, json_get(one, STR("scopeMetrics")));
	}
}
