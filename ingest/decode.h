// SPDX-License-Identifier: Apache-2.0
// Bytes of a message, in any wrapper, to records.
//
//     message --unwrap--> JSON values, protobuf --recognise--> record --> on_record(...)
//        gzip, base64, arrays,                         \--> does not concern this program: counted
//        envelopes, strings in strings                 \--> cannot be decoded: on_fault(...), counted
//
// The format of a message is read from its content only. Pure: no I/O, no clock, no global state. One decoder
// serves any number of messages, one thread at a time. decode_priv.h draws its layers.
#ifndef NOWCAST_INGEST_DECODE_H
#define NOWCAST_INGEST_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ingest/record.h"

struct decoder;

struct decode_limits {
	size_t message_bytes; // largest message, before and after inflating, all wrappers together
	int nesting;          // wrappers within wrappers (gzip in base64 in JSON in gzip ...)
};

// Called for each record, in the order of the message. The record's strings live until it returns.
typedef void decode_record_fn(void *user, const struct record *record);

// Called for each broken record or wrapper. `index` is as in struct record; -1: the message as a whole.
// `part` is the smallest piece of the message that can be replayed alone: the record's own text if it can be
// split off, else the whole message.
typedef void decode_fault_fn(void *user, int index, struct str part, const char *reason);

struct decode_counts {
	uint64_t messages;
	uint64_t records[RECORD_KINDS];
	uint64_t ignored; // records, control messages and metrics that do not concern this program
	uint64_t dropped_unparsed; // of the ignored: messages or values that the prefilter dropped unparsed
	uint64_t faults;
};

struct decoder *decoder_new(struct decode_limits limits, decode_record_fn *on_record,
                            decode_fault_fn *on_fault, void *user);
void decoder_free(struct decoder *d);

// Decodes one message; all results go to the callbacks. `data` needs no padding.
void decoder_message(struct decoder *d, const void *data, size_t len);

const struct decode_counts *decoder_counts(const struct decoder *d);

#endif
