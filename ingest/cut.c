// SPDX-License-Identifier: Apache-2.0
// The decoder, from text to JSON values.
//
// JSON is first parsed as one document, which it mostly is. If that fails, or the text is large, it is cut: a
// list of records into its elements, and else into values back to back or one a line. So a broken line costs
// that line, a broken record in a file costs that record, and the memory for parsing is that of one record
// and not of the file.
//
// Work is bounded: one value by VALUE_MAX (its parsing takes up to fourteen times its length in memory),
// looking for the end of broken values by a multiple of the text's length, after which only whole lines are
// tried, and the faults of one message by FAULTS_MAX, after which its rest is one fault.
#include <stdio.h>

#include "ingest/decode_priv.h"
#include "ingest/sift.h"
#include "ingest/split.h"

enum {
	WHOLE_MAX = 64 * 1024,        // text up to this is parsed as one document first
	VALUE_MAX = 12 * 1024 * 1024, // bytes of a value that is parsed as one
	FAULTS_MAX = 1000,            // faults of one message that are told one by one
	// how often its own length a text is looked through for the ends of broken values
	SCAN_FACTOR = 4,
};

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
	return line.len >= 2 && ((line.p[0] == '{' && line.p[line.len - 1] == '}') ||
	                         (line.p[0] == '[' && line.p[line.len - 1] == ']'));
}

// Decodes the value that `s` starts with, or says what is wrong with it; returns how much of `s` that was.
// *scan is how many bytes may still be looked through for the ends of values.
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
	// Its end lies beyond this line, so a bracket is missing here or there: perhaps the line is whole
	// nevertheless.
	if (looks_whole(line) && piece(d, line, depth, &why))
		return line.len;
	struct str lost = until_next_line(s);
	fault_at(d, whole, lost, why);
	return lost.len;
}

void decoder_cut(struct decoder *d, struct str whole, int depth)
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

void decoder_json(struct decoder *d, struct str raw, struct str text, int depth)
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
		decoder_otel(d, raw);
	} else {
		decoder_cut(d, text, depth);
	}
}
