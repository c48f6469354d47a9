// SPDX-License-Identifier: Apache-2.0
// Private to ingest: the decoder's state, and its layers. Each layer calls the one below it.
//
//     decode.c           bytes: gzip, base64, OpenTelemetry, JSON, text             <--+
//       json_text.c      text to JSON values: documents, lines, elements of lists      | search_contents
//         search.c       a JSON value: what is searched within it, and what is not ----+
//           unwrap.c     an object: a record, or none
//             decode_report.c   records, faults and what is ignored: counted, and handed to the callbacks
//
// One arrow goes up: a string may hold a message of any kind again. search.c hands it to `search_contents`,
// which decode.c has set.
//
// `depth` counts everything around a value: objects, lists, strings, gzip, base64. `level` counts texts
// within texts. Each level has a parser, whose values live while deeper levels work, and a buffer for what
// was inflated or decoded there. Both are kept from message to message.
//
// A unit is what becomes a dead letter as a whole: the message, an element of a list, a line. If nothing in
// a unit could be read that has the signs of a record (signs.h), the unit is a fault.
#ifndef NOWCAST_INGEST_DECODE_PRIV_H
#define NOWCAST_INGEST_DECODE_PRIV_H

#include "base/arena.h"
#include "base/buf.h"
#include "ingest/decode.h"
#include "ingest/json.h"
#include "ingest/recognise_priv.h"

struct level {
	struct json_parser *json;
	struct buf bytes;
};

// What was known when the unit began.
struct unit {
	uint64_t explained;
	int next_index;
	unsigned signs;
};

struct decoder {
	struct decode_limits limits;
	decode_record_fn *on_record;
	decode_fault_fn *on_fault;
	void *user;
	// Decodes what a string holds, `depth` being that of the contents.
	void (*search_contents)(struct decoder *d, struct str contents, int depth);
	struct decode_counts counts;
	struct json_keys top_keys;
	struct level *levels;    // limits.depth + 2
	int level;               // of the text in hand
	int deepest;             // level of the message in hand so far
	int strings;             // how many strings are around it
	size_t live;             // bytes of the values that are parsed and in use
	unsigned signs;          // of records, in what was not recognised in this unit (signs.h)
	uint64_t explained;      // records, faults, and Bedrock's own records that do not concern this program
	struct arena arena;      // strings of the current record
	struct buf part;         // text of a fault
	struct str message;      // all of it, as it came
	int next_index;          // of the next record or fault in the message
	uint64_t faults_before;  // counts.faults when the message began
	size_t fault_bytes;      // of the parts that the faults of this message hold
	bool faults_ended;       // a fault holds all of the message: no part of it is reported any more
	size_t bytes_left;       // that wrappers may still yield in this message
	size_t work_left;        // that may still be parsed or decoded in it
	bool exhausted;          // it wanted more: nothing further is searched
	struct json current;     // the value that the points of a sink are read from
	struct str current_text; // its text, or STR_NONE if it was not split off as text
	int current_faults;      // of these points
	struct record record;
	struct carrier carrier;  // what the wrappers around the value in hand say
	struct json resource, scope; // of OpenTelemetry, around it; or absent
	struct str recorder;     // of the record in hand
};

// decode.c: whether `n` more bytes may be read for this message. Once they may not, that is a fault, and the
// rest of the message is not searched.
bool decode_may_read(struct decoder *d, size_t n) NC_CHECK;

// json_text.c: decodes `text`, which starts like JSON. False: it is not one JSON value and was not looked at
// further; the caller may try another format, or call decode_pieces.
bool decode_json(struct decoder *d, struct str text, int depth) NC_CHECK;
// Decodes each piece of a text: elements of a list, values back to back, lines, log lines that end in a
// value. Each is a unit, unless it is all of the text.
void decode_pieces(struct decoder *d, struct str text, int depth);

// search.c: the value `v`; `text` is its own text, or STR_NONE.
void search_value(struct decoder *d, struct json v, struct str text, int depth);

// unwrap.c: reads the object if it is a record of a known form, or an answer with metrics. False: it is
// something else, which may hold records.
bool decode_object(struct decoder *d, struct json v, struct str text) NC_CHECK;

// decode_report.c
struct unit unit_begin(struct decoder *d);
// `counted`: a unit in which there is nothing counts as ignored.
void unit_end(struct decoder *d, const struct unit *u, struct json v, struct str text, bool counted);
void report_record(struct decoder *d, struct record *r);
void report_ignored(struct decoder *d, size_t n); // n records or points that do not concern us
void report_dropped(struct decoder *d);           // one value that the prefilter dropped before it was parsed
void report_fault(struct decoder *d, enum fault_kind kind, struct str part, const char *reason);
// A JSON value that cannot be decoded; without `text` it is printed.
void report_fault_value(struct decoder *d, enum fault_kind kind, struct json v, struct str text,
                        const char *reason);
// A sink for the points of one value, which its faults are reported with: `text`, or `v` printed.
struct sink report_sink(struct decoder *d, struct json v, struct str text);

#endif
