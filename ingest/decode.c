// SPDX-License-Identifier: Apache-2.0
// The decoder's top layer: which format a run of bytes has. The formats are tried from the most certain to
// the least: gzip has a magic number, JSON starts with a bracket, OpenTelemetry has its framing, base64 has
// its alphabet. What else is text is read line by line; in other bytes JSON, base64 and gzip are looked for
// whose length stands in front of them (embedded.h).
//
// Work is bounded: bytes by limits.message_bytes, depth by limits.depth, all that is read again and again, in
// wrappers within wrappers, by limits.work_bytes, broken JSON by json_text.c.
#include "ingest/decode.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "ingest/base64.h"
#include "ingest/decode_priv.h"
#include "ingest/embedded.h"
#include "ingest/inflate.h"
#include "ingest/json_split.h"
#include "ingest/otlp.h"
#include "ingest/prefilter.h"
#include "ingest/signs.h"

enum {
	KEEP_BYTES = 1024 * 1024, // larger buffers are freed after the message
	WORK_FACTOR = 8,          // limits.work_bytes, if it is 0, in message_bytes
};

static void decode_bytes(struct decoder *d, struct str raw, int depth);

bool decode_may_read(struct decoder *d, size_t n)
{
	char z[160];
	if (d->exhausted)
		return false;
	if (n <= d->work_left) {
		d->work_left -= n;
		return true;
	}
	snprintf(z, sizeof z,
	         "its wrappers hold more than %zu bytes to be read (unwrap.work), so its rest was not searched",
	         d->limits.work_bytes);
	d->exhausted = true;
	report_fault(d, FAULT_LIMIT, d->message, z);
	return false;
}

static void enter_level(struct decoder *d)
{
	d->level++;
	if (d->level > d->deepest)
		d->deepest = d->level;
}

// Decodes what was unpacked into the buffer of the text in hand, as a text within it.
static void decode_unpacked(struct decoder *d, struct str bytes, int depth)
{
	if (!decode_may_read(d, bytes.len))
		return;
	enter_level(d);
	decode_bytes(d, bytes, depth + 1);
	d->level--;
}

static void decode_otel(struct decoder *d, struct str in)
{
	struct sink sink = report_sink(d, JSON_ABSENT, in);
	d->recorder = STR_NONE;
	d->counts.recognised++;
	d->explained++;
	otel_decode(in, &d->arena, &sink);
}

static void decode_gzip(struct decoder *d, struct str in, int depth)
{
	struct err err = ERR_INIT;
	struct buf *out = &d->levels[d->level].bytes;
	buf_clear(out);
	if (!inflate_gzip(in, d->bytes_left, out, &err)) {
		report_fault(d, out->len > d->bytes_left ? FAULT_LIMIT : FAULT_BROKEN, in, err.msg);
		return;
	}
	assert(out->len <= d->bytes_left);
	d->bytes_left -= out->len;
	decode_unpacked(d, buf_str(out), depth);
}

static void decode_base64(struct decoder *d, struct str text, int depth)
{
	struct err err = ERR_INIT;
	struct buf *out = &d->levels[d->level].bytes;
	if (text.len / 4 * 3 > d->bytes_left) {
		report_fault(d, FAULT_LIMIT, text,
		             "message too large: its base64 text holds more than is left of message.bytes");
		return;
	}
	buf_clear(out);
	if (!base64_decode(text, out, &err)) {
		if (inflate_is_gzip(buf_str(out)) || prefilter_may_be_ours(buf_str(out)))
			report_fault(d, FAULT_BROKEN, text, err.msg);
		return;
	}
	d->bytes_left -= out->len < d->bytes_left ? out->len : d->bytes_left;
	decode_unpacked(d, buf_str(out), depth);
}

static bool starts_like_json(struct str s)
{
	return s.len && (s.p[0] == '{' || s.p[0] == '[' || s.p[0] == '"');
}

static bool is_known_format(struct str s)
{
	struct str t = json_split_trim(s);
	return inflate_is_gzip(s) || (t.len && (t.p[0] == '{' || t.p[0] == '[')) || otel_plausible(s);
}

// Whether the text is base64 of a format that is decoded here.
static bool is_base64_of_known_format(struct decoder *d, struct str text)
{
	struct err err = ERR_INIT;
	struct buf *out = &d->levels[d->level].bytes;
	if (text.len < 8 || !base64_plausible(text))
		return false;
	buf_clear(out);
	struct str head = {text.p, text.len < 256 ? text.len : 256};
	bool good = base64_decode(head, out, &err);
	return ((good || out->len) && is_known_format(buf_str(out))) || prefilter_may_be_ours(text);
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

// Whether a length may stand at the start of what looks like text: a byte that is not ASCII between two that
// are is no UTF-8.
static bool may_start_with_length(struct str s)
{
	for (size_t i = 0; i + 1 < s.len && i < 8; i++)
		if ((unsigned char)s.p[i] >= 0x80 && (i == 0 || (unsigned char)s.p[i - 1] < 0x80) &&
		    (unsigned char)s.p[i + 1] < 0x80)
			return true;
	return false;
}

static void report_unknown_format(struct decoder *d, struct str bytes)
{
	char z[160], hex[3 * 8 + 1] = "";
	for (size_t i = 0; i < bytes.len && i < 8; i++)
		snprintf(hex + 3 * i, 4, " %02x", (unsigned char)bytes.p[i]);
	snprintf(z, sizeof z, "not recognised: neither JSON, gzip, base64 nor OpenTelemetry; starts with%s", hex);
	report_fault(d, FAULT_FORMAT, bytes, z);
}

// Digits of base64 without their length: where they begin is not known, so only signs are looked for.
static void look_at_loose_base64(struct decoder *d, struct str digits)
{
	struct buf *out = &d->levels[d->level].bytes;
	for (size_t skip = 0; skip < 4 && skip < digits.len; skip++) {
		struct err err = ERR_INIT;
		struct str text = {digits.p + skip, digits.len - skip};
		if (!decode_may_read(d, text.len))
			return;
		buf_clear(out);
		if (base64_decode(text, out, &err) || out->len)
			d->signs |= signs_of_text(buf_str(out));
	}
}

// Searches what binary bytes hold. False: there is nothing that could be searched.
static bool search_embedded(struct decoder *d, struct str raw, int depth)
{
	struct embedded in = embedded_begin(raw);
	struct str contents;
	uint64_t explained = d->explained;
	bool found = false;
	for (; embedded_next(&in, &contents); found = true)
		d->search_contents(d, contents, depth + 1);
	if (in.unended.len && signs_of_text(in.unended) & (SIGN_SOURCE | SIGN_LOG | SIGN_NAMESPACE))
		report_fault(d, FAULT_BROKEN, raw, "a value of JSON behind others, in a binary message, does not end");
	if (d->explained == explained && in.loose.len && prefilter_may_be_ours(in.loose))
		look_at_loose_base64(d, in.loose);
	return found || d->explained != explained;
}

// Bytes that are no text. Of a message (and not of bytes in a string, which may be anything) it is a fault if
// nothing was in them that is known.
static void decode_binary(struct decoder *d, struct str raw, int depth)
{
	enum fault_kind kind;
	const char *reason;
	uint64_t explained = d->explained;
	bool may_be_ours = prefilter_may_be_ours(raw) || memmem(raw.p, raw.len, "\x1f\x8b\x08", 3);
	bool found = may_be_ours && search_embedded(d, raw, depth);
	if (d->explained != explained)
		return;
	if (may_be_ours)
		d->signs |= signs_of_text(raw);
	if (!found && !d->strings && !signs_are_complete(d->signs, &kind, &reason))
		report_unknown_format(d, raw);
}

static void decode_other(struct decoder *d, struct str raw, int depth)
{
	if (!is_text(raw)) {
		decode_binary(d, raw, depth);
	} else if (prefilter_may_be_ours(raw)) {
		if (!may_start_with_length(raw) || !search_embedded(d, raw, depth))
			decode_pieces(d, raw, depth);
	} else if (!d->strings) {
		report_dropped(d);
	}
}

static void decode_otlp_items(struct decoder *d, struct str raw, struct otlp_items items, int depth)
{
	struct buf *json = &d->levels[d->level].bytes;
	struct err err = ERR_INIT;
	while (otlp_items_next(&items, json, &err)) {
		struct unit u = unit_begin(d);
		if (prefilter_may_be_ours(buf_str(json)))
			decode_unpacked(d, buf_str(json), depth);
		unit_end(d, &u, JSON_ABSENT, buf_str(json), true);
	}
	if (err.kind)
		report_fault(d, FAULT_BROKEN, raw, err.msg);
}

// Requests of OpenTelemetry in protobuf. False: it is none.
static bool decode_protobuf(struct decoder *d, struct str raw, int depth)
{
	if (otlp_logs_plausible(raw))
		decode_otlp_items(d, raw, otlp_logs_begin(raw), depth);
	else if (otlp_spans_plausible(raw))
		decode_otlp_items(d, raw, otlp_spans_begin(raw), depth);
	else if (otel_plausible(raw))
		decode_otel(d, raw);
	else
		return false;
	return true;
}

static void decode_like_json(struct decoder *d, struct str raw, struct str text, int depth)
{
	if (!prefilter_may_be_ours(raw)) {
		if (!d->strings)
			report_dropped(d);
	} else if (decode_json(d, text, depth)) {
		;
	} else if (!decode_protobuf(d, raw, depth)) { // whose first byte, a length, may look like a bracket
		decode_pieces(d, text, depth);
	}
}

static bool is_too_deep(struct decoder *d, struct str raw, int depth)
{
	char z[100];
	if (depth <= d->limits.depth)
		return false;
	snprintf(z, sizeof z, "wrappers are nested more than %d deep (unwrap.depth)", d->limits.depth);
	report_fault(d, FAULT_LIMIT, raw, z);
	return true;
}

static void decode_bytes(struct decoder *d, struct str raw, int depth)
{
	struct str text = json_split_trim(raw);
	if (!text.len || is_too_deep(d, raw, depth)) // empty: a tombstone
		return;
	if (inflate_is_gzip(raw))
		decode_gzip(d, raw, depth);
	else if (starts_like_json(text))
		decode_like_json(d, raw, text, depth);
	else if (decode_protobuf(d, raw, depth))
		;
	else if (is_base64_of_known_format(d, text))
		decode_base64(d, text, depth);
	else
		decode_other(d, raw, depth);
}

// What a string holds that has one of our words: text, or base64.
static void search_contents(struct decoder *d, struct str contents, int depth)
{
	struct str text = json_split_trim(contents);
	if (d->exhausted || is_too_deep(d, contents, depth))
		return;
	enter_level(d);
	d->strings++;
	if (inflate_is_gzip(contents)) {
		decode_gzip(d, contents, depth);
	} else if (starts_like_json(text)) {
		if (!decode_json(d, text, depth))
			decode_pieces(d, text, depth);
	} else if (is_base64_of_known_format(d, text)) {
		decode_base64(d, text, depth);
	} else {
		decode_pieces(d, text, depth);
	}
	d->level--;
	d->strings--;
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
	if (d->limits.depth < 1)
		d->limits.depth = 1;
	if (!d->limits.work_bytes)
		d->limits.work_bytes =
			limits.message_bytes < SIZE_MAX / WORK_FACTOR ? limits.message_bytes * WORK_FACTOR : SIZE_MAX;
	d->on_record = on_record;
	d->on_fault = on_fault;
	d->user = user;
	d->search_contents = search_contents;
	d->levels = xcalloc((size_t)d->limits.depth + 2, sizeof *d->levels);
	json_keys_init(&d->top_keys, top_names, F_COUNT);
	return d;
}

void decoder_free(struct decoder *d)
{
	if (!d)
		return;
	for (int i = 0; i <= d->limits.depth + 1; i++) {
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
	for (int i = 0; i <= d->deepest; i++) {
		struct level *l = &d->levels[i];
		if (l->json)
			json_parser_shrink(l->json, KEEP_BYTES);
		if (l->bytes.cap > KEEP_BYTES)
			buf_release(&l->bytes);
	}
	if (d->part.cap > KEEP_BYTES)
		buf_release(&d->part);
	d->deepest = 0;
}

void decoder_message(struct decoder *d, const void *data, size_t len)
{
	assert(data || !len);
	assert(d->level == 0 && d->strings == 0);
	d->counts.messages++;
	d->message = (struct str){data, len};
	d->next_index = 0;
	d->faults_before = d->counts.faults;
	d->fault_bytes = 0;
	d->faults_ended = false;
	d->bytes_left = d->limits.message_bytes;
	d->work_left = d->limits.work_bytes;
	d->exhausted = false;
	d->signs = 0;
	d->carrier = (struct carrier){STR_NONE, STR_NONE, STR_NONE};
	d->resource = d->scope = JSON_ABSENT;
	if (len > d->limits.message_bytes) {
		char z[160];
		snprintf(z, sizeof z, "message too large: %zu bytes, of at most %zu (message.bytes)", len,
		         d->limits.message_bytes);
		report_fault(d, FAULT_LIMIT, d->message, z);
		return;
	}
	struct unit u = unit_begin(d);
	decode_bytes(d, d->message, 0);
	unit_end(d, &u, JSON_ABSENT, d->message, true);
	free_large_buffers(d);
	arena_reset(&d->arena);
}

bool decoder_is_carried(const struct decoder *d)
{
	return d->carrier.custom_source.len || d->carrier.log_owner.len || d->carrier.log_group.len;
}

const struct decode_counts *decoder_counts(const struct decoder *d)
{
	return &d->counts;
}
