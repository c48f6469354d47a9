// SPDX-License-Identifier: Apache-2.0
#include "estimator/ttl_divide.h"

// Tokens whose TTL is open, with the uncertainty of the allocated ones.
struct open_tokens {
	int64_t exact, allocated, provisional, cache_unknown, spread, noise;
};

static int64_t add_saturating(int64_t a, int64_t b)
{
	int64_t sum;
	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

// All tokens that were allocated or estimated are open, and what else is assumed is exact.
static void take_open(struct figure *f, struct open_tokens *to)
{
	int64_t exact = f->assumed - f->allocated - f->provisional;
	exact = exact < 0 ? 0 : exact;
	to->exact += exact;
	to->allocated += f->allocated;
	to->provisional += f->provisional;
	to->cache_unknown += f->cache_unknown;
	to->spread = add_saturating(to->spread, f->spread);
	to->noise = add_saturating(to->noise, f->noise);
	f->exact -= exact;
	f->allocated = f->provisional = f->cache_unknown = f->spread = f->noise = 0;
}

static int64_t take_part(int64_t *from, int32_t permille)
{
	int64_t part = *from / 1000 * permille + *from % 1000 * permille / 1000;
	*from -= part;
	return part;
}

static void give_open(struct figure *f, const struct open_tokens *open, enum ttl_source source,
                      int64_t other_rate)
{
	f->exact += open->exact;
	f->allocated = open->allocated;
	f->provisional = open->provisional;
	f->tokens = f->exact + f->allocated + f->provisional;
	f->cache_unknown = open->cache_unknown < f->tokens ? open->cache_unknown : f->tokens;
	f->spread = open->spread;
	f->noise = open->noise;
	f->assumed = open->exact + open->allocated + open->provisional;
	f->ttl_source = f->assumed ? (uint8_t)source : TTL_NAMED;
	f->ttl_may_be_1h = false;
	f->other_rate = f->assumed ? other_rate : 0;
}

static int64_t rate_of(const struct figure *f)
{
	return (int64_t)(f->usd.pico / f->tokens);
}

// The rate of a figure; where it has no tokens, what the other one says of it. False: nobody knows.
static bool find_rate(const struct figure *f, const struct figure *other, int64_t *ret)
{
	*ret = f->tokens ? rate_of(f) : other->other_rate;
	return f->tokens ? f->priced : other->other_rate > 0 || other->usd.pico == 0;
}

// The part of `more` or `less` that is the doubt about the TTL: its tokens at the difference of the rates.
static struct usd without_ttl(struct usd doubt, const struct figure *f, int64_t difference)
{
	if (ttl_is_doubtful((enum ttl_source)f->ttl_source) && difference > 0)
		doubt = usd_sub(doubt, usd_price(f->assumed, difference));
	return doubt.pico < 0 ? USD_ZERO : doubt;
}

// Doubts about the rate itself, which concern every token alike: of a figure that had no tokens, those of the
// other.
static void set_dollars(struct figure *f, int64_t rate, const struct figure *was, const struct figure *other,
                        int64_t other_rate)
{
	const struct figure *from = was->tokens ? was : other;
	int64_t own = rate ? rate : 1, of_other = other_rate ? other_rate : 1;
	f->priced = from->priced;
	f->band_estimated = from->band_estimated;
	f->rate_borrowed = from->rate_borrowed;
	f->scope_unknown = from->scope_unknown;
	f->prompt_max = from->prompt_max;
	if (!f->priced || !f->tokens)
		return;
	int64_t more_with_ttl = from == was ? other_rate - rate : rate - other_rate;
	struct usd more = without_ttl(from->more, from, more_with_ttl),
			   less = without_ttl(from->less, from, -more_with_ttl);
	f->usd = usd_price(f->tokens, rate);
	f->more = usd_muldiv(more, f->tokens, from->tokens);
	f->less = usd_muldiv(less, f->tokens, from->tokens);
	if (from == other) {
		f->more = usd_muldiv(f->more, own, of_other);
		f->less = usd_muldiv(f->less, own, of_other);
	}
	if (usd_cmp(f->less, f->usd) > 0)
		f->less = f->usd;
	if (!f->assumed && !f->rate_borrowed && !f->scope_unknown && !f->cache_unknown)
		f->less = USD_ZERO;
}

// The rate of the other TTL. Rows of earlier versions have it only in what 5-minute writes may cost on top,
// if there is no other reason for that.
static int64_t other_rate_of(const struct figure *f)
{
	bool only_ttl =
		f->assumed && !f->rate_borrowed && !f->scope_unknown && !f->cache_unknown && !f->band_estimated;
	if (f->other_rate || !only_ttl || !f->more.pico)
		return f->other_rate;
	return rate_of(f) + (int64_t)(f->more.pico / f->assumed);
}

bool ttl_divide(struct figure *five, struct figure *hour, int32_t permille, enum ttl_source source)
{
	struct figure before_5m = *five, before_1h = *hour;
	before_5m.other_rate = other_rate_of(five);
	struct figure after_5m = before_5m, after_1h = before_1h;
	struct open_tokens open = {0}, open_1h;
	int64_t rate_5m = 0, rate_1h = 0;
	bool priced = before_5m.priced || before_1h.priced,
		 known_5m = find_rate(&before_5m, &before_1h, &rate_5m),
		 known_1h = find_rate(&before_1h, &before_5m, &rate_1h);
	take_open(&after_5m, &open);
	take_open(&after_1h, &open);
	open_1h =
		(struct open_tokens){take_part(&open.exact, permille),       take_part(&open.allocated, permille),
	                         take_part(&open.provisional, permille), take_part(&open.cache_unknown, permille),
	                         take_part(&open.spread, permille),      take_part(&open.noise, permille)};
	give_open(&after_5m, &open, source, rate_1h);
	give_open(&after_1h, &open_1h, source, rate_5m);
	if (priced && ((after_5m.tokens && !known_5m) || (after_1h.tokens && !known_1h)))
		return false;
	set_dollars(&after_5m, rate_5m, &before_5m, &before_1h, rate_1h);
	set_dollars(&after_1h, rate_1h, &before_1h, &before_5m, rate_5m);
	*five = after_5m.tokens ? after_5m : (struct figure){0};
	*hour = after_1h.tokens ? after_1h : (struct figure){0};
	return true;
}
