// SPDX-License-Identifier: Apache-2.0
// What decode tests share: messages made from text by small steps, and what the decoder makes of them as
// text.
//
// Steps, each a line "| name argument":
//     gzip         as one member            base64      as base64 text
//     wrap T       T with <> replaced by the input as the inside of a JSON string
//     around T     T with <> replaced by the input as it is
//     wraps T      T with every <> replaced as `wrap` does
//     twins T      T with the first <> replaced as `wrap` does, and the second as `around` does
//     twice        the input two times      cut N       without its last N bytes
//     repeat N     the input N times        hex         the input is hexadecimal digits
//     otel         the input is protobuf text format of an ExportMetricsServiceRequest, or of one of logs or
//                  spans
//     unframed     without the length in front that `otel` writes
//     field N      as protobuf's field N, with its length
//     lines N      with a line end after every N bytes
//     avro         as a string of Avro, behind the head of a schema registry's serialiser
//     registry     behind that head, as it is
//     str16        as a string of MessagePack, with its length in two bytes
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

static void collect_fault(void *user, enum fault_kind kind, int index, struct str part, const char *reason)
{
	buf_addf(user, "%d fault %s (%zu bytes) %s\n", index, fault_word(kind), part.len, reason);
}

// What a decoder of small limits says of a message, a line each.
static inline void decode_to_text(struct str message, size_t message_bytes, struct buf *out)
{
	struct decoder *d =
		decoder_new((struct decode_limits){message_bytes, 32, 0}, collect_record, collect_fault, out);
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
	buf_reserve(&out, b->len / 3 * 4 + 4);
	for (size_t i = 0; i < b->len; i += 3) {
		unsigned v = 0, n = b->len - i < 3 ? (unsigned)(b->len - i) : 3;
		for (unsigned k = 0; k < 3; k++)
			v = v << 8 | (k < n ? (unsigned char)b->data[i + k] : 0);
		for (unsigned k = 0; k < 4; k++)
			out.data[out.len++] = k <= n ? digits[v >> (18 - 6 * k) & 63] : '=';
	}
	out.data[out.len] = '\0';
	buf_release(b);
	*b = out;
}

static inline void step_wrap(struct buf *b, struct str shape, bool escape)
{
	struct buf out = BUF_INIT;
	struct str head = str_cut(&shape, '<');
	buf_addstr(&out, head);
	str_cut(&shape, '>');
	for (size_t i = 0, plain; i < b->len; i += plain) {
		for (plain = 0; i + plain < b->len; plain++) {
			unsigned char c = (unsigned char)b->data[i + plain];
			if (escape && (c < ' ' || c == '"' || c == '\\'))
				break;
		}
		buf_add(&out, b->data + i, plain);
		if (i + plain < b->len) {
			unsigned char c = (unsigned char)b->data[i + plain++];
			buf_addf(&out, c < ' ' ? "\\u%04x" : "\\%c", c);
		}
	}
	buf_addstr(&out, shape);
	buf_release(b);
	*b = out;
}

static inline void step_wraps(struct buf *b, struct str shape)
{
	struct buf out = BUF_INIT;
	while (shape.len) {
		const char *at = memmem(shape.p, shape.len, "<>", 2);
		struct str part = {shape.p, at ? (size_t)(at - shape.p) + 2 : shape.len};
		struct buf one = BUF_INIT;
		buf_addstr(&one, buf_str(b));
		if (at)
			step_wrap(&one, part, true);
		buf_addstr(&out, at ? buf_str(&one) : part);
		buf_release(&one);
		shape = (struct str){shape.p + part.len, shape.len - part.len};
	}
	buf_release(b);
	*b = out;
}

static inline void step_twins(struct buf *b, struct str shape)
{
	struct buf again = BUF_INIT;
	struct str first = shape;
	buf_addstr(&again, buf_str(b));
	const char *at = memmem(shape.p, shape.len, "<>", 2);
	at = at ? memmem(at + 2, (size_t)(shape.p + shape.len - at) - 2, "<>", 2) : NULL;
	if (!at)
		abort();
	first.len = (size_t)(at - shape.p);
	step_wrap(b, first, true);
	buf_addstr(b, buf_str(&again));
	buf_add(b, at + 2, (size_t)(shape.p + shape.len - at) - 2);
	buf_release(&again);
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

static inline void step_prefix(struct buf *b, const char *head, size_t nhead, uint64_t length)
{
	struct buf out = BUF_INIT;
	buf_add(&out, head, nhead);
	if (length)
		otel_varint(&out, length);
	buf_addstr(&out, buf_str(b));
	buf_release(b);
	*b = out;
}

static inline void step_lines(struct buf *b, size_t n)
{
	struct buf out = BUF_INIT;
	for (size_t i = 0; i < b->len; i += n) {
		buf_add(&out, b->data + i, b->len - i < n ? b->len - i : n);
		buf_addc(&out, '\n');
	}
	buf_release(b);
	*b = out;
}

static inline void step_unframed(struct buf *b)
{
	size_t n = 0;
	while (n < b->len && (unsigned char)b->data[n++] & 0x80)
		;
	memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
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
	else if (str_is(name, "wraps"))
		step_wraps(b, line);
	else if (str_is(name, "twins"))
		step_twins(b, line);
	else if (str_is(name, "twice"))
		step_repeat(b, 2);
	else if (str_is(name, "repeat"))
		step_repeat(b, n);
	else if (str_is(name, "cut"))
		b->len -= (size_t)n < b->len ? (size_t)n : b->len;
	else if (str_is(name, "hex"))
		step_hex(b);
	else if (str_is(name, "unframed"))
		step_unframed(b);
	else if (str_is(name, "lines") && n > 0)
		step_lines(b, (size_t)n);
	else if (str_is(name, "field"))
		step_prefix(b, &(char){(char)(n << 3 | 2)}, 1, b->len);
	else if (str_is(name, "avro"))
		step_prefix(b, "\0\0\0\0\7", 5, 2 * b->len);
	else if (str_is(name, "str16"))
		step_prefix(b, (char[]){(char)0xda, (char)(b->len >> 8), (char)b->len}, 3, 0);
	else if (str_is(name, "registry"))
		step_prefix(b, "\0\0\0\0\7", 5, 0);
	else if (str_is(name, "otel"))
		return otel_from_text(b);
	else
		return false;
	return true;
}

#endif
