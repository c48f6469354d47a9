// SPDX-License-Identifier: Apache-2.0
#include "pricing/nearest_region.h"

#include <stdint.h>

// Degrees north and east.
static const struct {
	struct str name;
	int north, east;
} regions[] = {
	{STR("af-south-1"), -34, 18},      {STR("ap-east-1"), 22, 114},       {STR("ap-east-2"), 25, 121},
	{STR("ap-northeast-1"), 36, 140},  {STR("ap-northeast-2"), 38, 127},  {STR("ap-northeast-3"), 35, 135},
	{STR("ap-south-1"), 19, 73},       {STR("ap-south-2"), 17, 78},       {STR("ap-southeast-1"), 1, 104},
	{STR("ap-southeast-2"), -34, 151}, {STR("ap-southeast-3"), -6, 107},  {STR("ap-southeast-4"), -38, 145},
	{STR("ap-southeast-5"), 3, 102},   {STR("ap-southeast-6"), -37, 175}, {STR("ap-southeast-7"), 14, 101},
	{STR("ca-central-1"), 45, -74},    {STR("ca-west-1"), 51, -114},      {STR("eu-central-1"), 50, 9},
	{STR("eu-central-2"), 47, 9},      {STR("eu-north-1"), 59, 18},       {STR("eu-south-1"), 45, 9},
	{STR("eu-south-2"), 42, -1},       {STR("eu-west-1"), 53, -6},        {STR("eu-west-2"), 51, 0},
	{STR("eu-west-3"), 49, 2},         {STR("il-central-1"), 32, 35},     {STR("me-central-1"), 25, 55},
	{STR("me-south-1"), 26, 51},       {STR("mx-central-1"), 21, -100},   {STR("sa-east-1"), -24, -47},
	{STR("us-east-1"), 39, -77},       {STR("us-east-2"), 40, -83},       {STR("us-west-1"), 37, -122},
	{STR("us-west-2"), 46, -120},
};

enum { REGIONS = sizeof regions / sizeof *regions };

static int find_region(struct str name)
{
	int i = 0;
	while (i < REGIONS && !str_eq(regions[i].name, name))
		i++;
	return i;
}

// The cosine of a latitude in thousandths, by Bhaskara's formula: within 0.2 per cent.
static int64_t cosine(int degrees)
{
	int64_t d = degrees < 0 ? -degrees : degrees;
	return 1000 * 4 * (90 - d) * (90 + d) / (4 * 8100 + d * d);
}

// Degrees of latitude, squared, times a million: degrees of longitude are shorter away from the equator.
static int64_t distance(int a, int b)
{
	int64_t north = (int64_t)(regions[a].north - regions[b].north) * 1000;
	int64_t east = regions[a].east - regions[b].east;
	east = east > 180 ? 360 - east : east < -180 ? 360 + east : east;
	east *= cosine((regions[a].north + regions[b].north) / 2);
	return north * north + east * east;
}

struct str nearest_region(struct str region, const struct str *candidates, size_t n)
{
	struct str nearest = STR_NONE;
	int64_t shortest = INT64_MAX;
	int from = find_region(region);
	for (size_t i = 0; from < REGIONS && i < n; i++) {
		int to = find_region(candidates[i]);
		int64_t far = to < REGIONS ? distance(from, to) : INT64_MAX;
		if (far < shortest) {
			shortest = far;
			nearest = candidates[i];
		}
	}
	return nearest;
}

struct str region_with_place(size_t i)
{
	return i < REGIONS ? regions[i].name : STR_NONE;
}
