// SPDX-License-Identifier: Apache-2.0
// What prompt caching saves, and what the figures do not cover.
//
// Without caching every token read from or written to the cache would have been an input token. So the saving
// is reads x (input rate - read rate), less what writes cost above the input rate. Rates are those of the
// figures themselves (dollars over tokens, by model, Region and account), those of the configured prices
// where a model had no input tokens outside the cache.
//
// What caching would save of the other input tokens depends on how many of them come again, which no record
// says. So a reader gets what they would cost if all were read from a cache, and if all were written to one:
// what they cost, times the rate of that over that of input. Both rates are of one source of prices, for a
// private rate over a public one says nothing.
#include <assert.h>
#include <stdlib.h>

#include "base/when.h"
#include "query/figure_json.h"
#include "store/keys.h"
#include "store/redis.h"
#include "web/api.h"

struct cache_use { // of one model, Region and account, or of all of them
	struct str model;
	int64_t tokens[TOKEN_TYPES];
	struct usd usd[TOKEN_TYPES];
	struct usd low, high; // the band of what the cached tokens cost
	struct usd as_input; // what they would have cost as input
	int64_t cacheable;   // of the input tokens: those with a price, of models that have rates for caching
	struct usd cacheable_usd, if_read, if_written; // what these cost, and would cost
	bool unpriced;       // they or input have no rate: what was saved is not known, and in no sum
};

static bool is_cached(int type)
{
	return type == TOKEN_CACHE_READ || type == TOKEN_CACHE_WRITE_5M || type == TOKEN_CACHE_WRITE_1H;
}

static int find_token_type(struct str name)
{
	for (int t = 0; t < TOKEN_TYPES; t++)
		if (str_is(name, token_type_names[t]))
			return t;
	return -1;
}

// Where the rates of a model are looked up. No rate is 0.
struct cache_rates {
	const struct prices *prices; // NULL: the built-in ones
	struct price_query q;
};

static int64_t find_rate(struct cache_rates *r, enum token_type type, struct price_source *ret_source)
{
	struct rate rate;
	r->q.type = type;
	return prices_find(r->prices, &r->q, &rate, ret_source) == MISS_NONE ? rate.pico_per_token : 0;
}

struct cached_rates {
	int64_t input, read, written;
};

// False: no source has all three.
static bool find_cached_rates(struct cache_rates *r, struct cached_rates *ret)
{
	struct price_source of_input = {0}, of_read = {0}, of_written = {0};
	ret->input = find_rate(r, TOKEN_INPUT, &of_input);
	ret->read = find_rate(r, TOKEN_CACHE_READ, &of_read);
	ret->written = find_rate(r, TOKEN_CACHE_WRITE_5M, &of_written);
	if (!ret->input || !ret->read || !ret->written)
		return false;
	if (of_input.catalogue == of_read.catalogue && of_input.catalogue == of_written.catalogue)
		return true;
	struct cache_rates built_in = {.q = r->q};
	return find_cached_rates(&built_in, ret);
}

// `tokens`: input tokens with a price.
static void price_as_cached(struct cache_use *c, struct cache_rates *r, int64_t tokens)
{
	struct cached_rates rates;
	if (!tokens || !find_cached_rates(r, &rates))
		return;
	c->cacheable = tokens;
	c->cacheable_usd = c->usd[TOKEN_INPUT];
	c->if_read = usd_muldiv(c->cacheable_usd, rates.read, rates.input);
	c->if_written = usd_muldiv(c->cacheable_usd, rates.written, rates.input);
}

static int64_t find_input_rate(const struct cache_use *c, struct cache_rates *r)
{
	if (c->tokens[TOKEN_INPUT] && c->usd[TOKEN_INPUT].pico > 0)
		return (int64_t)(c->usd[TOKEN_INPUT].pico / c->tokens[TOKEN_INPUT]);
	return find_rate(r, TOKEN_INPUT, NULL);
}

static void price_as_input(struct cache_use *c, struct cache_rates *r)
{
	int64_t rate = find_input_rate(c, r), tokens = 0;
	for (int t = 0; t < TOKEN_TYPES; t++)
		if (is_cached(t))
			tokens += c->tokens[t];
	c->as_input = usd_price(tokens, rate);
	c->unpriced |= tokens > 0 && rate == 0;
}

static struct usd cached_usd(const struct cache_use *c)
{
	return usd_add(c->usd[TOKEN_CACHE_READ],
	               usd_add(c->usd[TOKEN_CACHE_WRITE_5M], c->usd[TOKEN_CACHE_WRITE_1H]));
}

static void add_cache_use(struct cache_use *sum, const struct cache_use *c)
{
	if (c->unpriced)
		return;
	for (int t = 0; t < TOKEN_TYPES; t++) {
		sum->tokens[t] += c->tokens[t];
		sum->usd[t] = usd_add(sum->usd[t], c->usd[t]);
	}
	sum->as_input = usd_add(sum->as_input, c->as_input);
	sum->cacheable += c->cacheable;
	sum->cacheable_usd = usd_add(sum->cacheable_usd, c->cacheable_usd);
	sum->if_read = usd_add(sum->if_read, c->if_read);
	sum->if_written = usd_add(sum->if_written, c->if_written);
	sum->low = usd_add(sum->low, c->low);
	sum->high = usd_add(sum->high, c->high);
}

static void write_cache_use(struct json_writer *j, const struct cache_use *c)
{
	int64_t cached =
		c->tokens[TOKEN_CACHE_READ] + c->tokens[TOKEN_CACHE_WRITE_5M] + c->tokens[TOKEN_CACHE_WRITE_1H];
	int64_t prompt = cached + c->tokens[TOKEN_INPUT];
	for (int t = 0; t < TOKEN_TYPES; t++) {
		jw_object(j, token_type_names[t]);
		jw_int(j, "tokens", c->tokens[t]);
		jw_usd(j, "usd", c->usd[t]);
		jw_end(j);
	}
	jw_object(j, "cacheable");
	jw_int(j, "tokens", c->cacheable);
	jw_usd(j, "usd", c->cacheable_usd);
	jw_usd(j, "usd_if_read", c->if_read);
	jw_usd(j, "usd_if_written", c->if_written);
	jw_end(j);
	jw_usd_if(j, "without_caching", !c->unpriced, c->as_input);
	jw_usd_if(j, "saved", !c->unpriced, usd_sub(c->as_input, cached_usd(c)));
	jw_usd_if(j, "saved_low", !c->unpriced, usd_sub(c->as_input, c->high));
	jw_usd_if(j, "saved_high", !c->unpriced, usd_sub(c->as_input, c->low));
	if (prompt) // in parts of a million, so that no double is made here
		jw_int(j, "hit_ppm", (int64_t)((__int128)c->tokens[TOKEN_CACHE_READ] * 1000000 / prompt));
	else
		jw_null(j, "hit_ppm");
}

static void write_caching(struct json_writer *j, const struct api_query *q, const struct cache_use *models,
                          int n)
{
	struct cache_use all = {0};
	bool any_priced = n == 0;
	for (int i = 0; i < n; i++) {
		add_cache_use(&all, &models[i]);
		any_priced |= !models[i].unpriced;
	}
	all.unpriced = !any_priced;
	jw_object(j, NULL);
	figure_json_span(j, q->from, q->to);
	jw_object(j, "total");
	write_cache_use(j, &all);
	jw_end(j);
	jw_array(j, "models");
	for (int i = 0; i < n; i++) {
		jw_line(j);
		jw_object(j, NULL);
		jw_str(j, "model", models[i].model);
		write_cache_use(j, &models[i]);
		jw_bool(j, "priced", !models[i].unpriced);
		jw_end(j);
	}
	jw_end(j);
	jw_end(j);
}

static bool is_of_one_place(const struct str *a, const struct str *b)
{
	return str_eq(a[0], b[0]) && str_eq(a[1], b[1]) && str_eq(a[2], b[2]);
}

// One entry a model, its Regions and accounts added up. Groups are sorted by model, Region, account, token
// type.
static int collect_models(const struct groups *g, const struct prices *prices, int64_t time_ms,
                          struct cache_use *ret)
{
	int n = 0;
	for (int32_t i = 0; i < g->n;) {
		const struct str *keys = g->list[i].keys;
		struct cache_use c = {.model = keys[0]};
		struct cache_rates rates = {
			.prices = prices,
			.q = {.model = keys[0], .region = keys[1], .account = keys[2], .time_ms = time_ms}};
		int64_t input = 0;
		for (; i < g->n && is_of_one_place(g->list[i].keys, keys); i++) {
			int t = find_token_type(g->list[i].keys[3]);
			if (t < 0)
				continue;
			c.tokens[t] = g->list[i].tokens;
			c.usd[t] = g->list[i].usd;
			if (t == TOKEN_INPUT)
				input = c.tokens[t] - g->list[i].unpriced;
			if (!is_cached(t))
				continue;
			c.unpriced |= g->list[i].unpriced > 0;
			c.low = usd_add(c.low, g->list[i].usd_low);
			c.high = usd_add(c.high, g->list[i].usd_high);
		}
		price_as_input(&c, &rates);
		price_as_cached(&c, &rates, input);
		if (n && str_eq(ret[n - 1].model, c.model) && !ret[n - 1].unpriced)
			add_cache_use(&ret[n - 1], &c);
		else
			ret[n++] = c;
	}
	assert(n <= g->n);
	return n;
}

bool api_cache(struct api *a, const struct api_query *q, struct json_writer *j, struct err *err)
{
	const struct grouping by = {
		.n = 4,
		.by = {BY_MODEL, BY_REGION, BY_ACCOUNT, BY_TOKEN_TYPE},
		.name = {STR("model"), STR("region"), STR("account"), STR("token_type")}};
	struct groups g;
	struct err ignored = ERR_INIT; // a file that is wrong is a finding: the built-in rates are used
	groups_init(&g, &by);
	bool good = api_sum_groups(a, q, q->from, q->to, &g, err);
	if (good) {
		groups_sort(&g, ORDER_NAME);
		struct cache_use *models = xcalloc((size_t)g.n + 1, sizeof *models);
		const struct prices *prices = prices_kept_read(&a->prices, a->conf, &ignored);
		int n = collect_models(&g, prices, q->to * MS_PER_HOUR - 1, models);
		write_caching(j, q, models, n);
		free(models);
	}
	groups_release(&g);
	return good;
}

// ---- gaps ---------------------------------------------------------------------------------------

static bool read_reasons(struct api *a, struct err *err)
{
	struct redis *r = view_redis(rollups_view(a->rollups));
	struct buf key = BUF_INIT;
	key_unpriced(&key, a->conf->redis_prefix);
	redis_cmdz(r, "HGETALL", key.data, NULL);
	buf_release(&key);
	return redis_exec(r, err);
}

static struct str find_reason(struct api *a, struct str model)
{
	struct redis *r = view_redis(rollups_view(a->rollups));
	for (size_t i = 0; i + 1 < redis_len(r, 0); i += 2)
		if (str_eq(redis_elem(r, 0, i), model))
			return redis_elem(r, 0, i + 1);
	return STR("no rate for some of its token types");
}

static void write_gaps(struct api *a, struct json_writer *j, const struct groups *priced,
                       const struct groups *orphans, bool has_calls)
{
	jw_array(j, "unpriced");
	for (int32_t i = 0; i < priced->n; i++) {
		const struct group *g = &priced->list[i];
		if (!g->unpriced)
			continue;
		jw_line(j);
		jw_object(j, NULL);
		jw_str(j, "model", g->keys[0]);
		jw_int(j, "tokens", g->unpriced);
		jw_int_if(j, "calls", has_calls, g->calls);
		jw_str(j, "why", find_reason(a, g->keys[0]));
		jw_end(j);
	}
	jw_end(j);
	jw_array(j, "unattributed");
	for (int32_t i = 0; i < orphans->n; i++) {
		const struct group *g = &orphans->list[i];
		if (!g->tokens)
			continue;
		jw_line(j);
		jw_object(j, NULL);
		jw_str(j, "model", g->keys[0]);
		figure_json_members(j, g, has_calls);
		jw_end(j);
	}
	jw_end(j);
}

// Tokens without a price by model, with the reason; figures without a caller by model.
bool api_gaps(struct api *a, const struct api_query *q, struct json_writer *j, struct err *err)
{
	const struct grouping by = {.n = 1, .by = {BY_MODEL}, .name = {STR("model")}};
	struct api_query unattributed = *q;
	struct groups priced, orphans;
	if (unattributed.only.by.n == GROUP_KEYS_MAX)
		return err_set(err, ERR_SKIP, "at most %d filters here", GROUP_KEYS_MAX - 1);
	unattributed.only.by.by[unattributed.only.by.n] = BY_PRINCIPAL;
	unattributed.only.by.name[unattributed.only.by.n] = STR("principal");
	unattributed.only.value[unattributed.only.by.n++] = STR(UNATTRIBUTED);
	groups_init(&priced, &by);
	groups_init(&orphans, &by);
	bool good = api_sum_groups(a, q, q->from, q->to, &priced, err) &&
	            api_sum_groups(a, &unattributed, q->from, q->to, &orphans, err) && read_reasons(a, err);
	if (good) {
		jw_object(j, NULL);
		figure_json_span(j, q->from, q->to);
		write_gaps(a, j, &priced, &orphans, group_has_calls(&by, &q->only));
		jw_end(j);
	}
	groups_release(&priced);
	groups_release(&orphans);
	return good;
}
