// SPDX-License-Identifier: Apache-2.0
// Fields of a JSON record, read with suspicion: everything that leaves here has been checked, and what is
// wrong is said with the field's name, what was expected and what came.
//
// "Optional" means absent or null; a field that is there must have the right type. All errors are ERR_SKIP.
#ifndef NOWCAST_INGEST_FIELD_H
#define NOWCAST_INGEST_FIELD_H

#include "base/err.h"
#include "ingest/json.h"
#include "ingest/record.h"

enum { FIELD_STRING_MAX = 2048 }; // bytes; AWS's longest is a model id of 2048

// A piece of untrusted text for an error message: at most 60 bytes, unprintable ones as '?', in quotes.
struct shown {
	char z[72];
};
struct shown field_show(struct str s);

// required, not empty
bool field_str(struct json v, const char *name, struct str *ret, struct err *err) NC_CHECK;
// else STR_NONE
bool field_opt_str(struct json v, const char *name, struct str *ret, struct err *err) NC_CHECK;
// required, ISO 8601
bool field_time(struct json v, const char *name, int64_t *ret_ms, struct err *err) NC_CHECK;
// 1 to 12 digits
bool field_account(struct str s, const char *name, struct err *err) NC_CHECK;
// [a-z0-9-]{1,32}
bool field_region(struct str s, const char *name, struct err *err) NC_CHECK;

// A count of tokens: a whole number 0 to 2^32-1, or the same as a string of digits. Absent: *known is left
// alone.
bool field_tokens(struct json v, const char *name, bool *known, uint32_t *ret, struct err *err) NC_CHECK;

// The tokens of a metric's minute: a whole number 0 to 2^40, however it is written. That is some million
// dollars a minute; a limit there has to be, for sums of many years' minutes are to fit 64 bits.
#define FIELD_SUM_MAX (INT64_C(1) << 40)
bool field_sum(double sum, const char *name, int64_t *ret, struct err *err) NC_CHECK;

#endif
