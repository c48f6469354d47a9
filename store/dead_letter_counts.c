// SPDX-License-Identifier: Apache-2.0
#include "store/dead_letter_counts.h"

#include <assert.h>

#include "base/buf.h"
#include "store/keys.h"

bool dead_letter_counts_add(struct redis *r, const char *prefix, const uint64_t n[FAULT_KINDS],
                            int64_t now_ms, struct err *err)
{
	struct buf counts = BUF_INIT, seen = BUF_INIT, number = BUF_INIT, now = BUF_INIT;
	assert(now_ms > 0);
	key_dead_letters(&counts, prefix);
	key_dead_letters_seen(&seen, prefix);
	buf_addf(&now, "%lld", (long long)now_ms);
	for (int kind = 0; kind < FAULT_KINDS; kind++) {
		if (!n[kind])
			continue;
		buf_clear(&number);
		buf_addf(&number, "%llu", (unsigned long long)n[kind]);
		redis_cmdz(r, "HINCRBY", counts.data, fault_word((enum fault_kind)kind), number.data, NULL);
		redis_cmdz(r, "ZADD", seen.data, "GT", now.data, fault_word((enum fault_kind)kind), NULL);
	}
	buf_release(&counts);
	buf_release(&seen);
	buf_release(&number);
	buf_release(&now);
	return redis_exec(r, err);
}

bool dead_letter_counts_read(struct redis *r, const char *prefix, struct dead_letter_count ret[FAULT_KINDS],
                             struct err *err)
{
	struct buf counts = BUF_INIT, seen = BUF_INIT;
	key_dead_letters(&counts, prefix);
	key_dead_letters_seen(&seen, prefix);
	for (int kind = 0; kind < FAULT_KINDS; kind++) {
		redis_cmdz(r, "HGET", counts.data, fault_word((enum fault_kind)kind), NULL);
		redis_cmdz(r, "ZSCORE", seen.data, fault_word((enum fault_kind)kind), NULL);
	}
	buf_release(&counts);
	buf_release(&seen);
	if (!redis_exec(r, err))
		return false;
	for (size_t kind = 0; kind < FAULT_KINDS; kind++)
		ret[kind] = (struct dead_letter_count){redis_int(r, 2 * kind), redis_int(r, 2 * kind + 1)};
	return true;
}
