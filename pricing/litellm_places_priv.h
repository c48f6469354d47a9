// SPDX-License-Identifier: Apache-2.0
// Where a rate of LiteLLM's table holds. An entry's key names a Region or a profile, or neither:
//
//     bedrock/eu-west-1/ID   that Region                          global.ID   the global scope, every Region
//     us-gov.ID              GovCloud                             in.ID       the Regions of India
//     us.ID, ID, mantle      the three Regions that have the US rates
//     eu.ID, apac.ID, ...    of several Regions one: those where the built-in catalogue has the same rates
//
// Vendors with one rate in every commercial Region (Anthropic's and OpenAI's documentation): all Regions.
// Plain ids of some models have the rate of the global profile.
#ifndef NOWCAST_PRICING_LITELLM_PLACES_PRIV_H
#define NOWCAST_PRICING_LITELLM_PLACES_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "pricing/price_file.h"

enum { LITELLM_PLACES_MAX = 64, REGION_ROOM = 24 };

struct litellm_place {
	enum price_scope scope;
	char region[REGION_ROOM]; // as price files have it; "": every commercial Region
	int percent;              // of the entry's rates
	int rank;                 // of the entries for one place the lowest is believed
};

// The places of an entry; `region` and `profile` are of its key, empty where it has none. Returns how many;
// 0: not known. `rate` has the rates of the standard tier.
size_t litellm_places(struct str model, struct str region, struct str profile, bool mantle,
                      const int64_t *rate, struct litellm_place ret[LITELLM_PLACES_MAX]);

// Claude from 4.5 on costs a tenth more outside global profiles, and can keep a cache for an hour.
bool litellm_has_premium(struct str model);

#endif
