// SPDX-License-Identifier: Apache-2.0
// Colours of a terminal. What goes elsewhere has none, nor has a terminal that is dumb, or whose user has set
// NO_COLOR (https://no-color.org). A colour says nothing that the words do not say.
#ifndef NOWCAST_CLI_COLOUR_H
#define NOWCAST_CLI_COLOUR_H

#include <stdio.h>

enum colour { COLOUR_PLAIN, COLOUR_HEAD, COLOUR_GOOD, COLOUR_WARN, COLOUR_BAD };

// What to print before and behind a text; "" where there are no colours.
const char *colour_begin(FILE *f, enum colour c);
const char *colour_end(FILE *f, enum colour c);

#endif
