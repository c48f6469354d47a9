// SPDX-License-Identifier: Apache-2.0
// A cell: a metered minute together with the unmetered minutes since the last metered one, at most `lookback`
// back. (The metric of a stream is in the minute in which the stream ends.)
//
//     minute      m-3   m-2   m-1    m          calls of m-1 and m-2 have waited for m's metric
//     metered      x     -     -     x
//     cell                \_________/
//
// Where metrics of projects of bedrock-mantle have come, a minute has a cell for each of them, and one for
// what the model's metric shows beyond them: its parts. The cell of a project has the calls within the
// project. If there are none, it has the calls whose project is not known. The cell of the rest has all calls
// that wait for it and are in no cell of a project.
//
// The residual of a cell is what its metric counts beyond the exact tokens of its calls. It belongs to those
// calls of the cell whose tokens are unknown. Where the cell has no such call, the nearest earlier minute
// within `lookback` that has some is used. Allocation and learning use the same cells.
#ifndef NOWCAST_ESTIMATOR_CELL_H
#define NOWCAST_ESTIMATOR_CELL_H

#include "base/arena.h"
#include "estimator/facts.h"
#include "estimator/who_set.h"

struct cell {
	int64_t residual;   // tokens to be split
	int64_t excess;     // exact tokens beyond the metric; one of the two is 0
	int64_t samples;    // SampleCount of the metric: the calls that used such tokens; 0: unknown
	int64_t larger;     // of two such calls, the tokens of the larger one; 0: unknown
	int first;          // the earliest of its minutes
	const int32_t *callers; // with calls whose tokens are unknown: positions in the span's callers, ascending
	const int64_t *lacking; // by position in the span's callers: the number of those calls
	int32_t ncallers;
	int64_t calls;      // the sum of `lacking`
	int64_t metric;     // what the metric shows for this part of the minute
	// which calls belong to it (cell_takes)
	int last;           // the metered minute
	uint64_t project;   // of this project; 0: of the rest
	bool strangers;     // instead, those whose project is not known
};

struct cell_reader {
	const struct span *span;
	int lookback;
	int64_t *lacking;
	int32_t *listed;
	int32_t nlisted;
	struct who_set called; // while they are listed
	// the last cell that was read, and its part of the minute; whether no tokens of its calls are known, so
	// that the calls are those of every kind
	struct cell cell;
	int part;
	bool alike;
};

// `lookback` is 0 to 60 minutes. The arrays live in `arena`.
void cell_reader_init(struct cell_reader *r, const struct span *span, int lookback, struct arena *arena);

// Into how many cells the minute m (0 to 59) of the span's hour falls: 0 if it is not metered, else 1 but for
// projects.
int cell_parts(const struct cell_reader *r, int m);

// One of them, for a kind. *ret is valid until the next call.
void cell_read(struct cell_reader *r, int m, int part, int kind, struct cell *ret);

// Whether calls of `who` in minute m of the span belong to the cell. Every call belongs to one cell of a
// kind, so that its exact tokens are subtracted once: calls within a project wait for the next minute with a
// metric of the project or of the model, all others for the next one with a metric of the model.
bool cell_takes_project(const struct cell *c, const struct span *s, int m, const struct who *who);

static inline bool cell_takes(const struct cell *c, const struct span *s, int m, const struct who *who)
{
	return (!c->project && !who->project) || cell_takes_project(c, s, m, who);
}

// Whether a metric that covers the calls of `who` in minute m has arrived.
bool cell_is_covered(const struct cell_reader *r, int m, const struct who *who);

#endif
