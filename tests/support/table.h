// SPDX-License-Identifier: Apache-2.0
// What decode tests share: messages made from text by small steps, and what the decoder makes of them as
// text.
//
// Steps, each a line "| name argument":
//     gzip         as one member            base64      as base64 text
//     wrap T       T with <> replaced by the input as the inside of a JSON string
//     around T     T with <> replaced by the input as it is
//     twice        the input two times      cut N       without its last N bytes
//     repeat N     the input N times        hex         the input is hexadecimal digits
//     otel         the input is protobuf text format of an ExportMetricsServiceRequest
#ifndef NOWCAST_TESTS_SUPPORT_TABLE_H
#define NOWCAST_TESTS_SUPPORT_TABLE_H

#include <zlib.h>

#include "base/buf.h"
#include "ingest/decode.h"
#include "ingest/describe.h"
#include "tests/support/otel_text.h"

static void collect_record(void *user, const struct record *r)
{
	struct buf *out = user;
	buf_addf(out, "%d ", r->index);
	record_describe(r, out);
	buf_addc(out, '\n');
}

static void collect_fault(void *user, int index, struct str part, const char *reason)
{
	buf_addf(user, "%d fault (%zu bytes) %s\n", index, part.len, reason);
}

// What a decoder of small limits says of a message, a line each.
static inline void decode_to_text(struct str message, size_t message_bytes, struct buf *out)
{
	struct decoder *d =
		decoder_new((struct decode_limits){message_bytes, 8}, collect_record, collect_fault, out);
	const struct decode_counts *c = decoder_counts(d);
	decoder_message(d, message.p, message.len);
	if (c->ignored)
		buf_addf(out, "ignored %llu%s\n", (unsigned long long)c->ignored,
		         c->dropped_unparsed ? ", unparsed" : "");
	decoder_free(d);
}

static inline void step_gzip(struct buf *b)
{
	struct buf out = BUF_INIT;
	z_stream z = {0};
	if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	buf_reserve(&out, deflateBound(&z, b->len) + 32);
	z.next_in = (Bytef *)b->data;
	z.avail_in = (unsigned)b->len;
	z.next_out = (Bytef *)out.data;
	z.avail_out = (unsigned)out.cap - 1;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	out.len = z.total_out;
	out.data[out.len] = '\0';
	deflateEnd(&z);
	buf_release(b);
	*b = out;
}

static inline void step_base64(struct buf *b)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct buf out = BUF_INIT;
	for (size_t i = 0; i < b->len; i += 3) {
		unsigned v = 0, n = b->len - i < 3 ? (unsigned)(b->len - i) : 3;
		for (unsigned k = 0; k < 3; k++)
			v = v << 8 | (k < n ? (unsigned char)b->data[i + k] : 0);
		for (unsigned k = 0; k < 4; k++)
			buf_addc(&out, k <= n ? digits[v >> (18 - 6 * k) & 63] : '=');
	}
	buf_release(b);
	*b = out;
}

static inline void step_wrap(struct buf *b, struct str shape, bool escape)
{
	struct buf out = BUF_INIT;
	struct str head = str_cut(&shape, '<');
	buf_addstr(&out, head);
	str_cut(&shape, '>');
	for (size_t i = 0; i < b->len; i++) {
		unsigned char c = (unsigned char)b->data[i];
		if (escape && (c == '"' || c == '\\'))
			buf_addc(&out, '\\');
		if (escape && c < ' ')
			buf_addf(&out, "\\u%04x", c);
		else
			buf_addc(&out, (char)c);
	}
	buf_addstr(&out, shape);
	buf_release(b);
	*b = out;
}

static inline void step_repeat(struct buf *b, int n)
{
	size_t len = b->len;
	for (int i = 1; i < n; i++) {
		buf_reserve(b, len);
		buf_add(b, b->data, len);
	}
}

static inline void step_hex(struct buf *b)
{
	struct buf out = BUF_INIT;
	int have = 0, v = 0;
	for (size_t i = 0; i < b->len; i++) {
		const char *digit = strchr("0123456789abcdef", b->data[i]);
		if (!digit)
			continue;
		v = v << 4 | (int)(digit - "0123456789abcdef");
		if (++have % 2 == 0)
			buf_addc(&out, (char)v);
		v &= 15;
	}
	buf_release(b);
	*b = out;
}

// One step; false if there is none of that name.
static inline bool step(struct buf *b, struct str line)
{
	struct str name = str_cut(&line, ' ');
	int n = line.len ? atoi(line.p) : 0;
	if (str_is(name, "gzip"))
		step_gzip(b);
	else if (str_is(name, "base64"))
		step_base64(b);
	else if (str_is(name, "wrap"))
		step_wrap(b, line, true);
	else if (str_is(name, "around"))
		step_wrap(b, line, false);
	else if (str_is(name, "twice"))
		step_repeat(b, 2);
	else if (str_is(name, "repeat"))
		step_repeat(b, n);
	else if (str_is(name, "cut"))
		b->len -= (size_t)n < b->len ? (size_t)n : b->len;
	else if (str_is(name, "hex"))
		step_hex(b);
	else if (str_is(name, "otel"))
		return otel_from_text(b);
	else
		return false;
	return true;
}

#endif
