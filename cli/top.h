// SPDX-License-Identifier: Apache-2.0
// The table of `nowcast top`: who is spending. `nowcast demo` draws it, too.
#ifndef NOWCAST_CLI_TOP_H
#define NOWCAST_CLI_TOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "query/grouping.h"
#include "store/view.h"

struct top {
	struct grouping by;
	int64_t hours;      // how many, up to the newest hour that has figures
	const struct group_filter *only; // NULL: all rows
	bool full; // names as they are, on a terminal, too
	int64_t now_ms;     // figures up to its hour count; 0: all, and the present is the clock's
	const char *title;  // a line above the table; NULL: none
	bool terminal;      // redraw in place
	int rows, columns;  // of the screen; columns 0: any width
};

// Sets terminal, rows and columns by where standard output goes. Call it before each drawing: windows are
// resized.
void top_measure(struct top *t);

void top_begin(const struct top *t); // clears the screen, hides the cursor
void top_end(const struct top *t);   // shows it again, below the table

// Draws the figures as they are now. ERR_RETRY: Redis is away, and nothing was drawn.
bool top_draw(const struct top *t, struct view *v, struct err *err) NC_CHECK;

#endif
