// SPDX-License-Identifier: Apache-2.0
// The words that make a text perhaps ours are found at each place of a text of each length: blocks of it are
// compared at once, and its last block overlaps the one before.
#include <stdio.h>
#include <string.h>

#include "ingest/prefilter.h"
#include "tests/tap.h"

enum { LONGEST = 150 };

static bool is_found(const char *word, size_t len, size_t at, size_t size, char filler)
{
	char text[LONGEST];
	memset(text, filler, size);
	memcpy(text + at, word, len);
	return prefilter_may_be_ours((struct str){text, size});
}

static void find_everywhere(const char *word, char filler)
{
	size_t len = strlen(word), missed = 0, wrong = 0;
	char other[32];
	snprintf(other, sizeof other, "%s", word);
	for (size_t size = len; size <= LONGEST; size++)
		for (size_t at = 0; at + len <= size; at++) {
			missed += !is_found(word, len, at, size, filler);
			for (size_t i = 0; i < len; i++) {
				other[i] = '~';
				wrong += is_found(other, len, at, size, filler);
				other[i] = word[i];
			}
		}
	ok(missed == 0 && wrong == 0, "%s among '%c'", word, filler);
}

int main(void)
{
	static const char *const words[] = {
		"edrock",       "sts.amazonaws", "iam.amazonaws",    "ModelInvocationLog",
		"\"Datapoints", "api_request",   "MetricDataResults"};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		find_everywhere(words[i], ' ');
		find_everywhere(words[i], '.');
	}
	return done();
}
