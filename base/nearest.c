// SPDX-License-Identifier: Apache-2.0
#include "base/nearest.h"

#include <ctype.h>
#include <stdbool.h>

enum { WORD_MAX = 63 };

// A letter in the other case is the same letter: US-EAST-1 is like us-east-1.
static bool same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

// How many letters of `a` have to be changed, added, left out or swapped with their neighbour to
// make `b`: the restricted distance of Damerau and Levenshtein.
static size_t edit_distance(struct str a, struct str b)
{
	size_t rows[3][WORD_MAX + 1], *before = rows[0], *above = rows[1], *row = rows[2];
	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t *oldest = before;
		before = above;
		above = row;
		row = oldest;
		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t best = above[j - 1] + !same_letter(a.p[i - 1], b.p[j - 1]);
			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && same_letter(a.p[i - 1], b.p[j - 2]) &&
			    same_letter(a.p[i - 2], b.p[j - 1]) && before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			row[j] = best;
		}
	}
	return row[b.len];
}

struct nearest nearest_of(struct str given)
{
	return (struct nearest){.given = given, .distance = (given.len > 3 ? given.len / 3 : 1) + 1};
}

void nearest_try(struct nearest *n, struct str known)
{
	if (n->given.len > WORD_MAX || known.len > WORD_MAX)
		return;
	size_t distance = edit_distance(n->given, known);
	if (distance < n->distance && distance < known.len) {
		n->distance = distance;
		n->word = known;
	}
}
