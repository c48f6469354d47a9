// SPDX-License-Identifier: Apache-2.0
// How much of a prompt was read from the cache, and how much was written to it, where no record and no metric
// says so: bedrock-mantle's metric of input tokens counts the whole prompt, and its CloudTrail events have no
// tokens ("Monitor bedrock-mantle inference using CloudWatch metrics" in the Amazon Bedrock User Guide). A
// read costs a tenth of an input token, a write a quarter more, so what is not known is most of the price.
//
// The bill has reads and writes apart. What it says of the last billed days is taken for the next: of the
// caller itself, else of its role, else of all callers of the model. Before any bill all is taken for input.
// Either way part of the tokens may be of another kind, all of them before any bill: they are marked
// (struct caller_usage.cache_unknown), and the tariff widens the band of their figures from the price of
// reads to that of writes.
#ifndef NOWCAST_ESTIMATOR_CACHE_SHARES_H
#define NOWCAST_ESTIMATOR_CACHE_SHARES_H

#include "estimator/allocate.h"
#include "estimator/billed_means.h"

// Divides the input tokens of callers and of nobody, but for exact ones, among input, cache reads and cache
// writes, to the token. `billed_means` are those of the model, sorted by ARN.
void cache_shares_apply(const struct span *s, const struct billed_means *billed_means, int nbilled_means,
                        struct hour_usage *u);

#endif
