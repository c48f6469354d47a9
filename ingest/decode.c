// SPDX-License-Identifier: Apache-2.0
// The decoder, from bytes down to JSON values: what a run of bytes is, is tried from the certain to the vague. gzip has a
// magic number; JSON starts with a bracket; OpenTelemetry has its framing; base64 has its alphabet; the rest is plain text,
// which is ours only if it holds lines of JSON, or is not recognised at all.
//
// JSON is first parsed as one document, which it mostly is. If that fails, or the text is large, it is cut: a list of records
// into its elements, and else into values back to back or one a line. So a broken line costs that line, a broken record in
// a file costs that record, and the memory for parsing is that of one record and not of the file.
//
// Work is bounded: bytes by limits.message_bytes, depth by limits.nesting, one value by VALUE_MAX (its parsing takes up to
// fourteen times its length in memory), looking for the end of broken values by a multiple of the text's length, after
// which only whole lines are tried, and the faults of one text by FAULTS_MAX, after which the rest is one fault.
#include "ingest/decode.h"

#include <stdio.h>
#include <stdlib.h>

#include "ingest/base64.h"
#include "ingest/decoder.h"
#include "ingest/inflate.h"
#include "ingest/sift.h"
#include "ingest/split.h"

enum {
	WHOLE_MAX = 64 * 1024,        // text up to this is parsed as one document first
	KEEP_BYTES = 1024 * 1024,     // buffers beyond this are given back after the message
	VALUE_MAX = 12 * 1024 * 1024, // bytes of a value that is parsed as one
	FAULTS_MAX = 1000,            // faults of one message that are told one by one
	SCAN_FACTOR = 4,              // how often its own length a text is looked through for the ends of broken values
};

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

// ---- JSON text ----

static bool parse(struct decoder *d, struct str text, int depth, struct json *ret, const char **ret_why)
{
	struct level *l = &d->levels[depth];
	if (text.len > VALUE_MAX) {
		*ret_why = "one value of more than 12 MB: send its records apart, or as lines";
		return false;
	}
	if (!l->json)
		l->json = json_parser_new();
	return json_parse(l->json, text, ret, ret_why);
}

// Whether the piece was dealt with: parsed, or not ours for certain.
static bool piece(struct decoder *d, struct str text, int depth, const char **ret_why)
{
	struct json root;
	if (!sift_may_be_ours(text)) {
		d->counts.dropped_unparsed++;
		decoder_ignore(d, 1);
		return true;
	}
	if (!parse(d, text, depth, &root, ret_why))
		return false;
	decoder_value(d, root, text, depth);
	return true;
}

static void fault_at(struct decoder *d, struct str whole, struct str part, const char *why)
{
	char z[200];
	snprintf(z, sizeof z, "JSON at byte %zu cannot be read: %s", (size_t)(part.p - whole.p), why);
	part = split_trim(part);
	decoder_fault(d, part.len ? part : whole, z);
}

// Too much of the message is broken to tell of each piece; the rest is one.
static bool too_many(struct decoder *d, struct str whole, struct str rest)
{
	if (d->counts.faults - d->faults_before < FAULTS_MAX)
		return false;
	fault_at(d, whole, rest, "too much before it was broken, so the rest was not looked at");
	return true;
}

static struct str advance(struct str s, size_t n)
{
	return (struct str){s.p + n, s.len - n};
}

static struct str ltrim(struct str s)
{
	while (s.len && (s.p[0] == ' ' || s.p[0] == '\n' || s.p[0] == '\r' || s.p[0] == '\t'))
		s = advance(s, 1);
	return s;
}

// What follows the list within its object, up to the closing brace: members, which CloudTrail does not write.
static struct str after_list(struct decoder *d, struct str whole, struct str s)
{
	struct str start = s;
	for (s = ltrim(s); s.len && s.p[0] != '}'; s = ltrim(s)) {
		if (s.p[0] == ',' || s.p[0] == ':') {
			s = advance(s, 1);
			continue;
		}
		struct str value = split_value(s);
		if (!value.len)
			break;
		s = advance(s, value.len);
	}
	if (s.len && s.p[0] == '}')
		return advance(s, 1);
	fault_at(d, whole, start, "the object does not end behind its list of records");
	return STR_NONE;
}

// Decodes the elements of a list; returns what is behind it.
static struct str elements(struct decoder *d, struct str whole, struct str s, bool in_object, int depth)
{
	const char *why = "";
	for (;;) {
		s = ltrim(s);
		if (s.len && s.p[0] == ']') {
			s = advance(s, 1);
			return in_object ? after_list(d, whole, s) : s;
		}
		if (s.len && s.p[0] == ',') {
			s = advance(s, 1);
			continue;
		}
		struct str value = split_value(s);
		if (!value.len) {
			fault_at(d, whole, s, "the list of records is cut short");
			return STR_NONE;
		}
		if (too_many(d, whole, s))
			return STR_NONE;
		if (!piece(d, value, depth, &why))
			fault_at(d, whole, value, why);
		s = advance(s, value.len);
	}
}

// Up to the next line that starts like a value: what a broken one takes with it.
static struct str until_next_line(struct str s)
{
	for (size_t at = 0; at < s.len;) {
		const char *nl = memchr(s.p + at, '\n', s.len - at);
		if (!nl)
			break;
		at = (size_t)(nl - s.p) + 1;
		if (at < s.len && (s.p[at] == '{' || s.p[at] == '['))
			return (struct str){s.p, at};
	}
	return s;
}

static struct str line_of(struct str s)
{
	const char *nl = s.len ? memchr(s.p, '\n', s.len) : NULL;
	return nl ? (struct str){s.p, (size_t)(nl - s.p)} : s;
}

static bool looks_whole(struct str line)
{
	return line.len >= 2 && ((line.p[0] == '{' && line.p[line.len - 1] == '}') || (line.p[0] == '[' && line.p[line.len - 1] == ']'));
}

// Decodes the value that `s` starts with, or says what is wrong with it; returns how much of `s` that was. *scan is how many
// bytes may still be looked through for the ends of values.
static size_t one_value(struct decoder *d, struct str whole, struct str s, int depth, size_t *scan)
{
	const char *why = "a value does not end, or a bracket is too many";
	struct str line = split_trim(line_of(s)), value = *scan ? split_value(s) : line;
	size_t looked = value.len ? value.len : s.len;
	*scan -= looked < *scan ? looked : *scan;
	if (value.len && piece(d, value, depth, &why))
		return value.len;
	if (value.len && value.len <= line.len) {
		fault_at(d, whole, value, why);
		return value.len;
	}
	// Its end lies beyond this line, so a bracket is missing here or there: perhaps the line is whole nevertheless.
	if (looks_whole(line) && piece(d, line, depth, &why))
		return line.len;
	struct str lost = until_next_line(s);
	fault_at(d, whole, lost, why);
	return lost.len;
}

static void cut(struct decoder *d, struct str whole, int depth)
{
	size_t scan = whole.len < SIZE_MAX / SCAN_FACTOR ? whole.len * SCAN_FACTOR : whole.len;
	for (struct str s = ltrim(whole); s.len; s = ltrim(s)) {
		bool in_object;
		struct str list = split_list(s, &in_object);
		if (too_many(d, whole, s))
			return;
		if (list.p)
			s = elements(d, whole, list, in_object, depth);
		else if (s.p[0] == ',')
			s = advance(s, 1);
		else
			s = advance(s, one_value(d, whole, s, depth, &scan));
	}
}

static void otel(struct decoder *d, struct str in)
{
	struct sink sink = decoder_sink;
	sink.user = d;
	d->current = JSON_ABSENT;
	d->current_text = in;
	otel_decode(in, &d->arena, &sink);
}

static void json_text(struct decoder *d, struct str raw, struct str text, int depth)
{
	struct json root;
	const char *why = "";
	bool in_object;
	if (!sift_may_be_ours(raw)) {
		d->counts.dropped_unparsed++;
		decoder_ignore(d, 1);
		return;
	}
	bool large = text.len > WHOLE_MAX && (split_list(text, &in_object).p || memchr(text.p, '\n', text.len));
	if (!large && parse(d, text, depth, &root, &why)) {
		decoder_value(d, root, text, depth);
	} else if (otel_plausible(raw)) { // a length that looks like a bracket
		otel(d, raw);
	} else {
		cut(d, text, depth);
	}
}

// ---- bytes ----

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
		cut(d, text, depth);
	} else if (is_text(text)) {
		decoder_ignore(d, 1); // a line of prose that happens to hold one of our words
	} else {
		char z[160], hex[3 * 8 + 1] = "";
		for (size_t i = 0; i < text.len && i < 8; i++)
			snprintf(hex + 3 * i, 4, " %02x", (unsigned char)text.p[i]);
		snprintf(z, sizeof z, "not recognised: neither JSON, gzip, base64 nor OpenTelemetry metrics; starts with%s", hex);
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
		json_text(d, raw, text, depth);
	} else if (otel_plausible(raw)) {
		otel(d, raw);
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

struct decoder *decoder_new(struct decode_limits limits, decode_record_fn *on_record, decode_fault_fn *on_fault, void *user)
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
		snprintf(z, sizeof z, "message too large: %zu bytes, of at most %zu (message.bytes)", len, d->limits.message_bytes);
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
