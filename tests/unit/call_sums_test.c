// SPDX-License-Identifier: Apache-2.0
// The sums that a worker makes of calls are those that Redis counts call by call (store/calls.lua), whatever
// the calls are.
#include "store/call_sums.h"

#include "store/redis.h"
#include "store/script.h"
#include "tests/redis_server.h"
#include "tests/support/random.h"
#include "tests/tap.h"

EMBED_SCRIPTS(compare_lua, "store/calls.lua", "tests/lua/call_sums_test.lua")

enum { BATCHES = 300, RUNS = 30 };

static uint32_t random_count(void)
{
	static const uint32_t counts[] = {0, 1, 99999, 100000, 100001, 272001, UINT32_MAX};
	return below(2) ? (uint32_t)below(2000) : counts[below(sizeof counts / sizeof *counts)];
}

static void random_evidence(struct evidence *e)
{
	struct call c = {
		.request_id = STR("id"),
		.source = (enum call_source)below(SOURCE_AMENDED + 1),
		.time_ms = (int64_t)(29000000 + below(3)) * 60000 + below(60) * 1000,
		.failed = below(4) == 0,
		.time_is_end = below(2),
		.telemetry = below(8) == 0,
		.tier_known = below(3) == 0,
		.tier = (enum price_tier)below(PRICE_TIERS),
		.served = (enum served)below(SERVED_UNKNOWN + 1),
	};
	for (int kind = 0; kind < TOKEN_KINDS; kind++) {
		c.known[kind] = below(3) == 0;
		c.tokens[kind] = random_count();
	}
	uint64_t meta = below(3) ? 0 : 1 + (uint64_t)below(2);
	evidence_pack(e, &c, 1 + (uint64_t)below(2), 1 + (uint64_t)below(2), meta, below(3) == 0);
}

// Returns what differs; the text lives until the next command.
static struct str compare(struct redis *r, int script, struct call_sums *sums, struct buf *runs)
{
	struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	buf_clear(runs);
	call_sums_clear(sums);
	for (int i = 0; i < RUNS; i++) {
		struct evidence e;
		int n = below(3) ? 1 : 1 + (int)below(1000);
		random_evidence(&e);
		call_sums_add(sums, &e, n);
		buf_addc(runs, (char)e.len);
		buf_add(runs, e.bytes, e.len);
		buf_addc(runs, (char)(n >> 8));
		buf_addc(runs, (char)n);
	}
	call_sums_write(sums, &text);
	redis_begin_eval(r, script, 0, 2);
	redis_arg(r, buf_str(runs));
	redis_arg(r, buf_str(&text));
	buf_release(&text);
	return redis_exec(r, &err) ? redis_str(r, 0) : STR("Redis refuses");
}

int main(void)
{
	struct redis_server server;
	struct redis *r;
	struct err err = ERR_INIT;
	struct call_sums sums = {0};
	struct buf runs = BUF_INIT;
	uint64_t seed = seed_rng();
	if (!redis_server_start(&server))
		skip_all("no redis-server here (deploy/install-deps --test)");
	if (!redis_open(&r, (struct redis_target){.url = server.url}, &err))
		return 1;
	int script = redis_script(r, compare_lua()), i = 0;
	struct str difference = STR("");
	for (; i < BATCHES && !difference.len; i++)
		difference = compare(r, script, &sums, &runs);
	if (!ok(!difference.len, "the sums of %d batches are those that Redis counts (seed %llu)", i,
	        (unsigned long long)seed))
		diag("%.*s", STR_ARG(difference));
	call_sums_release(&sums);
	buf_release(&runs);
	redis_close(r);
	redis_server_stop(&server);
	return done();
}
