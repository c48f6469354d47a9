// SPDX-License-Identifier: Apache-2.0
// The words that are looked for, and what has them:
//
//     edrock               bedrock and bedrock-mantle records, AWS/Bedrock metrics
//     ModelInvocationLog   the invocation log, whose model ids need not say "bedrock"
//     sts.amazonaws / iam.amazonaws    session and principal tags
//     api_request          Claude Code's telemetry of a call
//     MetricDataResults, "Datapoints   answers of GetMetricData and GetMetricStatistics
//
// JSON does not escape their characters, so they look the same in a string within a string. In base64 they do
// not: there, each of them has one of three forms, by its place among the groups of three bytes. And what
// gzip hides begins with gzip's own bytes. So a text that has a long run of base64 is searched once more, for
//
//     the three forms each of edrock, .amazonaws and ModelInvocationLog
//     eyJ ewo W3s ...      base64 that starts with a brace or bracket: it may hold base64 again
//     H4sI                 base64 that starts with gzip
//     ZXlK SDRzS           base64 of these two
//     +LCA -LCA fiwg       gzip behind the head of a binary message
//     base64 of base64     at any place: a text of base64 behind such a head
//
// A run is long from RUN bytes on: less than a line of MIME (76), more than a SHA-256 in hexadecimal digits.
// It has to have capital letters, for paths and names have long runs as well.
//
// Each word is searched by one pair of neighbouring bytes that is rare in JSON ("zo" for both of amazonaws).
// Sixteen positions are compared at once, with the compiler's vectors, so this works on any machine. The
// words are compared only where a pair is found.
#include "ingest/prefilter.h"

#include <stdint.h>

#include "ingest/base64.h"

enum { RUN = 70, RUN_CAPITALS = 8 };

typedef uint8_t v16 __attribute__((vector_size(16)));
typedef uint64_t v2 __attribute__((vector_size(16)));

struct word {
	const char *text;
	uint8_t len, at; // the pair is text[at], text[at + 1]
};

#define WORD(text, at) {text, sizeof text - 1, at}
static const struct word plain_words[] = {
	WORD("edrock", 4),
	WORD("sts.amazonaws", 7),
	WORD("iam.amazonaws", 7),
	WORD("ModelInvocationLog", 14),
	WORD("MetricDataResults", 5),
	WORD("\"Datapoints", 0),
	WORD("api_request", 3),
	{NULL, 0, 0},
};
static const struct word base64_words[] = {
	WORD("ZWRyb2Nr", 4),
	WORD("Vkcm9ja", 3),
	WORD("lZHJvY2", 5),
	WORD("LmFtYXpvbmF3c", 5),
	WORD("5hbWF6b25hd3", 6),
	WORD("uYW1hem9uYXdz", 6),
	WORD("TW9kZWxJbnZvY2F0aW9uTG9n", 12),
	WORD("1vZGVsSW52b2NhdGlvbkxvZ", 10),
	WORD("Nb2RlbEludm9jYXRpb25Mb2", 10),
	WORD("eyJ", 0),
	WORD("eyI", 0),
	WORD("eyA", 0),
	WORD("ewo", 0),
	WORD("ew0", 0),
	WORD("W3s", 0),
	WORD("W1s", 0),
	WORD("WyJ", 0),
	WORD("WyI", 0),
	WORD("WyB", 0),
	WORD("Wwo", 0),
	WORD("Ww0", 0),
	WORD("H4sI", 0),
	WORD("ZXlK", 0),
	WORD("SDRzS", 0),
	WORD("+LCA", 1),
	WORD("-LCA", 1),
	WORD("fiwg", 1),
	{NULL, 0, 0},
};
#undef WORD

static bool word_at(struct str s, size_t pair, const struct word *words)
{
	for (const struct word *w = words; w->text; w++) {
		if (s.p[pair] == w->text[w->at] && pair >= w->at && pair - w->at + w->len <= s.len &&
		    memcmp(s.p + pair - w->at, w->text, w->len) == 0)
			return true;
	}
	return false;
}

static v16 load16(const char *p)
{
	v16 v;
	memcpy(&v, p, sizeof v);
	return v;
}

static inline v16 match_pair(v16 a, v16 b, char first, char second)
{
	return (v16)(a == (uint8_t)first) & (v16)(b == (uint8_t)second);
}

// At which of the sixteen positions from p a pair of the words above starts.
static inline v16 find_plain_pairs(const char *p)
{
	v16 a = load16(p), b = load16(p + 1);
	return match_pair(a, b, 'c', 'k') | match_pair(a, b, 'z', 'o') | match_pair(a, b, 'n', 'L') |
	       match_pair(a, b, 'c', 'D') | match_pair(a, b, '"', 'D') | match_pair(a, b, '_', 'r');
}

static inline v16 find_base64_pairs(const char *p)
{
	v16 a = load16(p), b = load16(p + 1);
	return match_pair(a, b, 'b', '2') | match_pair(a, b, 'Y', '2') | match_pair(a, b, 'm', '9') |
	       match_pair(a, b, 'X', 'p') | match_pair(a, b, 'e', 'y') | match_pair(a, b, 'e', 'w') |
	       match_pair(a, b, 'W', '3') | match_pair(a, b, 'W', '1') | match_pair(a, b, 'W', 'y') |
	       match_pair(a, b, 'W', 'w') | match_pair(a, b, 'H', '4') | match_pair(a, b, 'Z', 'X') |
	       match_pair(a, b, 'S', 'D') | match_pair(a, b, 'L', 'C') | match_pair(a, b, 'i', 'w');
}

// Whether a word lies at one of the pairs that `hit` marks, of those that start from s.p[at].
static inline bool has_word_at_pairs(struct str s, size_t at, v16 hit, const struct word *words)
{
	v2 any = (v2)hit;
	if (!(any[0] | any[1]))
		return false;
	for (size_t i = 0; i < 16; i++)
		if (hit[i] && word_at(s, at + i, words))
			return true;
	return false;
}

static inline bool has_word(struct str s, v16 (*find_pairs)(const char *p), const struct word *words)
{
	if (s.len < 17) { // shorter than the pairs that are compared at once
		for (size_t at = 0; at < s.len; at++)
			if (word_at(s, at, words))
				return true;
		return false;
	}
	for (size_t at = 0; at + 17 <= s.len; at += 16)
		if (has_word_at_pairs(s, at, find_pairs(s.p + at), words))
			return true;
	return has_word_at_pairs(s, s.len - 17, find_pairs(s.p + s.len - 17), words);
}

// 1: a digit of base64, in either alphabet; 2: one that is a capital letter.
static const uint8_t base64_digits[256] = {
	['+'] = 1, ['-'] = 1, ['_'] = 1, ['/' ... '9'] = 1, ['a' ... 'z'] = 1, ['A' ... 'Z'] = 2,
};

static uint8_t digit_class(char c)
{
	return base64_digits[(unsigned char)c];
}

// The end of the next RUN digits of base64 in a row, from *at on; some of them capitals. Each run that is as
// long has a digit at one of the places looked at; from there it is followed back. False: there are none.
static bool next_base64_run(struct str s, size_t *at)
{
	for (; *at < s.len; *at += RUN) {
		size_t n = 0, capitals = 0;
		while (n < RUN && digit_class(s.p[*at - n]))
			n++;
		if (n < RUN) {
			*at -= n; // to the end of the first run that may begin behind this gap
			continue;
		}
		for (size_t i = 0; i < RUN; i++)
			capitals += digit_class(s.p[*at - i]) == 2;
		if (capitals >= RUN_CAPITALS)
			return true;
	}
	return false;
}

// Whether these digits of base64, a multiple of four, decode to digits again, some of them capitals.
static bool is_base64_of_base64(const char *p, size_t n)
{
	size_t capitals = 0;
	for (size_t i = 0; i + 4 <= n; i += 4) {
		uint32_t v = 0;
		for (size_t k = 0; k < 4; k++)
			v = v << 6 | base64_digit(p[i + k]);
		for (int shift = 16; shift >= 0; shift -= 8) {
			uint8_t class = digit_class((char)(v >> shift));
			if (!class)
				return false;
			capitals += class == 2;
		}
	}
	return capitals >= RUN_CAPITALS;
}

// From the run on that ends at `at`.
static bool has_base64_of_base64(struct str s, size_t at)
{
	enum { GROUPS = (RUN - 3) / 4 * 4 };
	do {
		for (size_t shift = 0; shift < 4; shift++)
			if (is_base64_of_base64(s.p + at - (RUN - 1) + shift, GROUPS))
				return true;
		at += RUN;
	} while (next_base64_run(s, &at));
	return false;
}

bool prefilter_may_be_ours(struct str s)
{
	size_t at = RUN - 1;
	return has_word(s, find_plain_pairs, plain_words) ||
	       (next_base64_run(s, &at) &&
	        (has_word(s, find_base64_pairs, base64_words) || has_base64_of_base64(s, at)));
}
