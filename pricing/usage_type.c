// SPDX-License-Identifier: Apache-2.0
// The prefix of the Region is cut off, the words for what is counted are found, and the words after them are
// modifiers. All words are in tables: a new word is a row here and a line in tests/usage_type.txt.
//
// Some words contain others. CacheWrite1hInputTokenCount ends in InputTokenCount, so the search for what is
// counted starts from the front. "batch" is a modifier, and also a part of MillionBatchInputTokens. Modifiers
// come in any order, so each must match up to the next separator. A model's name may hold a word of tokens
// with a capital ("TitanEmbeddingV2-Text"): where words stand between dashes, only lower case says what is
// counted.
#include "pricing/usage_type.h"

#include <assert.h>
#include <strings.h>

const char *const usage_kind_names[USAGE_KINDS] = {"tokens",     "images",   "video",       "searches",
                                                   "model time", "reserved", "provisioned", "customizing",
                                                   "guardrail",  "other"};

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

// Words that say which tokens are counted. They stand together: "cache-write-input-token-count".
enum said {
	SAID_TOKENS = 1, SAID_INPUT = 2, SAID_OUTPUT = 4, SAID_CACHE = 8, SAID_READ = 16, SAID_WRITE = 32,
	SAID_SPEECH = 64, SAID_IMAGE = 128, SAID_VIDEO = 256, SAID_MILLION = 512, SAID_BATCH = 1024,
	SAID_1H = 2048, SAID_30M = 4096, SAID_5M = 8192
};

static const struct {
	struct str word;
	unsigned says;
} token_words[] = {
	{STR("token"), SAID_TOKENS},   {STR("tokens"), SAID_TOKENS},    {STR("count"), 0},
	{STR("input"), SAID_INPUT},    {STR("output"), SAID_OUTPUT},    {STR("cache"), SAID_CACHE},
	{STR("cached"), SAID_CACHE},   {STR("read"), SAID_READ},        {STR("reads"), SAID_READ},
	{STR("write"), SAID_WRITE},    {STR("writes"), SAID_WRITE},     {STR("text"), 0},
	{STR("speech"), SAID_SPEECH},  {STR("audio"), SAID_SPEECH},     {STR("image"), SAID_IMAGE},
	{STR("video"), SAID_VIDEO},    {STR("understanding"), 0},       {STR("generation"), 0},
};

// Further words inside of a name in capitals: "CacheWrite1hInputTokenCount", "MillionBatchInputTokens".
static const struct {
	struct str word;
	unsigned says;
} camel_words[] = {
	{STR("million"), SAID_MILLION}, {STR("batch"), SAID_BATCH}, {STR("1h"), SAID_1H},
	{STR("30m"), SAID_30M},         {STR("5m"), SAID_5M},
};

// What is counted and is no token. `opens`: any words may follow.
struct counted {
	struct str word;
	enum usage_kind kind;
	bool opens;
};

static const struct counted written_with_dashes[] = {
	{STR("-input-image"), USAGE_IMAGES, false},
	{STR("-output-image"), USAGE_IMAGES, false},
	{STR("-T2I"), USAGE_IMAGES, true},
	{STR("-I2I"), USAGE_IMAGES, true},
	{STR("-T2V"), USAGE_VIDEO, true},
	{STR("-I2V"), USAGE_VIDEO, true},
	{STR("-search-units"), USAGE_SEARCHES, false},
	{STR("-CustomModelImport-Inference"), USAGE_MODEL_TIME, true},
	{STR("-CustomModelImport-Storage"), USAGE_CUSTOMIZING, true},
	{STR("-reserved"), USAGE_RESERVED, true},
	{STR("-Customization"), USAGE_CUSTOMIZING, true},
	{STR("-ProvisionedThroughput"), USAGE_PROVISIONED, true},
};

static const struct counted written_for_marketplace[] = {
	{STR("InputImageCount"), USAGE_IMAGES, false},
	{STR("OutputImageCount"), USAGE_IMAGES, false},
	{STR("created_image"), USAGE_IMAGES, true},
	{STR("Created_image"), USAGE_IMAGES, true},
	{STR("CreatedImage"), USAGE_IMAGES, true},
	{STR("search_units"), USAGE_SEARCHES, false},
	{STR("Reserved"), USAGE_RESERVED, true},
	{STR("ProvisionedThroughput"), USAGE_PROVISIONED, true},
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

// ---- what is counted ----------------------------------------------------------------------------

static bool find_word(struct str word, bool camel, unsigned *said)
{
	for (size_t i = 0; i < COUNT(token_words); i++)
		if (str_eq(word, token_words[i].word)) {
			*said |= token_words[i].says;
			return true;
		}
	for (size_t i = 0; camel && i < COUNT(camel_words); i++)
		if (str_eq(word, camel_words[i].word)) {
			*said |= camel_words[i].says;
			return true;
		}
	return false;
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

// Cuts the next word off "CacheWrite1hInputTokenCount": "cache", "write", "1h", "input", ...; in lower case
// in `ret`, of at least WORD_MAX bytes.
enum { WORD_MAX = 16 };
static struct str cut_camel(struct str *rest, char *ret)
{
	size_t n = 1;
	while (n < rest->len && !is_upper(rest->p[n]) && !(is_digit(rest->p[n]) && !is_digit(rest->p[n - 1])))
		n++;
	size_t len = n < WORD_MAX ? n : 0; // no word is as long
	for (size_t i = 0; i < len; i++)
		ret[i] = (char)(is_upper(rest->p[i]) ? rest->p[i] + 32 : rest->p[i]);
	*rest = skip_bytes(*rest, n);
	return (struct str){ret, len};
}

// Whether a piece consists of such words: "input", "InputTokenCount".
static bool read_piece(struct str piece, bool camel, unsigned *said)
{
	char word[WORD_MAX];
	unsigned all = 0;
	if (!camel || !piece.len || !is_upper(piece.p[0]))
		return find_word(piece, false, said);
	while (piece.len)
		if (!find_word(cut_camel(&piece, word), true, &all))
			return false;
	*said |= all;
	return true;
}

// The words of tokens at the start of *s; *s is then the text after them. 0: there are none.
static unsigned cut_token_words(struct str *s, char separator, bool camel)
{
	unsigned said = 0;
	struct str rest = *s, behind = *s;
	while (rest.len) {
		struct str piece = str_cut(&rest, separator);
		if (!read_piece(piece, camel, &said))
			break;
		behind = skip_bytes(*s, (size_t)(piece.p + piece.len - s->p));
	}
	if (!(said & SAID_TOKENS))
		return 0;
	*s = behind;
	return said;
}

static bool set_token_type(struct usage_type *u, unsigned said)
{
	bool write = said & SAID_WRITE, read = (said & SAID_CACHE) && !write;
	if (!(said & (SAID_INPUT | SAID_OUTPUT | SAID_CACHE)) || (write && !(said & SAID_CACHE)) ||
	    ((said & SAID_OUTPUT) && (said & (SAID_INPUT | SAID_CACHE))) ||
	    ((said & (SAID_1H | SAID_30M | SAID_5M)) && !write))
		return false;
	u->kind = USAGE_TOKENS;
	u->type = write && (said & SAID_1H) ? TOKEN_CACHE_WRITE_1H
	          : write                   ? TOKEN_CACHE_WRITE_5M
	          : read                    ? TOKEN_CACHE_READ
	          : said & SAID_OUTPUT      ? TOKEN_OUTPUT
	                                    : TOKEN_INPUT;
	u->ttl_minutes = !write ? 0 : said & SAID_1H ? 60 : said & SAID_30M ? 30 : 5;
	u->tier = said & SAID_BATCH ? TIER_BATCH : TIER_STANDARD;
	u->modality = said & SAID_SPEECH  ? MODALITY_SPEECH
	              : said & SAID_VIDEO ? MODALITY_VIDEO
	              : said & SAID_IMAGE ? MODALITY_IMAGE
	                                  : MODALITY_TEXT;
	return true;
}

static bool read_other(struct usage_type *u, struct str *s, const struct counted *table, size_t n,
                       bool *ret_opens)
{
	for (size_t i = 0; i < n; i++) {
		struct str word = table[i].word;
		if (!str_starts(*s, word) ||
		    !(ends_word(*s, word.len) || (table[i].opens && is_upper(s->p[word.len]))))
			continue;
		*s = skip_bytes(*s, word.len);
		u->kind = table[i].kind;
		u->modality = u->kind == USAGE_IMAGES  ? MODALITY_IMAGE
		              : u->kind == USAGE_VIDEO ? MODALITY_VIDEO
		                                       : MODALITY_TEXT;
		*ret_opens = table[i].opens;
		return true;
	}
	return false;
}

// Finds what is counted in *s, after the model. *s is then the text after it: modifiers, unless *ret_opens.
static bool read_counted(struct usage_type *u, struct str *s, bool *ret_opens)
{
	for (size_t at = 1; at < s->len; at++) {
		struct str rest = skip_bytes(*s, at + 1), other = skip_bytes(*s, at);
		unsigned said = s->p[at] == '-' ? cut_token_words(&rest, '-', false) : 0;
		bool tokens = said && set_token_type(u, said);
		if (said && !tokens)
			return false;
		if (!tokens && (s->p[at] != '-' ||
		                !read_other(u, &other, written_with_dashes, COUNT(written_with_dashes), ret_opens)))
			continue;
		u->model_written = (struct str){s->p, at};
		*s = tokens ? rest : other;
		return true;
	}
	return false;
}

static bool read_marketplace_counted(struct usage_type *u, struct str *s, bool *ret_opens)
{
	unsigned said = cut_token_words(s, '_', true);
	return said ? set_token_type(u, said)
	            : read_other(u, s, written_for_marketplace, COUNT(written_for_marketplace), ret_opens);
}

// ---- modifiers ----------------------------------------------------------------------------------

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

// ---- the whole ----------------------------------------------------------------------------------

// "USE1", "EU": capitals and one digit, or a prefix that is known. Without one the text begins with the
// model.
static bool looks_like_prefix(struct str word)
{
	size_t n = 0;
	while (n < word.len && is_upper(word.p[n]))
		n++;
	return find_region(word).len || (n >= 2 && n <= 4 && n + 1 == word.len && is_digit(word.p[n]));
}

static void cut_prefix(struct usage_type *u, struct str *rest)
{
	struct str after = *rest, prefix = str_cut(&after, '-');
	if (!looks_like_prefix(prefix))
		return;
	u->prefix = prefix;
	u->region = find_region(prefix);
	*rest = after;
}

// "MP:USE1_" is cut off; the Region must be the same (eu-west-1 has two prefixes).
static bool cut_marketplace(const struct usage_type *u, struct str *rest)
{
	struct str prefix = skip_bytes(str_cut(rest, '_'), 3);
	if (str_ends(*rest, STR("-Units")))
		rest->len -= 6;
	return str_eq(prefix, u->prefix) || (u->region.len && str_eq(find_region(prefix), u->region));
}

// Fills *u as far as the text is understood. Returns why not all of it is, or NULL; *ret_rest is what was
// read last.
static const char *read_text(struct usage_type *u, struct str text, struct str *ret_rest)
{
	struct str rest = text;
	bool opens = false, found;
	cut_prefix(u, &rest);
	*ret_rest = rest;
	if (!rest.len)
		return "usage type: nothing follows the Region";
	if (str_starts(rest, STR("Guardrail-"))) {
		u->kind = USAGE_GUARDRAIL;
		return NULL;
	}
	if (str_starts(rest, STR("MP:"))) {
		bool same = cut_marketplace(u, &rest);
		u->tokens_per_unit = 1000000;
		*ret_rest = rest;
		found = read_marketplace_counted(u, &rest, &opens);
		if (!same)
			return "usage type: it names two Regions";
	} else {
		found = read_counted(u, &rest, &opens);
		if (str_ends(u->model_written, STR("-mantle")))
			u->model_written.len -= 7;
		found = found && u->model_written.len;
		u->model = find_model(u->model_written);
	}
	if (!found) {
		u->kind = USAGE_OTHER;
		return "usage type: no known word says what is counted";
	}
	*ret_rest = rest;
	if (!opens && !read_modifiers(u, rest))
		return "usage type: it has an unknown word, or one that contradicts another, and any word may change the rate";
	return NULL;
}

bool usage_type_read(struct usage_type *ret, struct str text, const char **ret_why)
{
	struct usage_type u = {.scope = SCOPE_REGIONAL, .tokens_per_unit = 1000};
	struct str rest;
	const char *why = read_text(&u, text, &rest);
	if (why) {
		*ret_why = why;
		return false;
	}
	assert(u.kind < USAGE_OTHER && u.type < TOKEN_TYPES);
	*ret = u;
	return true;
}

// ---- of a bill ----------------------------------------------------------------------------------

// Whether the text has the word, in capitals or not.
static bool mentions(struct str text, const char *word)
{
	size_t n = strlen(word);
	for (size_t at = 0; at + n <= text.len; at++)
		if (strncasecmp(text.p + at, word, n) == 0)
			return true;
	return false;
}

// The model before the first word of tokens: "moonshotai.kimi-k2.5-input"; else the first word.
static struct str guess_model(struct str text)
{
	unsigned said;
	for (size_t at = 1; at < text.len; at++) {
		struct str rest = skip_bytes(text, at + 1);
		if (text.p[at] == '-' && find_word(str_cut(&rest, '-'), false, &said))
			return (struct str){text.p, at};
	}
	return str_cut(&text, '-');
}

// What is counted, by the words that it mentions and by its unit.
static void guess(struct usage_type *u, struct str text, struct str unit)
{
	unsigned said = (mentions(text, "cache") ? SAID_CACHE : 0) | (mentions(text, "write") ? SAID_WRITE : 0) |
	                (mentions(text, "1h") || mentions(text, "1-hour") ? SAID_1H : 0) |
	                (mentions(text, "speech") || mentions(text, "audio") ? SAID_SPEECH : 0);
	if (mentions(text, "storage") || mentions(text, "training")) {
		u->kind = USAGE_CUSTOMIZING;
	} else if (mentions(text, "token") || mentions(unit, "token")) {
		said &= said & SAID_CACHE && said & SAID_WRITE ? ~0u : ~(unsigned)(SAID_WRITE | SAID_1H);
		said |= said & SAID_CACHE ? 0 : mentions(text, "output") ? SAID_OUTPUT : SAID_INPUT;
		bool set = set_token_type(u, said);
		assert(set);
	} else {
		u->kind = mentions(text, "image") || mentions(unit, "image")   ? USAGE_IMAGES
		          : mentions(text, "video") || mentions(unit, "video") ? USAGE_VIDEO
		          : mentions(text, "search")                           ? USAGE_SEARCHES
		                                                               : USAGE_OTHER;
	}
	if (!u->model_written.len && u->tokens_per_unit == 1000) { // the Marketplace's have none
		u->model_written = guess_model(text);
		u->model = find_model(u->model_written);
	}
}

void usage_type_read_billed(struct usage_type *ret, struct str text, struct str unit, const char **ret_why)
{
	struct usage_type u = {.scope = SCOPE_REGIONAL, .tokens_per_unit = 1000};
	struct str rest;
	const char *why = read_text(&u, text, &rest);
	u.unsure = why != NULL;
	if (u.kind == USAGE_OTHER)
		guess(&u, rest, unit);
	*ret = u;
	*ret_why = why;
}
