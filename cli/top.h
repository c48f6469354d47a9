// SPDX-License-Identifier: Apache-2.0
// One look at who is spending: the table of `nowcast top`, for whoever wants to draw it.
#ifndef NOWCAST_CLI_TOP_H
#define NOWCAST_CLI_TOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "query/group.h"
#include "store/view.h"

struct top {
	struct grouping by;
	int64_t hours;      // how far back from the newest hour there is
	const char *title;  // a line of the caller's own above the table; NULL: none
	bool terminal;      // redraw in place
	int rows, columns;  // of the screen; columns 0: any width
};

// Looks where standard output goes and sets terminal, rows and columns. To be called before each look: people
// resize.
void top_measure(struct top *t);

void top_begin(const struct top *t); // clears the screen, hides the cursor
void top_end(const struct top *t);   // shows it again, below the table

// Draws the figures as they are now. ERR_RETRY: Redis is away, and nothing was drawn.
bool top_draw(const struct top *t, struct view *v, struct err *err) NC_CHECK;

#endif
