// SPDX-License-Identifier: Apache-2.0
// The weights that a caller's tokens were divided by: how many tokens a call of it was assumed to use, and
// from what that was learned. They are those that Redis holds with the figures, and are not computed again.
#ifndef NOWCAST_QUERY_WEIGHTS_H
#define NOWCAST_QUERY_WEIGHTS_H

#include "base/err.h"
#include "store/usage_rows.h"
#include "store/view.h"

// Called with the weights of one caller, with one set of tags, in one model hour.
typedef void weights_fn(void *user, const struct model_hour *model_hour, struct str tagset,
                        const struct weight_row weights[METRIC_KINDS]);

// `where`: model hours, of which account, region, hour and model count; the model is its key
// (pricing/model_id.h). Their strings do not come from the view. False: Redis.
bool weights_each(struct view *v, const struct model_hour *where, int n, struct str principal, weights_fn *fn,
                  void *user, struct err *err) NC_CHECK;

// From what weights were learned, in words; "?" if `source` is none of weight_source_names.
const char *weights_source_words(struct str source);

#endif
