// SPDX-License-Identifier: Apache-2.0
// Protobuf text format of an OpenTelemetry metrics request to the bytes that go over the wire, with the
// length before them: just the fields that CloudWatch's streams use. For tests only.
#ifndef NOWCAST_TESTS_SUPPORT_OTEL_TEXT_H
#define NOWCAST_TESTS_SUPPORT_OTEL_TEXT_H

#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"

// A field's number depends on where it stands only for `value` and `key`, which are 2 and 1 everywhere but in
// a quantile.
static const struct {
	const char *name;
	int number;
	char kind; // m: message, s: string, f: fixed64, d: double, v: varint
} otel_fields[] = {
	{"resource_metrics", 1, 'm'},
	{"resource", 1, 'm'},
	{"scope_metrics", 2, 'm'},
	{"instrumentation_library_metrics", 2, 'm'},
	{"metrics", 2, 'm'},
	{"name", 1, 's'},
	{"unit", 3, 's'},
	{"summary", 11, 'm'},
	{"resource_logs", 1, 'm'},
	{"scope_logs", 2, 'm'},
	{"log_records", 2, 'm'},
	{"log_time", 1, 'f'},
	{"body", 5, 'm'},
	{"log_attributes", 6, 'm'},
	{"observed_time", 11, 'f'},
	{"resource_spans", 1, 'm'},
	{"scope_spans", 2, 'm'},
	{"scope", 1, 'm'},
	{"spans", 2, 'm'},
	{"trace_id", 1, 's'},
	{"span_id", 2, 's'},
	{"span_start", 7, 'f'},
	{"span_end", 8, 'f'},
	{"span_attributes", 9, 'm'},
	{"int_value", 3, 'v'},
	{"double_summary", 11, 'm'},
	{"data_points", 1, 'm'},
	{"labels", 1, 'm'},
	{"start_time_unix_nano", 2, 'f'},
	{"time_unix_nano", 3, 'f'},
	{"count", 4, 'f'},
	{"sum", 5, 'd'},
	{"quantile_values", 6, 'm'},
	{"quantile", 1, 'd'},
	{"key", 1, 's'},
	{"string_value", 1, 's'},
	{"kvlist_value", 6, 'm'},
	{"values", 1, 'm'},
};

static inline void otel_varint(struct buf *out, uint64_t v)
{
	for (; v > 127; v >>= 7)
		buf_addc(out, (char)(v | 128));
	buf_addc(out, (char)v);
}

static inline struct str otel_word(struct str *in)
{
	while (in->len && strchr(" \n\t:", in->p[0]))
		in->p++, in->len--;
	size_t n = 0;
	if (in->len && strchr("{}", in->p[0]))
		n = 1;
	else if (in->len && in->p[0] == '"')
		for (n = 1; n < in->len && in->p[n] != '"';)
			n++;
	else
		while (n < in->len && !strchr(" \n\t:{}", in->p[n]))
			n++;
	if (n && in->p[0] == '"')
		n++;
	struct str w = {in->p, n < in->len ? n : in->len};
	in->p += w.len;
	in->len -= w.len;
	return w;
}

static inline bool otel_message(struct str *in, struct buf *out, bool in_resource, bool in_quantile,
                                int depth);

static inline void otel_fixed64(struct buf *out, int number, const void *word)
{
	otel_varint(out, (uint64_t)number << 3 | 1);
	buf_add(out, word, 8);
}

static inline bool otel_field(struct str name, struct str *in, struct buf *out, bool in_resource,
                              bool in_quantile, int depth)
{
	int number = 0;
	char kind = 0;
	struct str peek = *in, next = otel_word(&peek);
	for (size_t i = 0; i < sizeof otel_fields / sizeof *otel_fields; i++)
		if (str_is(name, otel_fields[i].name))
			number = otel_fields[i].number, kind = otel_fields[i].kind;
	if (str_is(name, "attributes")) // of a resource 1, of a data point 7
		number = in_resource ? 1 : 7, kind = 'm';
	if (str_is(name, "value"))
		number = 2, kind = str_is(next, "{") ? 'm' : in_quantile ? 'd' : 's';
	struct str word = otel_word(in);
	struct buf inner = BUF_INIT;
	if (kind == 'm') {
		if (!otel_message(in, &inner, str_is(name, "resource"), str_is(name, "quantile_values"), depth + 1))
			return false;
	} else if (kind == 's') {
		buf_add(&inner, word.p + 1, word.len - 2);
	} else if (kind == 'f') {
		uint64_t v = strtoull(word.p, NULL, 10);
		otel_fixed64(out, number, &v);
		return true;
	} else if (kind == 'v') {
		otel_varint(out, (uint64_t)number << 3);
		otel_varint(out, strtoull(word.p, NULL, 10));
		return true;
	} else if (kind == 'd') {
		double v = strtod(word.p, NULL);
		otel_fixed64(out, number, &v);
		return true;
	} else {
		return false;
	}
	otel_varint(out, (uint64_t)number << 3 | 2);
	otel_varint(out, inner.len);
	buf_add(out, inner.data, inner.len);
	buf_release(&inner);
	return true;
}

static inline bool otel_message(struct str *in, struct buf *out, bool in_resource, bool in_quantile,
                                int depth)
{
	for (;;) {
		struct str name = otel_word(in);
		if (!name.len)
			return depth == 0;
		if (str_is(name, "}"))
			return depth > 0;
		if (depth > 20 || !otel_field(name, in, out, in_resource, in_quantile, depth))
			return false;
	}
}

static inline bool otel_from_text(struct buf *b)
{
	struct buf body = BUF_INIT, out = BUF_INIT;
	struct str in = buf_str(b);
	bool good = otel_message(&in, &body, false, false, 0);
	otel_varint(&out, body.len);
	buf_add(&out, body.data, body.len);
	buf_release(&body);
	buf_release(b);
	*b = out;
	return good;
}

#endif
