// SPDX-License-Identifier: Apache-2.0
// Looks first for the record of STS, then through the names of callers, one bucket at a time: sessions that a
// service issued (EC2, Lambda, ECS) have no such record.
#include "store/session.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/usd.h"
#include "store/batch.h"
#include "store/keys.h"

static struct str copy_json_text(struct arena *arena, const json_t *s)
{
	return json_is_string(s) ? arena_str(arena, (struct str){json_string_value(s), json_string_length(s)})
	                         : STR_NONE;
}

static bool find_record(struct redis *r, const char *prefix, struct str key, struct arena *arena,
                        struct session *ret, struct err *err)
{
	struct buf name = BUF_INIT;
	redis_cmd(r, 2, (struct str[]){STR("GET"), key_session(&name, prefix, key)});
	buf_release(&name);
	if (!redis_exec(r, err))
		return false;
	struct str text = redis_nil(r, 0) ? STR_NONE : redis_str(r, 0);
	json_t *o = text.len ? json_loadb(text.p, text.len, JSON_ALLOW_NUL, NULL) : NULL;
	ret->tagged = o;
	ret->arn = copy_json_text(arena, json_object_get(o, "arn"));
	ret->role_arn = copy_json_text(arena, json_object_get(o, "role"));
	json_decref(o);
	return true;
}

// A caller's name: 'c' arn TAB access key TAB start TAB role arn TAB project (batch.h).
struct caller_name {
	struct str arn, key, role_arn;
	int64_t start_ms;
};

static bool read_caller_name(struct str text, struct caller_name *ret)
{
	if (!text.len || text.p[0] != 'c')
		return false;
	struct str rest = {text.p + 1, text.len - 1};
	*ret = (struct caller_name){.arn = str_cut(&rest, '\t'), .key = str_cut(&rest, '\t')};
	if (!usd_parse_scaled(str_cut(&rest, '\t'), 0, &ret->start_ms))
		ret->start_ms = 0;
	ret->role_arn = str_cut(&rest, '\t');
	return true;
}

static bool read_if_key(struct str text, struct str key, struct arena *arena, struct session *ret)
{
	struct caller_name name;
	if (!read_caller_name(text, &name) || !str_eq(name.key, key))
		return false;
	ret->start_ms = name.start_ms;
	ret->arn = arena_str(arena, name.arn);
	ret->role_arn = arena_str(arena, name.role_arn);
	return true;
}

static bool find_names(struct redis *r, struct str names_key, struct str key, struct arena *arena,
                       struct session *ret, struct err *err)
{
	redis_cmd(r, 2, (struct str[]){STR("HVALS"), names_key});
	if (!redis_exec(r, err))
		return false;
	for (size_t i = 0; i < redis_len(r, 0); i++)
		if (read_if_key(redis_elem(r, 0, i), key, arena, ret))
			break;
	return true;
}

static bool copy_members(struct redis *r, struct arena *arena, struct str *ret_list[], size_t *ret_n,
                    struct err *err)
{
	if (!redis_exec(r, err))
		return false;
	*ret_list = redis_copy_list(r, 0, arena, ret_n);
	return true;
}

static bool find_caller(struct redis *r, const char *prefix, struct str key, struct arena *arena,
                        struct session *ret, struct err *err)
{
	struct str *acct_regions, *buckets;
	size_t nacct_regions = 0, nbuckets = 0;
	struct buf name = BUF_INIT;
	redis_cmd(r, 2, (struct str[]){STR("SMEMBERS"), key_acct_regions(&name, prefix)});
	bool good = copy_members(r, arena, &acct_regions, &nacct_regions, err);
	for (size_t i = 0; good && i < nacct_regions; i++) {
		redis_cmd(r, 4,
		          (struct str[]){STR("ZREVRANGE"), key_open(&name, prefix, acct_regions[i]), STR("0"),
		                         STR("-1")});
		good = copy_members(r, arena, &buckets, &nbuckets, err);
		for (size_t k = 0; good && k < nbuckets && !ret->arn.len; k++)
			good = find_names(r,
			                  key_names(&name, prefix, acct_regions[i], strtoll(buckets[k].p, NULL, 10)),
			                  key, arena, ret, err);
	}
	buf_release(&name);
	return good;
}

bool session_find(struct redis *r, const char *prefix, struct str access_key, struct arena *arena,
                  struct session *ret, struct err *err)
{
	*ret = (struct session){.start_ms = 0};
	return find_record(r, prefix, access_key, arena, ret, err) &&
	       (ret->arn.len || find_caller(r, prefix, access_key, arena, ret, err));
}

// ---- the keys of a principal --------------------------------------------------------------------

static void add_key(struct session_keys *keys, const struct caller_name *name, int64_t bucket,
                    struct arena *arena)
{
	int64_t from = bucket * BUCKET_HOURS, to = from + BUCKET_HOURS;
	for (int i = 0; i < keys->n; i++) {
		struct session_key *k = &keys->list[i];
		if (str_eq(k->id, name->key)) {
			k->from = from < k->from ? from : k->from;
			k->to = to > k->to ? to : k->to;
			return;
		}
	}
	keys->more |= keys->n == SESSION_KEYS_MAX;
	if (keys->n < SESSION_KEYS_MAX)
		keys->list[keys->n++] = (struct session_key){arena_str(arena, name->key), name->start_ms, from, to};
}

static int by_last_use(const void *a, const void *b)
{
	const struct session_key *x = a, *y = b;
	if (x->to != y->to)
		return x->to < y->to ? 1 : -1;
	return x->start_ms != y->start_ms ? (x->start_ms < y->start_ms ? 1 : -1) : str_cmp(x->id, y->id);
}

bool session_keys_add(struct session_keys *keys, struct redis *r, const struct session_key_query *q,
                      struct arena *arena, struct err *err)
{
	struct buf key = BUF_INIT;
	bool good = true;
	for (int64_t b = (q->to - 1) / BUCKET_HOURS; good && q->to > q->from && b >= q->from / BUCKET_HOURS;
	     b--) {
		redis_cmd(r, 2, (struct str[]){STR("HVALS"), key_names(&key, q->prefix, q->acct_region, b)});
		good = redis_exec(r, err);
		for (size_t i = 0; good && i < redis_len(r, 0); i++) {
			struct caller_name name;
			if (read_caller_name(redis_elem(r, 0, i), &name) && name.key.len && str_eq(name.arn, q->arn))
				add_key(keys, &name, b, arena);
		}
	}
	buf_release(&key);
	if (keys->n)
		qsort(keys->list, (size_t)keys->n, sizeof *keys->list, by_last_use);
	return good;
}
