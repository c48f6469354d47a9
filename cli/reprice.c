// SPDX-License-Identifier: Apache-2.0
// `nowcast reprice`: applies corrected prices to hours already computed.
#include <stdio.h>

#include "base/when.h"
#include "cli/commands.h"
#include "cli/price_priv.h"
#include "store/reprice.h"
#include "store/schema.h"

int cmd_reprice(struct command *c)
{
	struct err err = ERR_INIT;
	int64_t from = -1, to = INT64_C(253370764800000); // the year 9999
	struct prices *prices = NULL;
	struct redis *redis = NULL;
	struct reprice_counts n = {0};
	char before[USD_SIZE], after[USD_SIZE];
	bool dry = command_switch(c, "--dry-run");
	bool good = command_time(c, "--from", &from, &err) && command_time(c, "--to", &to, &err) &&
	            command_done(c, 0, 0, &err);
	if (good && from < 0)
		good = err_set(&err, ERR_CONFIG,
		               "--from is missing: the first hour whose dollars are to be computed again");
	if (good && from >= to)
		good = err_set(&err, ERR_CONFIG, "--to: the span ends before it begins");
	good = good && prices_load(&prices, &c->conf, &err) &&
	       schema_open(&redis, redis_target_of(&c->conf), SCHEMA_WRITE, &err) &&
	       reprice(redis, c->conf.redis_prefix, prices, from / MS_PER_HOUR,
	               (to + MS_PER_HOUR - 1) / MS_PER_HOUR, dry, &n, &err);
	if (good) {
		printf("%-16s %zu\n%-16s %zu%s\n", "rows", n.rows, "rows_changed", n.rows_changed,
		       dry ? " (not written)" : "");
		printf("%-16s %zu of %zu changed\n", "model_hours", n.model_hours_changed, n.model_hours);
		printf("%-16s %s\n%-16s %s\n", "usd_before", usd_format(n.before, 9, before), "usd_after",
		       usd_format(n.after, 9, after));
		if (n.kept)
			printf("%-16s %zu rows of inference profiles whose model is no longer known\n", "kept",
			       n.kept);
	}
	prices_free(prices);
	redis_close(redis);
	return good ? STATUS_OK : command_fail(c, &err);
}
