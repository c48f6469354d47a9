// SPDX-License-Identifier: Apache-2.0
#include "store/tag_history.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <strings.h>

#include "base/arena.h"
#include "base/arn.h"
#include "base/hash.h"
#include "base/map.h"
#include "store/cardinality.h"
#include "store/keys.h"
#include "store/store.h"
#include "store/tagset.h"

struct change {
	char *field;     // "MS EVENT-ID"
	int64_t time_ms;
	int rank;        // among changes of the same moment
	json_t *json;    // {"op":...,"tags":{...}}
};

// The changes of the tags of one role, user or account, sorted by when they count.
struct history {
	struct change *changes;
	size_t n;
	json_t *now;     // tags before `as_of`, made from the changes; NULL: not made yet
	int64_t as_of;
};

// The result of a look-up: a caller's tag, and the span of time without a change around it.
struct answer {
	int64_t after, until; // for moments in (after, until]
	struct tag_value tag;
};

struct tag_history {
	json_t *sessions;    // id -> tags
	struct map met;      // hash of a caller that was asked for; no value
	struct map known;    // hash of an owner -> index into histories
	struct history *histories;
	int32_t n, cap, asked; // histories read, and asked for
	struct map answered; // hash of caller and key -> index into answers
	struct answer *response_cache;
	int32_t nanswers, capanswers;
	struct arena values; // of answers
	uint64_t digest;     // of all histories, in any order
};

struct tag_history *tag_history_new(void)
{
	struct tag_history *b = xcalloc(1, sizeof *b);
	b->sessions = json_object();
	return b;
}

void tag_history_clear(struct tag_history *b)
{
	for (int32_t i = 0; i < b->n; i++) {
		for (size_t k = 0; k < b->histories[i].n; k++) {
			free(b->histories[i].changes[k].field);
			json_decref(b->histories[i].changes[k].json);
		}
		free(b->histories[i].changes);
		json_decref(b->histories[i].now);
	}
	b->n = b->asked = b->nanswers = 0;
	b->digest = 0;
	map_clear(&b->met);
	map_clear(&b->known);
	map_clear(&b->answered);
	arena_reset(&b->values);
	json_object_clear(b->sessions);
}

void tag_history_free(struct tag_history *b)
{
	if (!b)
		return;
	tag_history_clear(b);
	json_decref(b->sessions);
	map_release(&b->met);
	map_release(&b->known);
	map_release(&b->answered);
	arena_release(&b->values);
	free(b->histories);
	free(b->response_cache);
	free(b);
}

// ---- tags as JSON objects -----------------------------------------------------------------------

static struct str text_of(const json_t *s)
{
	return json_is_string(s) ? (struct str){json_string_value(s), json_string_length(s)} : STR_NONE;
}

// The key of the tag, in the case in which it is stored; NULL if there is none.
static const char *find_key(json_t *tags, const char *key)
{
	const char *other;
	json_t *value;
	if (json_object_get(tags, key))
		return key;
	json_object_foreach(tags, other, value)
		if (strcasecmp(other, key) == 0)
			return other;
	return NULL;
}

static void drop_tag(json_t *tags, const char *key)
{
	for (const char *found; (found = find_key(tags, key));) {
		char *copy = xstrdup(str_of(found)); // it goes with the tag
		json_object_del(tags, copy);
		free(copy);
	}
}

static const char *op_of(const json_t *change)
{
	const char *op = json_string_value(json_object_get(change, "op"));
	return op ? op : "";
}

static void apply_change(json_t *tags, const json_t *change)
{
	const char *op = op_of(change), *key;
	json_t *with = json_object_get(change, "tags"), *value;
	if (strcmp(op, "create") == 0 || strcmp(op, "delete") == 0)
		json_object_clear(tags);
	json_object_foreach(with, key, value)
		drop_tag(tags, key);
	if (strcmp(op, "create") == 0 || strcmp(op, "set") == 0)
		json_object_update(tags, with);
}

// ---- whose tags ---------------------------------------------------------------------------------

// arn:aws:organizations::MANAGEMENT:account/o-ID/ACCOUNT
static bool is_of_organization(struct str arn)
{
	struct str rest = arn;
	str_cut(&rest, ':');
	str_cut(&rest, ':');
	return str_is(str_cut(&rest, ':'), "organizations");
}

struct str tag_owner(struct str arn, struct buf *buf)
{
	struct str rest = arn, account = arn_cut_account(&rest), path = rest, kind = str_cut(&path, '/');
	struct str last = str_after_last(path, '/'), first = str_cut(&path, '/');
	buf_clear(buf);
	if (str_is(kind, "assumed-role"))
		buf_addf(buf, "%.*s:role/%.*s", STR_ARG(account), STR_ARG(first));
	else if (str_is(kind, "role") || str_is(kind, "user"))
		buf_addf(buf, "%.*s:%.*s/%.*s", STR_ARG(account), STR_ARG(kind), STR_ARG(last));
	else if (str_is(kind, "account") && is_of_organization(arn))
		buf_addf(buf, "%.*s:account", STR_ARG(last));
	return buf_str(buf);
}

struct str tag_account_owner(struct str arn, struct buf *buf)
{
	struct str rest = arn, account = arn_cut_account(&rest);
	buf_clear(buf);
	if (arn_is_account(account) && !is_of_organization(arn) &&
	    (!is_overflow_name(arn) || cardinality_is_of_sessions(cardinality_group(arn))))
		buf_addf(buf, "%.*s:account", STR_ARG(account));
	return buf_str(buf);
}

static uint64_t hash_of(struct str s, uint64_t seed)
{
	return hash64_seeded(s.p ? s.p : "", s.len, seed);
}

static json_t *session_tags(struct tag_history *b, struct str tagset)
{
	return tagset.len > 1 ? json_object_getn(b->sessions, tagset.p, tagset.len) : NULL;
}

// A federated user inherits the tags of the user who asked for its credentials.
static struct str owner_of(struct tag_history *b, struct str arn, struct str tagset, struct buf *buf)
{
	struct str issuer = text_of(json_object_get(session_tags(b, tagset), TAG_ISSUER));
	return tag_owner(issuer.len ? issuer : arn, buf);
}

static struct history *find_history(struct tag_history *b, struct str owner)
{
	int32_t *at = owner.len ? map_find(&b->known, hash64(owner.p, owner.len)) : NULL;
	return at && *at < b->n && b->histories[*at].n ? &b->histories[*at] : NULL;
}

// Of a caller, of the role or user and of the account; NULL: none is known.
struct histories {
	struct history *own, *account;
};

static struct histories histories_of(struct tag_history *b, struct str arn, struct str tagset)
{
	struct buf buf = BUF_INIT;
	struct histories h = {.own = find_history(b, owner_of(b, arn, tagset, &buf))};
	h.account = find_history(b, tag_account_owner(arn, &buf));
	buf_release(&buf);
	return h;
}

// ---- reading ------------------------------------------------------------------------------------

bool tag_history_read_sessions(struct tag_history *b, struct redis *r, const char *prefix, struct err *err)
{
	struct buf key = BUF_INIT;
	redis_cmd(r, 2, (struct str[]){STR("HGETALL"), key_tagsets(&key, prefix)});
	buf_release(&key);
	if (!redis_exec(r, err))
		return false;
	json_object_clear(b->sessions);
	for (size_t i = 0; i + 1 < redis_len(r, 0); i += 2) {
		struct str id = redis_elem(r, 0, i), text = redis_elem(r, 0, i + 1);
		json_t *tags = json_loadb(text.p, text.len, JSON_ALLOW_NUL, NULL);
		if (tags)
			json_object_setn_new(b->sessions, id.p, id.len, tags);
	}
	return true;
}

static void ask_owner(struct tag_history *b, struct redis *r, const char *prefix, struct str owner)
{
	struct buf key = BUF_INIT;
	bool added = false;
	if (owner.len)
		map_add(&b->known, hash64(owner.p, owner.len), b->asked, &added);
	if (added) {
		b->asked++;
		redis_cmd(r, 2, (struct str[]){STR("HGETALL"), key_tags(&key, prefix, owner)});
	}
	buf_release(&key);
}

void tag_history_ask(struct tag_history *b, struct redis *r, const char *prefix, struct str arn,
                     struct str tagset)
{
	struct buf buf = BUF_INIT;
	bool added = false;
	map_add(&b->met, hash_of(arn, hash_of(tagset, 0)), 0, &added);
	if (!added)
		return;
	ask_owner(b, r, prefix, owner_of(b, arn, tagset, &buf));
	ask_owner(b, r, prefix, tag_account_owner(arn, &buf));
	buf_release(&buf);
}

static int by_time(const void *a, const void *b)
{
	const struct change *x = a, *y = b;
	if (x->time_ms != y->time_ms)
		return x->time_ms < y->time_ms ? -1 : 1;
	return x->rank != y->rank ? x->rank - y->rank : strcmp(x->field, y->field);
}

// Returns what it adds to the digest.
static uint64_t read_history(struct redis *r, size_t reply, struct history *h)
{
	uint64_t digest = 0;
	static const char *const ops[] = {"delete", "create", "unset", "set"};
	size_t n = redis_len(r, reply) / 2;
	*h = (struct history){.changes = xcalloc(n, sizeof *h->changes)};
	for (size_t i = 0; i < n; i++) {
		struct str value = redis_elem(r, reply, 2 * i + 1);
		json_t *json = json_loadb(value.p, value.len, JSON_ALLOW_NUL, NULL);
		digest += hash_of(value, hash_of(redis_elem(r, reply, 2 * i), 0));
		if (!json)
			continue;
		char *field = xstrdup(redis_elem(r, reply, 2 * i));
		int rank = 0;
		while (rank < 3 && strcmp(op_of(json), ops[rank]) != 0)
			rank++;
		h->changes[h->n++] = (struct change){field, strtoll(field, NULL, 10), rank, json};
	}
	if (h->n)
		qsort(h->changes, h->n, sizeof *h->changes, by_time);
	return digest;
}

void tag_history_take(struct tag_history *b, struct redis *r)
{
	int32_t first = b->n;
	assert(redis_count(r) == (size_t)(b->asked - b->n));
	if (b->asked > b->n) { // what was answered before they were known may be wrong
		map_clear(&b->answered);
		b->nanswers = 0;
	}
	if (b->asked > b->cap)
		b->histories = xrealloc(b->histories, (size_t)(b->cap = b->asked * 2), sizeof *b->histories);
	for (; b->n < b->asked; b->n++)
		b->digest += read_history(r, (size_t)(b->n - first), &b->histories[b->n]);
}

uint64_t tag_history_digest(const struct tag_history *b)
{
	return b->digest;
}

// ---- asking -------------------------------------------------------------------------------------

static json_t *tags_at(struct history *h, int64_t ms)
{
	if (h->now && h->as_of == ms)
		return h->now;
	json_decref(h->now);
	h->now = json_object();
	h->as_of = ms;
	for (size_t i = 0; i < h->n && h->changes[i].time_ms < ms; i++)
		apply_change(h->now, h->changes[i].json);
	return h->now;
}

// Narrows the span to that around `ms` in which no tag of the owner changed.
static void narrow_span(const struct history *h, int64_t ms, struct answer *a)
{
	for (size_t i = 0; h && i < h->n; i++) {
		if (h->changes[i].time_ms >= ms && h->changes[i].time_ms < a->until)
			a->until = h->changes[i].time_ms;
		if (h->changes[i].time_ms < ms && h->changes[i].time_ms > a->after)
			a->after = h->changes[i].time_ms;
	}
}

// STR_NONE if the owner had no such tag.
static struct str value_at(struct history *h, int64_t ms, const char *key)
{
	json_t *tags = h ? tags_at(h, ms) : NULL;
	const char *found = tags ? find_key(tags, key) : NULL;
	return found ? text_of(json_object_get(tags, found)) : STR_NONE;
}

static struct tag_value look_up_tag(struct tag_history *b, struct str arn, struct str tagset, int64_t ms,
                                    struct str key, struct answer *ret)
{
	json_t *session = session_tags(b, tagset);
	char *z = xstrdup(key);
	const char *found = session ? find_key(session, z) : NULL;
	// Of labels that are not listed it may be known that some were left out.
	if (!found && session && tagset_is_label(z))
		found = find_key(session, TAG_LABELS);
	struct tag_value tag = {found ? text_of(json_object_get(session, found)) : STR_NONE, TAG_OF_SESSION};
	ret->after = INT64_MIN; // of a session, all time
	ret->until = INT64_MAX;
	if (!found) {
		struct histories h = histories_of(b, arn, tagset);
		tag = (struct tag_value){value_at(h.own, ms, z), TAG_OF_OWNER};
		if (!tag.value.p)
			tag = (struct tag_value){value_at(h.account, ms, z), TAG_OF_ACCOUNT};
		narrow_span(h.own, ms, ret);
		narrow_span(h.account, ms, ret);
	}
	free(z);
	return tag;
}

struct tag_value tag_history_find(struct tag_history *b, struct str arn, struct str tagset, int64_t ms,
                                  struct str key)
{
	bool added;
	int32_t *at = map_add(&b->answered, hash_of(arn, hash_of(tagset, hash_of(key, 0))), b->nanswers, &added);
	if (added && b->nanswers == b->capanswers)
		b->response_cache =
			xrealloc(b->response_cache, (size_t)(b->capanswers = b->capanswers ? b->capanswers * 2 : 64),
		             sizeof *b->response_cache);
	struct answer *a = &b->response_cache[*at];
	if (!added && ms > a->after && ms <= a->until)
		return a->tag;
	b->nanswers += added;
	a->tag = look_up_tag(b, arn, tagset, ms, key, a);
	if (a->tag.value.p)
		a->tag.value = arena_str(&b->values, a->tag.value);
	return a->tag;
}

const char *tag_held_of(const struct tag_held *t, struct str arn)
{
	return t->of_session                                ? "session"
	       : t->of_account || is_of_organization(arn) ? "account"
	       : memmem(arn.p, arn.len, "role/", 5)       ? "role"
	                                                  : "user";
}

// The change that gave the tag its value.
static void origin_of(const struct history *h, int64_t ms, struct tag_held *t)
{
	for (size_t i = h->n; i-- > 0;) {
		const struct change *c = &h->changes[i];
		if (c->time_ms >= ms || c->rank % 2 == 0 ||
		    !json_object_get(json_object_get(c->json, "tags"), t->key.p))
			continue;
		struct str field = str_of(c->field);
		str_cut(&field, ' ');
		t->since_ms = c->time_ms;
		t->event = field;
		return;
	}
}

static int by_key(const void *a, const void *b)
{
	return str_cmp(((const struct tag_held *)a)->key, ((const struct tag_held *)b)->key);
}

void tag_history_each(struct tag_history *b, struct str arn, struct str tagset, int64_t ms,
                      void (*fn)(void *user, const struct tag_held *t), void *user)
{
	json_t *session = session_tags(b, tagset), *value;
	struct histories h = histories_of(b, arn, tagset);
	json_t *own = h.own ? tags_at(h.own, ms) : NULL, *account = h.account ? tags_at(h.account, ms) : NULL;
	struct tag_held *all = xcalloc(
		json_object_size(session) + json_object_size(own) + json_object_size(account) + 1, sizeof *all);
	size_t n = 0;
	const char *key;
	json_object_foreach(session, key, value)
		all[n++] = (struct tag_held){.key = str_of(key), .value = text_of(value), .of_session = true};
	json_object_foreach(own, key, value) {
		if (session && find_key(session, key))
			continue;
		all[n] = (struct tag_held){.key = str_of(key), .value = text_of(value)};
		origin_of(h.own, ms, &all[n++]);
	}
	json_object_foreach(account, key, value) {
		if ((session && find_key(session, key)) || (own && find_key(own, key)))
			continue;
		all[n] = (struct tag_held){.key = str_of(key), .value = text_of(value), .of_account = true};
		origin_of(h.account, ms, &all[n++]);
	}
	qsort(all, n, sizeof *all, by_key);
	for (size_t i = 0; i < n; i++)
		fn(user, &all[i]);
	free(all);
}

// ---- from when to when --------------------------------------------------------------------------

struct spell_list {
	struct tag_held *list; // until_ms INT64_MAX: it holds so far
	size_t n, cap;
};

static void start_spell(struct spell_list *s, const struct change *c, const char *key, struct str value)
{
	struct str event = str_of(c->field);
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].until_ms == INT64_MAX && str_is(s->list[i].key, key))
			return; // set again to what it was
	if (s->n == s->cap)
		s->list = xrealloc(s->list, s->cap = s->cap ? s->cap * 2 : 32, sizeof *s->list);
	str_cut(&event, ' ');
	s->list[s->n++] = (struct tag_held){
		.key = str_of(key), .value = value, .since_ms = c->time_ms, .event = event, .until_ms = INT64_MAX};
}

static void add_change(struct spell_list *s, json_t *now, const struct change *c)
{
	json_t *with = json_object_get(c->json, "tags"), *value;
	const char *key;
	apply_change(now, c->json);
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].until_ms == INT64_MAX &&
		    !str_eq(text_of(json_object_get(now, s->list[i].key.p)), s->list[i].value))
			s->list[i].until_ms = c->time_ms;
	json_object_foreach(with, key, value)
		if (c->rank % 2 && json_object_get(now, key))
			start_spell(s, c, key, text_of(value));
}

static int by_key_and_time(const void *a, const void *b)
{
	const struct tag_held *x = a, *y = b;
	int c = str_cmp(x->key, y->key);
	return c ? c : (x->since_ms > y->since_ms) - (x->since_ms < y->since_ms);
}

static void each_spell(const struct history *h, bool of_account,
                       void (*fn)(void *user, const struct tag_held *t), void *user)
{
	struct spell_list s = {0};
	json_t *now = json_object();
	for (size_t i = 0; h && i < h->n; i++)
		add_change(&s, now, &h->changes[i]);
	if (s.n > 1)
		qsort(s.list, s.n, sizeof *s.list, by_key_and_time);
	for (size_t i = 0; i < s.n; i++)
		if (s.list[i].until_ms > s.list[i].since_ms) {
			s.list[i].of_account = of_account;
			fn(user, &s.list[i]);
		}
	free(s.list);
	json_decref(now);
}

void tag_history_changes(struct tag_history *b, struct str arn, struct str tagset,
                         void (*fn)(void *user, const struct tag_held *t), void *user)
{
	struct histories h = histories_of(b, arn, tagset);
	each_spell(h.own, false, fn, user);
	each_spell(h.account, true, fn, user);
}
