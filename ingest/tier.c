// SPDX-License-Identifier: Apache-2.0
// The service tier has a different name in each API ("Service tiers for optimizing performance and cost" and
// "Optimize model inference for latency" in the Amazon Bedrock User Guide): `service_tier` (bedrock-mantle,
// OpenAI's bodies), `serviceTier` as a word (InvokeModel) or as {"type"} (Converse). Optimised latency is
// priced like a tier: performanceConfigLatency, or performanceConfig.latency.
//
// AWS documents that CloudTrail shows the tier of a call to bedrock-runtime, but not in which field. So the
// names of the API's parameters are looked for, with the first letter in either case.
//
// AWS adds tiers. A word that is not known is TIER_UNKNOWN, which has no rate: it is not the standard tier.
#include "ingest/tier.h"

#include <strings.h>

static const struct {
	struct str word;
	enum price_tier tier;
} tier_words[] = {
	{STR("default"), TIER_STANDARD},  {STR("standard"), TIER_STANDARD}, {STR("flex"), TIER_FLEX},
	{STR("priority"), TIER_PRIORITY}, {STR("batch"), TIER_BATCH},       {STR("reserved"), TIER_RESERVED},
	{STR("optimized"), TIER_LATENCY}, {STR("latency"), TIER_LATENCY},   {STR("ultrafast"), TIER_ULTRAFAST},
	{STR("standard_only"), TIER_STANDARD}, // Anthropic's bodies: as little as that, never priority
};

bool tier_of_word(struct str word, enum price_tier *ret)
{
	for (size_t i = 0; i < sizeof tier_words / sizeof *tier_words; i++)
		if (word.len == tier_words[i].word.len && strncasecmp(word.p, tier_words[i].word.p, word.len) == 0) {
			*ret = tier_words[i].tier;
			return true;
		}
	*ret = TIER_UNKNOWN;
	return word.len > 0 && !(word.len == 4 && strncasecmp(word.p, "auto", 4) == 0);
}

static const struct {
	struct str name, inner; // a word, or an object with the word at `inner`
	bool served;            // else asked for
} tier_places[] = {
	{STR("resolvedServiceTier"), STR("type"), true},
	{STR("ResolvedServiceTier"), STR("type"), true},
	{STR("service_tier"), STR("type"), false},
	{STR("serviceTier"), STR("type"), false},
	{STR("ServiceTier"), STR("type"), false},
	{STR("performanceConfigLatency"), STR("latency"), false},
	{STR("performanceConfig"), STR("latency"), false},
};

static bool read_place(struct str key, struct json v, enum price_tier *ret, bool *ret_served)
{
	struct str word;
	for (size_t i = 0; i < sizeof tier_places / sizeof *tier_places; i++) {
		if (!str_eq(key, tier_places[i].name))
			continue;
		*ret_served = tier_places[i].served;
		return json_str(json_type(v) == JSON_OBJECT ? json_get(v, tier_places[i].inner) : v, &word) &&
		       tier_of_word(word, ret);
	}
	return false;
}

// The tier that served ranks highest. Next is a tier other than the standard, since an object may have both a
// tier and a latency: {"serviceTier": "default", "performanceConfig": {"latency": "optimized"}}.
bool tier_of_object(struct json object, enum price_tier *ret)
{
	enum { SHORTEST = 11, NONE = 0, STANDARD, OTHER, SERVED };
	struct str key;
	struct json v;
	int best = NONE;
	if (json_type(object) != JSON_OBJECT)
		return false;
	// one walk over the object: this runs for every record
	for (struct json_iter it = json_begin(object); json_next(&it, &key, &v);) {
		enum price_tier tier;
		bool served;
		if (key.len < SHORTEST || !read_place(key, v, &tier, &served))
			continue;
		int rank = served ? SERVED : tier == TIER_STANDARD ? STANDARD : OTHER;
		if (rank > best) {
			best = rank;
			*ret = tier;
		}
	}
	return best != NONE;
}
