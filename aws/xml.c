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
