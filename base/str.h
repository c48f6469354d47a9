// SPDX-License-Identifier: Apache-2.0
// A slice of bytes that it does not own. It is not NUL-terminated and may hold NULs. Pass it by value. {NULL,
// 0} is the empty slice; for an optional field it means "absent".
#ifndef NOWCAST_BASE_STR_H
#define NOWCAST_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *p;
	size_t len;
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_NONE ((struct str){NULL, 0})
#define STR_ARG(s) (int)(s).len, (s).len ? (s).p : "" // for "%.*s"; evaluates s more than once

static inline struct str str_of(const char *z)
{
	return z ? (struct str){z, strlen(z)} : STR_NONE;
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static inline bool str_is(struct str a, const char *z)
{
	return str_eq(a, str_of(z));
}

static inline bool str_starts(struct str a, struct str prefix)
{
	return a.len >= prefix.len && (prefix.len == 0 || memcmp(a.p, prefix.p, prefix.len) == 0);
}

static inline bool str_ends(struct str a, struct str suffix)
{
	return a.len >= suffix.len &&
	       (suffix.len == 0 || memcmp(a.p + a.len - suffix.len, suffix.p, suffix.len) == 0);
}

// Bytewise order, independent of the locale, a prefix first: -1, 0, 1.
static inline int str_cmp(struct str a, struct str b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n ? memcmp(a.p, b.p, n) : 0;
	if (c)
		return c < 0 ? -1 : 1;
	return a.len == b.len ? 0 : a.len < b.len ? -1 : 1;
}

static inline bool str_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// Without the blanks, tabs and line ends at its start; and at both ends.
static inline struct str str_trim_start(struct str a)
{
	while (a.len && str_is_space(a.p[0]))
		a.p++, a.len--;
	return a;
}

static inline struct str str_trim(struct str a)
{
	a = str_trim_start(a);
	while (a.len && str_is_space(a.p[a.len - 1]))
		a.len--;
	return a;
}

// What follows the last `c` in `a`; all of `a` if there is none.
static inline struct str str_after_last(struct str a, char c)
{
	for (size_t i = a.len; i > 0; i--)
		if (a.p[i - 1] == c)
			return (struct str){a.p + i, a.len - i};
	return a;
}

// Cuts `*rest` at its first `c`: returns the part before it; *rest is then the part after it. Without a `c`,
// returns all of it, and *rest is STR_NONE.
static inline struct str str_cut(struct str *rest, char c)
{
	const char *at = rest->len ? (const char *)memchr(rest->p, c, rest->len) : NULL;
	struct str head = *rest;
	if (!at) {
		*rest = STR_NONE;
		return head;
	}
	head.len = (size_t)(at - rest->p);
	rest->p = at + 1;
	rest->len -= head.len + 1;
	return head;
}

// Cuts the next word off and reads its leading digits, at most 18: a count that one of our scripts wrote. 0
// if the word has none.
static inline int64_t str_cut_count(struct str *rest)
{
	struct str word = str_cut(rest, ' ');
	int64_t v = 0;
	for (size_t i = 0; i < word.len && i < 18 && word.p[i] >= '0' && word.p[i] <= '9'; i++)
		v = v * 10 + (word.p[i] - '0');
	return v;
}

#endif
