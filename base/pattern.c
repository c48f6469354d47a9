// SPDX-License-Identifier: Apache-2.0
// Where a * has taken too little, it takes one character more; earlier ones never need to. So there is no
// recursion, and a hostile pattern costs no more than its length times that of the text.
#include "base/pattern.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool pattern_matches(struct str pattern, struct str text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, taken = 0;
	while (t < text.len) {
		if (p < pattern.len && pattern.p[p] == '*') {
			star = p++;
			taken = t;
		} else if (p < pattern.len && lower(pattern.p[p]) == lower(text.p[t])) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++taken;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.p[p] == '*')
		p++;
	return p == pattern.len;
}
