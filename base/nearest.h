// SPDX-License-Identifier: Apache-2.0
// "Did you mean ...?": of some known words, the one that a misspelt word is most like.
//
//     struct nearest near = nearest_of(word);
//     for (...)
//         nearest_try(&near, known[i]);
//     if (near.word.len)                      // one that is like it enough
#ifndef NOWCAST_BASE_NEAREST_H
#define NOWCAST_BASE_NEAREST_H

#include <stddef.h>

#include "base/str.h"

struct nearest {
	struct str word; // the most like it so far, as long as that lives; no length: none is like it enough
	struct str given;
	size_t distance; // a word must be nearer than this, in letters
};

// Up to a third of the letters may be wrong, at least one. Those in the other case are right.
struct nearest nearest_of(struct str given);
void nearest_try(struct nearest *n, struct str known);

#endif
