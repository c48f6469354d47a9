// SPDX-License-Identifier: Apache-2.0
// JSON that is well formed and that simdjson refuses all the same: a number beyond 64 bits, or half of a
// surrogate pair. The body of an invocation log holds what a caller chose to send, so a caller could choose
// that nobody reads the record of its call.
#ifndef NOWCAST_INGEST_JSON_REPAIR_H
#define NOWCAST_INGEST_JSON_REPAIR_H

#include <stdbool.h>
#include <stddef.h>

// Rewrites such parts of the text, without a change of its length: a number becomes a string that is none
// ("x234"), half of a pair becomes U+FFFD. text[len] is readable and no digit. False: there are none.
bool json_repair(char *text, size_t len);

#endif
