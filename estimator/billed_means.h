// SPDX-License-Identifier: Apache-2.0
// What the bill teaches: by principal, how many calls the last billed days had and what tokens were billed
// for them. It is the mean itself, so it teaches more than any minute can. store/billed_means_refresh.h
// gathers it.
#ifndef NOWCAST_ESTIMATOR_BILLED_MEANS_H
#define NOWCAST_ESTIMATOR_BILLED_MEANS_H

#include <stdint.h>

#include "base/str.h"
#include "ingest/record.h"

enum { BILLED_MEANS_HOURS = 72 };

struct billed_means {
	struct str arn;
	int64_t calls, tokens[TOKEN_KINDS]; // tokens[TOKENS_CACHE_WRITE] includes [TOKENS_CACHE_WRITE_1H]
};

#endif
