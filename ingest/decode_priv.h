// SPDX-License-Identifier: Apache-2.0
// Private to ingest: the decoder's state, and its four layers. Each layer calls the one below it.
//
//     decode.c           bytes: gzip, base64, OpenTelemetry, JSON text, or prose   <--+
//       json_text.c      JSON text to JSON values                                     | decode_contents
//         unwrap.c       a JSON value: a record, or a wrapper around a message -------+
//           decode_report.c   records, faults and what is ignored: counted, and handed to the callbacks
//
// One arrow goes up: a wrapper's string holds a message of any kind again. unwrap.c hands it to
// `decode_contents`, which decode.c has set.
//
// `depth` counts the wrappers around a message. Each depth has a level of its own: a parser, whose values
// live while deeper levels work, and a buffer for what was inflated or decoded there. Both are kept from
// message to message.
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

struct decoder {
	struct decode_limits limits;
	decode_record_fn *on_record;
	decode_fault_fn *on_fault;
	void *user;
	// Decodes a message that a wrapper holds; `base64`: as base64 text. `depth` is that of the contents.
	void (*decode_contents)(struct decoder *d, struct str contents, bool base64, int depth);
	struct decode_counts counts;
	struct json_keys top_keys;
	struct level *levels;    // limits.nesting + 1
	struct arena arena;      // strings of the current record
	struct buf part;         // text of a fault
	struct str message;      // all of it, as it came
	int next_index;          // of the next record or fault in the message
	uint64_t faults_before;  // counts.faults when the message began
	size_t bytes_left;       // that wrappers may still yield in this message
	struct json current;     // the value that the points of a sink are read from
	struct str current_text; // its text, or STR_NONE if it was not split off as text
	struct record record;
};

// json_text.c: decodes `text`, which starts like JSON. False: it is not one JSON value and was not looked at
// further; the caller may try another format, or call decode_json_pieces.
bool decode_json(struct decoder *d, struct str text, int depth) NC_CHECK;
// Decodes each JSON value in `text`: elements of a list, values back to back, lines.
void decode_json_pieces(struct decoder *d, struct str text, int depth);

// unwrap.c: `text` is the value's own text, or STR_NONE.
void decode_value(struct decoder *d, struct json v, struct str text, int depth);

// decode_report.c
void report_record(struct decoder *d, struct record *r);
void report_ignored(struct decoder *d, size_t n); // n records or points that do not concern us
void report_dropped(struct decoder *d);           // one value that the prefilter dropped before it was parsed
void report_fault(struct decoder *d, struct str part, const char *reason);
// A JSON value that cannot be decoded; without `text` it is printed.
void report_fault_value(struct decoder *d, struct json v, struct str text, const char *reason);
// A sink for the points of one value, which its faults are reported with: `text`, or `v` printed.
struct sink report_sink(struct decoder *d, struct json v, struct str text);

#endif
