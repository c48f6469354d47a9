// SPDX-License-Identifier: Apache-2.0
// CloudTrail, CloudWatch and invocation logs write the id of the same model in different forms: a full ARN, a
// profile id, or its last segment. All forms must lead to one row of the price catalogue. They are read in
// one pass without allocation, because this runs for every cell that is priced.
//
// Nothing is guessed. An id without a vendor ("k3v9q2m7x1tz") names no model: its kind is MODEL_OPAQUE.
#include "pricing/model_id.h"

// Geographies of profiles that are known: any name may follow them.
static const struct str geographies[] = {STR("global"), STR("us"), STR("eu"),     STR("apac"), STR("jp"),
                                         STR("au"),     STR("ca"), STR("us-gov"), STR("amer"), STR("in")};

// Vendors of the models on Bedrock (its user guide, "Supported foundation models").
static const struct str vendors[] = {
	STR("ai21"),     STR("amazon"),     STR("anthropic"), STR("cohere"), STR("deepseek"),  STR("google"),
	STR("luma"),     STR("meta"),       STR("minimax"),   STR("mistral"), STR("moonshot"), STR("moonshotai"),
	STR("nvidia"),   STR("openai"),     STR("qwen"),      STR("stability"), STR("twelvelabs"), STR("writer"),
	STR("xai"),      STR("zai"),
};

// The kind of an id by the resource type of its ARN, the segment before the id.
static const struct {
	struct str type;
	enum model_id_kind kind;
} arn_types[] = {
	{STR("foundation-model"), MODEL_NAMED},
	{STR("inference-profile"), MODEL_NAMED},
	{STR("application-inference-profile"), MODEL_APPLICATION},
	{STR("provisioned-model"), MODEL_PROVISIONED},
	{STR("custom-model"), MODEL_CUSTOM},
	{STR("custom-model-deployment"), MODEL_CUSTOM},
	{STR("imported-model"), MODEL_CUSTOM},
	{STR("prompt"), MODEL_INDIRECT},
	{STR("prompt-router"), MODEL_INDIRECT},
	{STR("default-prompt-router"), MODEL_INDIRECT},
	{STR("endpoint"), MODEL_ENDPOINT},
	{STR("agent-alias"), MODEL_AGENT},
	{STR("inline-agent"), MODEL_AGENT},
	{STR("flow"), MODEL_AGENT},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool cut_prefix(struct str *s, struct str prefix)
{
	if (!str_starts(*s, prefix))
		return false;
	s->p += prefix.len;
	s->len -= prefix.len;
	return true;
}

static bool is_in(const struct str *list, size_t n, struct str word)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i], word))
			return true;
	return false;
}

// "in", "us-gov": two to six letters, and perhaps a dash and three.
static bool looks_like_geography(struct str word)
{
	struct str rest = word, first = str_cut(&rest, '-');
	if (first.len < 2 || first.len > 6 || (word.len > first.len && rest.len != 3))
		return false;
	for (size_t i = 0; i < word.len; i++)
		if ((word.p[i] < 'a' || word.p[i] > 'z') && i != first.len)
			return false;
	return true;
}

struct str model_id_cut_profile(struct str *id)
{
	struct str rest = *id, word = str_cut(&rest, '.'), after = rest;
	if (word.len == id->len || !rest.len || word.len > MODEL_PROFILE_MAX)
		return STR_NONE;
	if (!is_in(geographies, sizeof geographies / sizeof *geographies, word)) {
		struct str vendor = str_cut(&after, '.');
		if (!after.len || !looks_like_geography(word) ||
		    !is_in(vendors, sizeof vendors / sizeof *vendors, vendor))
			return STR_NONE;
	}
	*id = rest;
	return word;
}

static bool kind_of_type(struct str type, enum model_id_kind *ret)
{
	for (size_t i = 0; i < sizeof(arn_types) / sizeof(*arn_types); i++)
		if (str_eq(type, arn_types[i].type)) {
			*ret = arn_types[i].kind;
			return true;
		}
	return false;
}

// "arn:partition:service:region:account:type/..." leaves "type/...". No ARN is left in front, whatever it was.
static bool cut_arn_head(struct str *s)
{
	bool cut = false;
	for (; str_starts(*s, STR("arn:")); cut = true)
		for (int i = 0; i < 5; i++)
			(void)str_cut(s, ':');
	return cut;
}

// An ARN, or a key with its type, leaves the last segment with the kind that the type means.
static enum model_id_kind cut_type(struct str *s)
{
	enum model_id_kind kind = MODEL_OPAQUE;
	bool arn = cut_arn_head(s);
	struct str last = *s, type = str_cut(&last, '/');
	if (!arn && type.len == s->len)
		return MODEL_NAMED;
	kind_of_type(type, &kind);
	*s = str_after_last(*s, '/');
	return kind;
}

static bool reads_as_named(struct str id)
{
	return str_starts(id, STR("claude-")) || memchr(id.len ? id.p : "", '.', id.len);
}

struct str model_id_key(struct str called)
{
	struct str typed = called;
	enum model_id_kind kind = MODEL_OPAQUE;
	bool arn = cut_arn_head(&typed);
	struct str rest = typed, last = str_after_last(typed, '/');
	if (!kind_of_type(str_cut(&rest, '/'), &kind) && !arn)
		return called;
	if (str_starts(last, STR("arn:"))) // would have another key
		return typed;
	return kind == MODEL_NAMED || (kind != MODEL_AGENT && !reads_as_named(last)) ? last : typed;
}

// Drops what follows the first ':' or '@': ":0", ":0:28k", "@20251001".
static bool cut_revision(struct str *s)
{
	for (size_t i = 0; i < s->len; i++)
		if (s->p[i] == ':' || s->p[i] == '@') {
			s->len = i;
			return true;
		}
	return false;
}

// Cuts "-v" and digits off the end; returns them, or STR_NONE.
static struct str cut_version(struct str *s)
{
	size_t i = s->len;
	while (i > 0 && is_digit(s->p[i - 1]))
		i--;
	if (i == s->len || i < 2 || s->p[i - 1] != 'v' || s->p[i - 2] != '-')
		return STR_NONE;
	struct str version = {s->p + i - 2, s->len - (i - 2)};
	s->len = i - 2;
	return version;
}

// Cuts "-" and a date of eight digits off the end. Four digits ("mistral-large-2402") are part of a name.
static void cut_date(struct str *s)
{
	if (s->len < 9 || s->p[s->len - 9] != '-')
		return;
	for (size_t i = s->len - 8; i < s->len; i++)
		if (!is_digit(s->p[i]))
			return;
	s->len -= 9;
}

static bool append_name(struct model_id *m, struct str s)
{
	if (s.len > sizeof(m->name) - m->len) {
		m->len = 0;
		m->kind = MODEL_OPAQUE;
		return false;
	}
	if (s.len)
		memcpy(m->name + m->len, s.p, s.len);
	m->len += s.len;
	return true;
}

void model_id_read(struct model_id *ret, struct str id)
{
	struct model_id *m = ret;
	m->scope = SCOPE_REGIONAL;
	m->profile_len = 0;
	m->len = 0;
	if (str_is(id, MODEL_OTHERS_STORED) || str_is(id, MODEL_OTHERS_SHOWN)) {
		m->kind = MODEL_OTHERS;
		m->mantle = false;
		append_name(m, id);
		return;
	}
	m->mantle = cut_prefix(&id, STR(MODEL_MANTLE));
	m->kind = cut_type(&id);
	if (m->kind != MODEL_NAMED) {
		append_name(m, id);
		return;
	}
	struct str profile = model_id_cut_profile(&id);
	m->scope = str_is(profile, "global") ? SCOPE_GLOBAL : SCOPE_REGIONAL;
	m->profile_len = (uint8_t)profile.len;
	if (profile.len)
		memcpy(m->profile, profile.p, profile.len);
	// Some clients omit the vendor of Claude.
	if (str_starts(id, STR("claude-"))) {
		append_name(m, STR("anthropic."));
	} else if (!reads_as_named(id)) {
		m->kind = MODEL_OPAQUE;
		append_name(m, id);
		return;
	}
	bool revised = cut_revision(&id);
	// gpt-oss is the only family that writes version 1 without a v: "openai.gpt-oss-120b-1:0".
	if (revised && str_starts(id, STR("openai.")) && str_ends(id, STR("-1")))
		id.len -= 2;
	struct str version = cut_version(&id);
	cut_date(&id);
	if (str_is(version, "-v0") || str_is(version, "-v1"))
		version = STR_NONE;
	if (append_name(m, id))
		append_name(m, version);
}
