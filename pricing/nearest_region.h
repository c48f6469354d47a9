// SPDX-License-Identifier: Apache-2.0
// Which of several Regions is nearest to one, in a straight line. The places are the cities that AWS names
// its Regions by ("AWS Regions" in the AWS Regions and Availability Zones guide).
#ifndef NOWCAST_PRICING_NEAREST_REGION_H
#define NOWCAST_PRICING_NEAREST_REGION_H

#include <stddef.h>

#include "base/str.h"

// One of `candidates`; of two that are as near, the first. STR_NONE: the place of `region`, or of all of
// them, is not known. GovCloud, China and the isolated Regions have no place here.
struct str nearest_region(struct str region, const struct str *candidates, size_t n);

// The Regions whose places are known, i = 0, 1, ...; STR_NONE behind the last.
struct str region_with_place(size_t i);

#endif
