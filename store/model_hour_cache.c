// SPDX-License-Identifier: Apache-2.0
// A row is kept as the number of its caller, its type, a mask of the words of its struct figure that are not
// zero, and these words: whatever a figure comes to hold is kept along. Model hours stand in a list by last
// use. Names outlive their model hours; when they alone fill a quarter of the room, everything goes and is
// read anew.
#include "store/model_hour_cache.h"

#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/map.h"

enum { WORDS = sizeof(struct figure) / sizeof(uint64_t), NAMES_PART = 4 };

_Static_assert(sizeof(struct figure) % sizeof(uint64_t) == 0 && WORDS <= 32,
               "a mask of 32 bits names the words of a figure");
_Static_assert(sizeof(struct view_row) <= 3 * sizeof(struct str) + sizeof(struct figure) + 16,
               "a new member of a row is kept here as well");

struct name {
	struct str principal, role, tagset;
};

struct kept_row {
	int32_t caller, type;
	uint32_t mask;
	uint32_t at; // of its first word
};

struct cached_model_hour {
	uint64_t key, mark;
	struct str model, foundation; // slices of text
	char *text;
	struct kept_row *rows;
	uint64_t *words;
	int nrows;
	size_t bytes;
	struct cached_model_hour *newer, *older;
};

struct model_hour_cache {
	size_t bytes_max, bytes;     // of the model hours, without the names
	struct arena names;
	struct map index;            // key -> number in `model hours`
	struct cached_model_hour **model_hours;       // NULL: gone
	int32_t nmodel_hours, capmodel_hours;
	struct map callers_index;    // hash of names -> number in `callers`
	struct name *callers;
	int32_t ncallers, capcallers;
	struct cached_model_hour *newest, *oldest;
};

// ---- the list by last use -----------------------------------------------------------------------

static void unlink_model_hour(struct model_hour_cache *s, struct cached_model_hour *x)
{
	*(x->newer ? &x->newer->older : &s->newest) = x->older;
	*(x->older ? &x->older->newer : &s->oldest) = x->newer;
	x->newer = x->older = NULL;
}

static void link_model_hour(struct model_hour_cache *s, struct cached_model_hour *x)
{
	x->older = s->newest;
	if (s->newest)
		s->newest->newer = x;
	s->newest = x;
	if (!s->oldest)
		s->oldest = x;
}

static struct cached_model_hour *find(const struct model_hour_cache *s, uint64_t key)
{
	const int32_t *at = map_find(&s->index, key);
	return at ? s->model_hours[*at] : NULL;
}

static void drop(struct model_hour_cache *s, struct cached_model_hour *x)
{
	unlink_model_hour(s, x);
	s->bytes -= x->bytes;
	s->model_hours[*map_find(&s->index, x->key)] = NULL;
	free(x->rows);
	free(x->words);
	free(x->text);
	free(x);
}

// Keys are never taken out of the map, so it is made anew when most of them have no model hour any more.
static void sweep(struct model_hour_cache *s)
{
	int32_t n = 0;
	bool added;
	map_clear(&s->index);
	for (int32_t i = 0; i < s->nmodel_hours; i++)
		if (s->model_hours[i]) {
			s->model_hours[n] = s->model_hours[i];
			map_add(&s->index, s->model_hours[n]->key, n, &added);
			n++;
		}
	s->nmodel_hours = n;
}

static void place(struct model_hour_cache *s, struct cached_model_hour *x)
{
	bool added;
	if (s->nmodel_hours == s->capmodel_hours) {
		sweep(s);
		if (s->nmodel_hours * 2 >= s->capmodel_hours)
			s->model_hours = xrealloc(
				s->model_hours, (size_t)(s->capmodel_hours = s->capmodel_hours ? s->capmodel_hours * 2 : 256),
				sizeof *s->model_hours);
	}
	int32_t *at = map_add(&s->index, x->key, s->nmodel_hours, &added);
	if (added)
		s->nmodel_hours++;
	s->model_hours[*at] = x;
	link_model_hour(s, x);
	s->bytes += x->bytes;
}

// ---- names --------------------------------------------------------------------------------------

static struct str copy_name(struct model_hour_cache *s, struct str name)
{
	return name.p ? arena_str(&s->names, name) : STR_NONE;
}

static struct str copy_text(char *to, struct str text)
{
	if (text.len)
		memcpy(to, text.p, text.len);
	return text.p ? (struct str){to, text.len} : STR_NONE;
}

static int32_t number_of(struct model_hour_cache *s, const struct view_row *row)
{
	uint64_t h = hash64(row->principal.p, row->principal.len);
	bool added;
	h = hash64_seeded(row->tagset.p ? row->tagset.p : "", row->tagset.len, h);
	int32_t *at = map_add(&s->callers_index, h, s->ncallers, &added);
	if (!added)
		return *at;
	if (s->ncallers == s->capcallers)
		s->callers = xrealloc(s->callers, (size_t)(s->capcallers = s->capcallers ? s->capcallers * 2 : 256),
		                      sizeof *s->callers);
	s->callers[s->ncallers] =
		(struct name){copy_name(s, row->principal), copy_name(s, row->role), copy_name(s, row->tagset)};
	return s->ncallers++;
}

// ---- rows ---------------------------------------------------------------------------------------

static uint32_t put_words(const struct figure *f, uint64_t *to, uint32_t *n)
{
	uint64_t words[WORDS];
	uint32_t mask = 0;
	memcpy(words, f, sizeof words);
	for (int i = 0; i < WORDS; i++)
		if (words[i]) {
			mask |= 1u << i;
			to[(*n)++] = words[i];
		}
	return mask;
}

static void get_words(uint32_t mask, const uint64_t *from, struct figure *ret)
{
	uint64_t words[WORDS] = {0};
	for (; mask; mask &= mask - 1)
		words[__builtin_ctz(mask)] = *from++;
	memcpy(ret, words, sizeof words);
}

bool model_hour_cache_has(const struct model_hour_cache *s, uint64_t key, uint64_t mark)
{
	const struct cached_model_hour *x = find(s, key);
	return x && x->mark == mark;
}

bool model_hour_cache_get(struct model_hour_cache *s, uint64_t key, uint64_t mark, struct arena *arena,
                          struct model_hour_rows *ret)
{
	struct cached_model_hour *x = find(s, key);
	if (!x || x->mark != mark)
		return false;
	unlink_model_hour(s, x);
	link_model_hour(s, x);
	struct view_row *rows = arena_alloc(arena, (size_t)(x->nrows + 1) * sizeof *rows);
	for (int i = 0; i < x->nrows; i++) {
		const struct kept_row *k = &x->rows[i];
		const struct name *c = &s->callers[k->caller];
		rows[i] = (struct view_row){
			.principal = c->principal, .role = c->role, .tagset = c->tagset, .type = k->type};
		get_words(k->mask, x->words + k->at, &rows[i].figure);
	}
	*ret = (struct model_hour_rows){x->model, x->foundation, rows, x->nrows};
	return true;
}

void model_hour_cache_put(struct model_hour_cache *s, uint64_t key, uint64_t mark,
                          const struct model_hour_rows *in)
{
	struct cached_model_hour *x = find(s, key);
	if (x)
		drop(s, x);
	x = xcalloc(1, sizeof *x);
	uint64_t *words = xmalloc((size_t)(in->nrows + 1) * WORDS * sizeof *words);
	uint32_t nwords = 0;
	*x = (struct cached_model_hour){.key = key,
	                                .mark = mark,
	                                .nrows = in->nrows,
	                                .text = xmalloc(in->model.len + in->foundation.len + 1)};
	x->model = copy_text(x->text, in->model);
	x->foundation = copy_text(x->text + in->model.len, in->foundation);
	x->rows = xmalloc((size_t)(in->nrows + 1) * sizeof *x->rows);
	for (int i = 0; i < in->nrows; i++) {
		const struct view_row *row = &in->rows[i];
		uint32_t at = nwords;
		x->rows[i] = (struct kept_row){.caller = number_of(s, row),
		                               .type = row->type,
		                               .mask = put_words(&row->figure, words, &nwords),
		                               .at = at};
	}
	x->words = xrealloc(words, nwords + 1, sizeof *words);
	x->bytes = sizeof *x + (size_t)x->nrows * sizeof *x->rows + nwords * sizeof *words;
	place(s, x);
}

int32_t model_hour_cache_callers(const struct model_hour_cache *s)
{
	return s->ncallers;
}

void model_hour_cache_caller(const struct model_hour_cache *s, int32_t i, struct str *ret_principal,
                             struct str *ret_tagset)
{
	*ret_principal = s->callers[i].principal;
	*ret_tagset = s->callers[i].tagset;
}

// ---- room ---------------------------------------------------------------------------------------

static size_t names_bytes(const struct model_hour_cache *s)
{
	return s->names.used + (size_t)s->capcallers * sizeof *s->callers +
	       (s->callers_index.mask + 1) * sizeof(struct map_slot);
}

size_t model_hour_cache_bytes(const struct model_hour_cache *s)
{
	return s->bytes + names_bytes(s);
}

static void drop_all(struct model_hour_cache *s)
{
	while (s->oldest)
		drop(s, s->oldest);
	map_release(&s->index);
	map_release(&s->callers_index);
	arena_release(&s->names);
	s->nmodel_hours = s->ncallers = 0;
}

void model_hour_cache_trim(struct model_hour_cache *s)
{
	if (names_bytes(s) > s->bytes_max / NAMES_PART) {
		drop_all(s);
		return;
	}
	while (s->oldest && model_hour_cache_bytes(s) > s->bytes_max)
		drop(s, s->oldest);
}

struct model_hour_cache *model_hour_cache_new(void)
{
	return xcalloc(1, sizeof(struct model_hour_cache));
}

void model_hour_cache_limit(struct model_hour_cache *s, size_t bytes_max)
{
	s->bytes_max = bytes_max;
}

bool model_hour_cache_is_full(const struct model_hour_cache *s)
{
	return model_hour_cache_bytes(s) > s->bytes_max / 10 * 9;
}

void model_hour_cache_free(struct model_hour_cache *s)
{
	if (!s)
		return;
	drop_all(s);
	free(s->model_hours);
	free(s->callers);
	free(s);
}
