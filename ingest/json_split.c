// SPDX-License-Identifier: Apache-2.0
// Inside strings only quotes and backslashes matter, and memchr finds the quotes. Outside, brackets are
// counted; that a ']' closes a '[' and not a '{' is checked by the parser, which reads the piece next.
#include "ingest/json_split.h"

struct str json_split_trim(struct str s)
{
	if (str_starts(s, STR("\xef\xbb\xbf"))) {
		s.p += 3;
		s.len -= 3;
	}
	return str_trim(s);
}

// The index after the string that opens at s.p[at]; s.len + 1 if the string does not end.
static size_t skip_string(struct str s, size_t at)
{
	size_t from = at + 1;
	while (from < s.len) {
		const char *quote = memchr(s.p + from, '"', s.len - from);
		if (!quote)
			break;
		size_t end = (size_t)(quote - s.p), back = end;
		while (back > at + 1 && s.p[back - 1] == '\\')
			back--;
		if ((end - back) % 2 == 0)
			return end + 1;
		from = end + 1;
	}
	return s.len + 1;
}

struct str json_split_value(struct str s)
{
	size_t at = 0, depth = 0;
	while (at < s.len) {
		switch (s.p[at]) {
		case '"':
			at = skip_string(s, at);
			if (at > s.len)
				return STR_NONE;
			break;
		case '{':
		case '[':
			depth++;
			at++;
			break;
		case '}':
		case ']':
			if (depth == 0)
				return (struct str){s.p, at};
			depth--;
			at++;
			break;
		case ',':
		case '\n':
			if (depth == 0)
				return (struct str){s.p, at};
			at++;
			continue;
		default:
			at++;
			continue;
		}
		if (depth == 0)
			return (struct str){s.p, at};
	}
	return depth == 0 ? s : STR_NONE;
}

struct str json_split_list(struct str s, bool *ret_in_object)
{
	static const char *const opening[] = {"{", "\"Records\"", ":", "["};
	size_t at = 0;
	*ret_in_object = s.len && s.p[0] == '{';
	for (int i = *ret_in_object ? 0 : 3; i < 4; i++) {
		struct str part = str_of(opening[i]);
		while (at < s.len && str_is_space(s.p[at]))
			at++;
		if (!str_starts((struct str){s.p + at, s.len - at}, part))
			return STR_NONE;
		at += part.len;
	}
	return (struct str){s.p + at, s.len - at};
}
