// SPDX-License-Identifier: Apache-2.0
// Which strings may be part of a key in Redis, wherever in them the byte stands that may not.
#include "store/batch_priv.h"

#include "tests/tap.h"

enum { LENGTH_MAX = 40 };

// Strings of all lengths that hold `bad` at each place.
static void is_refused(const char *bad, const char *what)
{
	size_t n = strlen(bad), taken = 0;
	char text[LENGTH_MAX];
	for (size_t len = n; len <= LENGTH_MAX; len++) {
		for (size_t at = 0; at + n <= len; at++) {
			memset(text, '~', len);
			memcpy(text + at, bad, n);
			taken += batch_is_clean((struct str){text, len});
		}
	}
	is_int((long long)taken, 0, what);
}

static void is_taken(const char *text)
{
	ok(batch_is_clean(str_of(text)), "\"%s\" is taken", text);
}

int main(void)
{
	is_refused(" ", "a blank is refused anywhere");
	is_refused("\n", "a line feed");
	is_refused("\x7f", "DEL");
	is_refused("\x01", "a control character");
	is_refused("\xc2\x85", "one of two bytes");
	is_refused("\xe2\x80\xae", "one that turns the direction");
	is_taken("!");
	is_taken("!~!~!~!~");
	is_taken("arn:aws:iam::111122223333:user/ann");
	is_taken("arn:aws:iam::111122223333:user/Zo\xc3\xab");
	is_taken("\xe2\x82\xac");
	ok(!batch_is_clean(STR("")), "an empty one is not");
	return done();
}
