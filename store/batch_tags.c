// SPDX-License-Identifier: Apache-2.0
// Tags in the form in which Redis keeps them: JSON objects with sorted keys, so that equal tags are equal
// bytes.
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arn.h"
#include "base/buf.h"
#include "store/batch_priv.h"

struct str batch_arn_at_start(struct batch *b, struct str arn, int64_t start_ms)
{
	size_t room = arn.len + 24;
	char *p = arena_alloc(&b->arena, room);
	int n = snprintf(p, room, "%.*s@%lld", STR_ARG(arn), (long long)(start_ms / 1000));
	return (struct str){p, (size_t)n};
}

// JSON parsers refuse a NUL in a key, and with it all the tags: it is replaced by U+2400, its symbol.
static char *key_without_nul(struct str key)
{
	struct buf b = BUF_INIT;
	for (size_t i = 0; i < key.len; i++)
		if (key.p[i])
			buf_addc(&b, key.p[i]);
		else
			buf_adds(&b, "\xe2\x90\x80");
	return b.data ? b.data : xstrdup(STR(""));
}

static struct str text_of(const json_t *s)
{
	return (struct str){json_string_value(s), json_string_length(s)};
}

// Tags as a JSON object with sorted keys. Of a key that occurs twice the larger value is kept, in any order.
// ERR_SKIP: a tag is not UTF-8, so JSON cannot hold it.
static bool tags_object(const struct tag *tags, int n, json_t **ret, struct err *err)
{
	json_t *o = json_object();
	for (int i = 0; i < n; i++) {
		json_t *value = json_stringn(tags[i].value.len ? tags[i].value.p : "", tags[i].value.len);
		char *key = key_without_nul(tags[i].key);
		json_t *was = json_object_get(o, key);
		bool smaller = was && value && str_cmp(text_of(was), text_of(value)) >= 0;
		if (!value || (!smaller && json_object_set(o, key, value) != 0)) {
			json_decref(value);
			json_decref(o);
			free(key);
			return err_set(err, ERR_SKIP, "tags: not UTF-8");
		}
		json_decref(value);
		free(key);
	}
	*ret = o;
	return true;
}

static struct str dump_json(struct batch *b, json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(o);
	struct str s = arena_str(&b->arena, str_of(text));
	free(text);
	return s;
}

// Owns `tags` from now on. The ARN and the role are added for session_find; they are left out where they are
// not UTF-8.
static json_t *session_object(const struct session_tags *t, json_t *tags)
{
	json_t *o = json_object();
	if (t->arn.len)
		json_object_set_new(o, "arn", json_stringn(t->arn.p, t->arn.len));
	if (t->role_arn.len)
		json_object_set_new(o, "role", json_stringn(t->role_arn.p, t->role_arn.len));
	json_object_set_new(o, "tags", tags);
	return o;
}

bool batch_add_session_tags(struct batch *b, const struct session_tags *t, int64_t latest_ms, struct err *err)
{
	struct str rest = t->arn;
	json_t *tags;
	if (!batch_check_time(b, t->time_ms, latest_ms, err))
		return false;
	if (!batch_is_clean(t->access_key) || (t->arn.len && !batch_is_clean(t->arn)) ||
	    (t->role_arn.len && !batch_is_clean(t->role_arn)))
		return err_set(
			err, ERR_SKIP,
			"credentials.accessKeyId, assumedRoleUser.arn or roleArn: missing, or with blanks or control characters in it");
	if (!tags_object(t->tags, t->ntags, &tags, err))
		return false;
	b->session_tags =
		batch_grown(b, b->session_tags, b->nsession_tags, &b->capsession_tags, sizeof *b->session_tags);
	b->session_tags[b->nsession_tags++] = (struct batch_session){
		.account = arena_str(&b->arena, arn_cut_account(&rest)),
		.access_key = arena_str(&b->arena, t->access_key),
		.arn_at_start = t->arn.len ? batch_arn_at_start(b, t->arn, t->time_ms) : STR_NONE,
		.json = dump_json(b, session_object(t, tags)),
		.tagged = t->ntags > 0,
	};
	return true;
}

bool batch_add_principal_tags(struct batch *b, const struct principal_tags *t, int64_t latest_ms,
                              struct err *err)
{
	static const char *const ops[] = {
		[TAGS_SET] = "set", [TAGS_UNSET] = "unset", [TAGS_CREATED] = "create", [TAGS_DELETED] = "delete"};
	json_t *tags;
	if (!batch_check_time(b, t->time_ms, latest_ms, err))
		return false;
	if (!batch_is_made_of(t->account, 12, "0123456789") || !batch_is_clean(t->name))
		return err_set(err, ERR_SKIP,
		               "IAM record: account or name missing, or with blanks or control characters in it");
	if (!tags_object(t->tags, t->ntags, &tags, err))
		return false;
	char field[64];
	struct buf key = BUF_INIT;
	buf_addf(&key, "%.*s:%s/%.*s", STR_ARG(t->account), t->is_role ? "role" : "user", STR_ARG(t->name));
	int n = snprintf(field, sizeof field, "%013lld %.40s", (long long)t->time_ms,
	                 t->event_id.len ? arena_str(&b->arena, t->event_id).p : "");
	b->tag_changes =
		batch_grown(b, b->tag_changes, b->ntag_changes, &b->captag_changes, sizeof *b->tag_changes);
	b->tag_changes[b->ntag_changes++] = (struct batch_tag_change){
		.key = arena_str(&b->arena, buf_str(&key)),
		.field = arena_str(&b->arena, (struct str){field, (size_t)n}),
		.json = dump_json(b, json_pack("{s:s,s:o}", "op", ops[t->change], "tags", tags)),
	};
	buf_release(&key);
	return true;
}
