// SPDX-License-Identifier: Apache-2.0
// Where a rate of LiteLLM's table holds; pricing/make-builtin.py has the same rules.
#include "pricing/litellm_places_priv.h"

#include <stdio.h>
#include <string.h>

#include "base/usd.h"
#include "pricing/price.h"

static const char *const us[] = {"us-east-1", "us-east-2", "us-west-2"};
static const char *const india[] = {"ap-south-1", "ap-south-2"};

enum rank { RANK_REGION, RANK_PROFILE, RANK_PLAIN, RANK_DOUBTFUL };

struct places {
	struct litellm_place *v;
	size_t n;
};

static void add_place(struct places *p, enum price_scope scope, struct str region, int percent, int rank)
{
	if (p->n == LITELLM_PLACES_MAX || region.len >= REGION_ROOM)
		return;
	struct litellm_place *place = &p->v[p->n++];
	*place = (struct litellm_place){.scope = scope, .percent = percent, .rank = rank};
	if (region.len)
		memcpy(place->region, region.p, region.len);
}

static void add_regions(struct places *p, enum price_scope scope, const char *const *regions, size_t n,
                        int rank)
{
	for (size_t i = 0; i < n; i++)
		add_place(p, scope, str_of(regions[i]), 100, rank);
}

bool litellm_has_premium(struct str model)
{
	struct str rest = model, prefix = STR("anthropic.claude-");
	int64_t major, minor = 0;
	if (!str_starts(model, prefix))
		return false;
	rest = (struct str){model.p + prefix.len, model.len - prefix.len};
	struct str family = str_cut(&rest, '-'), first = str_cut(&rest, '-');
	if (!family.len || (family.p[0] >= '0' && family.p[0] <= '9') || !usd_parse_scaled(first, 0, &major))
		return false;
	return (!rest.len || usd_parse_scaled(rest, 0, &minor)) && (major > 4 || (major == 4 && minor >= 5));
}

// "openai.gpt-5.4", not "openai.gpt-oss-120b".
static bool is_gpt(struct str model)
{
	const struct str gpt = STR("openai.gpt-");
	return str_starts(model, STR("openai.gpt-daybreak-")) ||
	       (str_starts(model, gpt) && model.len > gpt.len && model.p[gpt.len] >= '0' &&
	        model.p[gpt.len] <= '9');
}

static bool plain_is_global(struct str model)
{
	return litellm_has_premium(model) || is_gpt(model) || str_starts(model, STR("amazon.nova-2-lite")) ||
	       str_starts(model, STR("amazon.nova-2-pro"));
}

static void add_everywhere(struct places *p, struct str model, struct str region, struct str profile,
                           bool mantle)
{
	bool claude = str_starts(model, STR("anthropic."));
	if (str_is(profile, "global"))
		add_place(p, SCOPE_GLOBAL, STR(""), 100, RANK_PROFILE);
	else if (region.len || ((profile.len || mantle) && claude)) // Claude's are at the global rate at times
		add_place(p, SCOPE_REGIONAL, STR(""), 100, RANK_DOUBTFUL);
	else if (profile.len || mantle)
		add_place(p, SCOPE_REGIONAL, STR(""), 100, RANK_PROFILE);
	else
		add_place(p, SCOPE_GLOBAL, STR(""), 100, RANK_PLAIN);
	if (!region.len && !profile.len && !mantle && !is_gpt(model))
		add_place(p, SCOPE_REGIONAL, STR(""), litellm_has_premium(model) ? 110 : 100, RANK_PLAIN);
}

static bool is_within(struct str region, struct str profile)
{
	static const struct {
		struct str profile, prefix;
	} geographies[] = {{STR("eu"), STR("eu-")},
	                   {STR("apac"), STR("ap-")},
	                   {STR("jp"), STR("ap-northeast-")},
	                   {STR("au"), STR("ap-southeast-")},
	                   {STR("ca"), STR("ca-")}};
	for (size_t i = 0; i < sizeof geographies / sizeof *geographies; i++)
		if (str_eq(profile, geographies[i].profile))
			return str_starts(region, geographies[i].prefix) && region.p[region.len - 1] != '*';
	return false;
}

static void add_alike(struct places *p, struct str model, struct str profile, const int64_t *rate)
{
	const struct price_rows *rows = catalogue_rows(catalogue_builtin());
	for (size_t i = 0; i < rows->n; i++) {
		const struct price_row *r = &rows->v[i];
		if (str_eq(r->model, model) && r->scope == SCOPE_REGIONAL && r->tier == TIER_STANDARD &&
		    !r->prompt_over && r->to_ms == INT64_MAX && r->rate[TOKEN_INPUT] == rate[TOKEN_INPUT] &&
		    r->rate[TOKEN_OUTPUT] == rate[TOKEN_OUTPUT] && is_within(r->region, profile))
			add_place(p, SCOPE_REGIONAL, r->region, 100, RANK_PROFILE);
	}
}

size_t litellm_places(struct str model, struct str region, struct str profile, bool mantle,
                      const int64_t *rate, struct litellm_place ret[LITELLM_PLACES_MAX])
{
	struct places p = {ret, 0};
	if (str_starts(region, STR("us-gov-")))
		add_place(&p, SCOPE_REGIONAL, region, 100, RANK_REGION);
	else if (str_is(profile, "us-gov"))
		add_place(&p, SCOPE_REGIONAL, STR("us-gov-*"), 100, RANK_PROFILE);
	else if (str_starts(model, STR("anthropic.claude")) || is_gpt(model))
		add_everywhere(&p, model, region, profile, mantle);
	else if (region.len)
		add_place(&p, SCOPE_REGIONAL, region, 100, RANK_REGION);
	else if (str_is(profile, "global") && !str_starts(model, STR("amazon.")))
		add_place(&p, SCOPE_GLOBAL, STR(""), 100, RANK_PROFILE);
	else if (str_is(profile, "global"))
		add_regions(&p, SCOPE_GLOBAL, us, 3, RANK_PROFILE);
	else if (str_is(profile, "us"))
		add_regions(&p, SCOPE_REGIONAL, us, 3, RANK_PROFILE);
	else if (str_is(profile, "in"))
		add_regions(&p, SCOPE_REGIONAL, india, 2, RANK_PROFILE);
	else if (profile.len)
		add_alike(&p, model, profile, rate);
	else
		add_regions(&p, plain_is_global(model) ? SCOPE_GLOBAL : SCOPE_REGIONAL, us, 3, RANK_PLAIN);
	return p.n;
}
