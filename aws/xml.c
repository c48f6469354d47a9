// SPDX-License-Identifier: Apache-2.0
#include "aws/xml.h"

#include <assert.h>
#include <stdio.h>

enum { NAME_MAX_LEN = 60 };

struct str xml_element(struct str xml, const char *name, struct str *ret_rest)
{
	char open[NAME_MAX_LEN + 4], close[NAME_MAX_LEN + 4];
	assert(strlen(name) <= NAME_MAX_LEN);
	size_t open_len = (size_t)snprintf(open, sizeof open, "<%s>", name);
	size_t close_len = (size_t)snprintf(close, sizeof close, "</%s>", name);
	const char *from = xml.len ? memmem(xml.p, xml.len, open, open_len) : NULL, *end = xml.p + xml.len;
	if (!from)
		return STR_NONE;
	from += open_len;
	const char *to = memmem(from, (size_t)(end - from), close, close_len);
	if (!to)
		return STR_NONE;
	if (ret_rest)
		*ret_rest = (struct str){to + close_len, (size_t)(end - to) - close_len};
	return (struct str){from, (size_t)(to - from)};
}

// Cuts the next tag off: its name, "/" in front if it closes; a tag that closes itself is passed over.
static bool next_tag(struct str *rest, struct str *ret_name, const char **ret_begin)
{
	for (;;) {
		const char *from = rest->len ? memchr(rest->p, '<', rest->len) : NULL, *end = rest->p + rest->len;
		const char *to = from ? memchr(from, '>', (size_t)(end - from)) : NULL;
		if (!to)
			return false;
		*rest = (struct str){to + 1, (size_t)(end - to) - 1};
		if (from[1] == '?' || to[-1] == '/')
			continue;
		struct str tag = {from + 1, (size_t)(to - from) - 1};
		*ret_name = str_cut(&tag, ' ');
		*ret_begin = from;
		return true;
	}
}

struct str xml_child(struct str xml, const char *name, struct str *ret_rest)
{
	struct str rest = xml, tag, text = STR_NONE;
	const char *begin;
	bool inside = false;
	for (int depth = 0; next_tag(&rest, &tag, &begin);) {
		bool closes = tag.len && tag.p[0] == '/';
		depth -= closes;
		if (depth < 0)
			break;
		if (depth == 0 && !closes && str_is(tag, name)) {
			inside = true;
			text.p = rest.p;
		} else if (depth == 0 && closes && inside) {
			text.len = (size_t)(begin - text.p);
			if (ret_rest)
				*ret_rest = rest;
			return text;
		}
		depth += !closes;
	}
	return STR_NONE;
}

struct str xml_decode(struct str text, struct buf *b)
{
	static const struct {
		struct str entity;
		char is;
	} entities[] = {{STR("&amp;"), '&'},  {STR("&lt;"), '<'},    {STR("&gt;"), '>'},
	                {STR("&quot;"), '"'}, {STR("&apos;"), '\''}, {STR("&#39;"), '\''},
	                {STR("&#34;"), '"'},  {STR("&#x27;"), '\''}, {STR("&#38;"), '&'}};
	enum { N = sizeof entities / sizeof *entities };
	buf_clear(b);
	buf_reserve(b, text.len);
	while (text.len) {
		size_t i = text.p[0] == '&' ? 0 : N;
		while (i < N && !str_starts(text, entities[i].entity))
			i++;
		size_t len = i < N ? entities[i].entity.len : 1;
		buf_addc(b, i < N ? entities[i].is : text.p[0]);
		text.p += len, text.len -= len;
	}
	return buf_str(b);
}
