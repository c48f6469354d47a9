// SPDX-License-Identifier: Apache-2.0
// Splits a whole number in proportion to weights, losing nothing: the largest-remainder method (Hamilton).
#ifndef NOWCAST_ESTIMATOR_APPORTION_H
#define NOWCAST_ESTIMATOR_APPORTION_H

#include <stdint.h>

// shares[i] >= 0, their sum is `total` exactly, and each differs from total * weights[i] / sum by less than
// 1. Equal remainders go to the lower index. total and weights are non-negative, n > 0; weights below 2^62
// whose sum is below 2^63. If all weights are 0 they count as equal.
void apportion(int64_t total, const int64_t *weights, int n, int64_t *shares);

#endif
