// SPDX-License-Identifier: Apache-2.0
// Patterns of names (base/pattern.h), against what a plain recursion says of the same.
#include "base/pattern.h"

#include "tests/support/random.h"
#include "tests/tap.h"

static bool plain(const char *p, const char *t)
{
	if (*p == '*')
		return plain(p + 1, t) || (*t && plain(p, t + 1));
	return *p ? *p == *t && plain(p + 1, t + 1) : !*t;
}

static void check(const char *pattern, const char *text, bool want)
{
	ok(pattern_matches(str_of(pattern), str_of(text)) == want, "\"%s\" %s \"%s\"", pattern,
	   want ? "matches" : "does not match", text);
}

int main(void)
{
	check("gateway", "gateway", true);
	check("gateway", "Gateway", true);
	check("GATE*", "gateway-1", true);
	check("gateway", "gateway-1", false);
	check("*", "", true);
	check("", "", true);
	check("", "a", false);
	check("*-prod-*", "app-prod-7", true);
	check("*-prod-*", "app-prod", false);
	check("*.ab*ab", "x.abab", true);
	check("**a", "a", true);
	diag("NOWCAST_SEED=%llu", (unsigned long long)seed_rng());
	bool same = true;
	for (int i = 0; i < 20000 && same; i++) {
		char pattern[9], text[13];
		int np = (int)below(9), nt = (int)below(13);
		for (int k = 0; k < np; k++)
			pattern[k] = "ab*"[below(3)];
		for (int k = 0; k < nt; k++)
			text[k] = "ab"[below(2)];
		pattern[np] = text[nt] = '\0';
		same = pattern_matches(str_of(pattern), str_of(text)) == plain(pattern, text);
		if (!same)
			diag("\"%s\" and \"%s\"", pattern, text);
	}
	ok(same, "random patterns and texts");
	return done();
}
