// SPDX-License-Identifier: Apache-2.0
// The origin of a message, and the dead letter that a message becomes if it cannot be decoded.
//
// In a file, a dead letter is a line of JSON, and the file can be replayed as it is:
//     {"kind":...,"reason":...,"topic":...,"partition":...,"offset":...,"firehose":...,"index":...,
//      "records":[{"data":"<base64>"}]}
// `kind` is a word of fault_word. In a topic, it is the message as it came, and the others are headers:
// reason, topic, partition, offset, index, and file of what was read from a file or from an API of AWS.
#ifndef NOWCAST_INGEST_ORIGIN_H
#define NOWCAST_INGEST_ORIGIN_H

#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "ingest/decode.h"

struct origin {
	struct str topic;   // STR_NONE: not from Kafka
	int32_t partition;
	int64_t offset;
	const char *path;   // of a file, what an API of AWS was asked, or a delivery; NULL: none of them
	int64_t line;       // from 1; 0: the file as a whole
	// of an API of AWS: the account that was asked, and whether for a log group, in which others may write
	struct str api_account;
	bool api_log;
	struct str firehose; // the name of the key with which Firehose delivered it; STR_NONE: it did not
	bool delivered;      // just now: `path` names the delivery, no file
};

struct dead_letter {
	struct origin origin;
	enum fault_kind kind;
	int index;          // of the record in its message; -1: the message as a whole
	const char *reason;
	struct str data;    // the smallest part that can be replayed alone
};

// Appends "topic orders, partition 3, offset 17" or "FILE:12".
void origin_describe(const struct origin *o, struct buf *b);

// Appends the JSON line, with its newline.
void dead_letter_line(const struct dead_letter *d, struct buf *b);

// Reads such a line: its origin, and the data, which are decoded into `scratch` and live until that changes.
// False: not such a line.
bool dead_letter_read(struct str line, struct buf *scratch, struct origin *ret_origin, struct str *ret_data);

// Reads a line of `kcat -C -J` (kcat.c): its origin and its payload. The payload is unescaped into `scratch`
// and lives until `scratch` changes; empty: a tombstone. False: not such a line.
bool kcat_line(struct str line, struct buf *scratch, struct origin *ret_origin, struct str *ret_payload);

// Of such a line of the topic of dead letters: its headers say where the letter came from. Puts topic,
// partition and offset of that in place of the letter's own; without a topic, as letters of AWS's APIs are,
// there is none. False: it has no such headers.
bool kcat_letter_origin(struct str line, struct origin *ret_origin);

#endif
