// SPDX-License-Identifier: Apache-2.0
#include "estimator/figure.h"

const char *const ttl_source_names[TTL_SOURCES] = {"named", "assumed", "all", "model", "role",
                                                   "caller", "key", "tag", "map"};

static bool is_in_range(struct usd u)
{
	return u.pico <= FIGURE_USD_MAX && u.pico >= -FIGURE_USD_MAX;
}

static bool is_estimate(const struct figure *f)
{
	int64_t sum;
	return f->exact >= 0 && f->allocated >= 0 && f->provisional >= 0 &&
	       !__builtin_add_overflow(f->exact, f->allocated, &sum) &&
	       !__builtin_add_overflow(sum, f->provisional, &sum) && sum == f->tokens && f->telemetry >= 0 &&
	       f->telemetry <= f->exact && f->assumed >= 0 &&
	       f->assumed <= f->tokens && f->cache_unknown >= 0 && f->cache_unknown <= f->tokens &&
	       f->prompt_max >= 0 && f->spread >= 0 && f->noise >= 0 && f->usd.pico >= 0 &&
	       f->usd.pico <= (usd_pico)f->tokens * INT64_MAX && f->more.pico >= 0 && f->less.pico >= 0 &&
	       f->less.pico <= f->usd.pico &&
	       (f->rate_borrowed || f->scope_unknown || f->cache_unknown || f->assumed || f->less.pico == 0) &&
	       f->billed == 0 && f->list.pico == 0;
}

static bool is_billed(const struct figure *f)
{
	return f->tokens == f->billed && !f->exact && !f->telemetry && !f->allocated && !f->provisional &&
	       !f->assumed && !f->cache_unknown && !f->prompt_max && !f->spread && !f->noise &&
	       f->more.pico == 0 && f->less.pico == 0 && !f->rate_borrowed && !f->scope_unknown;
}

bool figure_is_valid(const struct figure *f)
{
	if (!f->priced &&
	    (f->usd.pico != 0 || f->more.pico != 0 || f->less.pico != 0 || f->band_estimated ||
	     f->rate_borrowed || f->scope_unknown))
		return false;
	if (f->ttl_source >= TTL_SOURCES || (f->assumed > 0) != (f->ttl_source != TTL_NAMED) ||
	    (!f->assumed && (f->ttl_may_be_1h || f->other_rate)) || f->other_rate < 0)
		return false;
	if (!is_in_range(f->usd) || !is_in_range(f->more) || !is_in_range(f->list))
		return false;
	return is_estimate(f) || is_billed(f);
}
