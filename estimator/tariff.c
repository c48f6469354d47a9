// SPDX-License-Identifier: Apache-2.0
// The daemon prices every row here when an hour is settled, and `nowcast reprice` prices it again from the
// quantities that stand in Redis: both from the same priced usage, so that pricing twice at the same rates
// changes nothing.
#include "estimator/tariff.h"

#include <string.h>

#include "estimator/rate_class.h"
#include "pricing/price_file.h"

static void read_band(struct band *b, struct tariff *t, const struct prices *p, struct price_query *q)
{
	b->prompt_max = INT64_MAX;
	for (int type = 0; type < TOKEN_TYPES; type++) {
		q->type = (enum token_type)type;
		enum price_miss miss = prices_find(p, q, &b->found[type], &b->source[type]);
		b->rate[type] = miss == MISS_NONE ? b->found[type].pico_per_token : RATE_UNKNOWN;
		if (t->nbands == 0)
			t->miss[type] = miss;
		if (miss == MISS_NONE && b->found[type].prompt_max < b->prompt_max)
			b->prompt_max = b->found[type].prompt_max;
	}
}

static void tariff_read(struct tariff *ret, const struct prices *p, struct price_query q)
{
	ret->nbands = 0;
	do {
		struct band *b = &ret->bands[ret->nbands];
		read_band(b, ret, p, &q);
		ret->nbands++;
		q.prompt_tokens = b->prompt_max == INT64_MAX ? 0 : b->prompt_max + 1;
	} while (q.prompt_tokens && ret->nbands < BANDS_MAX);
	q.prompt_tokens = 0;
	q.per_unit = true;
	ret->by_unit = ret->miss[TOKEN_INPUT] >= MISS_IMAGE && ret->miss[TOKEN_OUTPUT] >= MISS_IMAGE;
	ret->unit_miss = prices_find(p, &q, &ret->unit, &ret->unit_source);
}

void tariffs_init(struct tariffs *t, const struct prices *p, struct str where, struct str model,
                  struct str foundation, int64_t hour_ms)
{
	struct str region = where, account = str_cut(&region, '/');
	t->prices = p;
	t->query = (struct price_query){
		.account = account, .region = region, .model = model, .foundation = foundation, .time_ms = hour_ms};
	memset(t->known, 0, sizeof t->known);
}

const struct tariff *tariffs_at(struct tariffs *t, enum price_tier tier)
{
	if (!t->known[tier]) {
		struct price_query q = t->query;
		q.tier = tier;
		tariff_read(&t->tariff[tier], t->prices, q);
		t->known[tier] = true;
	}
	return &t->tariff[tier];
}

static usd_pico prompt_sum(const struct priced_usage *b)
{
	usd_pico sum = 0; // wide enough for any five counts
	for (int type = 0; type < TOKEN_TYPES; type++)
		if (type != TOKEN_OUTPUT)
			sum += b->tokens[type];
	return sum;
}

static int64_t mean_prompt(const struct priced_usage *b)
{
	return (int64_t)(prompt_sum(b) / (b->calls > 0 ? b->calls : 1));
}

// The longest prompt that one of the calls can have had: every other one had a token at least.
static int64_t longest_prompt(const struct priced_usage *b)
{
	int64_t from, to;
	usd_pico longest = prompt_sum(b) - (b->calls > 1 ? b->calls - 1 : 0);
	rate_class_prompt(b->rate_class, &from, &to);
	if (b->prompt_max && longest > b->prompt_max)
		longest = b->prompt_max;
	return longest < to ? (int64_t)longest : to;
}

static int band_at(const struct tariff *t, int64_t prompt)
{
	int i = 0;
	while (i + 1 < t->nbands && prompt > t->bands[i].prompt_max)
		i++;
	return i;
}

const struct band *tariff_band(const struct tariff *t, const struct priced_usage *b, bool *ret_estimated)
{
	int64_t from, to;
	rate_class_prompt(b->rate_class, &from, &to);
	int low = band_at(t, from), high = band_at(t, to), at = b->calls > 0 ? band_at(t, mean_prompt(b)) : 0;
	if (ret_estimated)
		*ret_estimated = low != high && band_at(t, longest_prompt(b)) > low;
	return &t->bands[at < low ? low : at > high ? high : at];
}

// The highest rate of a band that a prompt may have been in, of those above `at`.
static int64_t highest_rate(const struct tariff *t, const struct priced_usage *b, int at,
                            enum token_type type)
{
	int64_t highest = t->bands[at].rate[type];
	for (int i = at + 1; i < t->nbands && longest_prompt(b) > t->bands[i - 1].prompt_max; i++)
		highest = t->bands[i].rate[type] > highest ? t->bands[i].rate[type] : highest;
	return highest;
}

static void add_more(struct usd *more, int64_t tokens, int64_t rate, int64_t higher)
{
	if (higher > rate)
		*more = usd_add(*more, usd_price(tokens, higher - rate));
}

bool tariff_knows(const struct tariff *t)
{
	bool known = t->unit_miss == MISS_NONE;
	for (int type = 0; type < TOKEN_TYPES; type++)
		known |= t->miss[type] == MISS_NONE || t->miss[type] > MISS_ENDPOINT;
	return known;
}

enum price_miss tariff_miss(const struct tariff *t, enum token_type type)
{
	return t->miss[type] ? t->miss[type] : MISS_TYPE;
}

enum price_miss tariff_unit_miss(const struct tariff *t)
{
	return t->unit_miss ? t->unit_miss : MISS_UNCOUNTED;
}

void figure_set_cost(struct figure *f, const struct cost *c)
{
	static const struct cost none;
	c = f->priced ? c : &none;
	f->usd = c->usd;
	f->more = c->more;
	f->less = c->less;
	f->rate_borrowed = c->rate_borrowed;
	f->scope_unknown = c->scope_unknown;
	f->other_rate = f->assumed ? c->other_rate : 0;
}

// At the rate; it may be the lowest or the highest of all Regions instead, if it is borrowed, or that of the
// other scope.
static struct cost cost_at(const struct rate *r, int64_t quantity)
{
	struct cost c = {.usd = usd_price(quantity, r->pico_per_token),
	                 .rate_borrowed = r->borrowed_from.len > 0,
	                 .scope_unknown = r->scope_unknown};
	add_more(&c.more, quantity, r->pico_per_token, r->highest_pico);
	add_more(&c.less, quantity, r->lowest_pico, r->pico_per_token);
	return c;
}

bool tariff_price_units(const struct tariff *t, int64_t units, struct cost *ret)
{
	if (t->unit_miss != MISS_NONE)
		return false;
	*ret = cost_at(&t->unit, units);
	return true;
}

// Tokens that may be input, cache reads or cache writes cost as little as the cheapest of these, or as much
// as the most expensive one, in a band that the prompt may have been in.
static void add_cache_doubt(const struct tariff *t, const struct priced_usage *b, int at,
                            enum token_type type, bool estimated, struct cost *ret)
{
	static const enum token_type of_prompt[] = {TOKEN_INPUT, TOKEN_CACHE_READ, TOKEN_CACHE_WRITE_5M};
	const int64_t *rates = t->bands[at].rate;
	int64_t counted = estimated ? highest_rate(t, b, at, type) : rates[type];
	int64_t lowest = rates[type], highest = counted;
	for (size_t i = 0; i < sizeof of_prompt / sizeof *of_prompt; i++) {
		enum token_type other = of_prompt[i];
		if (rates[other] == RATE_UNKNOWN)
			continue;
		int64_t high = estimated ? highest_rate(t, b, at, other) : rates[other];
		lowest = rates[other] < lowest ? rates[other] : lowest;
		highest = high > highest ? high : highest;
	}
	add_more(&ret->more, b->cache_unknown[type], counted, highest);
	add_more(&ret->less, b->cache_unknown[type], lowest, rates[type]);
}

// Cache writes whose TTL is not known may have the other one.
static void add_ttl_doubt(const struct band *band, const struct priced_usage *b, enum token_type type,
                          struct cost *ret)
{
	bool longer = type == TOKEN_CACHE_WRITE_1H;
	int64_t rate = band->rate[type],
			other = band->rate[longer ? TOKEN_CACHE_WRITE_5M : TOKEN_CACHE_WRITE_1H];
	if (other == RATE_UNKNOWN)
		return;
	ret->other_rate = other;
	add_more(&ret->more, longer ? b->doubtful_1h : b->doubtful_5m, rate, other);
	add_more(&ret->less, longer ? b->doubtful_1h : b->doubtful_5m, other, rate);
}

// A model that has no rate for the longer TTL has no such TTL: what was only taken for it costs as the
// shorter.
static bool price_as_5m(const struct tariff *t, const struct priced_usage *b, struct cost *ret)
{
	const enum token_type five = TOKEN_CACHE_WRITE_5M, hour = TOKEN_CACHE_WRITE_1H;
	struct priced_usage as_5m = *b;
	if (!b->doubtful_1h || b->doubtful_1h != b->tokens[hour] ||
	    tariff_band(t, b, NULL)->rate[five] == RATE_UNKNOWN)
		return false;
	as_5m.tokens[five] = b->tokens[hour]; // the length of the prompt, their sum, is the same
	as_5m.tokens[hour] = b->tokens[five];
	as_5m.cache_unknown[five] = b->cache_unknown[hour];
	as_5m.doubtful_5m = as_5m.doubtful_1h = 0;
	return tariff_price(t, &as_5m, five, ret);
}

bool tariff_price(const struct tariff *t, const struct priced_usage *b, enum token_type type,
                  struct cost *ret)
{
	bool estimated;
	const struct band *band = tariff_band(t, b, &estimated);
	int at = (int)(band - t->bands);
	int64_t rate = band->rate[type];
	if (rate == RATE_UNKNOWN)
		return type == TOKEN_CACHE_WRITE_1H && price_as_5m(t, b, ret);
	*ret = cost_at(&band->found[type], b->tokens[type]);
	if (type == TOKEN_CACHE_WRITE_5M || type == TOKEN_CACHE_WRITE_1H)
		add_ttl_doubt(band, b, type, ret);
	if (estimated)
		add_more(&ret->more, b->tokens[type], rate, highest_rate(t, b, at, type));
	if (b->cache_unknown[type])
		add_cache_doubt(t, b, at, type, estimated, ret);
	if (usd_cmp(ret->less, ret->usd) > 0) // for several reasons at once: at a rate that is borrowed, too
		ret->less = ret->usd;
	return true;
}
