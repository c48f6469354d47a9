// SPDX-License-Identifier: Apache-2.0
#include "run/file_walk.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"

enum { FILE_TRIES = 5 };

void file_walk_release(struct file_walk *w)
{
	s3_page_release(&w->page);
	map_release(&w->read[0]);
	map_release(&w->read[1]);
	arena_release(&w->arena);
	free(w->folders);
	*w = (struct file_walk){0};
}

void file_walk_begin(struct file_walk *w, struct str bucket)
{
	arena_reset(&w->arena);
	w->bucket = arena_str(&w->arena, bucket);
	w->n = w->at = w->tries = w->refused = w->gone = 0;
	w->listed = false;
	err_clear(&w->why);
}

void file_walk_add(struct file_walk *w, struct str prefix, struct str after)
{
	if (w->n == w->cap)
		w->folders = xrealloc(w->folders, (size_t)(w->cap = 2 * w->cap + 8), sizeof *w->folders);
	w->folders[w->n++] =
		(struct walked_folder){arena_str(&w->arena, prefix), arena_str(&w->arena, after)};
}

void file_walk_forget(struct file_walk *w, int64_t position_ms, int64_t now_ms)
{
	if (w->turned_ms && position_ms < w->turned_ms)
		return;
	map_release(&w->read[1]);
	w->read[1] = w->read[0];
	w->read[0] = (struct map)MAP_INIT;
	w->turned_ms = now_ms;
}

static uint64_t hash_of(const struct file_walk *w, struct str key)
{
	return hash64_seeded(key.p, key.len, hash64(w->bucket.p, w->bucket.len));
}

static bool was_read(const struct file_walk *w, struct str key)
{
	uint64_t hash = hash_of(w, key);
	return map_find(&w->read[0], hash) || map_find(&w->read[1], hash);
}

// Large bodies lie in a folder of their own beside the records; a folder may be an object.
static bool is_file(const struct s3_object *o)
{
	struct str name = str_after_last(o->key, '/'), folder = {o->key.p, o->key.len - name.len};
	return o->size > 0 && name.len && !str_ends(folder, STR("/data/"));
}

enum aws_fault file_walk_list(struct s3 *page, const struct aws_place *at, struct str prefix,
                              struct str after, bool folders, bool *ret_more, struct err *err)
{
	page->credentials = *at->credentials;
	if (!*page->region)
		snprintf(page->region, sizeof page->region, "%s", at->region);
	if (s3_list_page(page, prefix, after, folders, ret_more, err))
		return AWS_NONE;
	return page->expired ? AWS_EXPIRED : err->kind == ERR_RETRY ? AWS_UNREACHABLE : AWS_DENIED;
}

static enum aws_fault list_folder(struct file_walk *w, const struct aws_place *at, struct err *err)
{
	struct walked_folder *f = &w->folders[w->at];
	w->page.bucket = w->bucket;
	enum aws_fault fault = file_walk_list(&w->page, at, f->prefix, f->after, false, &w->more, err);
	if (fault != AWS_NONE)
		return fault;
	w->listed = true;
	w->next = 0;
	if (w->page.n)
		f->after = arena_str(&w->arena, w->page.objects[w->page.n - 1].key);
	return AWS_NONE;
}

static enum aws_fault read_file(struct file_walk *w, const struct aws_place *at, file_walk_fn *fn, void *user,
                                struct err *err)
{
	const struct s3_name name = {w->bucket, w->page.objects[w->next].key};
	struct buf data = BUF_INIT, path = BUF_INIT;
	struct err why = ERR_INIT;
	bool expired = false, good = s3_read(at->credentials, w->page.region, name, &data, &expired, &why);
	enum aws_fault fault = AWS_NONE;
	if (good) {
		buf_addf(&path, "s3://%.*s/%.*s", STR_ARG(name.bucket), STR_ARG(name.key));
		fn(user, path.data, buf_str(&data));
	} else if (why.kind == ERR_SKIP) {
		w->gone++;
	} else if (why.kind == ERR_RETRY && (expired || ++w->tries < FILE_TRIES)) {
		*err = why;
		fault = expired ? AWS_EXPIRED : AWS_UNREACHABLE;
	} else {
		if (!w->refused++)
			err_set(&w->why, ERR_CONFIG, "a file is not read: %.*s: %s", STR_ARG(name.key), why.msg);
	}
	if (good || why.kind == ERR_SKIP)
		map_add(&w->read[0], hash_of(w, name.key), 0, &expired);
	if (fault == AWS_NONE) {
		w->next++;
		w->tries = 0;
	}
	buf_release(&data);
	buf_release(&path);
	return fault;
}

enum aws_fault file_walk_step(struct file_walk *w, const struct aws_place *at, file_walk_fn *fn, void *user,
                              bool *ret_complete, struct err *err)
{
	enum aws_fault fault = AWS_NONE;
	if (w->at < w->n && !w->listed)
		fault = list_folder(w, at, err);
	else if (w->at < w->n && w->next < w->page.n)
		fault = read_file(w, at, fn, user, err);
	while (w->listed && w->next < w->page.n &&
	       (!is_file(&w->page.objects[w->next]) || was_read(w, w->page.objects[w->next].key)))
		w->next++;
	if (w->listed && w->next == w->page.n) {
		w->listed = false;
		w->at += !w->more;
	}
	*ret_complete = fault == AWS_NONE && w->at == w->n;
	return fault;
}
