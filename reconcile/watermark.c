// SPDX-License-Identifier: Apache-2.0
#include "reconcile/watermark.h"

#include <assert.h>

#include "base/when.h"

static int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

// The start of the day or hour that contains `hour`.
static int64_t step_start(const struct watermark_input *in, int64_t hour)
{
	return in->daily ? hour / 24 * 24 : hour;
}

static int64_t sum_tokens(const struct watermark_input *in, const int64_t *tokens, int64_t from, int64_t to)
{
	int64_t all = 0;
	for (int64_t h = from < in->first ? in->first : from; h < to && h < in->end; h++)
		all += tokens[h - in->first];
	return all;
}

int64_t watermark_find(const struct watermark_input *in, int64_t *ret_held)
{
	int64_t step = in->daily ? 24 : 1;
	*ret_held = 0;
	if (in->invoiced && in->last_hour)
		return in->end;
	int64_t hour = min64(in->delivered_ms, in->now_ms) - in->patience_ms;
	hour = min64(min64(hour / MS_PER_HOUR, in->last_hour), in->end);
	if (hour <= in->first)
		return 0;
	hour = step_start(in, hour);
	int64_t best = hour;
	for (int64_t h = hour; h > in->first && h > in->before; h -= step) {
		int64_t estimated = sum_tokens(in, in->estimated, h - step, h),
				billed = sum_tokens(in, in->billed, h - step, h);
		if (estimated == 0)
			continue; // says nothing either way
		if (billed >= estimated / 5 * 4)
			break;
		best = h - step;
	}
	assert(best <= hour);
	*ret_held = hour - best;
	return best <= in->first ? 0 : best;
}
