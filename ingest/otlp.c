// SPDX-License-Identifier: Apache-2.0
// The numbers of the fields:
//
//     request . resource_logs(1) . scope_logs(2) . log_records(2) . time(1) fixed64, body(5), attributes(6),
//                                                                   observed time(11) fixed64
//     request . resource_spans(1) . scope_spans(2) . spans(2) . trace id(1), span id(2), start(7) and end(8)
//                                                               fixed64, attributes(9)
//     request . resource_metrics(1) . scope_metrics(2) . metrics(2) . name(1) bytes
//     resource_...(1) . resource(1) . attributes(1)      scope_...(2) . scope(1) . name(1)
//     AnyValue    string(1) bool(2) int(3) double(4) array(5) . values(1)  list(6) . values(1)  bytes(7)
//     KeyValue    key(1) value(2)
//
// All three have the same outer fields. A log record has no bytes as field 1, of a span field 7 is a time. In
// JSON a whole number is a string of digits; it becomes a number again.
#include "ingest/otlp.h"

#include <inttypes.h>
#include <math.h>

#include "base/text.h"
#include "ingest/proto.h"

enum { VALUES_DEPTH_MAX = 64 };

// ---- framing

// The first field `number` in `message` that is bytes; STR_NONE if there is none.
static struct str first_bytes(struct str message, uint32_t number)
{
	struct proto_field f;
	while (proto_next(&message, &f) > 0)
		if (proto_is_bytes(&f, number))
			return f.bytes;
	return STR_NONE;
}

static uint64_t first_fixed64(struct str message, uint32_t number)
{
	struct proto_field f;
	while (proto_next(&message, &f) > 0)
		if (f.number == number && f.wire == FIXED64)
			return f.word;
	return 0;
}

// The first item of a request that has no length in front; STR_NONE if the bytes are none.
static struct str first_item(struct str s)
{
	struct proto_field f;
	struct str rest = s, item = STR_NONE;
	int more;
	if (!s.len || s.p[0] != '\n') // the tag of field 1, which is all that a request has
		return STR_NONE;
	while ((more = proto_next(&rest, &f)) > 0) {
		if (!proto_is_bytes(&f, 1))
			return STR_NONE;
		if (!item.len)
			item = first_bytes(first_bytes(f.bytes, 2), 2);
	}
	return more == 0 ? item : STR_NONE;
}

// Fields are in any order: OpenTelemetry's collector writes the last one first.
static bool is_named(struct str item)
{
	return first_bytes(item, 1).len > 0;
}

bool otlp_logs_plausible(struct str s)
{
	struct str item = first_item(s);
	return item.len && !is_named(item);
}

bool otlp_spans_plausible(struct str s)
{
	struct str item = first_item(s);
	return item.len && is_named(item) && first_fixed64(item, 7);
}

bool otlp_metrics_plausible(struct str s)
{
	struct str item = first_item(s);
	return item.len && is_named(item) && !first_fixed64(item, 7);
}

// ---- values of protobuf as JSON

static void add_double(struct buf *out, double d)
{
	if (isfinite(d))
		buf_addf(out, "%.17g", d);
	else
		buf_adds(out, "null");
}

static void add_value(struct buf *out, struct str any, int depth);

static void add_key_value(struct buf *out, struct str pair, int depth)
{
	buf_add_json(out, first_bytes(pair, 1));
	buf_addc(out, ':');
	add_value(out, first_bytes(pair, 2), depth);
}

// The fields `number` of `message`, each a KeyValue (as an object) or a value (as a list).
static void add_values(struct buf *out, struct str message, uint32_t number, bool object, int depth)
{
	struct proto_field f;
	bool first = true;
	buf_addc(out, object ? '{' : '[');
	while (proto_next(&message, &f) > 0) {
		if (!proto_is_bytes(&f, number))
			continue;
		if (!first)
			buf_addc(out, ',');
		first = false;
		if (object)
			add_key_value(out, f.bytes, depth);
		else
			add_value(out, f.bytes, depth);
	}
	buf_addc(out, object ? '}' : ']');
}

static void add_value(struct buf *out, struct str any, int depth)
{
	struct proto_field f;
	double d;
	if (depth > VALUES_DEPTH_MAX || proto_next(&any, &f) <= 0) {
		buf_adds(out, "null");
	} else if (f.number == 1 && f.wire == BYTES) {
		buf_add_json(out, f.bytes);
	} else if (f.number == 2 && f.wire == VARINT) {
		buf_adds(out, f.word ? "true" : "false");
	} else if (f.number == 3 && f.wire == VARINT) {
		buf_addf(out, "%" PRId64, (int64_t)f.word);
	} else if (f.number == 4 && f.wire == FIXED64) {
		memcpy(&d, &f.word, sizeof d);
		add_double(out, d);
	} else if ((f.number == 5 || f.number == 6) && f.wire == BYTES) {
		add_values(out, f.bytes, 1, f.number == 6, depth + 1);
	} else if (f.number == 7 && f.wire == BYTES) {
		buf_addc(out, '"');
		buf_add_base64(out, f.bytes);
		buf_addc(out, '"');
	} else {
		buf_adds(out, "null");
	}
}

// ---- log records and spans

struct otlp_items otlp_logs_begin(struct str request)
{
	return (struct otlp_items){.requests = request};
}

struct otlp_items otlp_spans_begin(struct str request)
{
	return (struct otlp_items){.requests = request, .spans = true};
}

static bool has_word(struct str s, const char *word)
{
	return memmem(s.p, s.len, word, strlen(word)) != NULL;
}

static void add_time(struct buf *out, const char *name, uint64_t ns)
{
	if (ns)
		buf_addf(out, "\"%s\":%" PRIu64 ",", name, ns);
}

static void add_hex(struct buf *out, const char *name, struct str id)
{
	buf_addf(out, "\"%s\":\"", name);
	for (size_t i = 0; i < id.len; i++)
		buf_addf(out, "%02x", (unsigned char)id.p[i]);
	buf_adds(out, "\",");
}

static void add_surroundings(struct buf *out, const struct otlp_items *l)
{
	buf_adds(out, "\"resource\":{\"attributes\":");
	add_values(out, l->resource, 1, true, 0);
	buf_adds(out, "},\"scope\":{\"name\":");
	buf_add_json(out, first_bytes(l->scope, 1));
	buf_adds(out, "},");
}

static void add_log_record(struct buf *out, const struct otlp_items *l, struct str record)
{
	buf_addc(out, '{');
	if (has_word(record, "api_request")) {
		add_surroundings(out, l);
		add_time(out, "timeUnixNano", first_fixed64(record, 1));
		add_time(out, "observedTimeUnixNano", first_fixed64(record, 11));
	}
	buf_adds(out, "\"body\":");
	add_value(out, first_bytes(record, 5), 0);
	buf_adds(out, ",\"attributes\":");
	add_values(out, record, 6, true, 0);
	buf_addc(out, '}');
}

static void add_span(struct buf *out, const struct otlp_items *l, struct str span)
{
	buf_addc(out, '{');
	add_surroundings(out, l);
	add_hex(out, "traceId", first_bytes(span, 1));
	add_hex(out, "spanId", first_bytes(span, 2));
	add_time(out, "startTimeUnixNano", first_fixed64(span, 7));
	buf_addf(out, "\"endTimeUnixNano\":%" PRIu64 ",\"attributes\":", first_fixed64(span, 8));
	add_values(out, span, 9, true, 0);
	buf_addc(out, '}');
}

bool otlp_items_next(struct otlp_items *l, struct buf *json, struct err *err)
{
	struct proto_field f;
	int more = 0;
	for (;;) {
		struct str *rest = l->scopes.len ? &l->scopes : l->resources.len ? &l->resources : &l->requests;
		more = proto_next(rest, &f);
		if (more <= 0)
			break;
		if (rest == &l->scopes && proto_is_bytes(&f, 2)) {
			buf_clear(json);
			if (!l->spans)
				add_log_record(json, l, f.bytes);
			else if (has_word(f.bytes, "aws.bedrock"))
				add_span(json, l, f.bytes);
			return true;
		}
		if (rest == &l->resources && proto_is_bytes(&f, 2)) {
			l->scopes = f.bytes;
			l->scope = first_bytes(f.bytes, 1);
		} else if (rest == &l->requests && proto_is_bytes(&f, 1)) {
			l->resources = f.bytes;
			l->resource = first_bytes(f.bytes, 1);
		}
	}
	if (more < 0)
		err_set(err, ERR_SKIP, "OpenTelemetry %s are broken %zu bytes before their end",
		        l->spans ? "spans" : "logs", l->requests.len);
	return false;
}

// ---- values of JSON

static void add_json_value(struct buf *out, struct json any, int depth);

static void add_json_values(struct buf *out, struct json list, bool object, int depth)
{
	struct json item;
	struct str key;
	bool first = true;
	buf_addc(out, object ? '{' : '[');
	for (struct json_iter it = json_begin(list); json_next(&it, NULL, &item);) {
		if (object && !json_str(json_get(item, STR("key")), &key))
			continue;
		if (!first)
			buf_addc(out, ',');
		first = false;
		if (object) {
			buf_add_json(out, key);
			buf_addc(out, ':');
			item = json_get(item, STR("value"));
		}
		add_json_value(out, item, depth);
	}
	buf_addc(out, object ? '}' : ']');
}

static bool is_whole_number(struct str s)
{
	size_t at = s.len && s.p[0] == '-';
	bool good = s.len > at && s.len < 20 && (s.p[at] != '0' || s.len == at + 1);
	for (; good && at < s.len; at++)
		good = s.p[at] >= '0' && s.p[at] <= '9';
	return good;
}

static void add_json_value(struct buf *out, struct json any, int depth)
{
	struct json v;
	struct str kind, text;
	struct json_iter it = json_begin(any);
	if (depth > VALUES_DEPTH_MAX || !it.object || !json_next(&it, &kind, &v)) {
		buf_adds(out, "null");
	} else if (str_is(kind, "kvlistValue") || str_is(kind, "arrayValue")) {
		add_json_values(out, json_get(v, STR("values")), kind.p[0] == 'k', depth + 1);
	} else if (str_is(kind, "intValue") && json_str(v, &text) && is_whole_number(text)) {
		buf_addstr(out, text);
	} else {
		json_print(v, out);
	}
}

static bool is_field_of_record(struct str key)
{
	return str_is(key, "eventSource") || str_is(key, "schemaType") || str_is(key, "metric_name");
}

bool otlp_record_of_attributes(struct json list, struct buf *out)
{
	struct json item;
	struct str key;
	bool of_record = false;
	for (struct json_iter it = json_begin(list); json_next(&it, NULL, &item);) {
		if (json_type(json_get(item, STR("value"))) != JSON_OBJECT ||
		    !json_str(json_get(item, STR("key")), &key))
			return false;
		of_record |= is_field_of_record(key);
	}
	if (of_record)
		add_json_values(out, list, true, 0);
	return of_record;
}
