// SPDX-License-Identifier: Apache-2.0
// The decoder, from bytes down to JSON values: what a run of bytes is, is tried from the certain to the
// vague. gzip has a magic number; JSON starts with a bracket; OpenTelemetry has its framing; base64 has its
// alphabet; the rest is plain text, which is ours only if it holds lines of JSON, or is not recognised at
// all.
//
// Work is bounded: bytes by limits.message_bytes, depth by limits.nesting; and see cut.c.
#include "ingest/decode.h"

#include <stdio.h>
#include <stdlib.h>

#include "ingest/base64.h"
#include "ingest/decode_priv.h"
#include "ingest/inflate.h"
#include "ingest/sift.h"
#include "ingest/split.h"

enum { KEEP_BYTES = 1024 * 1024 }; // buffers beyond this are given back after the message

// ---- telling ----

void decoder_ignore(struct decoder *d, size_t n)
{
	d->counts.ignored += n;
	d->next_index += (int)n;
}

void decoder_fault(struct decoder *d, struct str part, const char *reason)
{
	bool whole = part.p == d->message.p && part.len == d->message.len;
	d->counts.faults++;
	d->on_fault(d->user, whole && d->next_index == 0 ? -1 : d->next_index, part, reason);
	d->next_index++;
}

void decoder_fault_value(struct decoder *d, struct json v, struct str text, const char *reason)
{
	if (!text.len) {
		buf_clear(&d->part);
		json_print(v, &d->part);
		text = buf_str(&d->part);
	}
	d->counts.faults++;
	d->on_fault(d->user, d->next_index++, text, reason);
}

static void sink_record(void *user, struct record *r)
{
	struct decoder *d = user;
	r->index = d->next_index++;
	d->counts.records[r->kind]++;
	d->on_record(d->user, r);
	if (d->arena.used)
		arena_reset(&d->arena);
}

static void sink_ignored(void *user, size_t n)
{
	decoder_ignore(user, n);
}

static void sink_fault(void *user, struct json part, const struct err *err)
{
	struct decoder *d = user;
	if (part.doc)
		decoder_fault_value(d, part, STR_NONE, err->msg);
	else
		decoder_fault_value(d, d->current, d->current_text, err->msg);
}

const struct sink decoder_sink = {NULL, sink_record, sink_ignored, sink_fault};

// ---- bytes ----

void decoder_otel(struct decoder *d, struct str in)
{
	struct sink sink = decoder_sink;
	sink.user = d;
	d->current = JSON_ABSENT;
	d->current_text = in;
	otel_decode(in, &d->arena, &sink);
}

static void gzip(struct decoder *d, struct str in, int depth)
{
	struct err err = ERR_INIT;
	struct buf *out = &d->levels[depth].bytes;
	buf_clear(out);
	if (!inflate_gzip(in, d->room, out, &err)) {
		decoder_fault(d, in, err.msg);
		return;
	}
	d->room -= out->len;
	decoder_bytes(d, buf_str(out), depth + 1);
}

static bool recognisable(struct str s)
{
	struct str t = split_trim(s);
	return inflate_is_gzip(s) || (t.len && (t.p[0] == '{' || t.p[0] == '[')) || otel_plausible(s);
}

void decoder_base64(struct decoder *d, struct str text, int depth)
{
	struct err err = ERR_INIT;
	struct buf *out = &d->levels[depth].bytes;
	if (text.len / 4 * 3 > d->room) {
		decoder_fault(d, text, "message too large: its base64 text holds more than is left of message.bytes");
		return;
	}
	buf_clear(out);
	if (!base64_decode(text, out, &err)) {
		decoder_fault(d, text, err.msg);
		return;
	}
	d->room -= out->len < d->room ? out->len : d->room;
	decoder_bytes(d, buf_str(out), depth + 1);
}

// Whether the text is base64 of something we know.
static bool base64_of_ours(struct decoder *d, struct str text, int depth)
{
	struct err err = ERR_INIT;
	struct buf *out = &d->levels[depth].bytes;
	if (text.len < 8 || !base64_plausible(text))
		return false;
	buf_clear(out);
	struct str head = {text.p, text.len < 256 ? text.len : 256};
	bool good = base64_decode(head, out, &err);
	return (good || out->len) && recognisable(buf_str(out));
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

static void other_text(struct decoder *d, struct str text, int depth)
{
	if (is_text(text) && !sift_may_be_ours(text)) {
		d->counts.dropped_unparsed++;
		decoder_ignore(d, 1);
	} else if (memmem(text.p, text.len, "\n{", 2) || memmem(text.p, text.len, "\n[", 2)) {
		decoder_cut(d, text, depth);
	} else if (is_text(text)) {
		decoder_ignore(d, 1); // a line of prose that happens to hold one of our words
	} else {
		char z[160], hex[3 * 8 + 1] = "";
		for (size_t i = 0; i < text.len && i < 8; i++)
			snprintf(hex + 3 * i, 4, " %02x", (unsigned char)text.p[i]);
		snprintf(z, sizeof z,
		         "not recognised: neither JSON, gzip, base64 nor OpenTelemetry metrics; starts with%s", hex);
		decoder_fault(d, text, z);
	}
}

void decoder_bytes(struct decoder *d, struct str raw, int depth)
{
	if (depth > d->limits.nesting) {
		char z[100];
		snprintf(z, sizeof z, "wrappers are nested more than %d deep", d->limits.nesting);
		decoder_fault(d, raw, z);
		return;
	}
	struct str text = split_trim(raw);
	if (inflate_is_gzip(raw)) {
		gzip(d, raw, depth);
	} else if (!text.len) {
		decoder_ignore(d, 1); // a tombstone
	} else if (text.p[0] == '{' || text.p[0] == '[' || text.p[0] == '"') {
		decoder_json(d, raw, text, depth);
	} else if (otel_plausible(raw)) {
		decoder_otel(d, raw);
	} else if (base64_of_ours(d, text, depth)) {
		decoder_base64(d, text, depth);
	} else {
		other_text(d, raw, depth);
	}
}

// ---- the decoder ----

#define TOP_NAME(c, name) {name, sizeof name - 1},
static const struct str top_names[] = {TOP_FIELDS(TOP_NAME)};
#undef TOP_NAME

struct decoder *decoder_new(struct decode_limits limits, decode_record_fn *on_record,
                            decode_fault_fn *on_fault, void *user)
{
	struct decoder *d = xcalloc(1, sizeof *d);
	d->limits = limits;
	if (d->limits.nesting < 1)
		d->limits.nesting = 1;
	d->on_record = on_record;
	d->on_fault = on_fault;
	d->user = user;
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

static void give_back(struct decoder *d)
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
	d->counts.messages++;
	d->message = (struct str){data, len};
	d->next_index = 0;
	d->faults_before = d->counts.faults;
	d->room = d->limits.message_bytes;
	if (len > d->limits.message_bytes) {
		char z[160];
		snprintf(z, sizeof z, "message too large: %zu bytes, of at most %zu (message.bytes)", len,
		         d->limits.message_bytes);
		decoder_fault(d, d->message, z);
		return;
	}
	decoder_bytes(d, d->message, 0);
	give_back(d);
	arena_reset(&d->arena);
}

const struct decode_counts *decoder_counts(const struct decoder *d)
{
	return &d->counts;
}
