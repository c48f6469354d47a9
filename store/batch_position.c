// SPDX-License-Identifier: Apache-2.0
#include "store/batch_position.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/when.h"

bool batch_position_begin(struct batch_position *p, struct err *err)
{
	uint64_t reading;
	if (getrandom(&reading, sizeof reading, 0) != sizeof reading)
		return err_set(err, ERR_RETRY, "getrandom: %s", strerror(errno));
	p->batches = (struct position){.topic = p->name,
	                               .reading = reading | 1, // 0 is none
	                               .stored = POSITION_NONE,
	                               .held = POSITION_NONE,
	                               .previous = POSITION_NONE,
	                               .fresh = true};
	snprintf(p->name, sizeof p->name, "%016" PRIx64, p->batches.reading);
	p->all = (struct positions){.cluster = (char *)(uintptr_t)"-", .group = "-", .v = &p->batches, .n = 1};
	return true;
}

void batch_position_next(struct batch_position *p)
{
	p->batches.next++;
	p->batches.time_ms = when_now_ms();
}

bool batch_position_is_behind(struct batch_position *p, struct loss *ret)
{
	struct position *b = &p->batches;
	int64_t before_ms = p->written_ms;
	p->written_ms = when_now_ms();
	if (!b->behind)
		return false;
	bool expired = b->held == POSITION_NONE && p->written_ms - before_ms >= BATCH_POSITION_KEPT_MS;
	if (!expired)
		*ret = (struct loss){p->written_ms, b->held_ms};
	b->behind = false;
	b->stored = b->held;
	b->fresh = b->held == POSITION_NONE;
	return !expired;
}
