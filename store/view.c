// SPDX-License-Identifier: Apache-2.0
// Model hours are read a page at a time, as many as make some thousands of rows; memory is that of one page,
// the tags, and what is kept (store/view_page.c).
#include "store/view_priv.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/usd.h"
#include "base/log.h"
#include "base/when.h"
#include "store/keys.h"
#include "store/schema.h"

enum { TAGS_MS = 5000 };

bool view_open(struct view **ret, struct redis_target target, struct err *err)
{
	struct view *v = xcalloc(1, sizeof *v);
	if (!schema_open(&v->redis, target, SCHEMA_READ, err)) {
		free(v);
		return false;
	}
	v->prefix = xstrdup(str_of(target.prefix));
	v->tags = tag_history_new();
	*ret = v;
	return true;
}

void view_close(struct view *v)
{
	if (!v)
		return;
	tag_history_free(v->tags);
	mapping_free(v->mapping);
	model_hour_cache_free(v->model_hour_cache);
	arena_release(&v->arena);
	arena_release(&v->model_hour);
	redis_close(v->redis);
	free(v->prefix);
	free(v);
}

void view_choose(struct view *v, enum view_basis basis)
{
	v->basis = basis;
}

void view_keep(struct view *v, size_t bytes_max)
{
	if (!v->model_hour_cache)
		v->model_hour_cache = model_hour_cache_new();
	model_hour_cache_limit(v->model_hour_cache, bytes_max);
}

bool view_is_full(const struct view *v)
{
	return !v->model_hour_cache || model_hour_cache_is_full(v->model_hour_cache);
}

struct redis *view_redis(struct view *v)
{
	return v->redis;
}

const char *view_prefix(const struct view *v)
{
	return v->prefix;
}

int view_band_scale(const struct view *v)
{
	return v->band_scale;
}

// ---- tags ---------------------------------------------------------------------------------------

struct str view_tag(struct view *v, const struct model_hour *model_hour, const struct view_row *row,
                    struct str key)
{
	return view_find_tag(v, model_hour, row, key).value;
}

struct tag_value view_find_tag(struct view *v, const struct model_hour *model_hour,
                               const struct view_row *row, struct str key)
{
	return tag_history_find(v->tags, row->principal, row->tagset, (model_hour->hour + 1) * MS_PER_HOUR, key);
}

bool view_map(struct view *v, const struct conf *conf, struct err *err)
{
	v->conf = conf;
	return mapping_load(&v->mapping, conf, err);
}

const struct mapping *view_mapping(const struct view *v)
{
	return v->mapping;
}

const char *view_mapping_file(const struct view *v)
{
	return v->conf ? v->conf->map_file : "";
}

struct mapped view_mapped(struct view *v, const struct model_hour *model_hour, const struct view_row *row,
                          int key)
{
	const struct mapping_caller c = {model_hour->account, row->principal, model_hour->model};
	return mapping_value(v->mapping, &c, model_hour->hour, key);
}

struct tag_history *view_tags(struct view *v)
{
	return v->tags;
}

bool view_tags_are_old(const struct view *v)
{
	return !v->model_hour_cache || !v->tags_ms || when_ticks_ms() - v->tags_ms > TAGS_MS;
}

static void refresh_mapping(struct view *v)
{
	struct err err = ERR_INIT;
	if (v->mapping && !mapping_refresh(&v->mapping, v->conf, &err))
		log_error("what map.file said before stays in force", LOG_STR("why", err.msg));
}

bool view_read_tags(struct view *v, struct err *err)
{
	tag_history_clear(v->tags);
	refresh_mapping(v);
	v->tags_ms = when_ticks_ms();
	v->nasked = 0;
	return tag_history_read_sessions(v->tags, v->redis, v->prefix, err);
}

// ---- each ---------------------------------------------------------------------------------------

static bool read_acct_region(struct view *v, struct str acct_region, int64_t from, int64_t to,
                             struct view_visit *visit, struct err *err)
{
	struct acct_region_index x = {.arena = ARENA_INIT, .acct_region = acct_region};
	bool good = view_index_read(v, &x, from, to, err);
	visit->page_max = VIEW_PAGE_FIRST;
	for (size_t i = 0; good && i < x.n && !visit->stopped;)
		good = view_page_read(v, &x, &i, visit, err);
	arena_release(&x.arena);
	return good;
}

// What is no scale counts as none.
static int read_band_scale(struct redis *r, size_t reply)
{
	int64_t scale;
	bool good = usd_parse_scaled(redis_str(r, reply), 0, &scale) && scale >= BAND_SCALE_MIN &&
	            scale <= BAND_SCALE_MAX;
	return good ? (int)scale : BAND_SCALE_ONE;
}

struct str *view_acct_regions(struct view *v, struct arena *arena, size_t *ret_n, struct err *err)
{
	struct buf key = BUF_INIT;
	redis_cmd(v->redis, 2, (struct str[]){STR("SMEMBERS"), key_acct_regions(&key, v->prefix)});
	redis_cmd(v->redis, 2, (struct str[]){STR("GET"), key_band(&key, v->prefix)});
	buf_release(&key);
	if (!redis_exec(v->redis, err))
		return NULL;
	v->band_scale = read_band_scale(v->redis, 1);
	return view_sorted(v->redis, 0, 1, arena, ret_n);
}

bool view_each(struct view *v, int64_t from, int64_t to, view_fn *fn, void *user, struct err *err)
{
	struct arena names = ARENA_INIT;
	struct view_visit visit = {.fn = fn, .user = user};
	size_t n = 0;
	struct str *acct_regions = view_acct_regions(v, &names, &n, err);
	v->tags_are_new = view_tags_are_old(v);
	bool good = acct_regions && (!v->tags_are_new || view_read_tags(v, err));
	for (size_t i = 0; good && i < n && !visit.stopped; i++)
		good = read_acct_region(v, acct_regions[i], from, to, &visit, err);
	arena_release(&names);
	if (!good)
		v->tags_ms = 0; // half of them may be missing
	return good;
}
