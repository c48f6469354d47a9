// SPDX-License-Identifier: Apache-2.0
// CloudTrail, CloudWatch and invocation logs write the id of the same model in different forms: a full ARN, a
// profile id, or its last segment. All forms must lead to one row of the price catalogue. They are read in
// one pass without allocation, because this runs for every cell that is priced.
//
// Nothing is guessed. An id without a vendor ("k3v9q2m7x1tz") names no model: its kind is MODEL_OPAQUE.
#include "pricing/model_id.h"

static const struct {
	struct str prefix;
	enum price_scope scope;
} profiles[] = {
	{STR("global."), SCOPE_GLOBAL}, {STR("us."), SCOPE_REGIONAL},     {STR("eu."), SCOPE_REGIONAL},
	{STR("apac."), SCOPE_REGIONAL}, {STR("jp."), SCOPE_REGIONAL},     {STR("au."), SCOPE_REGIONAL},
	{STR("ca."), SCOPE_REGIONAL},   {STR("us-gov."), SCOPE_REGIONAL}, {STR("amer."), SCOPE_REGIONAL},
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

// "arn:partition:service:region:account:type/..." leaves "..." with the kind that `type` means.
static enum model_id_kind cut_arn(struct str *s)
{
	if (!str_starts(*s, STR("arn:")))
		return MODEL_NAMED;
	for (int i = 0; i < 5; i++)
		(void)str_cut(s, ':');
	struct str type = str_cut(s, '/');
	*s = str_after_last(*s, '/');
	for (size_t i = 0; i < sizeof(arn_types) / sizeof(*arn_types); i++)
		if (str_eq(type, arn_types[i].type))
			return arn_types[i].kind;
	return MODEL_OPAQUE;
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
	m->len = 0;
	if (str_is(id, MODEL_OTHERS_STORED) || str_is(id, MODEL_OTHERS_SHOWN)) {
		m->kind = MODEL_OTHERS;
		m->mantle = false;
		append_name(m, id);
		return;
	}
	m->mantle = cut_prefix(&id, STR("bedrock-mantle/"));
	m->kind = cut_arn(&id);
	if (m->kind != MODEL_NAMED) {
		append_name(m, id);
		return;
	}
	for (size_t i = 0; i < sizeof(profiles) / sizeof(*profiles); i++)
		if (cut_prefix(&id, profiles[i].prefix)) {
			m->scope = profiles[i].scope;
			break;
		}
	// Some clients omit the vendor of Claude.
	if (str_starts(id, STR("claude-"))) {
		append_name(m, STR("anthropic."));
	} else if (!memchr(id.len ? id.p : "", '.', id.len)) {
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
