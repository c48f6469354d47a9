// SPDX-License-Identifier: Apache-2.0
#include "run/settling.h"

#include "base/log.h"
#include "base/when.h"

bool settling_turn(struct settling *s, struct intake *in, bool all, int64_t interval_ms,
                   struct backoff *backoff, struct err *err)
{
	size_t left = 0;
	int64_t wait = interval_ms, next_ms = 0;
	if (engine_settle(in->engine, all, &left, err)) {
		s->left = left;
		next_ms = engine_next_turn_ms(in->engine);
	} else if (err->kind != ERR_RETRY) {
		return false;
	} else {
		wait = backoff_next_ms(backoff);
		log_warn("figures are not brought up to date now; trying again", LOG_STR("why", err->msg),
		         LOG_INT("wait_ms", wait));
		err_clear(err);
		s->left += s->left == 0; // not known, but not none
	}
	s->due_ms = next_ms ? next_ms : when_ticks_ms() + wait;
	return true;
}
