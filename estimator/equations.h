// SPDX-License-Identifier: Apache-2.0
// The calls of the cells of many hours as sparse equations, listed by principal:
//
//     sum over principals of calls x unknown  =  what the metric counts
//
// Only those who called in a cell take memory or time.
#ifndef NOWCAST_ESTIMATOR_EQUATIONS_H
#define NOWCAST_ESTIMATOR_EQUATIONS_H

#include "base/arena.h"
#include "estimator/hour_stats.h"

struct equations {
	int32_t n, ncells;      // principals, cells
	const int64_t *samples; // of a cell, of one kind; less than 0: unknown
	const double *all;      // of a cell: its calls
	// entries first[i] .. first[i + 1] - 1 are those of principal i, by cell
	const int32_t *first, *cell;
	const double *calls;
};

// One of the hours: its statistics, and the position of its principals among all.
struct equations_hour {
	const struct hour_stats *stats; // NULL: none
	const int32_t *at;
};

// The equations of all calls among `n` principals, but for their samples.
void equations_build(const struct equations_hour *hours, int32_t nhours, int32_t n, struct arena *arena,
                     struct equations *ret);

// What the metrics of one kind count. Of a minute in which no call used such tokens there is no metric: the
// count of a cell without tokens is 0.
void equations_set_kind(struct equations *x, const struct equations_hour *hours, int32_t nhours, int kind,
                        struct arena *arena);

#endif
