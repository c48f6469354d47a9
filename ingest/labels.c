// SPDX-License-Identifier: Apache-2.0
#include "ingest/labels.h"

#include <assert.h>

#include "base/pattern.h"

// At most `max` bytes, without a part of a character at the end.
static struct str cut_text(struct str s, size_t max)
{
	if (s.len <= max)
		return s;
	while (max && ((unsigned char)s.p[max] & 0xc0) == 0x80)
		max--;
	return (struct str){s.p, max};
}

void labels_add(struct tag *room, int *n, struct str key, struct str value)
{
	int at = *n;
	if (!value.len || !key.len || key.len > LABEL_KEY_MAX || memchr(key.p, 0, key.len))
		return;
	while (at > 0 && str_cmp(room[at - 1].key, key) > 0)
		at--;
	if ((at > 0 && str_eq(room[at - 1].key, key)) || at == LABELS_MAX)
		return;
	int last = *n < LABELS_MAX ? (*n)++ : LABELS_MAX - 1;
	for (; last > at; last--)
		room[last] = room[last - 1];
	room[at] = (struct tag){key, cut_text(value, LABEL_VALUE_MAX)};
	assert(*n <= LABELS_MAX);
}

struct labels labels_copy(const struct tag *room, int n, struct arena *a)
{
	if (n == 0)
		return LABELS_NONE;
	struct tag *v = arena_alloc(a, (size_t)n * sizeof *v);
	memcpy(v, room, (size_t)n * sizeof *v);
	return (struct labels){v, n};
}

// Text of a number or a boolean, as JSON writes it.
static struct str scalar_text(struct arena *a, struct json v)
{
	struct str s;
	enum json_type type = json_type(v);
	if (json_str(v, &s))
		return s;
	if (type != JSON_INT && type != JSON_DOUBLE && type != JSON_BOOL)
		return STR_NONE;
	struct buf text = BUF_INIT;
	json_print(v, &text);
	s = arena_str(a, buf_str(&text));
	buf_release(&text);
	return s;
}

struct labels labels_read(struct json object, struct arena *a)
{
	struct tag room[LABELS_MAX];
	struct str key;
	struct json item;
	int n = 0;
	if (json_type(object) != JSON_OBJECT)
		return LABELS_NONE;
	for (struct json_iter it = json_begin(object); json_next(&it, &key, &item);)
		labels_add(room, &n, key, scalar_text(a, item));
	return labels_copy(room, n, a);
}

static bool keeps_key(const struct conf_list *patterns, struct str key)
{
	for (size_t i = 0; i < patterns->n; i++) {
		struct str pattern = str_of(patterns->items[i]);
		bool keep = !str_starts(pattern, STR("!"));
		if (!keep)
			pattern = (struct str){pattern.p + 1, pattern.len - 1};
		if (pattern_matches(pattern, key))
			return keep;
	}
	return false;
}

struct labels labels_kept(struct labels labels, const struct conf_list *patterns, struct arena *a)
{
	struct tag room[LABELS_MAX];
	int n = 0;
	if (patterns->n == 0)
		return labels;
	for (int i = 0; i < labels.n && n < LABELS_MAX; i++)
		if (keeps_key(patterns, labels.v[i].key))
			room[n++] = labels.v[i];
	return labels_copy(room, n, a);
}
