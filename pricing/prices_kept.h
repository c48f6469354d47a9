// SPDX-License-Identifier: Apache-2.0
// The prices of the configuration, for who looks them up again and again: a server reads megabytes of lists
// once, and again when a file or a key has changed. For one thread.
#ifndef NOWCAST_PRICING_PRICES_KEPT_H
#define NOWCAST_PRICING_PRICES_KEPT_H

#include <stdint.h>

#include "pricing/prices.h"

struct prices_kept { // all zero: nothing is read yet
	uint64_t mark; // of the keys and files when they were read; 0: they were not
	struct prices *prices; // NULL: `why` says what is wrong with them
	struct err why;
};

// What prices_load would give now. Valid until the next call. NULL: ERR_CONFIG.
const struct prices *prices_kept_read(struct prices_kept *k, const struct conf *conf,
                                      struct err *err) NC_CHECK;
void prices_kept_release(struct prices_kept *k);

#endif
