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
	if (!key.len || key.len > LABEL_KEY_MAX || memchr(key.p, 0, key.len) || !value.len)
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

static struct labels copy_labels(struct arena *a, const struct tag *room, int n)
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
	return copy_labels(a, room, n);
}

// Whom a provider of web identities named: "sub" of OpenID Connect, user_id of Login with Amazon.
static struct str subject_of(struct json attributes)
{
	struct str key, value, found = STR_NONE;
	struct json item;
	for (struct json_iter it = json_begin(attributes); json_next(&it, &key, &item);)
		if ((str_is(key, "sub") || str_ends(key, STR(":sub")) || str_ends(key, STR(":user_id"))) &&
		    json_str(item, &value) && str_cmp(value, found) > 0)
			found = value;
	return found;
}

static struct str text_of(struct json object, const char *key)
{
	struct str s;
	return json_str(json_get(object, str_of(key)), &s) ? s : STR_NONE;
}

static struct str first_of(struct str a, struct str b)
{
	return a.len ? a : b;
}

struct labels labels_of_identity(struct json identity, struct arena *a)
{
	struct tag room[LABELS_MAX];
	int n = 0;
	struct json session = json_get(identity, STR("sessionContext"));
	// CloudTrail writes both into the session; records that programs have converted have them beside it.
	struct json web = json_present(json_get(session, STR("webIdFederationData")),
	                               json_get(identity, STR("webIdFederationData")));
	struct json scope = json_get(identity, STR("inScopeOf"));
	labels_add(room, &n, STR("source"),
	           first_of(text_of(session, "sourceIdentity"), text_of(identity, "sourceIdentity")));
	if (!json_missing(scope))
		labels_add(room, &n, STR("workload"),
		           first_of(text_of(scope, "credentialsIssuedTo"), text_of(scope, "sourceArn")));
	if (!json_missing(web)) {
		labels_add(room, &n, STR("provider"), text_of(web, "federatedProvider"));
		labels_add(room, &n, STR("subject"), subject_of(json_get(web, STR("attributes"))));
	}
	labels_add(room, &n, STR("on_behalf_of"),
	           text_of(json_get(identity, STR("onBehalfOf")), "userId"));
	return copy_labels(a, room, n);
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
	return copy_labels(a, room, n);
}
