// SPDX-License-Identifier: Apache-2.0
// Writes billed figures into Redis (store/actual.h).
//
//     publish_begin (takes the run's number)
//       -> publish_acct_region x n: staged under keys of the run, then swapped in by one script
//       -> publish_status
//
// A run replaces a period of an account and Region as a whole, or not at all. Of two simultaneous runs the
// one that began later wins, in every account and Region. The staged keys of a run that died expire.
// Beside the figures it writes key_reconcile..., key_scores and key_band of store/keys.h.
#ifndef NOWCAST_RECONCILE_PUBLISH_H
#define NOWCAST_RECONCILE_PUBLISH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "reconcile/ledger.h"
#include "store/redis.h"

struct publish {
	struct redis *redis;
	const char *prefix;
	int64_t retention_ms;
	int64_t run;
	int swap, status, scores; // scripts
};

// Opens a connection of its own and takes a run's number.
bool publish_begin(struct publish *p, struct redis_target target, int64_t retention_ms,
                   struct err *err) NC_CHECK;
void publish_end(struct publish *p);

struct publish_acct_region {
	struct str acct_region, period;
	int64_t first, end;        // hours of the period
	int64_t since, watermark;  // hours; watermark 0: it stays where it is
	const struct str *called; // see join.h
	int32_t ncalled;
};

// `rows`: those of the account and Region, sorted by LEDGER_BY_MODEL_HOUR; n may be 0 (older figures are
// deleted). *ret_taken: false if a later run has written already.
bool publish_acct_region(struct publish *p, const struct publish_acct_region *acct_region,
                         const struct names *names, const struct ledger_row *const *rows, int64_t n,
                         bool *ret_taken, struct err *err) NC_CHECK;

// Fields and values of a status hash; of the run over a period, or of the whole run (STR_NONE).
struct status {
	struct arena arena;
	struct str *words; // field, value, field, value ...
	int n, cap;
};
void status_add(struct status *s, const char *field, const char *fmt, ...) NC_PRINTF(3, 4);
void status_release(struct status *s);
bool publish_status(struct publish *p, struct str period, const struct status *s, struct err *err) NC_CHECK;
bool publish_period(struct publish *p, struct str period, struct err *err) NC_CHECK; // into the set

#endif
