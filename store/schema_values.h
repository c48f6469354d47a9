// SPDX-License-Identifier: Apache-2.0
// Rewrites the values of schema 1 in the form of schema 2 (store/schema.h). Cells, evidence and hour
// statistics are the same in both. Of the figures, schema 1 had one hash of an hour and model:
//
//     schema 1                             schema 2
//     # model, # foundation, # digest      model, foundation, digest of the meta hash
//     # KIND                               metric KIND of the meta hash
//     ARN TAGSET calls[@CLASS], weights    the same fields of the meta hash
//     ARN TAGSET output@units              ARN TAGSET units
//     ARN TAGSET output@units+             ARN TAGSET uncounted
//
// So it is with what a model added to the sums of `(other models)`. A billed hour had `# model`, which is a
// value of key_actual_called now.
#ifndef NOWCAST_STORE_SCHEMA_VALUES_H
#define NOWCAST_STORE_SCHEMA_VALUES_H

#include "store/migrate.h"

// A migrate_convert_fn: one atomic step a key. A hash of schema 2 is left alone; one of schema 1 beside a
// meta hash was written by a program of schema 1 that was not stopped, and replaces both.
bool schema_values_convert(struct redis *r, const struct migrate_model_hour *x, void *user,
                           struct err *err) NC_CHECK;

#endif
