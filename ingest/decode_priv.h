// SPDX-License-Identifier: Apache-2.0
// Inside ingest: the decoder's state, and what decode.c (bytes) and unwrap.c (JSON values) call each other
// for.
//
//     decoder_bytes    gzip, base64, OpenTelemetry, text   decode.c   <--+
//         |                                                              | strings that hold messages
//     decoder_value    envelopes, lists, records           unwrap.c   ---+
//
// Each depth has a level of its own: a parser, whose values live while deeper levels work, and a buffer for
// what was inflated or decoded there. Both are kept from message to message.
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
	struct decode_counts counts;
	struct json_keys top_keys;
	struct level *levels;    // limits.nesting + 1
	struct arena arena;      // strings of the record in hand
	struct buf part;         // text of a fault
	struct str message;      // the whole
	int next_index;
	uint64_t faults_before;  // counts.faults when the message began
	size_t room;             // bytes that wrappers may still yield in this message
	struct json current;     // what a sink's points came from
	struct str current_text; // its text, if it was cut out as such
	struct record record;
};

// `text` may hold anything. `depth` counts the wrappers around it.
void decoder_bytes(struct decoder *d, struct str text, int depth);

// `text` is JSON, trimmed out of `raw`; or it has JSON in it somewhere (decoder_cut).
void decoder_json(struct decoder *d, struct str raw, struct str text, int depth);
void decoder_cut(struct decoder *d, struct str text, int depth);

// OpenTelemetry's framing was found in `in`.
void decoder_otel(struct decoder *d, struct str in);

// `text` is the value's own, or STR_NONE.
void decoder_value(struct decoder *d, struct json v, struct str text, int depth);

// base64 text found in a wrapper at `depth`.
void decoder_base64(struct decoder *d, struct str text, int depth);

void decoder_ignore(struct decoder *d, size_t n);
void decoder_fault(struct decoder *d, struct str part, const char *reason);
void decoder_fault_value(struct decoder *d, struct json v, struct str text, const char *reason);

extern const struct sink decoder_sink; // its user is the decoder; `user` is filled in by the caller

#endif
