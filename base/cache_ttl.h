// SPDX-License-Identifier: Apache-2.0
// The TTL (time to live) that somebody declares for the prompt-cache writes of a caller, where no record
// names it. Bedrock has two, and prices them apart: 5 minutes, the default, and 1 hour, which a request asks
// for.
//
//     5m         all of the writes live for 5 minutes
//     1h         all of them live for 1 hour
//     30%        so many of the tokens live for 1 hour, the others for 5 minutes
//     unknown    nothing is declared (any more)
//
// The key cache_ttl declares for everybody, each value from an hour on:
//
//     cache_ttl = 5m, 1h from 2026-11-20
#ifndef NOWCAST_BASE_CACHE_TTL_H
#define NOWCAST_BASE_CACHE_TTL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum { CACHE_TTL_UNKNOWN = -1 };

// Reads one value: thousandths of the writes that live for 1 hour, or CACHE_TTL_UNKNOWN. False: it is none.
bool cache_ttl_parse(struct str text, int32_t *ret_permille);

// Whether the text is a list of values as above, each from a whole hour on that is later than the one before;
// only the first may have no time. ERR_CONFIG names what is wrong.
bool cache_ttl_list_check(struct str text, struct err *err) NC_CHECK;

// The value of such a list in an hour (since the epoch); CACHE_TTL_UNKNOWN where it says nothing.
int32_t cache_ttl_list_at(struct str text, int64_t hour);

// "5m", "1h" or "30%". Returns buf, of CACHE_TTL_TEXT_SIZE.
enum { CACHE_TTL_TEXT_SIZE = 16 };
char *cache_ttl_format(int32_t permille, char *buf);

#endif
