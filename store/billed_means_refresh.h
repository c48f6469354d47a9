// SPDX-License-Identifier: Apache-2.0
// What the bill teaches: by principal, how many calls the last billed days had and what tokens were billed
// for them. It is the mean itself, so it teaches more than any minute can.
//
//     <prefix>:{account/region}:taught:MODELID    hash: ARN -> CALLS INPUT OUTPUT READ WRITE WRITE1H
//
// BILLED_MEANS_HOURS before the watermark count. WRITE holds all cache writes, WRITE1H those of them with the
// one-hour TTL.
#ifndef NOWCAST_STORE_BILLED_MEANS_REFRESH_H
#define NOWCAST_STORE_BILLED_MEANS_REFRESH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "estimator/billed_means.h"
#include "store/redis.h"

// What a field and a value of the hash say. False: nothing that can be read.
bool billed_means_read(struct str field, struct str value, struct billed_means *ret);

// Gathers anew, out of the billed hours, what is taught in every account, region and model, and has the hours
// that learn from it computed again `settle_ms` from now. The same bill gives the same statistics.
bool billed_means_refresh(struct redis_target target, int64_t settle_ms,
                          int64_t retention_ms, struct err *err) NC_CHECK;

#endif
