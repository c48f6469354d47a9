// SPDX-License-Identifier: Apache-2.0
// Which part of the cache writes lives for one hour, where no record of the caller and no bill of it says so.
// No metric has the TTL, and a 1-hour write costs 1.6 times as much as a 5-minute write (2 and 1.25 times the
// input: "Prompt caching for faster model inference" in the Amazon Bedrock User Guide). The figure is the
// expected cost: the tokens are divided among the two types by the share that the nearest bill shows,
//
//     of its role  >  of the model  >  of everything that was billed  >  the prior
//
// and the band reaches to both ends, for a caller is mostly all of one kind.
//
// The prior is TTL_PRIOR of the tokens. Five minutes is AWS's default, and what every SDK and agent writes
// unless its owner asks for more in each request, so most callers have it. Some have not, and a figure that
// takes all of them for the cheap kind is the floor of its band, too low whenever it is wrong. No census of
// callers is known: one in ten is a judgement, not a measurement, and the first bill replaces it. A caller
// that reads too little for the longer TTL to pay (struct weight.ttl_may_be_1h) is not taken to be one of
// them.
#ifndef NOWCAST_ESTIMATOR_TTL_SHARES_H
#define NOWCAST_ESTIMATOR_TTL_SHARES_H

#include "estimator/allocate.h"
#include "estimator/billed_means.h"

enum { TTL_PRIOR = 100 }; // thousandths

// Sets ttl_permille and ttl_source of the callers of which they are not known, and of the unattributed
// tokens. `billed_means` are those of the model, sorted by ARN; `all` sums what was billed of every model and
// caller (NULL: nothing was).
void ttl_shares_apply(const struct span *s, const struct billed_means *billed_means, int nbilled_means,
                      const struct billed_means *all, struct hour_usage *u);

#endif
