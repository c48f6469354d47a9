// SPDX-License-Identifier: Apache-2.0
// The signs by which a record of Bedrock is noticed in a form that nothing here reads: renamed fields, a CSV
// line, a record that is quoted in the middle of a text. They are looked for in what was not recognised only.
//
//     a call     the event source of Bedrock or its mantle, and a request id
//     a log      the schema type of the invocation log
//     a metric   the namespace AWS/Bedrock or AWS/BedrockMantle, and the name of a metric that counts tokens
//
// Signs may be apart, so they are collected over a unit (decode_priv.h) before they say anything.
#ifndef NOWCAST_INGEST_SIGNS_H
#define NOWCAST_INGEST_SIGNS_H

#include <stdbool.h>

#include "base/str.h"
#include "ingest/decode.h"

enum sign {
	SIGN_SOURCE = 1,
	SIGN_REQUEST = 2,
	SIGN_LOG = 4,
	SIGN_NAMESPACE = 8,
	SIGN_METRIC = 16,
	SIGN_QUOTED = 32, // all signs of a record, in a quotation
};

unsigned signs_of_member(struct str key, struct str value); // a string of JSON under its key
unsigned signs_of_text(struct str text);                    // of prose, of CSV, of JSON as text

// Whether these are all the signs of some record: then which fault that is, and why.
bool signs_are_complete(unsigned signs, enum fault_kind *ret_kind, const char **ret_reason);

#endif
