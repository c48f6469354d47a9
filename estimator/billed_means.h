// SPDX-License-Identifier: Apache-2.0
// What the bill says of a principal: the calls of its last billed days, and the tokens billed for them. Their
// quotient is the mean itself, so it is stronger evidence than any minute. store/billed_means_refresh.h
// gathers it.
#ifndef NOWCAST_ESTIMATOR_BILLED_MEANS_H
#define NOWCAST_ESTIMATOR_BILLED_MEANS_H

#include <stdint.h>

#include "base/str.h"
#include "ingest/record.h"

enum {
	BILLED_MEANS_HOURS = 72, // before the watermark
	BILLED_KINDS = TOKENS_UNITS + 1,
};

struct billed_means {
	struct str arn;
	int64_t calls, tokens[BILLED_KINDS]; // tokens[TOKENS_CACHE_WRITE] includes [TOKENS_CACHE_WRITE_1H]
};

// Means are sorted by ARN. The first one whose ARN is not before `arn`: its own, or those of its sessions.
int billed_means_find(const struct billed_means *means, int n, struct str arn);

#endif
