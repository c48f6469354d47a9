// SPDX-License-Identifier: Apache-2.0
#include "cli/template.h"

#include <assert.h>
#include <stdbool.h>

#include "base/text.h"

static struct str find_block(struct str text, const char *name)
{
	while (text.len) {
		struct str line = str_cut(&text, '\n');
		if (!str_starts(line, STR("%% ")) || !str_is((struct str){line.p + 3, line.len - 3}, name))
			continue;
		const char *end = text.len ? memmem(text.p, text.len, "\n%% ", 4) : NULL;
		return (struct str){text.p, end ? (size_t)(end - text.p) + 1 : text.len};
	}
	assert(!"no such block");
	return STR_NONE;
}

static struct str find_value(const struct template_value *values, struct str name)
{
	while (values->name && !str_is(name, values->name))
		values++;
	assert(values->name);
	return values->text;
}

void template_fill(struct buf *b, struct str text, const char *name, const struct template_value *values)
{
	struct str rest = find_block(text, name);
	const char *open;
	while ((open = rest.len ? memmem(rest.p, rest.len, "{{", 2) : NULL)) {
		buf_add(b, rest.p, (size_t)(open - rest.p));
		rest = (struct str){open + 2, rest.len - (size_t)(open + 2 - rest.p)};
		struct str place = str_cut(&rest, '}');
		bool html = str_starts(place, STR("{"));
		size_t closing = html ? 2 : 1; // one is cut already
		assert(rest.len >= closing && memcmp(rest.p, "}}", closing) == 0);
		rest = (struct str){rest.p + closing, rest.len - closing};
		if (html)
			buf_addstr(b, find_value(values, (struct str){place.p + 1, place.len - 1}));
		else
			buf_add_html(b, find_value(values, place));
	}
	buf_addstr(b, rest);
}
