// SPDX-License-Identifier: Apache-2.0
// What the files of the batch share: batch.c (calls and metrics, by where they belong), batch_tags.c (tags of
// sessions, roles and users), batch_check.c (values that make sense).
#ifndef NOWCAST_STORE_BATCH_PRIV_H
#define NOWCAST_STORE_BATCH_PRIV_H

#include "store/batch.h"

enum { BATCH_TEXT_MAX = 2048 };

// Printable, without spaces: such a string can be part of a key, or a word of a value.
bool batch_is_clean(struct str s);
bool batch_is_model(struct str s); // likewise, and not the name of all other models
bool batch_is_made_of(struct str s, size_t max, const char *set);
bool batch_check_place(struct str account, struct str region, struct err *err) NC_CHECK;
// As batch_check_place; and that the account and Region is known, or there is room for it.
bool batch_admit(struct batch *b, struct str account, struct str region, struct err *err) NC_CHECK;
// Which of the batch's accounts and Regions it is, if it is one of the first; -1: perhaps another.
int32_t batch_find_first_place(const struct batch *b, struct str account, struct str region);
bool batch_check_time(struct batch *b, int64_t ms, int64_t latest_ms, struct err *err) NC_CHECK;

// Makes room for one more element after `n`. Lists begin small: a batch may have one or two a record.
void *batch_grown(struct batch *b, void *p, int32_t n, int32_t *cap, size_t size);

// The key of a session whose access key is not known.
struct str batch_arn_at_start(struct batch *b, struct str arn, int64_t start_ms);

bool batch_add_session_tags(struct batch *b, const struct session_tags *t, int64_t latest_ms,
                            struct err *err) NC_CHECK;
bool batch_add_principal_tags(struct batch *b, const struct principal_tags *t, int64_t latest_ms,
                              struct err *err) NC_CHECK;

#endif
