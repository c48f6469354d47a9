// SPDX-License-Identifier: Apache-2.0
// Among whom the tokens of a cell are split, and how uncertain that leaves the tokens of each caller. These
// are statistics; the split itself is apportion.h's, to the token.
#ifndef NOWCAST_ESTIMATOR_CONTEST_H
#define NOWCAST_ESTIMATOR_CONTEST_H

#include "estimator/allocate.h"
#include "estimator/lag.h"

// What was split of one kind among a caller and others, in tokens; chance: variances, in tokens squared.
// `mixed` counts a cell as far as several share it, by the probability that two of its tokens are of two
// callers.
struct contest {
	double split, mixed; // sum over cells of own x others' / all, of tokens; of own x mixed
	double chance, mixed_chance;
};

struct contests {
	const struct span *span;
	int lookback;
	struct lag lag;
	double *ended;      // by position in the span's callers: calls that ended in the cell; else 0
	struct who_set enders;
	int32_t *who, nwho; // those of whom some did, ascending
	// whether they are those of every kind of a cell: of this one, whose calls are not known one by one
	bool alike;
	int last;
	uint64_t project;
	// of a cell whose two calls' tokens are known, but not whose they are: variance of the tokens of either
	// caller; else -1
	double pair_variance;
	struct contest (*by_caller)[METRIC_KINDS],
		all[METRIC_KINDS]; // as the span's callers; summed by contests_close
};

// Arrays live in `arena`.
void contests_init(struct contests *a, const struct span *s, int lookback, struct arena *arena);

// Whose calls the cell's tokens are of: those that lack tokens and ended in it, as far as the SampleCounts
// tell (lag.h); where they tell of none, those that the cell lists. Sets `who`.
void contests_find(struct contests *a, const struct cell *c, int kind);

// What each of `who` takes part with, within what apportion takes: weight x calls. Where the cell has two
// calls of two callers and its metric shows the tokens of the larger one, it shows those of both: then what
// is expected of each, as if the tokens of a caller's calls were log-normal around its mean.
void contests_parts(struct contests *a, const struct cell *c, const struct weight *weights, int kind,
                    int64_t *parts);

// Notes how much of a cell's split is uncertain: nothing of a caller that was alone in it. `split`: as `who`.
void contests_note(struct contests *a, int64_t residual, const int64_t *split, const struct weight *weights,
                   int kind);

// Once all cells are noted: sums them up; then sets spread and noise of a caller.
void contests_close(struct contests *a);
void contests_doubt(const struct contests *a, int32_t caller, const struct weight *w,
                    struct caller_usage *ret);

#endif
