// SPDX-License-Identifier: Apache-2.0
// Checked reading of the fields of a JSON record. An error (always ERR_SKIP) names the field, what was
// expected and what came; *ret is then unchanged.
//
// An optional field may be absent or null. A field that is present must have the right type.
#ifndef NOWCAST_INGEST_FIELD_H
#define NOWCAST_INGEST_FIELD_H

#include "base/err.h"
#include "ingest/json.h"
#include "ingest/record.h"

enum { FIELD_STRING_MAX = 2048 }; // bytes; AWS's longest is a model id of 2048

// Untrusted text for an error message: its first 60 bytes, in quotes, unprintable ones as '?'.
struct shown {
	char z[72];
};
struct shown field_show(struct str s);

// required, not empty
bool field_str(struct json v, const char *name, struct str *ret, struct err *err) NC_CHECK;
// optional: STR_NONE
bool field_opt_str(struct json v, const char *name, struct str *ret, struct err *err) NC_CHECK;
// required, ISO 8601
bool field_time(struct json v, const char *name, int64_t *ret_ms, struct err *err) NC_CHECK;
// optional; of this type
bool field_opt_type(struct json v, enum json_type type, const char *name, struct err *err) NC_CHECK;
// 1 to 12 digits
bool field_account(struct str s, const char *name, struct err *err) NC_CHECK;
// [a-z0-9-]{1,32}
bool field_region(struct str s, const char *name, struct err *err) NC_CHECK;

// Optional: a count of tokens from 0 to 2^32-1, as a number or a string of digits. Sets *known if it is
// present.
bool field_tokens(struct json v, const char *name, bool *known, uint32_t *ret, struct err *err) NC_CHECK;

// The tokens of one minute of a metric: a whole number from 0 to 2^40, in any notation. 2^40 tokens cost
// about a million dollars; the limit makes sure that the sum over many years fits 64 bits.
#define FIELD_SUM_MAX (INT64_C(1) << 40)
bool field_sum(double sum, const char *name, int64_t *ret, struct err *err) NC_CHECK;

#endif
