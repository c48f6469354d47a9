// SPDX-License-Identifier: Apache-2.0
#include "pricing/price_diff.h"

#include <assert.h>
#include <stdlib.h>

#include "base/when.h"

// A Region in which a row of many Regions is compared.
static struct str sample_region(struct str region)
{
	static const struct {
		struct str geography, region;
	} regions[] = {
		{STR("us-*"), STR("us-east-1")},      {STR("eu-*"), STR("eu-west-1")},
		{STR("ap-*"), STR("ap-southeast-1")}, {STR("ca-*"), STR("ca-central-1")},
		{STR("sa-*"), STR("sa-east-1")},      {STR("us-gov-*"), STR("us-gov-west-1")},
	};
	if (!region.len)
		return STR("us-east-1");
	for (size_t i = 0; i < sizeof regions / sizeof *regions; i++)
		if (str_eq(region, regions[i].geography))
			return regions[i].region;
	return region;
}

// Now; for a row that is not in force now, its beginning.
static int64_t time_to_compare(const struct price_row *r, int64_t now_ms)
{
	return price_row_in_force(r, now_ms) ? now_ms : r->from_ms;
}

static int64_t current_rate(const struct prices *old, const struct price_change *c, int64_t now_ms,
                        struct price_source *ret)
{
	const struct price_row *r = c->row;
	struct buf id = BUF_INIT;
	struct rate rate;
	if (!r->profile.len && r->scope == SCOPE_GLOBAL)
		buf_adds(&id, "global.");
	price_row_add_model(&id, r);
	struct price_query q = {
		.model = buf_str(&id),
		.region = sample_region(r->region),
		.account = r->account,
		.type = c->type,
		.per_unit = c->per_unit,
		.tier = r->tier,
		.prompt_tokens = r->prompt_over ? r->prompt_over + 1 : 0,
		.time_ms = time_to_compare(r, now_ms),
	};
	enum price_miss miss = prices_find(old, &q, &rate, ret);
	buf_release(&id);
	return miss == MISS_NONE ? rate.list_pico : RATE_UNKNOWN;
}

struct price_change price_change_of(const struct price_row *r, int t)
{
	struct price_change c = {
		.row = r, .type = t < TOKEN_TYPES ? (enum token_type)t : TOKEN_INPUT, .per_unit = t == TOKEN_TYPES};
	assert(t >= 0 && t <= TOKEN_TYPES);
	c.is = c.per_unit ? r->per_unit : r->rate[t];
	return c;
}

// Two passes: first the rates that differ, then those that are new.
void price_diff_init(struct price_diff *ret, const struct prices *old, const struct price_rows *rows)
{
	int64_t now_ms = when_now_ms();
	*ret = (struct price_diff){.changes = xcalloc(rows->n * (TOKEN_TYPES + 1) + 1, sizeof *ret->changes)};
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < rows->n; i++)
			for (int t = 0; t <= TOKEN_TYPES; t++) {
				struct price_change c = price_change_of(&rows->v[i], t);
				if (c.is == RATE_UNKNOWN)
					continue;
				c.was = current_rate(old, &c, now_ms, &c.source);
				bool fresh = c.was == RATE_UNKNOWN, same = c.was == c.is;
				ret->same += pass == 0 && same;
				if (!same && fresh == (pass == 1)) {
					ret->changes[ret->n++] = c;
					*(fresh ? &ret->fresh : &ret->differing) += 1;
				}
			}
	assert(ret->differing + ret->fresh == ret->n);
}

void price_diff_release(struct price_diff *d)
{
	free(d->changes);
	*d = (struct price_diff){0};
}

bool price_change_is_wild(const struct price_change *c, int64_t factor)
{
	usd_pico was = c->was, is = c->is;
	if (c->was == RATE_UNKNOWN || was == is)
		return false;
	return was == 0 || is == 0 || was > is * factor || is > was * factor;
}

static void add_rate(struct buf *b, const struct price_change *c, int64_t rate)
{
	char text[USD_SIZE];
	if (rate == RATE_UNKNOWN)
		buf_adds(b, "-");
	else
		buf_adds(b, usd_format(usd_price(c->per_unit ? 1 : 1000000, rate), 6, text));
}

void price_change_describe(const struct price_change *c, struct buf *ret)
{
	const struct price_row *r = c->row;
	char when[WHEN_SIZE];
	price_row_add_model(ret, r);
	buf_addf(ret, " %s %.*s %s", r->scope == SCOPE_GLOBAL ? "global" : "regional",
	         r->region.len ? (int)r->region.len : 1, r->region.len ? r->region.p : "*",
	         price_tier_names[r->tier]);
	if (r->account.len)
		buf_addf(ret, " account %.*s", STR_ARG(r->account));
	if (r->prompt_over)
		buf_addf(ret, " prompt > %lld", (long long)r->prompt_over);
	if (c->per_unit)
		buf_addf(ret, " per %.*s ", STR_ARG(r->unit));
	else
		buf_addf(ret, " %s ", token_type_names[c->type]);
	add_rate(ret, c, c->was);
	buf_adds(ret, " -> ");
	add_rate(ret, c, c->is);
	if (r->from_ms > 0)
		buf_addf(ret, " from %.10s", when_format(r->from_ms, when));
	if (c->was != RATE_UNKNOWN)
		buf_addf(ret, " (was: %s)", c->source.name);
}
