// SPDX-License-Identifier: Apache-2.0
// The numbers of the fields:
//
//     request . resource_logs(1) . scope_logs(2) . log_records(2) . time(1) fixed64, body(5), attributes(6)
//     request . resource_metrics(1) . scope_metrics(2) . metrics(2) . name(1) bytes
//     AnyValue    string(1) bool(2) int(3) double(4) array(5) . values(1)  list(6) . values(1)  bytes(7)
//     KeyValue    key(1) value(2)
//
// Logs and metrics have the same outer fields; field 1 within tells them apart. In JSON a whole
// number is a string of digits; it becomes a number again.
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

// The first log record or metric of a request that has no length in front; STR_NONE if the bytes are none.
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

bool otlp_metrics_plausible(struct str s)
{
	struct str item = first_item(s);
	return item.len && is_named(item);
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

// ---- log records

struct otlp_logs otlp_logs_begin(struct str request)
{
	return (struct otlp_logs){request, STR_NONE, STR_NONE};
}

bool otlp_logs_next(struct otlp_logs *l, struct buf *json, struct err *err)
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
			buf_adds(json, "{\"body\":");
			add_value(json, first_bytes(f.bytes, 5), 0);
			buf_adds(json, ",\"attributes\":");
			add_values(json, f.bytes, 6, true, 0);
			buf_addc(json, '}');
			return true;
		}
		if (rest == &l->resources && proto_is_bytes(&f, 2))
			l->scopes = f.bytes;
		else if (rest == &l->requests && proto_is_bytes(&f, 1))
			l->resources = f.bytes;
	}
	if (more < 0)
		err_set(err, ERR_SKIP, "OpenTelemetry logs are broken %zu bytes before their end", l->requests.len);
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
