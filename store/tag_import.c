// SPDX-License-Identifier: Apache-2.0
#include "store/tag_import.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "ingest/record.h"
#include "store/keys.h"
#include "store/names_check.h"
#include "store/tag_history.h"

enum { LISTS_DEEP = 4, TAG_BYTES_MAX = 2048, AT_ONCE = 1000 };

struct listing {
	struct tag_import *list;
	struct str arn;      // of what has no name
	struct pseudonyms *pseudonyms;
	struct err *err;
};

void tag_import_release(struct tag_import *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->items[i].owner);
		free(l->items[i].change);
	}
	free(l->items);
	*l = (struct tag_import)TAG_LIST_INIT;
}

// The first of some members that is there.
static json_t *member(const json_t *o, const char *a, const char *b, const char *c)
{
	json_t *v = json_object_get(o, a);
	if (!v && b)
		v = json_object_get(o, b);
	return !v && c ? json_object_get(o, c) : v;
}

// ---- tags ---------------------------------------------------------------------------------------

static bool put(json_t *tags, const char *key, json_t *value, struct err *err)
{
	if (!key || !*key || !json_is_string(value))
		return err_set(err, ERR_CONFIG, "Tags: expected entries {\"Key\": string, \"Value\": string}");
	if (strlen(key) > TAG_BYTES_MAX || json_string_length(value) > TAG_BYTES_MAX)
		return err_set(err, ERR_CONFIG, "Tags: a key or value is longer than %d bytes: %.40s", TAG_BYTES_MAX,
		               key);
	json_object_set(tags, key, value);
	return json_object_size(tags) <= TAGS_MAX || err_set(err, ERR_CONFIG, "Tags: more than %d", TAGS_MAX);
}

static bool read_tags(json_t *from, json_t *tags, struct err *err)
{
	const char *key;
	json_t *item;
	size_t i;
	if (json_is_object(from)) {
		json_object_foreach(from, key, item)
			if (!put(tags, key, item, err))
				return false;
		return true;
	}
	if (!json_is_array(from))
		return err_set(err, ERR_CONFIG, "Tags: expected a list or an object");
	json_array_foreach(from, i, item) if (!put(tags, json_string_value(member(item, "Key", "key", NULL)),
	                                           member(item, "Value", "value", NULL), err)) return false;
	return true;
}

// ---- principals ---------------------------------------------------------------------------------

static bool is_owner(struct str owner)
{
	struct str name = owner, account = str_cut(&name, ':'); // name: of "ACCOUNT:account" nothing is left
	str_cut(&name, '/');
	for (size_t i = 0; i < account.len; i++)
		if (account.p[i] < '0' || account.p[i] > '9')
			return false;
	for (size_t i = 0; i < name.len; i++)
		if ((unsigned char)name.p[i] <= ' ' || name.p[i] == 0x7f)
			return false;
	return account.len == 12 && (name.len > 0 || str_ends(owner, STR(":account")));
}

static void hide_tags(struct pseudonyms *p, struct arena *arena, json_t *tags)
{
	const char *key;
	json_t *value;
	json_object_foreach(tags, key, value) {
		struct str hidden = pseudonym_tag(p, arena, str_of(key),
		                                  (struct str){json_string_value(value), json_string_length(value)});
		json_string_setn(value, hidden.p ? hidden.p : "", hidden.len);
	}
}

static bool add_principal(struct listing *x, struct str arn, json_t *listed)
{
	struct buf owner = BUF_INIT;
	struct tag_import *l = x->list;
	struct arena arena = ARENA_INIT;
	json_t *tags = json_object();
	bool good = is_owner(tag_owner(pseudonym_arn(x->pseudonyms, &arena, arn), &owner)) ||
	            err_set(x->err, ERR_CONFIG, "expected the ARN of a role, a user or an account, got \"%.100s\"",
	                    arn.len ? arn.p : "");
	good = good && read_tags(listed, tags, x->err);
	hide_tags(x->pseudonyms, &arena, tags);
	if (good) {
		if (l->n == l->cap)
			l->items = xrealloc(l->items, (size_t)(l->cap = l->cap ? l->cap * 2 : 64), sizeof *l->items);
		size_t n = json_object_size(tags);
		json_t *change = json_pack("{s:s,s:O}", "op", "create", "tags", tags);
		l->items[l->n++] = (struct imported_tags){xstrdup(buf_str(&owner)),
		                                          json_dumps(change, JSON_COMPACT | JSON_SORT_KEYS), n};
		json_decref(change);
	}
	json_decref(tags);
	buf_release(&owner);
	arena_release(&arena);
	return good;
}

static bool read_one(struct listing *x, json_t *o)
{
	json_t *arn = member(o, "Arn", "ResourceARN", "arn"), *tags = member(o, "Tags", "tags", NULL);
	if (!arn && !tags)
		return err_set(
			x->err, ERR_CONFIG,
			"expected a list of roles or users with their tags, as the AWS command line prints it; "
			"here is neither Arn nor Tags");
	if (!tags) {
		x->list->unknown++;
		return true;
	}
	if (!arn && !x->arn.len)
		return err_set(x->err, ERR_CONFIG, "these Tags do not say whose they are: --principal ARN does");
	if (!arn && json_is_true(json_object_get(o, "IsTruncated")))
		return err_set(x->err, ERR_CONFIG,
		               "these Tags are not all (IsTruncated is true): list them without --no-paginate");
	return add_principal(x, arn ? str_of(json_string_value(arn)) : x->arn, tags);
}

static bool read_value(struct listing *x, json_t *v, int deep)
{
	static const char *const lists[] = {
		"RoleDetailList", "UserDetailList", "ResourceTagMappingList", "Roles", "Users", "Role", "User"};
	json_t *item;
	size_t i;
	bool listed = false;
	if (deep > LISTS_DEEP)
		return err_set(x->err, ERR_CONFIG, "lists within lists");
	if (json_is_array(v)) {
		json_array_foreach(v, i, item)
			if (!read_value(x, item, deep + 1)) {
				if (!x->list->skips)
					return false;
				if (!x->list->skipped++)
					x->list->why = *x->err;
				err_clear(x->err);
			}
		return true;
	}
	for (i = 0; i < sizeof lists / sizeof *lists; i++) {
		if (!(item = json_object_get(v, lists[i])))
			continue;
		listed = true;
		if (!read_value(x, item, deep + 1))
			return false;
	}
	return listed || read_one(x, v);
}

bool tag_import_read(struct tag_import *l, struct str text, const char *file, struct str arn,
                     struct pseudonyms *p, struct err *err)
{
	struct listing x = {l, arn, p, err};
	json_error_t e;
	size_t at = 0;
	for (;;) {
		while (at < text.len && strchr(" \t\r\n", text.p[at]) && text.p[at])
			at++;
		if (at == text.len)
			return true;
		json_t *v = json_loadb(text.p + at, text.len - at, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, &e);
		if (!v)
			return err_set(err, ERR_CONFIG, "%s: no JSON at byte %zu: %s", file, at + (size_t)e.position,
			               e.text);
		at += (size_t)e.position;
		bool good = read_value(&x, v, 0);
		json_decref(v);
		if (!good)
			return err_prefix(err, "%s", file);
	}
}

// Whether the newest change until then says the same. Of several at one moment it is not known.
static bool says_already(const struct redis *r, size_t reply, int64_t from_ms, const char *change)
{
	int64_t newest = -1;
	bool same = false;
	for (size_t k = 0; k + 1 < redis_len(r, reply); k += 2) {
		struct str field = redis_elem(r, reply, k);
		int64_t ms = str_cut_count(&field);
		if (ms > from_ms || ms < newest)
			continue;
		same = ms > newest && str_is(redis_elem(r, reply, k + 1), change);
		newest = ms;
	}
	return same;
}

// Whether one before it, of the same role or user, says something else: the last one counts.
static bool is_written(const struct imported_tags *items, const bool *known, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (!known[k] && strcmp(items[k].owner, items[i].owner) == 0)
			return true;
	return false;
}

// Writes `n` of them. What is known is not written again, or each reading would leave a field.
static bool store_some(const struct imported_tags *items, size_t n, struct redis *r, const char *prefix,
                       int64_t from_ms, struct err *err)
{
	struct buf key = BUF_INIT;
	char field[40];
	bool known[AT_ONCE];
	assert(n <= AT_ONCE);
	snprintf(field, sizeof field, "%013lld import", (long long)from_ms);
	for (size_t i = 0; i < n; i++) {
		buf_clear(&key);
		redis_cmd(r, 2, (struct str[]){STR("HGETALL"), key_tags(&key, prefix, str_of(items[i].owner))});
	}
	bool good = redis_exec(r, err);
	for (size_t i = 0; good && i < n; i++)
		known[i] = says_already(r, i, from_ms, items[i].change) && !is_written(items, known, i);
	for (size_t i = 0; good && i < n; i++) {
		if (known[i])
			continue;
		buf_clear(&key);
		key_tags(&key, prefix, str_of(items[i].owner));
		redis_cmd(r, 4, (struct str[]){STR("HSET"), buf_str(&key), str_of(field), str_of(items[i].change)});
		// it had been deleted, and is there again
		redis_cmd(r, 2, (struct str[]){STR("PERSIST"), buf_str(&key)});
	}
	buf_release(&key);
	return good && redis_exec(r, err);
}

bool tag_import_store(const struct tag_import *l, struct redis *r, const char *prefix, int64_t from_ms,
                      struct pseudonyms *p, struct err *err)
{
	bool good = names_check(r, prefix, p, err);
	for (size_t i = 0; good && i < l->n; i += AT_ONCE)
		good = store_some(l->items + i, l->n - i < AT_ONCE ? l->n - i : AT_ONCE, r, prefix, from_ms, err);
	return good;
}

bool tag_import_text(struct redis *r, const char *prefix, struct str text, int64_t from_ms,
                     struct pseudonyms *p, struct err *err)
{
	struct tag_import l = {.skips = true};
	bool good = tag_import_read(&l, text, "AWS", STR_NONE, p, err) &&
	            tag_import_store(&l, r, prefix, from_ms, p, err);
	if (good && l.skipped)
		err_set(err, ERR_SKIP, "the tags of so many roles, users or accounts are not taken: %zu; %s", l.skipped, l.why.msg);
	tag_import_release(&l);
	return good;
}
