// SPDX-License-Identifier: Apache-2.0
// A row is kept as the number of its caller, its kind, type and rate class, a mask of the words of its figure
// and call count that are not zero, and these words: a member that is added to a figure is kept without a
// change here. Names are not dropped with their model hours; when they alone fill a quarter of the room,
// everything is dropped and read again.
#include "store/model_hour_cache.h"

#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/lru.h"
#include "base/map.h"

enum {
	FIGURE_WORDS = sizeof(struct figure) / sizeof(uint64_t),
	WORDS = FIGURE_WORDS + sizeof(struct call_count) / sizeof(uint64_t),
	NAMES_PART = 4,
	REST_BYTES = 96, // of a model hour: what malloc adds to its four blocks, and its place among the buckets
};

_Static_assert(sizeof(struct figure) % sizeof(uint64_t) == 0 &&
                   sizeof(struct call_count) % sizeof(uint64_t) == 0 && WORDS <= 32,
               "a mask of 32 bits names the words of a figure and of a call count");
_Static_assert(sizeof(struct view_row) <=
                   3 * sizeof(struct str) + sizeof(struct figure) + sizeof(struct call_count) + 16,
               "a new member of a row is kept here as well");

struct cached_caller {
	struct str principal, role, tagset;
};

struct kept_row {
	int32_t caller;
	uint8_t kind, type, rate_class;
	uint32_t mask;
	uint32_t at; // of its first word
};

struct cached_model_hour {
	struct lru_entry entry; // first
	uint64_t mark;
	struct str model, foundation; // slices of text
	struct telemetry_calls telemetry;
	char *text;
	struct kept_row *rows;
	uint64_t *words;
	int nrows;
};

struct model_hour_cache {
	size_t bytes_max;
	struct lru model_hours;
	struct arena names;
	struct map callers_index;    // hash of names -> number in `callers`
	struct cached_caller *callers;
	int32_t ncallers, capcallers;
};

static struct cached_model_hour *find_model_hour(const struct model_hour_cache *s, uint64_t key)
{
	return (struct cached_model_hour *)lru_find(&s->model_hours, key);
}

static void free_model_hour(struct lru_entry *e)
{
	struct cached_model_hour *x = (struct cached_model_hour *)e;
	free(x->rows);
	free(x->words);
	free(x->text);
	free(x);
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

static bool is_caller(const struct cached_caller *c, const struct view_row *row)
{
	return str_eq(c->principal, row->principal) && str_eq(c->tagset, row->tagset);
}

// `before`: of the row before, which is of the same caller more often than not; -1: none.
static int32_t number_of_caller(struct model_hour_cache *s, const struct view_row *row, int32_t before)
{
	if (before >= 0 && is_caller(&s->callers[before], row))
		return before;
	uint64_t h = hash64(row->principal.p, row->principal.len);
	bool added;
	h = hash64_seeded(row->tagset.p ? row->tagset.p : "", row->tagset.len, h);
	int32_t *at = map_add(&s->callers_index, h, s->ncallers, &added);
	if (!added)
		return *at;
	if (s->ncallers == s->capcallers)
		s->callers = xrealloc(s->callers, (size_t)(s->capcallers = s->capcallers ? s->capcallers * 2 : 256),
		                      sizeof *s->callers);
	s->callers[s->ncallers] = (struct cached_caller){copy_name(s, row->principal), copy_name(s, row->role),
	                                                 copy_name(s, row->tagset)};
	return s->ncallers++;
}

// ---- rows ---------------------------------------------------------------------------------------

static uint32_t pack_amounts(const struct view_row *row, uint64_t *to, uint32_t *n)
{
	uint64_t words[WORDS];
	uint32_t mask = 0;
	memcpy(words, &row->figure, sizeof row->figure);
	memcpy(words + FIGURE_WORDS, &row->calls, sizeof row->calls);
	for (int i = 0; i < WORDS; i++)
		if (words[i]) {
			mask |= 1u << i;
			to[(*n)++] = words[i];
		}
	return mask;
}

static void unpack_amounts(uint32_t mask, const uint64_t *from, struct view_row *ret)
{
	uint64_t words[WORDS] = {0};
	for (; mask; mask &= mask - 1)
		words[__builtin_ctz(mask)] = *from++;
	memcpy(&ret->figure, words, sizeof ret->figure);
	memcpy(&ret->calls, words + FIGURE_WORDS, sizeof ret->calls);
}

bool model_hour_cache_has(const struct model_hour_cache *s, uint64_t key, uint64_t mark)
{
	const struct cached_model_hour *x = find_model_hour(s, key);
	return x && x->mark == mark;
}

bool model_hour_cache_get(struct model_hour_cache *s, uint64_t key, uint64_t mark, struct arena *arena,
                          struct model_hour_rows *ret)
{
	struct cached_model_hour *x = find_model_hour(s, key);
	if (!x || x->mark != mark)
		return false;
	lru_use(&s->model_hours, &x->entry);
	struct view_row *rows = arena_alloc(arena, (size_t)(x->nrows + 1) * sizeof *rows);
	for (int i = 0; i < x->nrows; i++) {
		const struct kept_row *k = &x->rows[i];
		assert(k->caller < s->ncallers);
		const struct cached_caller *c = &s->callers[k->caller];
		struct view_row *row = &rows[i];
		row->principal = c->principal;
		row->role = c->role;
		row->tagset = c->tagset;
		row->kind = (enum row_kind)k->kind;
		row->type = (enum token_type)k->type;
		row->rate_class = k->rate_class;
		unpack_amounts(k->mask, x->words + k->at, row);
	}
	*ret = (struct model_hour_rows){x->model, x->foundation, x->telemetry, rows, x->nrows};
	return true;
}

void model_hour_cache_put(struct model_hour_cache *s, uint64_t key, uint64_t mark,
                          const struct model_hour_rows *in)
{
	struct cached_model_hour *x = find_model_hour(s, key);
	if (x)
		lru_remove(&s->model_hours, &x->entry);
	assert(mark);
	x = xcalloc(1, sizeof *x);
	uint64_t *words = xmalloc((size_t)(in->nrows + 1) * WORDS * sizeof *words);
	uint32_t nwords = 0;
	*x = (struct cached_model_hour){.entry = {.key = key},
	                                .mark = mark,
	                                .nrows = in->nrows,
	                                .telemetry = in->telemetry,
	                                .text = xmalloc(in->model.len + in->foundation.len + 1)};
	x->model = copy_text(x->text, in->model);
	x->foundation = copy_text(x->text + in->model.len, in->foundation);
	x->rows = xmalloc((size_t)(in->nrows + 1) * sizeof *x->rows);
	for (int i = 0; i < in->nrows; i++) {
		const struct view_row *row = &in->rows[i];
		uint32_t at = nwords;
		x->rows[i] = (struct kept_row){.caller = number_of_caller(s, row, i ? x->rows[i - 1].caller : -1),
		                               .kind = (uint8_t)row->kind,
		                               .type = (uint8_t)row->type,
		                               .rate_class = row->rate_class,
		                               .mask = pack_amounts(row, words, &nwords),
		                               .at = at};
	}
	x->words = xmalloc(((size_t)nwords + 1) * sizeof *words); // not shrunk in place, which leaves holes
	memcpy(x->words, words, (size_t)nwords * sizeof *words);
	free(words);
	x->entry.bytes = sizeof *x + REST_BYTES + in->model.len + in->foundation.len +
	                 ((size_t)x->nrows + 1) * sizeof *x->rows + ((size_t)nwords + 1) * sizeof *words;
	lru_add(&s->model_hours, &x->entry);
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
	size_t slots = s->callers_index.slots ? s->callers_index.mask + 1 : 0;
	return s->names.held + (size_t)s->capcallers * sizeof *s->callers + slots * sizeof(struct map_slot);
}

size_t model_hour_cache_bytes(const struct model_hour_cache *s)
{
	return s->model_hours.bytes + names_bytes(s);
}

static void drop_all(struct model_hour_cache *s)
{
	lru_release(&s->model_hours);
	map_release(&s->callers_index);
	arena_release(&s->names);
	free(s->callers);
	s->callers = NULL;
	s->ncallers = s->capcallers = 0;
}

void model_hour_cache_trim(struct model_hour_cache *s)
{
	size_t names = names_bytes(s);
	if (names > s->bytes_max / NAMES_PART)
		drop_all(s);
	else
		lru_trim(&s->model_hours, s->bytes_max - names);
}

struct model_hour_cache *model_hour_cache_new(void)
{
	struct model_hour_cache *s = xcalloc(1, sizeof *s);
	s->model_hours = (struct lru)LRU_INIT(free_model_hour);
	return s;
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
	free(s);
}
