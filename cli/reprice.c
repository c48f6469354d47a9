// SPDX-License-Identifier: Apache-2.0
// `nowcast reprice`: applies corrected prices to hours already computed.
#include <stdio.h>

#include "base/when.h"
#include "cli/commands.h"
#include "cli/price_priv.h"
#include "cli/selection.h"
#include "store/reprice.h"
#include "store/schema.h"

enum { YEAR_9999 = 70380768 }; // in hours since the epoch

int cmd_reprice(struct command *c)
{
	struct err err = ERR_INIT;
	struct selection of = {0};
	struct prices *prices = NULL;
	struct redis *redis = NULL;
	struct reprice_counts n = {0};
	char before[USD_SIZE], after[USD_SIZE];
	bool dry = command_switch(c, "--dry-run");
	bool good = selection_take_span(&of, c, 0, &err) && command_done(c, 0, 0, &err);
	if (good && !of.has_beginning)
		good =
			err_set(&err, ERR_CONFIG,
		            "it is not said from when on dollars are to be computed again: --from T, a span such as "
		            "this-month, or all");
	good = good && prices_load(&prices, &c->conf, &err) &&
	       schema_open(&redis, redis_target_of(&c->conf), SCHEMA_WRITE, &err);
	const struct reprice_options options = {
		.prices = prices,
		.from = of.span.from,
		.to = of.span.to < YEAR_9999 ? of.span.to : YEAR_9999,
		.dry = dry,
	};
	good = good && reprice(redis, c->conf.redis_prefix, &options, &n, &err);
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
