// SPDX-License-Identifier: Apache-2.0
// Texts that callers write, outside of the records that are recognised: what stands in them is a quotation,
// and is not searched for records. Otherwise whoever can write a prompt could charge a call to somebody
// else.
//
//     any object       request parameters, response elements, bodies of a model's request or answer, prompts,
//                      user agents, HTTP headers and addresses
//     a chat message   {"role": ..., "content": ...}: its content
//     a part of one    {"type": "text", "text": ...}, or with a stop reason: its text
//     OpenTelemetry    every attribute gen_ai.*
//
// All other texts may hold a record under any key: a shipper of logs may write it under `message` or `log`,
// where an application writes whatever its users said. Content alone does not tell the two apart, so the
// place in the text does: a record counts if it is all of a string, or the end of a line that begins as log
// lines begin (log_line.h). In the middle of a text it is a quotation.
#ifndef NOWCAST_INGEST_QUOTATION_H
#define NOWCAST_INGEST_QUOTATION_H

#include "ingest/json.h"

// What the keys of an object say about it.
struct quotation {
	bool message, part, request; // a chat message; a part of one, or of an answer; a request to a model
};

void quotation_look(struct json object, struct quotation *ret);

// Whether what stands under `key` of such an object is a quotation.
bool quotation_is(const struct quotation *q, struct str key);

#endif
