// SPDX-License-Identifier: Apache-2.0
// Means from the bill: by principal, the calls of the last billed days and the tokens that were billed for
// them. The hash key_billed_means has
//
//     ARN -> CALLS INPUT OUTPUT READ WRITE WRITE1H
//
// of the BILLED_MEANS_HOURS before the watermark. WRITE holds all cache writes, WRITE1H those of them with
// the one-hour TTL. One more such hash, of each account and Region that has facts, has the sum of all models,
// callers, accounts and Regions: BILLED_MEANS_ALL stands for the model and for the ARN.
#ifndef NOWCAST_STORE_BILLED_MEANS_REFRESH_H
#define NOWCAST_STORE_BILLED_MEANS_REFRESH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "estimator/billed_means.h"
#include "store/redis.h"

#define BILLED_MEANS_ALL "all"

// Reads a field and its value. False: they have another form.
bool billed_means_read(struct str field, struct str value, struct billed_means *ret);

// Computes the means of every account, Region and model from the billed hours, and has the hours that use
// changed ones computed again `settle_ms` from now. The same bill gives the same statistics.
bool billed_means_refresh(struct redis_target target, int64_t settle_ms,
                          int64_t retention_ms, struct err *err) NC_CHECK;

#endif
