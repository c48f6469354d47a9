// SPDX-License-Identifier: Apache-2.0
// Bytes of a message, in whatever they are wrapped, to records.
//
//     message --search--> objects --recognise--> record --> on_record(...)
//        gzip, base64, lists,             \--> a record that does not concern this program: counted
//        objects, strings, lines          \--> cannot be read: on_fault(...), counted
//
// The format of a message is read from its content only. A record is found at any depth and under any key: as
// an object, as text in a string, behind the head of a log line, in gzip, in base64. What it may cost is
// bounded by struct decode_limits, and a message without the words that every record has is not parsed
// (prefilter.h).
//
// Nothing is searched within a record: the parameters of a call, prompts, answers and user agents are the
// caller's to choose, and a record that is quoted there stays a quotation. quotation.h says which other texts
// are quotations.
//
// A message that has the signs of one of Bedrock's records and yields none is a fault (signs.h).
//
// Pure: no I/O, no clock, no global state. One decoder serves any number of messages, one thread at a time.
// decode_priv.h draws its layers.
#ifndef NOWCAST_INGEST_DECODE_H
#define NOWCAST_INGEST_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ingest/record.h"

struct decoder;

struct decode_limits {
	size_t message_bytes; // largest message, before and after inflating, all wrappers together
	int depth;            // of objects, lists, strings, gzip and base64 within each other
	size_t work_bytes;    // that are parsed, inflated or decoded for one message; 0: 8 times message_bytes
};

// Why something could not be read, as operators count it.
enum fault_kind {
	FAULT_BROKEN,        // damaged or cut off: JSON, gzip, base64, protobuf
	FAULT_FORMAT,        // bytes in no format that is read
	FAULT_LIMIT,         // larger, deeper or more work than the limits allow
	FAULT_RECORD,        // a record in which a field is missing or wrong
	FAULT_UNREAD_CALL,   // signs of a CloudTrail record of Bedrock, in a form that is not read
	FAULT_UNREAD_LOG,    // signs of an invocation log's record, likewise
	FAULT_UNREAD_METRIC, // signs of a token metric of Bedrock, likewise
	FAULT_QUOTED,        // a record within a text that callers write: not counted
	FAULT_REFUSED,       // a record with values that make no sense (store/engine.h)
	FAULT_UNTRUSTED,     // a record from a source that may not carry such (ingest/trust.h)
	FAULT_CUSTOM_EVENT,  // a record in an EventBridge event that is not AWS's, likewise
	FAULT_FOREIGN_ACCOUNT, // a record of an account that is not allowed, likewise
	FAULT_IMPLAUSIBLE,   // a record with tokens that cannot be (store/plausible.h)
	FAULT_KINDS
};

const char *fault_word(enum fault_kind kind);   // "broken", "unread_call", ...
const char *fault_advice(enum fault_kind kind); // a sentence: what it is, and what to do

// Called for each record, in the order of the message. The record's strings live until it returns.
typedef void decode_record_fn(void *user, const struct record *record);

// Called for each broken record or wrapper. `index` is as in struct record; -1: the message as a whole.
// `part` is the smallest piece of the message that can be replayed alone: the record's own text if it can be
// split off, else the whole message. The parts of one message hold five times its bytes and 16 KiB at most.
typedef void decode_fault_fn(void *user, enum fault_kind kind, int index, struct str part,
                             const char *reason);

struct decode_counts {
	uint64_t messages;
	uint64_t records[RECORD_KINDS];
	uint64_t recognised; // objects of a known form, whether they concern this program or not
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

// In a callback: whether a wrapper around the record or the fault says who wrote it (struct carrier). The
// part of a fault is without its wrappers.
bool decoder_is_carried(const struct decoder *d);

#endif
