// SPDX-License-Identifier: Apache-2.0
#include "cli/colour.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool has_colours(FILE *f)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");
	return isatty(fileno(f)) && term && *term && strcmp(term, "dumb") != 0 && !(no && *no);
}

const char *colour_begin(FILE *f, enum colour c)
{
	static const char *const codes[] = {[COLOUR_HEAD] = "\033[1m",
	                                    [COLOUR_GOOD] = "\033[32m",
	                                    [COLOUR_WARN] = "\033[33m",
	                                    [COLOUR_BAD] = "\033[31m"};
	return c == COLOUR_PLAIN || !has_colours(f) ? "" : codes[c];
}

const char *colour_end(FILE *f, enum colour c)
{
	return c == COLOUR_PLAIN || !has_colours(f) ? "" : "\033[0m";
}
