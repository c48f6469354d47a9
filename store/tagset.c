// SPDX-License-Identifier: Apache-2.0
#include "store/tagset.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"

struct tagset tagset_none(void)
{
	return (struct tagset){STR("-"), STR("{}")};
}

enum { ID_BYTES = 12, ID_SIZE = ID_BYTES / 3 * 4 };

// 96 bits of SHA-256 in base64url. Callers choose the tags of their sessions, so nobody may be able to find
// tags with the id of others; and ids are parts of figures, so they may not depend on the Redis.
struct tagset tagset_of(struct str json, struct arena *arena)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char sum[SHA256_SIZE];
	char id[ID_SIZE], *to = id;
	if (!json.len || str_is(json, "{}"))
		return tagset_none();
	sha256(json, sum);
	for (int i = 0; i < ID_BYTES; i += 3)
		for (int bits = 18; bits >= 0; bits -= 6)
			*to++ = digits[(sum[i] << 16 | sum[i + 1] << 8 | sum[i + 2]) >> bits & 63];
	return (struct tagset){arena_str(arena, (struct str){id, sizeof id}), arena_str(arena, json)};
}

static struct tagset of_object(json_t *tags, struct arena *arena)
{
	char *text = json_dumps(tags, JSON_COMPACT | JSON_SORT_KEYS);
	struct tagset t = tagset_of(str_of(text), arena);
	free(text);
	json_decref(tags);
	return t;
}

static json_t *load_object(struct str text)
{
	json_t *o = text.len ? json_loadb(text.p, text.len, JSON_ALLOW_NUL, NULL) : NULL;
	if (json_is_object(o))
		return o;
	json_decref(o);
	return json_object();
}

// ---- labels -------------------------------------------------------------------------------------

bool tagset_is_label(const char *key)
{
	return strncmp(key, TAG_META, sizeof TAG_META - 1) == 0 ||
	       strncmp(key, TAG_IDENTITY, sizeof TAG_IDENTITY - 1) == 0 || strcmp(key, TAG_LABELS) == 0;
}

// Whether anything of the owner is beyond a limit on that day: most have nothing.
static bool is_limited(const struct tagset_limits *limits)
{
	const struct cardinality *x = limits->cardinality;
	for (int i = 0; i < x->n; i++)
		if (x->list[i].day == limits->day && x->list[i].group.len > limits->owner.len &&
		    str_starts(x->list[i].group, limits->owner) && x->list[i].group.p[limits->owner.len] == ' ')
			return true;
	return false;
}

// `name`: "meta:KEY". False: the key is left out.
static bool limit_label(const struct tagset_limits *limits, struct str name, struct str *value,
                        struct arena *arena)
{
	const struct cardinality *x = limits->cardinality;
	if (!cardinality_keeps_label(x, limits->day, cardinality_label_keys(arena, limits->owner), name))
		return false;
	if (!cardinality_keeps_label(x, limits->day, cardinality_label_values(arena, limits->owner, name),
	                             *value))
		*value = STR(OTHER_VALUES);
	return true;
}

static void add_labels(json_t *to, const char *prefix, struct str text, const struct tagset_limits *limits,
                       struct arena *arena)
{
	if (!text.len)
		return;
	bool limited = is_limited(limits);
	json_t *labels = load_object(text), *value;
	const char *key;
	json_object_foreach(labels, key, value) {
		struct str name = arena_text(arena, "%s%s", prefix, key);
		struct str shown = {json_string_value(value), json_string_length(value)};
		// the name without "aws:" is that of its group
		if (!limited || limit_label(limits, (struct str){name.p + 4, name.len - 4}, &shown, arena))
			json_object_set_new(to, name.p, json_stringn(shown.p, shown.len));
		else
			json_object_set_new(to, TAG_LABELS, json_string(OTHER_VALUES));
	}
	json_decref(labels);
}

struct tagset tagset_with_labels(const struct tagset *base, struct str identity, struct str meta,
                                 const struct tagset_limits *limits, struct arena *arena)
{
	if (!identity.len && !meta.len)
		return *base;
	json_t *tags = load_object(base->json);
	add_labels(tags, TAG_IDENTITY, identity, limits, arena);
	add_labels(tags, TAG_META, meta, limits, arena);
	return of_object(tags, arena);
}

struct tagset tagset_fold(const struct tagset *t, struct arena *arena)
{
	json_t *tags = load_object(t->json), *value;
	const char *key;
	void *next;
	size_t n = json_object_size(tags);
	json_object_foreach_safe(tags, next, key, value)
		if (tagset_is_label(key))
			json_object_del(tags, key);
	if (json_object_size(tags) < n)
		json_object_set_new(tags, TAG_LABELS, json_string(OTHER_VALUES));
	return of_object(tags, arena);
}
