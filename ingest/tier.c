// SPDX-License-Identifier: Apache-2.0
// AWS writes the tier in as many ways as there are dialects: `service_tier` (bedrock-mantle, OpenAI's
// bodies), `serviceTier` as a word (InvokeModel) or as {"type"} (Converse), and optimised latency, which is
// priced like a tier, as performanceConfigLatency or performanceConfig.latency. That CloudTrail tells the
// tier of a call to the runtime is documented, by which field is not: so the names of the API's own
// parameters are looked for, in both cases of the first letter, and nothing is an error.
#include "ingest/tier.h"

#include <strings.h>

static const struct {
	struct str word;
	enum price_tier tier;
} words[] = {
	{STR("default"), TIER_STANDARD},  {STR("standard"), TIER_STANDARD}, {STR("flex"), TIER_FLEX},
	{STR("priority"), TIER_PRIORITY}, {STR("batch"), TIER_BATCH},       {STR("reserved"), TIER_RESERVED},
	{STR("optimized"), TIER_LATENCY}, {STR("latency"), TIER_LATENCY},
};

bool tier_of_word(struct str word, enum price_tier *ret)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (word.len == words[i].word.len && strncasecmp(word.p, words[i].word.p, word.len) == 0) {
			*ret = words[i].tier;
			return true;
		}
	return false;
}

static const struct {
	struct str name, inner; // a word, or an object with the word at `inner`
	bool served;            // else asked for
} places[] = {
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
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		if (!str_eq(key, places[i].name))
			continue;
		*ret_served = places[i].served;
		return json_str(json_type(v) == JSON_OBJECT ? json_get(v, places[i].inner) : v, &word) &&
		       tier_of_word(word, ret);
	}
	return false;
}

// What served counts most; then what differs from the standard, for both a tier and a latency may stand
// there: {"serviceTier": "default", "performanceConfig": {"latency": "optimized"}}.
bool tier_of_object(struct json object, enum price_tier *ret)
{
	enum { SHORTEST = 11, NONE = 0, STANDARD, OTHER, SERVED };
	struct str key;
	struct json v;
	int best = NONE;
	if (json_type(object) != JSON_OBJECT)
		return false;
	// in one walk: every record comes by here
	for (struct json_iter it = json_begin(object); json_next(&it, &key, &v);) {
		enum price_tier tier;
		bool served;
		if (key.len < SHORTEST || !read_place(key, v, &tier, &served))
			continue;
		int worth = served ? SERVED : tier == TIER_STANDARD ? STANDARD : OTHER;
		if (worth > best) {
			best = worth;
			*ret = tier;
		}
	}
	return best != NONE;
}
