// SPDX-License-Identifier: Apache-2.0
// The fields and values of a hash of cells: the facts of one hour of one model in one account and Region.
// apply.lua writes them; every reader in C reads them by this module.
//
//     form         field                              value
//     calls        offset  0  1  minute of the hour   [SIXTHS/]N FAILED STARTED, then EXACT_N EXACT of each
//                          1  8  caller id            token kind (struct calls; zeros at the end are left
//                          9  1  rate class           out; SIXTHS if it is not 0). The id is big-endian; rate
//                         10  8  metadata             class 0 has no byte, unless metadata follows, the id of
//                                                     that of the calls. Bit 7 of the rate class: some of the
//                                                     exact tokens are those of telemetry
//                       10, 18  5  second             of calls that telemetry may be joined with: as in
//                                                     evidence (store/evidence.h), after the rate class or
//                                                     the metadata
//     telemetry    offset  0  1  minute of the hour   START END INPUT OUTPUT READ WRITTEN USER: seconds since
//                          1  1  't'                  1970; tokens, "-": not known; who says it
//                          2 14  digest of its name
//     metric       offset  0  1  minute of the hour   RANK SUM SAMPLES [LARGER]
//                          1  1  'm'                  (rank: how good the source is; larger wins. LARGER: as
//                          2  1  '0' + token kind     in struct metric, left out if not known)
//     tier metric          3  1  'a' + tier asked     the same, of the calls of these tiers only: a part
//                          4  1  'a' + tier served    of the metric of that minute and token kind
//     project metric       3 16  hash of the project  the same, of the calls within this project of
//                                in hex digits        bedrock-mantle: a part likewise
//     version      "v"                                changes with the facts
//     version      "w"                                changes with the statistics that the hour uses
//
// The length says which form a field has. A field that has none of them is CELL_OTHER, and is passed over.
#ifndef NOWCAST_STORE_CELL_CODEC_H
#define NOWCAST_STORE_CELL_CODEC_H

#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "estimator/facts.h"
#include "estimator/rate_class.h"
#include "store/evidence.h"

enum {
	CELL_MINUTES = 60,

	CELL_AT_MINUTE = 0,
	CELL_AT_CALLER = 1,
	CELL_AT_RATE_CLASS = 9,
	CELL_AT_META = 10,
	CELL_AT_MARK = 1, // 'm'
	CELL_AT_KIND = 2,
	CELL_AT_ASKED = 3,
	CELL_AT_SERVED = 4,
	CELL_AT_PROJECT = 3,
	CELL_PROJECT_DIGITS = 16,

	CELL_CALLS_SIZE = CELL_AT_RATE_CLASS,
	CELL_RATED_CALLS_SIZE = CELL_AT_RATE_CLASS + 1,
	CELL_META_CALLS_SIZE = CELL_AT_META + 8,
	CELL_SECOND_SIZE = EVIDENCE_TOKENS, // more, of each of these two
	CELL_AT_DIGEST = 2,
	CELL_DIGEST_SIZE = 14,
	CELL_TELLING_SIZE = CELL_AT_DIGEST + CELL_DIGEST_SIZE,
	CELL_TELLING_MARK = 't',
	CELL_METRIC_SIZE = CELL_AT_KIND + 1,
	CELL_TIER_METRIC_SIZE = CELL_AT_SERVED + 1,
	CELL_PROJECT_METRIC_SIZE = CELL_AT_PROJECT + CELL_PROJECT_DIGITS,
	CELL_TELEMETRY = RATE_CLASSES, // of the byte of the rate class
	CELL_METRIC_MARK = 'm',
	CELL_FIRST_KIND = '0',
	CELL_FIRST_TIER = 'a',
};

_Static_assert(CELL_AT_RATE_CLASS == CELL_AT_CALLER + sizeof(uint64_t),
               "the rate class follows the caller id");
_Static_assert(CELL_TIER_METRIC_SIZE < CELL_CALLS_SIZE && CELL_PROJECT_METRIC_SIZE > CELL_RATED_CALLS_SIZE,
               "the length of a field says its form");
_Static_assert(CELL_AT_META == CELL_RATED_CALLS_SIZE, "the metadata follows the rate class");
_Static_assert(TOKEN_KINDS <= 10, "a token kind is one digit");
_Static_assert(CELL_RATED_CALLS_SIZE + CELL_SECOND_SIZE == 15 && CELL_TELLING_SIZE == 16 &&
                   CELL_META_CALLS_SIZE == 18 && CELL_PROJECT_METRIC_SIZE == 19 &&
                   CELL_META_CALLS_SIZE + CELL_SECOND_SIZE == 23,
               "the length of a field says its form");
_Static_assert(CELL_TELEMETRY == 128, "a bit of the byte of the rate class");

enum cell_form {
	CELL_OTHER,
	CELL_VERSION,
	CELL_CALLS,
	CELL_TELLING,
	CELL_METRIC,
	CELL_TIER_METRIC,
	CELL_PROJECT_METRIC
};

struct cell_field {
	enum cell_form form;
	int minute;             // of the hour, 0 to 59
	uint64_t caller_id;     // CELL_CALLS
	uint8_t rate_class;     // CELL_CALLS
	bool telemetry;         // CELL_CALLS
	uint64_t meta_id;       // CELL_CALLS; 0: calls without metadata
	uint32_t second;        // CELL_CALLS; 0: not known
	bool second_is_end;
	// CELL_METRIC: TOKENS_UNITS or less than METRIC_KINDS; of a tier or a project: the latter
	enum token_kind kind;
	enum price_tier served; // CELL_TIER_METRIC
	uint64_t project;       // CELL_PROJECT_METRIC
};

void cell_field_read(struct str field, struct cell_field *ret);

// The value of a CELL_CALLS; the caller's index is left at 0.
void cell_calls_read(const struct cell_field *field, struct str value, struct calls *ret);

// The value of a CELL_TELLING; the user is a slice of it. False: it is none.
bool cell_telling_read(const struct cell_field *field, struct str value, struct telling *ret);
// Appends it.
void cell_telling_write(const struct telling *t, struct buf *ret);

// The value of a metric of any form.
struct cell_metric {
	int64_t rank, sum, samples, larger;
};
void cell_metric_read(struct str value, struct cell_metric *ret);

// What follows the mark in the field of a metric, as apply.lua is given it. Returns buf. `asked` may be
// PRICE_TIERS, a tier that is not known. `of_tier` false: the metric of all tiers.
enum { CELL_METRIC_NAME_SIZE = CELL_PROJECT_METRIC_SIZE - CELL_AT_KIND + 1 };
char *cell_metric_name(enum token_kind kind, bool of_tier, int asked, enum price_tier served, char *buf);
// The same of one project.
char *cell_project_metric_name(enum token_kind kind, uint64_t project, char *buf);

#endif
