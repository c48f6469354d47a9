// SPDX-License-Identifier: Apache-2.0
// Looks first for the record of STS, then through the names of callers: sessions that a service issued (EC2,
// Lambda, ECS) have no such record. The names of many buckets are asked for at once: the page waits for them,
// and with it everybody who looks at it. How many names one answer has is bounded all the same.
#include "store/session.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/usd.h"
#include "store/batch.h"
#include "store/keys.h"

enum {
	NAMES_AT_ONCE = 50000,  // some 10 MB
	COUNTS_AT_ONCE = 10000,
};

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

// ---- the names of callers -----------------------------------------------------------------------

struct bucket {
	struct str acct_region;
	int64_t number;
	int64_t names; // how many it has
};

struct bucket_list {
	struct bucket *list;
	size_t n, cap;
};

static void add_bucket(struct bucket_list *l, struct str acct_region, int64_t number)
{
	if (l->n == l->cap)
		l->list = xrealloc(l->list, l->cap = l->cap ? l->cap * 2 : 256, sizeof *l->list);
	l->list[l->n++] = (struct bucket){.acct_region = acct_region, .number = number};
}

static int newest_first(const void *a, const void *b)
{
	const struct bucket *x = a, *y = b;
	if (x->number != y->number)
		return x->number < y->number ? 1 : -1;
	return str_cmp(x->acct_region, y->acct_region);
}

static void ask_bucket(struct redis *r, const char *command, const char *prefix, const struct bucket *b)
{
	struct buf key = BUF_INIT;
	redis_cmd(r, 2, (struct str[]){str_of(command), key_names(&key, prefix, b->acct_region, b->number)});
	buf_release(&key);
}

// Leaves the buckets that have names, the newest first. Those that have expired cost a few bytes each.
static bool count_names(struct bucket_list *l, struct redis *r, const char *prefix, struct err *err)
{
	size_t kept = 0;
	if (l->n > 1)
		qsort(l->list, l->n, sizeof *l->list, newest_first);
	for (size_t first = 0, end; first < l->n; first = end) {
		end = l->n - first < COUNTS_AT_ONCE ? l->n : first + COUNTS_AT_ONCE;
		for (size_t i = first; i < end; i++)
			ask_bucket(r, "HLEN", prefix, &l->list[i]);
		if (!redis_exec(r, err))
			return false;
		for (size_t i = first; i < end; i++) {
			l->list[i].names = redis_int(r, i - first);
			if (l->list[i].names > 0)
				l->list[kept++] = l->list[i];
		}
	}
	l->n = kept;
	return true;
}

// Returns whether to go on.
typedef bool caller_fn(void *user, int64_t bucket, const struct caller_name *name);

static bool each_of_reply(struct redis *r, size_t reply, int64_t bucket, caller_fn *fn, void *user)
{
	struct caller_name name;
	for (size_t i = 0; i < redis_len(r, reply); i++)
		if (read_caller_name(redis_elem(r, reply, i), &name) && !fn(user, bucket, &name))
			return false;
	return true;
}

// Calls `fn` for the callers of the buckets, the newest bucket first. A pipeline asks for as many buckets as
// have NAMES_AT_ONCE names, and for one at least.
static bool each_caller(struct bucket_list *l, struct redis *r, const char *prefix, caller_fn *fn,
                        void *user, struct err *err)
{
	bool on = true;
	if (!count_names(l, r, prefix, err))
		return false;
	for (size_t first = 0, end; on && first < l->n; first = end) {
		int64_t names = 0;
		for (end = first; end < l->n; end++) {
			names += l->list[end].names;
			if (end > first && names > NAMES_AT_ONCE)
				break;
			ask_bucket(r, "HVALS", prefix, &l->list[end]);
		}
		if (!redis_exec(r, err))
			return false;
		for (size_t i = first; on && i < end; i++)
			on = each_of_reply(r, i - first, l->list[i].number, fn, user);
	}
	return true;
}

// ---- the principal of a key ---------------------------------------------------------------------

struct key_search {
	struct str key;
	struct arena *arena;
	struct session *session;
};

static bool take_if_key(void *user, int64_t bucket, const struct caller_name *name)
{
	struct key_search *s = user;
	(void)bucket;
	if (!str_eq(name->key, s->key))
		return true;
	s->session->start_ms = name->start_ms;
	s->session->arn = arena_str(s->arena, name->arn);
	s->session->role_arn = arena_str(s->arena, name->role_arn);
	return false;
}

// Every bucket of which facts may be kept, of all accounts and Regions: two round trips.
static bool list_buckets(struct bucket_list *ret, struct redis *r, const char *prefix, struct arena *arena,
                         struct err *err)
{
	struct buf name = BUF_INIT;
	redis_cmd(r, 2, (struct str[]){STR("SMEMBERS"), key_acct_regions(&name, prefix)});
	size_t n = 0;
	bool good = redis_exec(r, err);
	struct str *acct_regions = good ? redis_copy_list(r, 0, arena, &n) : NULL;
	for (size_t i = 0; i < n; i++)
		redis_cmd(r, 4,
		          (struct str[]){STR("ZRANGE"), key_open(&name, prefix, acct_regions[i]), STR("0"), STR("-1")});
	good = good && (n == 0 || redis_exec(r, err));
	for (size_t i = 0; good && i < n; i++)
		for (size_t k = 0; k < redis_len(r, i); k++) {
			struct str number = redis_elem(r, i, k);
			add_bucket(ret, acct_regions[i], str_cut_count(&number));
		}
	buf_release(&name);
	return good;
}

static bool find_caller(struct redis *r, const char *prefix, struct str key, struct arena *arena,
                        struct session *ret, struct err *err)
{
	struct key_search search = {key, arena, ret};
	struct bucket_list buckets = {.n = 0};
	bool good = list_buckets(&buckets, r, prefix, arena, err) &&
	            each_caller(&buckets, r, prefix, take_if_key, &search, err);
	free(buckets.list);
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

struct key_reader {
	struct session_keys *keys;
	struct str arn;
	struct arena *arena;
};

static int by_last_use(const void *a, const void *b)
{
	const struct session_key *x = a, *y = b;
	if (x->to != y->to)
		return x->to < y->to ? 1 : -1;
	return x->start_ms != y->start_ms ? (x->start_ms < y->start_ms ? 1 : -1) : str_cmp(x->id, y->id);
}

// The place of one more key: behind the others, or if the list is full that of the one whose use is the
// longest ago; NULL: that is the new one.
static struct session_key *find_place(struct session_keys *keys, const struct session_key *fresh)
{
	if (keys->n < SESSION_KEYS_MAX)
		return &keys->list[keys->n++];
	struct session_key *oldest = &keys->list[0];
	for (int i = 1; i < keys->n; i++)
		if (by_last_use(oldest, &keys->list[i]) < 0)
			oldest = &keys->list[i];
	keys->more = true;
	return by_last_use(fresh, oldest) < 0 ? oldest : NULL;
}

// Buckets come the newest first: one that had no place has none later, with an older bucket.
static bool add_key(void *user, int64_t bucket, const struct caller_name *name)
{
	const struct key_reader *reader = user;
	struct session_keys *keys = reader->keys;
	int64_t from = bucket * BUCKET_HOURS, to = from + BUCKET_HOURS;
	if (!name->key.len || !str_eq(name->arn, reader->arn))
		return true;
	for (int i = 0; i < keys->n; i++) {
		struct session_key *k = &keys->list[i];
		if (str_eq(k->id, name->key)) {
			k->from = from < k->from ? from : k->from;
			assert(to <= k->to);
			return true;
		}
	}
	struct session_key fresh = {name->key, name->start_ms, from, to}, *place = find_place(keys, &fresh);
	if (place) {
		*place = fresh;
		place->id = arena_str(reader->arena, name->key);
	}
	return true;
}

bool session_keys_read(struct session_keys *ret, struct redis *r, const struct session_key_query *q,
                       struct arena *arena, struct err *err)
{
	struct key_reader reader = {ret, q->arn, arena};
	struct bucket_list buckets = {.n = 0};
	ret->n = 0;
	ret->more = false;
	for (int32_t i = 0; i < q->nacct_regions; i++)
		for (int64_t b = q->from / BUCKET_HOURS; q->from < q->to && b <= (q->to - 1) / BUCKET_HOURS; b++)
			add_bucket(&buckets, q->acct_regions[i], b);
	bool good = each_caller(&buckets, r, q->prefix, add_key, &reader, err);
	free(buckets.list);
	if (ret->n)
		qsort(ret->list, (size_t)ret->n, sizeof *ret->list, by_last_use);
	return good;
}
