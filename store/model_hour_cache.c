// SPDX-License-Identifier: Apache-2.0
// A row is kept as the number of its caller, its type, a mask of the words of its struct figure that are not zero, and these
// words: whatever a figure comes to hold is kept along. Sheets stand in a list by last use. Names outlive their sheets; when
// they alone fill a quarter of the room, everything goes and is read anew.
#include "store/model_hour_cache.h"

#include <assert.h>
#include <stdlib.h>
#include <xxhash.h>

#include "base/buf.h"
#include "base/map.h"

enum { WORDS = sizeof(struct figure) / sizeof(uint64_t), NAMES_PART = 4 };

_Static_assert(sizeof(struct figure) % sizeof(uint64_t) == 0 && WORDS <= 32, "a mask of 32 bits names the words of a figure");
_Static_assert(sizeof(struct view_row) <= 3 * sizeof(struct str) + sizeof(struct figure) + 16, "a new member of a row is kept here as well");

struct name {
	struct str principal, role, tagset;
};

struct kept_row {
	int32_t caller, type;
	uint32_t mask;
	uint32_t at; // of its first word
};

struct sheet {
	uint64_t key, mark;
	struct str model, foundation; // slices of text
	char *text;
	struct kept_row *rows;
	uint64_t *words;
	int nrows;
	size_t bytes;
	struct sheet *newer, *older;
};

struct shelf {
	size_t bytes_max, bytes;     // of the sheets, without the names
	struct arena names;
	struct map index;            // key -> number in `sheets`
	struct sheet **sheets;       // NULL: gone
	int32_t nsheets, capsheets;
	struct map callers_index;    // hash of names -> number in `callers`
	struct name *callers;
	int32_t ncallers, capcallers;
	struct sheet *newest, *oldest;
};

// ---- the list by last use ------------------------------------------------------------------------------------------

static void unlink_sheet(struct shelf *s, struct sheet *x)
{
	*(x->newer ? &x->newer->older : &s->newest) = x->older;
	*(x->older ? &x->older->newer : &s->oldest) = x->newer;
	x->newer = x->older = NULL;
}

static void link_sheet(struct shelf *s, struct sheet *x)
{
	x->older = s->newest;
	if (s->newest)
		s->newest->newer = x;
	s->newest = x;
	if (!s->oldest)
		s->oldest = x;
}

static struct sheet *find(const struct shelf *s, uint64_t key)
{
	const int32_t *at = map_find(&s->index, key);
	return at ? s->sheets[*at] : NULL;
}

static void drop(struct shelf *s, struct sheet *x)
{
	unlink_sheet(s, x);
	s->bytes -= x->bytes;
	s->sheets[*map_find(&s->index, x->key)] = NULL;
	free(x->rows);
	free(x->words);
	free(x->text);
	free(x);
}

// Keys are never taken out of the map, so it is made anew when most of them have no sheet any more.
static void sweep(struct shelf *s)
{
	int32_t n = 0;
	bool added;
	map_clear(&s->index);
	for (int32_t i = 0; i < s->nsheets; i++)
		if (s->sheets[i]) {
			s->sheets[n] = s->sheets[i];
			map_add(&s->index, s->sheets[n]->key, n, &added);
			n++;
		}
	s->nsheets = n;
}

static void place(struct shelf *s, struct sheet *x)
{
	bool added;
	if (s->nsheets == s->capsheets) {
		sweep(s);
		if (s->nsheets * 2 >= s->capsheets)
			s->sheets = xrealloc(s->sheets, (size_t)(s->capsheets = s->capsheets ? s->capsheets * 2 : 256), sizeof *s->sheets);
	}
	int32_t *at = map_add(&s->index, x->key, s->nsheets, &added);
	if (added)
		s->nsheets++;
	s->sheets[*at] = x;
	link_sheet(s, x);
	s->bytes += x->bytes;
}

// ---- names ---------------------------------------------------------------------------------------------------------

static struct str copy_name(struct shelf *s, struct str name)
{
	return name.p ? arena_str(&s->names, name) : STR_NONE;
}

static struct str copy_text(char *to, struct str text)
{
	if (text.len)
		memcpy(to, text.p, text.len);
	return text.p ? (struct str){to, text.len} : STR_NONE;
}

static int32_t number_of(struct shelf *s, const struct view_row *row)
{
	uint64_t h = XXH3_64bits(row->principal.p, row->principal.len);
	bool added;
	h = XXH3_64bits_withSeed(row->tagset.p ? row->tagset.p : "", row->tagset.len, h);
	int32_t *at = map_add(&s->callers_index, h, s->ncallers, &added);
	if (!added)
		return *at;
	if (s->ncallers == s->capcallers)
		s->callers = xrealloc(s->callers, (size_t)(s->capcallers = s->capcallers ? s->capcallers * 2 : 256), sizeof *s->callers);
	s->callers[s->ncallers] = (struct name){copy_name(s, row->principal), copy_name(s, row->role), copy_name(s, row->tagset)};
	return s->ncallers++;
}

// ---- rows ----------------------------------------------------------------------------------------------------------

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

bool shelf_has(const struct shelf *s, uint64_t key, uint64_t mark)
{
	const struct sheet *x = find(s, key);
	return x && x->mark == mark;
}

bool shelf_get(struct shelf *s, uint64_t key, uint64_t mark, struct arena *arena, struct shelf_rows *ret)
{
	struct sheet *x = find(s, key);
	if (!x || x->mark != mark)
		return false;
	unlink_sheet(s, x);
	link_sheet(s, x);
	struct view_row *rows = arena_alloc(arena, (size_t)(x->nrows + 1) * sizeof *rows);
	for (int i = 0; i < x->nrows; i++) {
		const struct kept_row *k = &x->rows[i];
		const struct name *c = &s->callers[k->caller];
		rows[i] = (struct view_row){.principal = c->principal, .role = c->role, .tagset = c->tagset, .type = k->type};
		get_words(k->mask, x->words + k->at, &rows[i].figure);
	}
	*ret = (struct shelf_rows){x->model, x->foundation, rows, x->nrows};
	return true;
}

void shelf_put(struct shelf *s, uint64_t key, uint64_t mark, const struct shelf_rows *in)
{
	struct sheet *x = find(s, key);
	if (x)
		drop(s, x);
	x = xcalloc(1, sizeof *x);
	uint64_t *words = xmalloc((size_t)(in->nrows + 1) * WORDS * sizeof *words);
	uint32_t nwords = 0;
	*x = (struct sheet){.key = key, .mark = mark, .nrows = in->nrows, .text = xmalloc(in->model.len + in->foundation.len + 1)};
	x->model = copy_text(x->text, in->model);
	x->foundation = copy_text(x->text + in->model.len, in->foundation);
	x->rows = xmalloc((size_t)(in->nrows + 1) * sizeof *x->rows);
	for (int i = 0; i < in->nrows; i++) {
		const struct view_row *row = &in->rows[i];
		uint32_t at = nwords;
		x->rows[i] = (struct kept_row){.caller = number_of(s, row), .type = row->type, .mask = put_words(&row->figure, words, &nwords), .at = at};
	}
	x->words = xrealloc(words, nwords + 1, sizeof *words);
	x->bytes = sizeof *x + (size_t)x->nrows * sizeof *x->rows + nwords * sizeof *words;
	place(s, x);
}

int32_t shelf_callers(const struct shelf *s)
{
	return s->ncallers;
}

void shelf_caller(const struct shelf *s, int32_t i, struct str *ret_principal, struct str *ret_tagset)
{
	*ret_principal = s->callers[i].principal;
	*ret_tagset = s->callers[i].tagset;
}

// ---- room ----------------------------------------------------------------------------------------------------------

static size_t names_bytes(const struct shelf *s)
{
	return s->names.used + (size_t)s->capcallers * sizeof *s->callers + (s->callers_index.mask + 1) * sizeof(struct map_slot);
}

size_t shelf_bytes(const struct shelf *s)
{
	return s->bytes + names_bytes(s);
}

static void drop_all(struct shelf *s)
{
	while (s->oldest)
		drop(s, s->oldest);
	map_release(&s->index);
	map_release(&s->callers_index);
	arena_release(&s->names);
	s->nsheets = s->ncallers = 0;
}

void shelf_trim(struct shelf *s)
{
	if (names_bytes(s) > s->bytes_max / NAMES_PART) {
		drop_all(s);
		return;
	}
	while (s->oldest && shelf_bytes(s) > s->bytes_max)
		drop(s, s->oldest);
}

struct shelf *shelf_new(void)
{
	return xcalloc(1, sizeof(struct shelf));
}

void shelf_limit(struct shelf *s, size_t bytes_max)
{
	s->bytes_max = bytes_max;
}

bool shelf_is_full(const struct shelf *s)
{
	return shelf_bytes(s) > s->bytes_max / 10 * 9;
}

void shelf_free(struct shelf *s)
{
	if (!s)
		return;
	drop_all(s);
	free(s->sheets);
	free(s->callers);
	free(s);
}
