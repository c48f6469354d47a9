// SPDX-License-Identifier: Apache-2.0
// Text to JSON values. Text is first parsed as one document, which it mostly is. If that fails, or if the
// text is large, it is split into pieces: a list of records into its elements, other text into values back
// to back or one on each line, log lines that end in a value among them (log_line.h). So a broken line
// costs that line only, a broken record costs that record only, and parsing takes the memory of one record,
// not of the whole file.
//
// Work is bounded in three ways. One value has at most VALUE_MAX bytes, and all that are parsed within each
// other LIVE_MAX: parsing takes up to fourteen times their length in memory. The search for the ends of
// broken values reads at most SCAN_FACTOR times the length of the text; after that only whole lines are
// tried. One message reports at most FAULTS_MAX faults; its rest is one more fault.
//
// Broken JSON in a message is a fault. In a string it is one only if it has a sign of a record (signs.h):
// an application may write anything into a string.
#include <assert.h>
#include <stdio.h>

#include "ingest/decode_priv.h"
#include "ingest/json_split.h"
#include "ingest/log_line.h"
#include "ingest/prefilter.h"
#include "ingest/signs.h"

enum {
	WHOLE_MAX = 64 * 1024,        // text up to this is parsed as one document first
	VALUE_MAX = 12 * 1024 * 1024, // bytes of a value that is parsed as one
	LIVE_MAX = 2 * VALUE_MAX,     // bytes of a value and of those that it stands in, as strings
	KEEP_MAX = 1024 * 1024,       // the parser of a larger value is freed with it
	FAULTS_MAX = 1000,            // faults of one message that are reported one by one
	SCAN_FACTOR = 4,              // bytes read in search of the ends of values, by bytes of the text
};

// Parses the text at the current level, and searches its value, as a unit if it is a piece. False: it
// cannot be parsed.
static bool parse_and_search(struct decoder *d, struct str text, int depth, bool piece, const char **ret_why)
{
	struct level *l = &d->levels[d->level];
	struct json root;
	if (!decode_may_read(d, text.len))
		return true;
	if (text.len > VALUE_MAX || d->live + text.len > LIVE_MAX) {
		*ret_why = "one value of more than 12 MB: send its records as separate messages, or one on each line";
		return false;
	}
	if (!l->json)
		l->json = json_parser_new();
	if (!json_parse(l->json, text, &root, ret_why))
		return false;
	d->live += text.len;
	struct unit u = piece ? unit_begin(d) : (struct unit){0};
	search_value(d, root, text, depth);
	if (piece)
		unit_end(d, &u, root, text, true);
	d->live -= text.len;
	if (text.len > KEEP_MAX)
		json_parser_shrink(l->json, KEEP_MAX);
	return true;
}

// Decodes one value as a unit, unless the prefilter drops it. False: it cannot be parsed.
static bool decode_piece(struct decoder *d, struct str text, int depth, const char **ret_why)
{
	if (!prefilter_may_be_ours(text)) {
		report_dropped(d);
		return true;
	}
	return parse_and_search(d, text, depth, true, ret_why);
}

static void report_fault_at(struct decoder *d, struct str whole, struct str part, const char *why)
{
	char z[200];
	assert(part.p >= whole.p && part.p <= whole.p + whole.len);
	snprintf(z, sizeof z, "JSON at byte %zu cannot be read: %s", (size_t)(part.p - whole.p), why);
	part = json_split_trim(part);
	if (!part.len)
		part = whole;
	if (!d->strings || signs_of_text(part) & (SIGN_SOURCE | SIGN_LOG | SIGN_NAMESPACE))
		report_fault(d, part.len > VALUE_MAX ? FAULT_LIMIT : FAULT_BROKEN, part, z);
}

// True once the message has reported FAULTS_MAX faults; its rest is then reported as one more.
static bool stop_at_faults_max(struct decoder *d, struct str whole, struct str rest)
{
	if (d->counts.faults - d->faults_before < FAULTS_MAX)
		return false;
	report_fault_at(d, whole, rest,
	                "the message has too many broken parts before it, so its rest was not read");
	return true;
}

static struct str skip_bytes(struct str s, size_t n)
{
	return (struct str){s.p + n, s.len - n};
}

// Skips the members that follow a list within its object, up to the closing brace. CloudTrail writes none.
static struct str skip_members(struct decoder *d, struct str whole, struct str s)
{
	struct str start = s;
	for (s = str_trim_start(s); s.len && s.p[0] != '}'; s = str_trim_start(s)) {
		if (s.p[0] == ',' || s.p[0] == ':') {
			s = skip_bytes(s, 1);
			continue;
		}
		struct str value = json_split_value(s);
		if (!value.len)
			break;
		s = skip_bytes(s, value.len);
	}
	if (s.len && s.p[0] == '}')
		return skip_bytes(s, 1);
	report_fault_at(d, whole, start, "the object does not end after its list of records");
	return STR_NONE;
}

// Decodes the elements of a list; returns the text after it.
static struct str decode_elements(struct decoder *d, struct str whole, struct str s, bool in_object,
                                  int depth)
{
	const char *why = "";
	for (;;) {
		s = str_trim_start(s);
		if (s.len && s.p[0] == ']') {
			s = skip_bytes(s, 1);
			return in_object ? skip_members(d, whole, s) : s;
		}
		if (s.len && s.p[0] == ',') {
			s = skip_bytes(s, 1);
			continue;
		}
		struct str value = json_split_value(s);
		if (!value.len) {
			report_fault_at(d, whole, s, "the list of records is truncated");
			return STR_NONE;
		}
		if (stop_at_faults_max(d, whole, s))
			return STR_NONE;
		if (!decode_piece(d, value, depth, &why))
			report_fault_at(d, whole, value, why);
		s = skip_bytes(s, value.len);
	}
}

// The text up to the next line that starts like a value: it is lost with a broken value.
static struct str text_until_value_line(struct str s)
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

static struct str first_line(struct str s)
{
	const char *nl = s.len ? memchr(s.p, '\n', s.len) : NULL;
	return nl ? (struct str){s.p, (size_t)(nl - s.p)} : s;
}

static bool looks_whole(struct str line)
{
	return line.len >= 2 && ((line.p[0] == '{' && line.p[line.len - 1] == '}') ||
	                         (line.p[0] == '[' && line.p[line.len - 1] == ']'));
}

// Decodes the value that `s` starts with, or reports why it cannot; returns how many bytes of `s` that
// took. *scan_left: bytes that may still be read in search of the ends of values.
static size_t decode_next_value(struct decoder *d, struct str whole, struct str s, int depth,
                                size_t *scan_left)
{
	const char *why = "a value does not end, or it has a bracket too many";
	struct str line = json_split_trim(first_line(s)), value = *scan_left ? json_split_value(s) : line;
	size_t looked = value.len ? value.len : s.len;
	*scan_left -= looked < *scan_left ? looked : *scan_left;
	if (value.len && decode_piece(d, value, depth, &why))
		return value.len;
	if (value.len && value.len <= line.len) {
		report_fault_at(d, whole, value, why);
		return value.len;
	}
	// The value ends beyond this line, so a bracket is missing somewhere; this line may still be a value.
	if (looks_whole(line) && decode_piece(d, line, depth, &why))
		return line.len;
	struct str lost = text_until_value_line(s);
	report_fault_at(d, whole, lost, why);
	return lost.len;
}

// Whether the text begins as a value of JSON does that may be a record or hold one, or with what is left of
// one. "[2026-11-02] x" does not.
static bool looks_like_json(struct str s)
{
	if (s.p[0] == '"' || s.p[0] == '}' || s.p[0] == ']')
		return true;
	if (s.p[0] != '{' && s.p[0] != '[')
		return false;
	struct str inside = str_trim_start(skip_bytes(s, 1));
	return !inside.len || strchr(s.p[0] == '{' ? "\"}" : "{[\"]", inside.p[0]);
}

// Decodes the value at the end of a log line. In all other lines only the signs of a record are looked for.
// Returns how many bytes of `s` that took.
static size_t decode_line(struct decoder *d, struct str whole, struct str s, int depth, size_t *scan_left)
{
	struct str line = first_line(s), value = log_line_value(s, scan_left);
	const char *why = "";
	if (value.len) {
		if (!decode_piece(d, value, depth, &why))
			report_fault_at(d, whole, value, why);
		return (size_t)(value.p + value.len - s.p);
	}
	if (line.len == s.len && json_split_trim(whole).len == s.len) { // all of the text: no unit of its own
		d->signs |= signs_of_text(line);
		return line.len;
	}
	struct unit u = unit_begin(d);
	if (prefilter_may_be_ours(line))
		d->signs |= signs_of_text(line);
	unit_end(d, &u, JSON_ABSENT, line, true);
	return line.len;
}

void decode_pieces(struct decoder *d, struct str whole, int depth)
{
	size_t scan_left = whole.len < SIZE_MAX / SCAN_FACTOR ? whole.len * SCAN_FACTOR : whole.len;
	for (struct str s = str_trim_start(whole); s.len; s = str_trim_start(s)) {
		bool in_object;
		struct str list = json_split_list(s, &in_object);
		if (stop_at_faults_max(d, whole, s))
			return;
		if (list.p && looks_like_json(s))
			s = decode_elements(d, whole, list, in_object, depth);
		else if (s.p[0] == ',')
			s = skip_bytes(s, 1);
		else if (looks_like_json(s))
			s = skip_bytes(s, decode_next_value(d, whole, s, depth, &scan_left));
		else
			s = skip_bytes(s, decode_line(d, whole, s, depth, &scan_left));
	}
}

bool decode_json(struct decoder *d, struct str text, int depth)
{
	const char *why;
	bool in_object;
	if (text.len > WHOLE_MAX && (json_split_list(text, &in_object).p || memchr(text.p, '\n', text.len)))
		return false; // many records: by pieces
	return parse_and_search(d, text, depth, false, &why);
}
