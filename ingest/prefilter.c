// SPDX-License-Identifier: Apache-2.0
// The words that are looked for, and what has them:
//
//     edrock               bedrock and bedrock-mantle records, AWS/Bedrock metrics
//     ModelInvocationLog   the invocation log, whose model ids need not say "bedrock"
//     sts.amazonaws / iam.amazonaws    session and principal tags
//     MetricDataResults    answers of GetMetricData
//     data" data\          base64 under the key "data", also inside an escaped string
//     H4sI eyJ W3s         base64 that starts with gzip, {" or [{
//
// Each word is searched by one pair of neighbouring bytes that is rare in JSON ("zo" for both of amazonaws).
// Sixteen positions are compared at once, with the compiler's vectors, so this works on any machine. The
// words are compared only where a pair is found.
#include "ingest/prefilter.h"

#include <stdint.h>

typedef uint8_t v16 __attribute__((vector_size(16)));
typedef uint64_t v2 __attribute__((vector_size(16)));

struct word {
	const char *text;
	uint8_t len, at; // the pair is text[at], text[at + 1]
};

static const struct word words[] = {
	{"edrock", 6, 4},
	{"sts.amazonaws", 13, 7},
	{"iam.amazonaws", 13, 7},
	{"ModelInvocationLog", 18, 14},
	{"MetricDataResults", 17, 5},
	{"data\"", 5, 3},
	{"data\\", 5, 3},
	{"H4sI", 4, 0},
	{"eyJ", 3, 1},
	{"W3s", 3, 0},
};

enum { WORDS = sizeof words / sizeof *words };

static bool word_at(struct str s, size_t pair)
{
	for (int i = 0; i < WORDS; i++) {
		const struct word *w = &words[i];
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
static inline v16 find_pairs(const char *p)
{
	v16 a = load16(p), b = load16(p + 1);
	v16 end = (v16)(b == (uint8_t)'"') | (v16)(b == (uint8_t)'\\');
	return match_pair(a, b, 'c', 'k') | match_pair(a, b, 'z', 'o') | match_pair(a, b, 'n', 'L') |
	       match_pair(a, b, 'c', 'D') | match_pair(a, b, 'H', '4') | match_pair(a, b, 'y', 'J') |
	       match_pair(a, b, 'W', '3') | ((v16)(a == (uint8_t)'a') & end);
}

bool prefilter_may_be_ours(struct str s)
{
	size_t at = 0;
	for (; at + 17 <= s.len; at += 16) {
		v16 hit = find_pairs(s.p + at);
		v2 any = (v2)hit;
		if (!(any[0] | any[1]))
			continue;
		for (size_t i = 0; i < 16; i++)
			if (hit[i] && word_at(s, at + i))
				return true;
	}
	for (; at < s.len; at++)
		if (word_at(s, at))
			return true;
	return false;
}
