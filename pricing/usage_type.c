// SPDX-License-Identifier: Apache-2.0
// The prefix of the Region is cut off, the word for what is counted is found, and the words after it are
// modifiers. All words are in tables: a new word is a row here and a line in tests/usage_type.txt.
//
// Some words contain others. CacheWrite1hInputTokenCount ends in InputTokenCount, so the search for what is
// counted starts from the front. "batch" is a modifier, and also a part of MillionBatchInputTokens. Modifiers
// come in any order, so each must match up to the next separator.
#include "pricing/usage_type.h"

#include <assert.h>

const char *const usage_kind_names[USAGE_KINDS] = {"tokens",      "images",      "searches", "reserved",
                                                   "provisioned", "customizing", "guardrail"};

static const struct {
	struct str prefix, region;
} regions[] = {
	{STR("USE1"), STR("us-east-1")},      {STR("USE2"), STR("us-east-2")},
	{STR("USW1"), STR("us-west-1")},      {STR("USW2"), STR("us-west-2")},
	{STR("UGW1"), STR("us-gov-west-1")},  {STR("UGE1"), STR("us-gov-east-1")},
	{STR("CAN1"), STR("ca-central-1")},   {STR("CAN2"), STR("ca-west-1")},
	{STR("MXC1"), STR("mx-central-1")},   {STR("EU"), STR("eu-west-1")},
	{STR("EUW1"), STR("eu-west-1")},      {STR("EUW2"), STR("eu-west-2")},
	{STR("EUW3"), STR("eu-west-3")},      {STR("EUC1"), STR("eu-central-1")},
	{STR("EUC2"), STR("eu-central-2")},   {STR("EUN1"), STR("eu-north-1")},
	{STR("EUS1"), STR("eu-south-1")},     {STR("EUS2"), STR("eu-south-2")},
	{STR("APN1"), STR("ap-northeast-1")}, {STR("APN2"), STR("ap-northeast-2")},
	{STR("APN3"), STR("ap-northeast-3")}, {STR("APS1"), STR("ap-southeast-1")},
	{STR("APS2"), STR("ap-southeast-2")}, {STR("APS3"), STR("ap-south-1")},
	{STR("APS4"), STR("ap-southeast-3")}, {STR("APS5"), STR("ap-south-2")},
	{STR("APS6"), STR("ap-southeast-4")}, {STR("APS7"), STR("ap-southeast-5")},
	{STR("APS8"), STR("ap-southeast-6")}, {STR("APS9"), STR("ap-southeast-7")},
	{STR("APE1"), STR("ap-east-1")},      {STR("APE2"), STR("ap-east-2")},
	{STR("SAE1"), STR("sa-east-1")},      {STR("MES1"), STR("me-south-1")},
	{STR("MEC1"), STR("me-central-1")},   {STR("ILC1"), STR("il-central-1")},
	{STR("AFS1"), STR("af-south-1")},
};

// Models as the camel grammar writes them. Names with a vendor ("anthropic.claude-opus-4-8") need no row.
static const struct {
	struct str written, model;
} models[] = {
	{STR("Claude2.0"), STR("anthropic.claude-v2")},
	{STR("Claude3Haiku"), STR("anthropic.claude-3-haiku")},
	{STR("Claude3Sonnet"), STR("anthropic.claude-3-sonnet")},
	{STR("Claude3-5Haiku"), STR("anthropic.claude-3-5-haiku")},
	{STR("Claude4Sonnet"), STR("anthropic.claude-sonnet-4")},
	{STR("Claude4.5Haiku"), STR("anthropic.claude-haiku-4-5")},
	{STR("Claude4.5Sonnet"), STR("anthropic.claude-sonnet-4-5")},
	{STR("Claude4.5Opus"), STR("anthropic.claude-opus-4-5")},
	{STR("Claude4.6Sonnet"), STR("anthropic.claude-sonnet-4-6")},
	{STR("Claude4.6Opus"), STR("anthropic.claude-opus-4-6")},
	{STR("GPT-OSS-120B"), STR("openai.gpt-oss-120b")},
	{STR("GPT-OSS-20B"), STR("openai.gpt-oss-20b")},
	{STR("GPT-OSS-Safeguard-120B"), STR("openai.gpt-oss-safeguard-120b")},
	{STR("GPT-OSS-Safeguard-20B"), STR("openai.gpt-oss-safeguard-20b")},
	{STR("Llama3-1-405B"), STR("meta.llama3-1-405b-instruct")},
	{STR("Llama4-Maverick-17B"), STR("meta.llama4-maverick-17b-instruct")},
	{STR("NovaMicro"), STR("amazon.nova-micro")},
	{STR("NovaLite"), STR("amazon.nova-lite")},
	{STR("NovaPro"), STR("amazon.nova-pro")},
	{STR("NovaPremier"), STR("amazon.nova-premier")},
	{STR("Nova2.0Lite"), STR("amazon.nova-2-lite")},
	{STR("TitanEmbeddingV2-Text"), STR("amazon.titan-embed-text-v2")},
	{STR("TitanEmbeddingsG1-Image"), STR("amazon.titan-embed-image")},
};

// What is counted. `opens`: any words may follow, because this is not usage of a call.
struct counted {
	struct str word;
	enum usage_kind kind;
	enum token_type type;
	int ttl_minutes;
	enum price_tier tier;
	enum usage_modality modality;
	bool opens;
};

static const struct counted written_with_dashes[] = {
	{STR("-cache-read-input-token-count"), USAGE_TOKENS, TOKEN_CACHE_READ, 0, TIER_STANDARD, MODALITY_TEXT,
     false},
	{STR("-cache-write-input-token-count"), USAGE_TOKENS, TOKEN_CACHE_WRITE_5M, 5, TIER_STANDARD,
     MODALITY_TEXT, false},
	{STR("-cache-read-tokens"), USAGE_TOKENS, TOKEN_CACHE_READ, 0, TIER_STANDARD, MODALITY_TEXT, false},
	{STR("-cache-write-tokens"), USAGE_TOKENS, TOKEN_CACHE_WRITE_5M, 5, TIER_STANDARD, MODALITY_TEXT, false},
	{STR("-input-tokens"), USAGE_TOKENS, TOKEN_INPUT, 0, TIER_STANDARD, MODALITY_TEXT, false},
	{STR("-output-tokens"), USAGE_TOKENS, TOKEN_OUTPUT, 0, TIER_STANDARD, MODALITY_TEXT, false},
	{STR("-text-input-tokens"), USAGE_TOKENS, TOKEN_INPUT, 0, TIER_STANDARD, MODALITY_TEXT, false},
	{STR("-text-output-tokens"), USAGE_TOKENS, TOKEN_OUTPUT, 0, TIER_STANDARD, MODALITY_TEXT, false},
	{STR("-speech-input-tokens"), USAGE_TOKENS, TOKEN_INPUT, 0, TIER_STANDARD, MODALITY_SPEECH, false},
	{STR("-speech-output-tokens"), USAGE_TOKENS, TOKEN_OUTPUT, 0, TIER_STANDARD, MODALITY_SPEECH, false},
	{STR("-input-image-token-count"), USAGE_TOKENS, TOKEN_INPUT, 0, TIER_STANDARD, MODALITY_IMAGE, false},
	{STR("-input-image"), USAGE_IMAGES, TOKEN_INPUT, 0, TIER_STANDARD, MODALITY_IMAGE, false},
	{STR("-reserved"), USAGE_RESERVED, TOKEN_INPUT, 0, TIER_STANDARD, MODALITY_TEXT, true},
	{STR("-Customization"), USAGE_CUSTOMIZING, TOKEN_INPUT, 0, TIER_STANDARD, MODALITY_TEXT, true},
	{STR("-ProvisionedThroughput"), USAGE_PROVISIONED, TOKEN_INPUT, 0, TIER_STANDARD, MODALITY_TEXT, true},
};

static const struct counted written_for_marketplace[] = {
	{STR("InputTokenCount"), USAGE_TOKENS, TOKEN_INPUT, 0, TIER_STANDARD, MODALITY_TEXT, false},
	{STR("OutputTokenCount"), USAGE_TOKENS, TOKEN_OUTPUT, 0, TIER_STANDARD, MODALITY_TEXT, false},
	{STR("CacheReadInputTokenCount"), USAGE_TOKENS, TOKEN_CACHE_READ, 0, TIER_STANDARD, MODALITY_TEXT, false},
	{STR("CacheWriteInputTokenCount"), USAGE_TOKENS, TOKEN_CACHE_WRITE_5M, 5, TIER_STANDARD, MODALITY_TEXT,
     false},
	{STR("CacheWrite30mInputTokenCount"), USAGE_TOKENS, TOKEN_CACHE_WRITE_5M, 30, TIER_STANDARD,
     MODALITY_TEXT, false},
	{STR("CacheWrite1hInputTokenCount"), USAGE_TOKENS, TOKEN_CACHE_WRITE_1H, 60, TIER_STANDARD, MODALITY_TEXT,
     false},
	{STR("MillionBatchInputTokens"), USAGE_TOKENS, TOKEN_INPUT, 0, TIER_BATCH, MODALITY_TEXT, false},
	{STR("MillionBatchOutputTokens"), USAGE_TOKENS, TOKEN_OUTPUT, 0, TIER_BATCH, MODALITY_TEXT, false},
	{STR("input_tokens"), USAGE_TOKENS, TOKEN_INPUT, 0, TIER_STANDARD, MODALITY_TEXT, false},
	{STR("output_tokens"), USAGE_TOKENS, TOKEN_OUTPUT, 0, TIER_STANDARD, MODALITY_TEXT, false},
	{STR("cache_read_tokens"), USAGE_TOKENS, TOKEN_CACHE_READ, 0, TIER_STANDARD, MODALITY_TEXT, false},
	{STR("cache_write_tokens"), USAGE_TOKENS, TOKEN_CACHE_WRITE_5M, 5, TIER_STANDARD, MODALITY_TEXT, false},
	{STR("InputImageCount"), USAGE_IMAGES, TOKEN_INPUT, 0, TIER_STANDARD, MODALITY_IMAGE, false},
	{STR("search_units"), USAGE_SEARCHES, TOKEN_INPUT, 0, TIER_STANDARD, MODALITY_TEXT, false},
	{STR("Reserved"), USAGE_RESERVED, TOKEN_INPUT, 0, TIER_STANDARD, MODALITY_TEXT, true},
	{STR("ProvisionedThroughput"), USAGE_PROVISIONED, TOKEN_INPUT, 0, TIER_STANDARD, MODALITY_TEXT, true},
};

enum effect { SET_TIER, SET_TTL, SET_GLOBAL, SET_REGIONAL, SET_LONG, SET_CUSTOM };

static const struct {
	struct str word;
	enum effect effect;
	int value;
} modifiers[] = {
	{STR("standard"), SET_TIER, TIER_STANDARD},
	{STR("batch"), SET_TIER, TIER_BATCH},
	{STR("Batch"), SET_TIER, TIER_BATCH},
	{STR("flex"), SET_TIER, TIER_FLEX},
	{STR("priority"), SET_TIER, TIER_PRIORITY},
	{STR("ultrafast"), SET_TIER, TIER_ULTRAFAST},
	{STR("latency-optimized"), SET_TIER, TIER_LATENCY},
	{STR("LatencyOptimized"), SET_TIER, TIER_LATENCY},
	{STR("5m"), SET_TTL, 5},
	{STR("30m"), SET_TTL, 30},
	{STR("1h"), SET_TTL, 60},
	{STR("1-hour"), SET_TTL, 60},
	{STR("global"), SET_GLOBAL, 0},
	{STR("Global"), SET_GLOBAL, 0},
	{STR("cross-region-global"), SET_GLOBAL, 0},
	{STR("geo"), SET_REGIONAL, 0},
	{STR("Geo"), SET_REGIONAL, 0},
	{STR("long-context"), SET_LONG, 0},
	{STR("long-ctx"), SET_LONG, 0},
	{STR("long_ctx"), SET_LONG, 0},
	{STR("LCtx"), SET_LONG, 0},
	{STR("custom-model"), SET_CUSTOM, 0},
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct str skip_bytes(struct str s, size_t n)
{
	return (struct str){s.p + n, s.len - n};
}

static bool ends_word(struct str s, size_t at)
{
	return at == s.len || s.p[at] == '-' || s.p[at] == '_';
}

// The first word of the table in *s. *ret_before is the text before it; *s is then the text after it.
static const struct counted *find_counted(struct str *s, struct str *ret_before)
{
	for (size_t at = 0; at < s->len; at++)
		for (size_t i = 0; i < COUNT(written_with_dashes); i++) {
			struct str word = written_with_dashes[i].word, here = skip_bytes(*s, at);
			if (!str_starts(here, word) || !ends_word(here, word.len))
				continue;
			*ret_before = (struct str){s->p, at};
			*s = skip_bytes(here, word.len);
			return &written_with_dashes[i];
		}
	return NULL;
}

static const struct counted *find_marketplace_counted(struct str *s)
{
	for (size_t i = 0; i < COUNT(written_for_marketplace); i++) {
		struct str word = written_for_marketplace[i].word;
		if (str_starts(*s, word) && ends_word(*s, word.len)) {
			*s = skip_bytes(*s, word.len);
			return &written_for_marketplace[i];
		}
	}
	return NULL;
}

// Whether a modifier contradicts an earlier one, such as "flex" and "priority".
static bool contradicts_earlier(const struct usage_type *u, enum effect effect, int value, uint32_t *said)
{
	enum effect about = effect == SET_REGIONAL ? SET_GLOBAL : effect;
	bool before = *said >> about & 1;
	*said |= 1u << about;
	switch (about) {
	case SET_TIER: return before && u->tier != (enum price_tier)value;
	case SET_GLOBAL: return before && u->scope != (effect == SET_GLOBAL ? SCOPE_GLOBAL : SCOPE_REGIONAL);
	case SET_TTL: return before && u->ttl_minutes != value;
	default: return false;
	}
}

static bool apply_modifier(struct usage_type *u, enum effect effect, int value)
{
	switch (effect) {
	case SET_TIER: u->tier = (enum price_tier)value; return true;
	case SET_GLOBAL: u->scope = SCOPE_GLOBAL; return true;
	case SET_REGIONAL: u->scope = SCOPE_REGIONAL; return true;
	case SET_LONG: u->long_prompt = true; return true;
	case SET_CUSTOM: u->custom = true; return true;
	case SET_TTL:
		if (u->type != TOKEN_CACHE_WRITE_5M && u->type != TOKEN_CACHE_WRITE_1H)
			return false;
		u->type = value == 60 ? TOKEN_CACHE_WRITE_1H : TOKEN_CACHE_WRITE_5M;
		u->ttl_minutes = value;
		return true;
	}
	return false;
}

static bool read_modifiers(struct usage_type *u, struct str rest)
{
	// Some counted words imply a modifier: MillionBatchInputTokens, CacheWrite1hInputTokenCount.
	uint32_t said =
		(u->tier != TIER_STANDARD ? 1u << SET_TIER : 0) | (u->ttl_minutes > 5 ? 1u << SET_TTL : 0);
	while (rest.len) {
		struct str word = skip_bytes(rest, 1);
		size_t i = 0;
		while (i < COUNT(modifiers) &&
		       !(str_starts(word, modifiers[i].word) && ends_word(word, modifiers[i].word.len)))
			i++;
		if (i == COUNT(modifiers) || contradicts_earlier(u, modifiers[i].effect, modifiers[i].value, &said) ||
		    !apply_modifier(u, modifiers[i].effect, modifiers[i].value))
			return false;
		rest = skip_bytes(word, modifiers[i].word.len);
	}
	return true;
}

static struct str find_region(struct str prefix)
{
	for (size_t i = 0; i < COUNT(regions); i++)
		if (str_eq(prefix, regions[i].prefix))
			return regions[i].region;
	return STR_NONE;
}

// The model of a written name. A name in lower case is an API id: it is taken if it is already in the form of
// the catalogue.
static struct str find_model(struct str written)
{
	struct model_id id;
	for (size_t i = 0; i < COUNT(models); i++)
		if (str_eq(written, models[i].written))
			return models[i].model;
	for (size_t i = 0; i < written.len; i++)
		if (!memchr("abcdefghijklmnopqrstuvwxyz0123456789.-_", written.p[i], 39))
			return STR_NONE;
	model_id_read(&id, written);
	return id.kind == MODEL_NAMED && str_eq(model_id_name(&id), written) ? written : STR_NONE;
}

bool usage_type_read(struct usage_type *ret, struct str text, const char **ret_why)
{
	struct usage_type u = {.scope = SCOPE_REGIONAL, .tokens_per_unit = 1000};
	struct str rest = text;
	const struct counted *counted;
	u.prefix = str_cut(&rest, '-');
	u.region = find_region(u.prefix);
	if (!rest.len) {
		*ret_why = "usage type: no Region prefix, such as USE1-";
		return false;
	}
	if (str_starts(rest, STR("Guardrail-"))) {
		u.kind = USAGE_GUARDRAIL;
		*ret = u;
		return true;
	}
	if (str_starts(rest, STR("MP:"))) {
		struct str again = str_cut(&rest, '_'), prefix = skip_bytes(again, 3);
		// eu-west-1 has two prefixes
		if (!str_eq(prefix, u.prefix) && !(u.region.len && str_eq(find_region(prefix), u.region))) {
			*ret_why = "usage type: it names two Regions";
			return false;
		}
		if (str_ends(rest, STR("-Units")))
			rest.len -= 6;
		u.tokens_per_unit = 1000000;
		counted = find_marketplace_counted(&rest);
	} else {
		counted = find_counted(&rest, &u.model_written);
		if (str_ends(u.model_written, STR("-mantle")))
			u.model_written.len -= 7;
		u.model = find_model(u.model_written);
		if (!u.model_written.len)
			counted = NULL;
	}
	if (!counted) {
		*ret_why = "usage type: no known word says what is counted";
		return false;
	}
	assert(counted->kind < USAGE_KINDS && counted->type < TOKEN_TYPES);
	u.kind = counted->kind;
	u.type = counted->type;
	u.ttl_minutes = counted->ttl_minutes;
	u.tier = counted->tier;
	u.modality = counted->modality;
	if (!counted->opens && !read_modifiers(&u, rest)) {
		*ret_why =
			"usage type: it has an unknown word, or one that contradicts another, and any word may change the rate";
		return false;
	}
	*ret = u;
	return true;
}
