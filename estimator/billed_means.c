// SPDX-License-Identifier: Apache-2.0
#include "estimator/billed_means.h"

int billed_means_find(const struct billed_means *means, int n, struct str arn)
{
	int low = 0, high = n;
	while (low < high) {
		int middle = low + (high - low) / 2;
		if (str_cmp(means[middle].arn, arn) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
