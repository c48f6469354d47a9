// SPDX-License-Identifier: Apache-2.0
// What is looked for, and what it gives away:
//
//     edrock               bedrock and bedrock-mantle records, AWS/Bedrock metrics
//     ModelInvocationLog   the invocation log, whose model ids need not say "bedrock"
//     sts.amazonaws / iam.amazonaws    session and principal tags
//     MetricDataResults    answers of GetMetricData
//     data" data\          base64 under the key "data", also inside an escaped string
//     H4sI eyJ W3s         base64 that starts with gzip, {" or [{
//
// Each word is searched by one pair of neighbouring bytes that is rare in JSON ("zo" for both of amazonaws);
// sixteen places are compared at once (vectors of the compiler, so the machine does not matter), and only
// where a pair stands are the words compared.
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

static v16 load(const char *p)
{
	v16 v;
	memcpy(&v, p, sizeof v);
	return v;
}

static inline v16 pair(v16 a, v16 b, char first, char second)
{
	return (v16)(a == (uint8_t)first) & (v16)(b == (uint8_t)second);
}

// Where a pair starts, of the sixteen places from p: the pairs of the words above.
static inline v16 pairs(const char *p)
{
	v16 a = load(p), b = load(p + 1);
	v16 end = (v16)(b == (uint8_t)'"') | (v16)(b == (uint8_t)'\\');
	return pair(a, b, 'c', 'k') | pair(a, b, 'z', 'o') | pair(a, b, 'n', 'L') | pair(a, b, 'c', 'D') |
	       pair(a, b, 'H', '4') | pair(a, b, 'y', 'J') | pair(a, b, 'W', '3') |
	       ((v16)(a == (uint8_t)'a') & end);
}

bool prefilter_may_be_ours(struct str s)
{
	size_t at = 0;
	for (; at + 17 <= s.len; at += 16) {
		v16 hit = pairs(s.p + at);
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
