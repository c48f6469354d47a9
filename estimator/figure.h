// SPDX-License-Identifier: Apache-2.0
// A figure: the tokens and dollars of one caller, model, hour and token type, and how they are known.
#ifndef NOWCAST_ESTIMATOR_FIGURE_H
#define NOWCAST_ESTIMATOR_FIGURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/usd.h"

#define UNATTRIBUTED "(unattributed)"

// Tokens and dollars of one caller and token type.
struct figure {
	int64_t tokens, exact, allocated, provisional, assumed;
	int64_t spread, noise; // of allocated: tokens; tokens squared
	struct usd usd;  // of all tokens
	struct usd more; // what they may cost on top
	bool ttl_may_be_1h;    // of the assumed tokens: it may pay
	bool priced;
	bool band_estimated; // the dollars go by the mean length of prompts
	uint8_t rate_class;        // of the calls (estimator/rate_class.h)
	int64_t billed;  // of tokens, those that stand in the bill (store/actual.h): all or none
	struct usd list; // of billed tokens: at public rates
};

#endif
