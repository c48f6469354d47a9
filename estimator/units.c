// SPDX-License-Identifier: Apache-2.0
#include "estimator/units.h"

#include <string.h>

#include "estimator/apportion.h"

static int64_t *zeros(struct arena *arena, int32_t n)
{
	int64_t *p = arena_alloc(arena, ((size_t)n + 1) * sizeof *p);
	memset(p, 0, ((size_t)n + 1) * sizeof *p);
	return p;
}

// Whether anything speaks of units.
static bool any_known(const struct span *s, bool *ret_metered)
{
	bool any = false;
	*ret_metered = false;
	for (int m = 0; m < 60; m++) {
		const struct minute *at = span_minute(s, m);
		*ret_metered |= at && at->has_units;
		for (int32_t i = 0; at && i < at->ncalls; i++)
			any |= at->calls[i].exact_n[TOKENS_UNITS] > 0 && at->calls[i].exact[TOKENS_UNITS] > 0;
	}
	return any || *ret_metered;
}

void units_split(const struct span *s, bool by_unit, struct arena *arena, struct units *ret)
{
	int64_t exact = 0, calls = 0;
	bool metered;
	*ret = (struct units){0};
	if (!any_known(s, &metered) && !by_unit)
		return;
	ret->exact = zeros(arena, s->ncallers);
	ret->allocated = zeros(arena, s->ncallers);
	ret->unknown = zeros(arena, s->ncallers);
	for (int m = 0; m < 60; m++) {
		const struct minute *at = span_minute(s, m);
		ret->metered += at ? at->units : 0;
		for (int32_t i = 0; at && i < at->ncalls; i++) {
			const struct calls *c = &at->calls[i];
			int64_t lacking = c->n > c->exact_n[TOKENS_UNITS] ? c->n - c->exact_n[TOKENS_UNITS] : 0;
			ret->exact[c->caller] += c->exact[TOKENS_UNITS];
			exact += c->exact[TOKENS_UNITS];
			ret->unknown[c->caller] += lacking;
			calls += lacking;
		}
	}
	int64_t residual = ret->metered > exact ? ret->metered - exact : 0;
	ret->excess = metered && exact > ret->metered ? exact - ret->metered : 0;
	if (residual && calls)
		apportion(residual, ret->unknown, s->ncallers, ret->allocated);
	else
		ret->unattributed = residual;
	if (metered || !by_unit)
		memset(ret->unknown, 0, (size_t)s->ncallers * sizeof *ret->unknown);
}
