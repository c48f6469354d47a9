// SPDX-License-Identifier: Apache-2.0
// Three walks over all keys of accounts and Regions: the first learns old ids and new ones, the second
// rewrites everything, the third takes the old ids off the hashes of names.
#include "store/migrate_ids.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/map.h"
#include "store/batch.h"
#include "store/cell_codec.h"
#include "store/keys.h"
#include "store/keys_priv.h"
#include "store/name_id.h"

struct id_migration {
	struct redis *redis;
	const struct migrate_options *options;
	struct migrate_counts counts;
	struct str start; // "nowcast:{"
	struct siphash_key key;
	struct map index; // old id -> position in `ids`
	uint64_t *ids;    // new ids
	int32_t n, cap;
};

// ---- old ids and new ones -----------------------------------------------------------------------

// As schema 2 made them.
static uint64_t unkeyed_id(struct str name, char kind)
{
	return digest64_seeded(name.p, name.len, (uint64_t)kind);
}

static void add_id(struct id_migration *m, uint64_t old, uint64_t new)
{
	bool added;
	if (old == new)
		return;
	map_add(&m->index, old, m->n, &added);
	if (!added)
		return;
	if (m->n == m->cap)
		m->ids = xrealloc(m->ids, (size_t)(m->cap = m->cap ? m->cap * 2 : 1024), sizeof *m->ids);
	m->ids[m->n++] = new;
}

// Whether it is an old id; then *id is the new one.
static bool replace_id(const struct id_migration *m, uint64_t *id)
{
	const int32_t *at = map_find(&m->index, *id);
	if (at)
		*id = m->ids[*at];
	return at != NULL;
}

static bool replace_id_at(const struct id_migration *m, char *p)
{
	uint64_t id = bytes_get64(p);
	if (!replace_id(m, &id))
		return false;
	bytes_put64((uint8_t *)p, id);
	return true;
}

static void add_model(struct id_migration *m, struct str model)
{
	add_id(m, unkeyed_id(model, 'm'), name_id_of_model(&m->key, model));
}

// `text` of key_names: the project of a caller is its fifth word.
static void add_project(struct id_migration *m, struct str text)
{
	for (int i = 0; i < 4; i++)
		str_cut(&text, '\t');
	struct str project = str_cut(&text, '\t');
	if (project.len)
		add_id(m, unkeyed_id(project, 'p') | 1, name_id_of_project(project));
}

// The new id of a name that is under `id` now; `id` itself if that is new, or cannot be told.
static uint64_t new_id_of_name(const struct id_migration *m, uint64_t id, struct str text)
{
	uint64_t model;
	switch (text.len ? text.p[0] : 0) {
	case 'm':
	case 'c':
	case 't':
		return name_id(&m->key, text);
	case 'f': // batch_foundation_id and batch_called_id are their own inverses
		model = batch_foundation_id(id);
		return replace_id(m, &model) ? batch_foundation_id(model) : id;
	case 'a':
		model = batch_called_id(id);
		return replace_id(m, &model) ? batch_called_id(model) : id;
	}
	return id;
}

// ---- hashes, a page at a time -------------------------------------------------------------------

struct hash_page {
	struct arena arena;
	struct str *v; // field, value, ...; they live until the next page
	size_t n;
};

static const struct str scan_hash =
	STR("local page = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', 1000) "
        "table.insert(page[2], 1, page[1]) return page[2]");

// *cursor: "0" at first, and after the last page.
static bool read_page(struct id_migration *m, struct str key, char cursor[32], struct hash_page *page,
                      struct err *err)
{
	arena_reset(&page->arena);
	redis_cmd(m->redis, 5, (struct str[]){STR("EVAL"), scan_hash, STR("1"), key, str_of(cursor)});
	if (!redis_exec(m->redis, err))
		return false;
	size_t n = redis_len(m->redis, 0);
	page->v = arena_alloc(&page->arena, (n + 1) * sizeof *page->v);
	page->n = n ? n - 1 : 0;
	snprintf(cursor, 32, "%.*s", STR_ARG(redis_elem(m->redis, 0, 0)));
	for (size_t i = 1; i < n; i++)
		page->v[i - 1] = arena_str(&page->arena, redis_elem(m->redis, 0, i));
	return true;
}

typedef void field_fn(struct id_migration *m, struct str key, struct str field, struct str value);

// Calls `fn` with every field, some perhaps twice; then sends what it has queued.
static bool each_field(struct id_migration *m, struct str key, field_fn *fn, struct err *err)
{
	struct hash_page page = {.arena = ARENA_INIT};
	char cursor[32] = "0";
	bool good;
	do {
		good = read_page(m, key, cursor, &page, err);
		for (size_t i = 0; good && i + 1 < page.n; i += 2)
			fn(m, key, page.v[i], page.v[i + 1]);
		good = good && redis_exec(m->redis, err);
	} while (good && strcmp(cursor, "0") != 0);
	arena_release(&page.arena);
	return good;
}

// ---- first walk: what ids there are -------------------------------------------------------------

static void learn_name(struct id_migration *m, struct str key, struct str field, struct str text)
{
	(void)key;
	if (field.len != sizeof(uint64_t) || !text.len || !strchr("mct", text.p[0]))
		return;
	add_id(m, bytes_get64(field.p), name_id(&m->key, text));
	if (text.p[0] == 'c')
		add_project(m, text);
}

// Of the models that have figures or a bill.
static bool learn_models(struct id_migration *m, struct str key, bool of_bill, struct err *err)
{
	if (of_bill)
		redis_cmd(m->redis, 2, (struct str[]){STR("SMEMBERS"), key});
	else
		redis_cmd(m->redis, 4, (struct str[]){STR("ZRANGE"), key, STR("0"), STR("-1")});
	if (!redis_exec(m->redis, err))
		return false;
	for (size_t i = 0; i < redis_len(m->redis, 0); i++) {
		struct str model = redis_elem(m->redis, 0, i);
		if (!of_bill && model.len > MEMBER_MODEL)
			model = (struct str){model.p + MEMBER_MODEL, model.len - MEMBER_MODEL};
		add_model(m, model);
	}
	return true;
}

// Whether it is that key of any account and Region. *ret_more: what follows the key's name, if that ends in a
// colon; else nothing may.
static bool is_key(const struct id_migration *m, struct str key, enum acct_region_key which,
                   struct str *ret_more)
{
	struct str name = acct_region_keys[which], rest = {key.p + m->start.len, key.len - m->start.len};
	const char *end = memchr(rest.p, '}', rest.len);
	if (!end)
		return false;
	rest = (struct str){end + 1, rest.len - (size_t)(end - rest.p) - 1};
	if (!str_starts(rest, name))
		return false;
	*ret_more = (struct str){rest.p + name.len, rest.len - name.len};
	return name.p[name.len - 1] == ':' ? ret_more->len > 0 : ret_more->len == 0;
}

static bool learn_page(struct redis *r, const struct str *keys, size_t n, void *user, struct err *err)
{
	struct id_migration *m = user;
	struct str more;
	bool good = true;
	(void)r;
	for (size_t i = 0; good && i < n; i++) {
		if (is_key(m, keys[i], KEY_NAMES, &more))
			good = each_field(m, keys[i], learn_name, err);
		else if (is_key(m, keys[i], KEY_USAGE, &more) || is_key(m, keys[i], KEY_ACTUAL_MODELS, &more))
			good = learn_models(m, keys[i], str_ends(keys[i], acct_region_keys[KEY_ACTUAL_MODELS]), err);
	}
	return good;
}

// ---- second walk: everything gets new ids -------------------------------------------------------

static void add_new_name(struct id_migration *m, struct str key, struct str field, struct str text)
{
	uint64_t old = field.len == sizeof old ? bytes_get64(field.p) : 0, new = new_id_of_name(m, old, text);
	if (field.len != sizeof old || old == new)
		return;
	redis_begin(m->redis, 4);
	redis_argz(m->redis, "HSET");
	redis_arg(m->redis, key);
	redis_arg64(m->redis, new);
	redis_arg(m->redis, text);
}

static void rewrite_call(struct id_migration *m, struct str key, struct str field, struct str value)
{
	char ev[EVIDENCE_MAX];
	if (value.len < EVIDENCE_HEAD || value.len > sizeof ev)
		return;
	memcpy(ev, value.p, value.len);
	bool changed = replace_id_at(m, ev + EVIDENCE_AT_MODEL);
	changed |= replace_id_at(m, ev + EVIDENCE_AT_CALLER);
	if ((value.len - EVIDENCE_HEAD) % EVIDENCE_TOKENS != 0)
		changed |= replace_id_at(m, ev + value.len - sizeof(uint64_t));
	if (changed)
		redis_cmd(m->redis, 4, (struct str[]){STR("HSET"), key, field, {ev, value.len}});
}

static void rewrite_cell(struct id_migration *m, struct str key, struct str field, struct str value)
{
	char to[CELL_PROJECT_METRIC_SIZE + 1];
	struct cell_field f;
	bool changed = false;
	cell_field_read(field, &f);
	if (field.len >= sizeof to)
		return;
	memcpy(to, field.p, field.len);
	if (f.form == CELL_CALLS) {
		changed = replace_id_at(m, to + CELL_AT_CALLER);
		if (f.meta_id)
			changed |= replace_id_at(m, to + CELL_AT_META);
	} else if (f.form == CELL_PROJECT_METRIC && replace_id(m, &f.project)) {
		snprintf(to + CELL_AT_PROJECT, CELL_PROJECT_DIGITS + 1, "%016" PRIx64, f.project);
		changed = true;
	}
	if (!changed)
		return;
	const struct str move = STR("redis.call('HSET', KEYS[1], ARGV[2], ARGV[3]) "
	                            "return redis.call('HDEL', KEYS[1], ARGV[1])");
	redis_cmd(m->redis, 7,
	          (struct str[]){STR("EVAL"), move, STR("1"), key, field, {to, field.len}, value});
}

// "HOUR:MODELID" or "MODELID" with its new id, in the arena; STR_NONE if its id is not an old one.
static struct str renamed(const struct id_migration *m, struct str name, struct arena *arena)
{
	enum { DIGITS = 16 };
	char hex[DIGITS + 1];
	char *end;
	if (name.len < DIGITS)
		return STR_NONE;
	memcpy(hex, name.p + name.len - DIGITS, DIGITS);
	hex[DIGITS] = '\0';
	uint64_t id = strtoull(hex, &end, 16);
	if (*end || !replace_id(m, &id))
		return STR_NONE;
	return arena_text(arena, "%.*s%016" PRIx64, (int)(name.len - DIGITS), name.p, id);
}

// A set, or a sorted set, of "HOUR:MODELID".
static bool rewrite_members(struct id_migration *m, struct str key, bool scored, struct err *err)
{
	static const struct str move =
		STR("local score = redis.call('ZSCORE', KEYS[1], ARGV[1]) "
	        "if score then redis.call('ZADD', KEYS[1], 'LT', score, ARGV[2]) end "
	        "return redis.call('ZREM', KEYS[1], ARGV[1])");
	static const struct str move_unscored = STR("redis.call('SADD', KEYS[1], ARGV[2]) "
	                                            "return redis.call('SREM', KEYS[1], ARGV[1])");
	struct arena arena = ARENA_INIT;
	if (scored)
		redis_cmd(m->redis, 4, (struct str[]){STR("ZRANGE"), key, STR("0"), STR("-1")});
	else
		redis_cmd(m->redis, 2, (struct str[]){STR("SMEMBERS"), key});
	bool good = redis_exec(m->redis, err);
	size_t n = 0;
	struct str *list = good ? redis_copy_list(m->redis, 0, &arena, &n) : NULL;
	for (size_t i = 0; i < n; i++) {
		struct str to = renamed(m, list[i], &arena);
		if (to.len)
			redis_cmd(m->redis, 6,
			          (struct str[]){STR("EVAL"), scored ? move : move_unscored, STR("1"), key, list[i], to});
	}
	good = good && redis_exec(m->redis, err);
	arena_release(&arena);
	return good;
}

// Keys whose names end in the id of a model. *key becomes the new name.
static bool rename_key(struct id_migration *m, struct str *key, struct arena *arena, struct err *err)
{
	static const enum acct_region_key kinds[] = {KEY_CELLS, KEY_HOUR_STATS, KEY_PART, KEY_PART_META,
	                                             KEY_BILLED_MEANS};
	struct str more, to = STR_NONE;
	for (size_t i = 0; !to.len && i < sizeof kinds / sizeof *kinds; i++)
		if (is_key(m, *key, kinds[i], &more))
			to = renamed(m, *key, arena);
	if (!to.len)
		return true;
	migrate_queue_rename(m->redis, *key, to);
	if (!redis_exec(m->redis, err))
		return false;
	m->counts.renamed += redis_int(m->redis, 0) == 1;
	*key = to;
	return true;
}

static bool rewrite_key(struct id_migration *m, struct str key, struct err *err)
{
	struct arena arena = ARENA_INIT;
	struct str more;
	bool good = rename_key(m, &key, &arena, err), converted = true;
	if (good && is_key(m, key, KEY_CALLS, &more))
		good = each_field(m, key, rewrite_call, err);
	else if (good && is_key(m, key, KEY_CELLS, &more))
		good = each_field(m, key, rewrite_cell, err);
	else if (good && is_key(m, key, KEY_NAMES, &more))
		good = each_field(m, key, add_new_name, err);
	else if (good && is_key(m, key, KEY_MODEL_HOURS, &more))
		good = rewrite_members(m, key, false, err);
	else if (good && is_key(m, key, KEY_DUE, &more))
		good = rewrite_members(m, key, true, err);
	else
		converted = false;
	m->counts.converted += converted;
	arena_release(&arena);
	return good;
}

static bool rewrite_page(struct redis *r, const struct str *keys, size_t n, void *user, struct err *err)
{
	struct id_migration *m = user;
	bool good = true;
	(void)r;
	for (size_t i = 0; good && i < n; i++)
		good = rewrite_key(m, keys[i], err);
	m->counts.keys += n;
	if (good && m->options->on_progress)
		m->options->on_progress(m->options->user, &m->counts);
	return good;
}

// ---- third walk: names leave their old ids ------------------------------------------------------

static void drop_old_name(struct id_migration *m, struct str key, struct str field, struct str text)
{
	if (field.len == sizeof(uint64_t) &&
	    new_id_of_name(m, bytes_get64(field.p), text) != bytes_get64(field.p))
		redis_cmd(m->redis, 3, (struct str[]){STR("HDEL"), key, field});
}

static bool drop_page(struct redis *r, const struct str *keys, size_t n, void *user, struct err *err)
{
	struct id_migration *m = user;
	struct str more;
	bool good = true;
	(void)r;
	for (size_t i = 0; good && i < n; i++)
		if (is_key(m, keys[i], KEY_NAMES, &more))
			good = each_field(m, keys[i], drop_old_name, err);
	return good;
}

bool migrate_ids(struct redis *r, const char *prefix, const struct migrate_options *o,
                 struct migrate_counts *ret, struct err *err)
{
	struct buf start = BUF_INIT;
	struct id_migration m = {.redis = r, .options = o, .start = key_acct_region_start(&start, prefix)};
	bool good = name_key_take(r, prefix, &m.key, err) && migrate_each_page(r, m.start, learn_page, &m, err) &&
	            migrate_each_page(r, m.start, rewrite_page, &m, err) &&
	            migrate_each_page(r, m.start, drop_page, &m, err);
	*ret = m.counts;
	free(m.ids);
	map_release(&m.index);
	buf_release(&start);
	return good;
}
