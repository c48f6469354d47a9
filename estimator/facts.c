// SPDX-License-Identifier: Apache-2.0
#include "estimator/facts.h"

#include <string.h>

struct hour *hour_copy(const struct hour *h, struct arena *arena)
{
	struct hour *copy = arena_alloc(arena, sizeof *copy);
	*copy = *h;
	for (int m = 0; m < 60; m++) {
		struct minute *at = &copy->minutes[m];
		size_t bytes = (size_t)at->ncalls * sizeof *at->calls;
		struct calls *calls = arena_alloc(arena, bytes + 1);
		if (bytes)
			memcpy(calls, at->calls, bytes);
		at->calls = calls;
	}
	return copy;
}
