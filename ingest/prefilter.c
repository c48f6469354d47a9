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
// Each word is searched by one pair of its bytes that is rare in JSON: most of the plain words by two that
// are four apart ("d...k" for edrock), "sts." and "iam." by those before the name that every host has. WIDTH
// positions are compared at once, with the compiler's vectors, so this works on any machine. The words are
// compared only where a pair is found.
#include "ingest/prefilter.h"

#include <stdint.h>

#include "ingest/base64.h"

enum { RUN = 70, RUN_CAPITALS = 8 };

enum { WIDTH = 32 };
typedef uint8_t positions __attribute__((vector_size(WIDTH))); // 0xff: this one, else 0
typedef uint64_t words64 __attribute__((vector_size(WIDTH)));

// A machine of today compares as many in one instruction, which the oldest of its kind has not.
#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) &&                          \
	!defined(__SANITIZE_THREAD__)
#define FOR_EACH_CPU __attribute__((target_clones("avx2", "default")))
#else
#define FOR_EACH_CPU
#endif

struct word {
	const char *text;
	uint8_t len, at; // the pair begins with text[at]
};

#define WORD(text, at) {text, sizeof text - 1, at}
static const struct word plain_words[] = {
	WORD("edrock", 1),
	WORD("sts.amazonaws", 1),
	WORD("iam.amazonaws", 1),
	WORD("ModelInvocationLog", 5),
	WORD("MetricDataResults", 6),
	WORD("\"Datapoints", 1),
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

static inline void load(positions *v, const char *p)
{
	memcpy(v, p, sizeof *v);
}

#define MATCH(a, b, first, second)                                                                           \
	((positions)((a) == (uint8_t)(first)) & (positions)((b) == (uint8_t)(second)))

// At which of the positions from p a pair of the words above starts. Up to so many bytes after these are
// looked at.
enum { PLAIN_REACH = 4, BASE64_REACH = 1 };

static inline void find_plain_pairs(const char *p, positions *ret)
{
	positions a, dot, b;
	load(&a, p);
	load(&dot, p + 2);
	load(&b, p + PLAIN_REACH);
	*ret = MATCH(a, b, 'd', 'k') | MATCH(a, dot, 't', '.') | MATCH(a, dot, 'a', '.') | MATCH(a, b, 'I', 'c') |
	       MATCH(a, b, 'D', 'R') | MATCH(a, b, 'D', 'p') | MATCH(a, b, '_', 'u');
}

static inline void find_base64_pairs(const char *p, positions *ret)
{
	positions a, b;
	load(&a, p);
	load(&b, p + BASE64_REACH);
	*ret = MATCH(a, b, 'b', '2') | MATCH(a, b, 'Y', '2') | MATCH(a, b, 'm', '9') | MATCH(a, b, 'X', 'p') |
	       MATCH(a, b, 'e', 'y') | MATCH(a, b, 'e', 'w') | MATCH(a, b, 'W', '3') | MATCH(a, b, 'W', '1') |
	       MATCH(a, b, 'W', 'y') | MATCH(a, b, 'W', 'w') | MATCH(a, b, 'H', '4') | MATCH(a, b, 'Z', 'X') |
	       MATCH(a, b, 'S', 'D') | MATCH(a, b, 'L', 'C') | MATCH(a, b, 'i', 'w');
}

typedef void find_pairs_fn(const char *p, positions *ret);

static inline bool is_any(const positions *hit)
{
	words64 v = (words64)*hit;
	return v[0] | v[1] | v[2] | v[3];
}

// From `at` on, the next place with a pair; the last if there is none. It calls nothing, so the compiler
// keeps what it compares with in registers.
static inline size_t next_pairs(struct str s, size_t at, find_pairs_fn *find_pairs, size_t reach,
                                positions *ret)
{
	size_t last = s.len - WIDTH - reach;
	for (;; at += WIDTH) {
		if (at > last)
			at = last;
		find_pairs(s.p + at, ret);
		if (at == last || is_any(ret))
			return at;
	}
}

static inline bool has_word(struct str s, find_pairs_fn *find_pairs, size_t reach, const struct word *words)
{
	positions hit;
	size_t at = 0;
	if (s.len < WIDTH + reach) { // shorter than the pairs that are compared at once
		for (; at < s.len; at++)
			if (word_at(s, at, words))
				return true;
		return false;
	}
	for (;; at += WIDTH) {
		at = next_pairs(s, at, find_pairs, reach, &hit);
		for (size_t i = 0; is_any(&hit) && i < WIDTH; i++)
			if (hit[i] && word_at(s, at + i, words))
				return true;
		if (at + WIDTH + reach == s.len)
			return false;
	}
}

FOR_EACH_CPU static bool has_plain_word(struct str s)
{
	return has_word(s, find_plain_pairs, PLAIN_REACH, plain_words);
}

FOR_EACH_CPU static bool has_base64_word(struct str s)
{
	return has_word(s, find_base64_pairs, BASE64_REACH, base64_words);
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
	return has_plain_word(s) ||
	       (next_base64_run(s, &at) && (has_base64_word(s) || has_base64_of_base64(s, at)));
}
