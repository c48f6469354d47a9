// SPDX-License-Identifier: Apache-2.0
// Patterns of names, as people write them in configuration: * stands for any text, none too; every other
// character for itself, ASCII letters in either case.
#ifndef NOWCAST_BASE_PATTERN_H
#define NOWCAST_BASE_PATTERN_H

#include <stdbool.h>

#include "base/str.h"

// In time proportional to the product of both lengths at worst.
bool pattern_matches(struct str pattern, struct str text);

// Whether it matches one text only.
static inline bool pattern_is_plain(struct str pattern)
{
	return !pattern.len || !memchr(pattern.p, '*', pattern.len);
}

#endif
