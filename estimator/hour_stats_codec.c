// SPDX-License-Identifier: Apache-2.0
// Hour statistics as bytes. A number is 7 bits a byte, the lowest first; the top bit says that more follow
// (LEB128).
//
//     4 bytes          HOUR_STATS_MAGIC
//     number           n, the principals
//     of each          how many bytes of its ARN are those of the one before; how many follow; these
//     of each kind     1: exact calls and exact tokens of each principal follow; or 0
//     number           1: ttl_known and ttl_1h of each principal follow; or 0
//     number           the cells
//     of each          of each kind: tokens, SampleCount
//                      a bit for each kind that has a list of its own; the list of all calls; those lists
//
// A list is the number of its entries; of each, the steps from the principal before it (of the first, from
// -1), and its calls in parts (CALL_PARTS).
#include <assert.h>
#include <string.h>

#include "estimator/hour_stats_priv.h"
#include "estimator/solve.h"

enum { HOUR_STATS_MAGIC = 0x6373336e, NUMBER_BYTES = 10 };
static const uint64_t EXACT_MAX = UINT64_C(1) << 53; // up to here a double holds whole numbers as they are

// ---- writing ------------------------------------------------------------------------------------

static void add_number(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_addc(b, (char)(v | 0x80));
	buf_addc(b, (char)v);
}

static void add_names(struct buf *b, const struct hour_stats *s)
{
	struct str before = STR("");
	for (int32_t i = 0; i < s->n; i++) {
		struct str name = s->names[i];
		size_t same = 0;
		while (same < name.len && same < before.len && name.p[same] == before.p[same])
			same++;
		add_number(b, same);
		add_number(b, name.len - same);
		buf_add(b, name.p + same, name.len - same);
		before = name;
	}
}

// Two columns of whole numbers, if the first has any.
static void add_columns(struct buf *b, const double *one, const double *two, int32_t n)
{
	bool any = false;
	for (int32_t i = 0; i < n; i++)
		any |= one[i] > 0;
	add_number(b, any);
	for (int32_t i = 0; any && i < n; i++) {
		add_number(b, (uint64_t)one[i]);
		add_number(b, (uint64_t)two[i]);
	}
}

static void add_list(struct buf *b, const struct hour_stats *s, const struct call_list *l)
{
	int32_t before = -1;
	add_number(b, (uint64_t)l->n);
	for (int32_t i = l->begin; i < l->begin + l->n; i++) {
		add_number(b, (uint64_t)(s->who[i] - before));
		add_number(b, (uint64_t)(s->calls[i] * CALL_PARTS));
		before = s->who[i];
	}
}

static void add_cell(struct buf *b, const struct hour_stats *s, const struct stats_cell *c)
{
	unsigned own = 0;
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		add_number(b, (uint64_t)c->tokens[kind]);
		add_number(b, (uint64_t)c->samples[kind]);
		own |= (unsigned)(c->list[kind].begin != c->list[ALL_CALLS].begin) << kind;
	}
	add_number(b, own);
	add_list(b, s, &c->list[ALL_CALLS]);
	for (int kind = 0; kind < METRIC_KINDS; kind++)
		if (own >> kind & 1)
			add_list(b, s, &c->list[kind]);
}

void hour_stats_encode(const struct hour_stats *s, struct buf *ret)
{
	uint32_t magic = HOUR_STATS_MAGIC;
	assert(s->n > 0);
	buf_add(ret, &magic, sizeof magic);
	add_number(ret, (uint64_t)s->n);
	add_names(ret, s);
	for (int kind = 0; kind < METRIC_KINDS; kind++)
		add_columns(ret, s->exact_calls[kind], s->exact_tokens[kind], s->n);
	add_columns(ret, s->ttl_known, s->ttl_1h, s->n);
	add_number(ret, (uint64_t)s->ncells);
	for (int32_t i = 0; i < s->ncells; i++)
		add_cell(ret, s, &s->cells[i]);
}

// ---- reading: each takes what it reads off the front ---------------------------------------------

static bool cut_long_number(struct str *bytes, uint64_t most, uint64_t *ret)
{
	uint64_t v = 0;
	for (size_t i = 0; i < bytes->len && i < NUMBER_BYTES; i++) {
		uint8_t c = (uint8_t)bytes->p[i];
		v |= (uint64_t)(c & 0x7f) << 7 * i;
		if (c >= 0x80)
			continue;
		bytes->p += i + 1, bytes->len -= i + 1;
		*ret = v;
		return v <= most;
	}
	return false;
}

// Most have one byte.
static inline bool cut_number(struct str *bytes, uint64_t most, uint64_t *ret)
{
	if (!bytes->len || (uint8_t)*bytes->p >= 0x80)
		return cut_long_number(bytes, most, ret);
	*ret = (uint8_t)*bytes->p;
	bytes->p++, bytes->len--;
	return *ret <= most;
}

// A count of things that take at least a byte each.
static bool cut_count(struct str *bytes, int32_t *ret)
{
	uint64_t v;
	bool good = cut_number(bytes, bytes->len < INT32_MAX ? bytes->len : INT32_MAX, &v);
	*ret = good ? (int32_t)v : 0;
	return good && v <= bytes->len;
}

static bool cut_names(struct str *bytes, struct hour_stats *s, struct arena *arena)
{
	struct str before = STR("");
	s->names = arena_alloc(arena, (size_t)s->n * sizeof *s->names);
	for (int32_t i = 0; i < s->n; i++) {
		uint64_t same, more;
		if (!cut_number(bytes, before.len, &same) || !cut_number(bytes, bytes->len, &more) ||
		    more > bytes->len || same + more == 0)
			return false;
		char *name = arena_alloc(arena, same + more);
		memcpy(name, before.p, same);
		memcpy(name + same, bytes->p, more);
		bytes->p += more, bytes->len -= more;
		before = s->names[i] = (struct str){name, same + more};
	}
	return true;
}

static bool cut_columns(struct str *bytes, double *one, double *two, int32_t n)
{
	uint64_t any, a, b;
	if (!cut_number(bytes, 1, &any))
		return false;
	for (int32_t i = 0; any && i < n; i++) {
		if (!cut_number(bytes, EXACT_MAX, &a) || !cut_number(bytes, EXACT_MAX, &b))
			return false;
		one[i] = (double)a;
		two[i] = (double)b;
	}
	return true;
}

static bool cut_list(struct str *bytes, struct hour_stats *s, struct call_list *ret)
{
	int32_t before = -1, n, at = s->nentries;
	double sum = 0;
	struct str left = *bytes; // in registers
	if (!cut_count(&left, &n))
		return false;
	for (int32_t end = at + n; at < end; at++) {
		uint64_t step, parts;
		if (!cut_number(&left, (uint64_t)(s->n - 1 - before), &step) || step == 0 ||
		    !cut_number(&left, EXACT_MAX, &parts))
			return false;
		s->who[at] = before += (int32_t)step;
		s->calls[at] = (double)parts / CALL_PARTS;
		sum += s->calls[at];
	}
	*ret = (struct call_list){s->nentries, n, sum};
	s->nentries = at;
	*bytes = left;
	return true;
}

static bool cut_cell(struct str *bytes, struct hour_stats *s, struct stats_cell *c)
{
	uint64_t own, v;
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		if (!cut_number(bytes, INT64_MAX, &v))
			return false;
		c->tokens[kind] = (int64_t)v;
		if (!cut_number(bytes, INT64_MAX, &v))
			return false;
		c->samples[kind] = (int64_t)v;
	}
	if (!cut_number(bytes, (1 << METRIC_KINDS) - 1, &own) || !cut_list(bytes, s, &c->list[ALL_CALLS]))
		return false;
	if (own && c->list[ALL_CALLS].n == 0) // lists of some of no calls: written again, they would be others
		return false;
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		c->list[kind] = c->list[ALL_CALLS];
		if ((own >> kind & 1) && !cut_list(bytes, s, &c->list[kind]))
			return false;
	}
	return true;
}

bool hour_stats_read(struct str bytes, struct arena *arena, struct hour_stats *ret)
{
	uint32_t magic;
	*ret = (struct hour_stats){0};
	if (bytes.len < sizeof magic || memcmp(bytes.p, &(uint32_t){HOUR_STATS_MAGIC}, sizeof magic) != 0)
		return false;
	bytes.p += sizeof magic, bytes.len -= sizeof magic;
	if (!cut_count(&bytes, &ret->n) || ret->n == 0 || !cut_names(&bytes, ret, arena))
		return false;
	hour_stats_init(ret, ret->n, arena);
	for (int kind = 0; kind < METRIC_KINDS; kind++)
		if (!cut_columns(&bytes, ret->exact_calls[kind], ret->exact_tokens[kind], ret->n))
			return false;
	if (!cut_columns(&bytes, ret->ttl_known, ret->ttl_1h, ret->n) || !cut_count(&bytes, &ret->ncells))
		return false;
	ret->cells = arena_alloc(arena, ((size_t)ret->ncells + 1) * sizeof *ret->cells);
	ret->who = arena_alloc(arena, (bytes.len / 2 + 1) * sizeof *ret->who); // an entry has two bytes at least
	ret->calls = arena_alloc(arena, (bytes.len / 2 + 1) * sizeof *ret->calls);
	for (int32_t i = 0; i < ret->ncells; i++)
		if (!cut_cell(&bytes, ret, &ret->cells[i]))
			return false;
	return bytes.len == 0;
}
