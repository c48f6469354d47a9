// SPDX-License-Identifier: Apache-2.0
// The decoder's top layer: which format a run of bytes has. The formats are tried from the most certain to
// the least: gzip has a magic number, JSON starts with a bracket, OpenTelemetry has its framing, base64 has
// its alphabet. Everything else is plain text, which is read if lines of it start like JSON.
//
// Work is bounded: bytes by limits.message_bytes, depth by limits.nesting, broken JSON by json_text.c.
#include "ingest/decode.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "ingest/base64.h"
#include "ingest/decode_priv.h"
#include "ingest/inflate.h"
#include "ingest/json_split.h"
#include "ingest/prefilter.h"

enum { KEEP_BYTES = 1024 * 1024 }; // larger buffers are freed after the message

static void decode_bytes(struct decoder *d, struct str raw, int depth);

static void decode_otel(struct decoder *d, struct str in)
{
	struct sink sink = report_sink(d, JSON_ABSENT, in);
	otel_decode(in, &d->arena, &sink);
}

static void decode_gzip(struct decoder *d, struct str in, int depth)
{
	struct err err = ERR_INIT;
	struct buf *out = &d->levels[depth].bytes;
	buf_clear(out);
	if (!inflate_gzip(in, d->bytes_left, out, &err)) {
		report_fault(d, in, err.msg);
		return;
	}
	assert(out->len <= d->bytes_left);
	d->bytes_left -= out->len;
	decode_bytes(d, buf_str(out), depth + 1);
}

static void decode_base64(struct decoder *d, struct str text, int depth)
{
	struct err err = ERR_INIT;
	struct buf *out = &d->levels[depth].bytes;
	if (text.len / 4 * 3 > d->bytes_left) {
		report_fault(d, text, "message too large: its base64 text holds more than is left of message.bytes");
		return;
	}
	buf_clear(out);
	if (!base64_decode(text, out, &err)) {
		report_fault(d, text, err.msg);
		return;
	}
	d->bytes_left -= out->len < d->bytes_left ? out->len : d->bytes_left;
	decode_bytes(d, buf_str(out), depth + 1);
}

static bool is_known_format(struct str s)
{
	struct str t = json_split_trim(s);
	return inflate_is_gzip(s) || (t.len && (t.p[0] == '{' || t.p[0] == '[')) || otel_plausible(s);
}

// Whether the text is base64 of a format that is decoded here.
static bool is_base64_of_known_format(struct decoder *d, struct str text, int depth)
{
	struct err err = ERR_INIT;
	struct buf *out = &d->levels[depth].bytes;
	if (text.len < 8 || !base64_plausible(text))
		return false;
	buf_clear(out);
	struct str head = {text.p, text.len < 256 ? text.len : 256};
	bool good = base64_decode(head, out, &err);
	return (good || out->len) && is_known_format(buf_str(out));
}

static bool is_text(struct str s)
{
	for (size_t i = 0; i < s.len && i < 64; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if ((c < ' ' && c != '\n' && c != '\r' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static void report_unknown_format(struct decoder *d, struct str bytes)
{
	char z[160], hex[3 * 8 + 1] = "";
	for (size_t i = 0; i < bytes.len && i < 8; i++)
		snprintf(hex + 3 * i, 4, " %02x", (unsigned char)bytes.p[i]);
	snprintf(z, sizeof z,
	         "not recognised: neither JSON, gzip, base64 nor OpenTelemetry metrics; starts with%s", hex);
	report_fault(d, bytes, z);
}

static void decode_other_text(struct decoder *d, struct str text, int depth)
{
	if (is_text(text) && !prefilter_may_be_ours(text))
		report_dropped(d);
	else if (memmem(text.p, text.len, "\n{", 2) || memmem(text.p, text.len, "\n[", 2))
		decode_json_pieces(d, text, depth);
	else if (is_text(text))
		report_ignored(d, 1); // a line of prose that happens to hold one of our words
	else
		report_unknown_format(d, text);
}

static void decode_bracketed(struct decoder *d, struct str raw, struct str text, int depth)
{
	if (!prefilter_may_be_ours(raw))
		report_dropped(d);
	else if (decode_json(d, text, depth))
		;
	else if (otel_plausible(raw)) // its first byte, a length, looks like a bracket
		decode_otel(d, raw);
	else
		decode_json_pieces(d, text, depth);
}

static void decode_bytes(struct decoder *d, struct str raw, int depth)
{
	if (depth > d->limits.nesting) {
		char z[100];
		snprintf(z, sizeof z, "wrappers are nested more than %d deep", d->limits.nesting);
		report_fault(d, raw, z);
		return;
	}
	struct str text = json_split_trim(raw);
	if (inflate_is_gzip(raw)) {
		decode_gzip(d, raw, depth);
	} else if (!text.len) {
		report_ignored(d, 1); // a tombstone
	} else if (text.p[0] == '{' || text.p[0] == '[' || text.p[0] == '"') {
		decode_bracketed(d, raw, text, depth);
	} else if (otel_plausible(raw)) {
		decode_otel(d, raw);
	} else if (is_base64_of_known_format(d, text, depth)) {
		decode_base64(d, text, depth);
	} else {
		decode_other_text(d, raw, depth);
	}
}

static void decode_contents(struct decoder *d, struct str contents, bool base64, int depth)
{
	assert(depth > 0);
	if (base64 && depth <= d->limits.nesting)
		decode_base64(d, contents, depth);
	else
		decode_bytes(d, contents, depth);
}

// ---- the decoder ----

#define TOP_NAME(c, name) {name, sizeof name - 1},
static const struct str top_names[] = {TOP_FIELDS(TOP_NAME)};
#undef TOP_NAME

struct decoder *decoder_new(struct decode_limits limits, decode_record_fn *on_record,
                            decode_fault_fn *on_fault, void *user)
{
	struct decoder *d = xcalloc(1, sizeof *d);
	assert(on_record && on_fault);
	d->limits = limits;
	if (d->limits.nesting < 1)
		d->limits.nesting = 1;
	d->on_record = on_record;
	d->on_fault = on_fault;
	d->user = user;
	d->decode_contents = decode_contents;
	d->levels = xcalloc((size_t)d->limits.nesting + 1, sizeof *d->levels);
	json_keys_init(&d->top_keys, top_names, F_COUNT);
	return d;
}

void decoder_free(struct decoder *d)
{
	if (!d)
		return;
	for (int i = 0; i <= d->limits.nesting; i++) {
		json_parser_free(d->levels[i].json);
		buf_release(&d->levels[i].bytes);
	}
	free(d->levels);
	arena_release(&d->arena);
	buf_release(&d->part);
	free(d);
}

static void free_large_buffers(struct decoder *d)
{
	for (int i = 0; i <= d->limits.nesting; i++) {
		struct level *l = &d->levels[i];
		if (l->json)
			json_parser_shrink(l->json, KEEP_BYTES);
		if (l->bytes.cap > KEEP_BYTES)
			buf_release(&l->bytes);
	}
	if (d->part.cap > KEEP_BYTES)
		buf_release(&d->part);
}

void decoder_message(struct decoder *d, const void *data, size_t len)
{
	assert(data || !len);
	d->counts.messages++;
	d->message = (struct str){data, len};
	d->next_index = 0;
	d->faults_before = d->counts.faults;
	d->bytes_left = d->limits.message_bytes;
	if (len > d->limits.message_bytes) {
		char z[160];
		snprintf(z, sizeof z, "message too large: %zu bytes, of at most %zu (message.bytes)", len,
		         d->limits.message_bytes);
		report_fault(d, d->message, z);
		return;
	}
	decode_bytes(d, d->message, 0);
	free_large_buffers(d);
	arena_reset(&d->arena);
}

const struct decode_counts *decoder_counts(const struct decoder *d)
{
	return &d->counts;
}
