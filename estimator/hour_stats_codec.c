// SPDX-License-Identifier: Apache-2.0
// Hour statistics as bytes, in the order of this machine:
//
//     2 words of 4     HOUR_STATS_MAGIC; n, the number of principals
//     n doubles each   ttl_known, ttl_1h
//     of each kind
//       6 doubles      cells, calls, tokens, squares, sampled_calls, samples
//       n doubles each b, c, exact_calls, exact_tokens, n
//       a triangle     a; its twin is the a of the kind before
//       a triangle     s; its twin is a
//     n lines          names, each with its newline
//
// A triangle is a double, 1 if it equals its twin; else 0, and its n (n + 1) / 2 doubles follow. Kinds mostly
// share their cells, and A and S their calls, so most triangles are one double.
#include <assert.h>
#include <string.h>

#include "estimator/hour_stats_priv.h"

enum { HOUR_STATS_MAGIC = 0x6c73336e, TOTALS = 6, VECTORS = 5 };

struct head {
	uint32_t magic, n;
};

_Static_assert(sizeof(struct head) == 8 && sizeof(double) == 8,
               "the form of hour statistics is that of its drawing");

// The vectors of a kind, in the order of their bytes.
static void list_vectors(const struct kind_stats *x, double *ret[VECTORS])
{
	double *const all[] = {x->b, x->c, x->exact_calls, x->exact_tokens, x->n};
	_Static_assert(sizeof all / sizeof *all == VECTORS, "every vector has a place");
	memcpy(ret, all, sizeof all);
}

// ---- writing ------------------------------------------------------------------------------------

static void add_doubles(struct buf *b, const double *p, size_t n)
{
	buf_add(b, p, n * sizeof *p);
}

static void add_triangle(struct buf *b, const double *p, const double *twin, int n)
{
	double same = twin && memcmp(p, twin, hour_stats_triangle(n) * sizeof *p) == 0;
	add_doubles(b, &same, 1);
	if (same == 0)
		add_doubles(b, p, hour_stats_triangle(n));
}

static void add_kind(struct buf *b, const struct hour_stats *s, int kind)
{
	const struct kind_stats *x = &s->by_kind[kind];
	const double totals[TOTALS] = {x->cells, x->calls, x->tokens, x->squares, x->sampled_calls, x->samples};
	double *vectors[VECTORS];
	list_vectors(x, vectors);
	add_doubles(b, totals, TOTALS);
	for (int i = 0; i < VECTORS; i++)
		add_doubles(b, vectors[i], (size_t)s->n);
	add_triangle(b, x->a, kind ? s->by_kind[kind - 1].a : NULL, s->n);
	add_triangle(b, x->s, x->a, s->n);
}

void hour_stats_encode(const struct hour_stats *s, struct buf *ret)
{
	assert(s->n > 0 && s->n <= HOUR_STATS_PRINCIPALS);
	buf_add(ret, &(struct head){HOUR_STATS_MAGIC, (uint32_t)s->n}, sizeof(struct head));
	add_doubles(ret, s->ttl_known, (size_t)s->n);
	add_doubles(ret, s->ttl_1h, (size_t)s->n);
	for (int kind = 0; kind < METRIC_KINDS; kind++)
		add_kind(ret, s, kind);
	for (int i = 0; i < s->n; i++) {
		buf_addstr(ret, s->names[i]);
		buf_addc(ret, '\n');
	}
}

// ---- reading: each takes what it reads off the front ---------------------------------------------

static bool cut_bytes(struct str *bytes, void *to, size_t size)
{
	if (bytes->len < size)
		return false;
	memcpy(to, bytes->p, size);
	bytes->p += size;
	bytes->len -= size;
	return true;
}

static bool cut_doubles(struct str *bytes, double *to, int n)
{
	return cut_bytes(bytes, to, (size_t)n * sizeof *to);
}

static bool cut_triangle(struct str *bytes, double **p, double *twin, int n)
{
	double same;
	if (!cut_doubles(bytes, &same, 1))
		return false;
	if (same != 0 && twin) {
		*p = twin;
		return true;
	}
	return cut_bytes(bytes, *p, hour_stats_triangle(n) * sizeof **p);
}

static bool cut_kind(struct str *bytes, struct hour_stats *s, int kind)
{
	struct kind_stats *x = &s->by_kind[kind];
	double totals[TOTALS], *vectors[VECTORS];
	list_vectors(x, vectors);
	if (!cut_doubles(bytes, totals, TOTALS))
		return false;
	for (int i = 0; i < VECTORS; i++)
		if (!cut_doubles(bytes, vectors[i], s->n))
			return false;
	x->cells = totals[0], x->calls = totals[1], x->tokens = totals[2], x->squares = totals[3];
	x->sampled_calls = totals[4], x->samples = totals[5];
	return cut_triangle(bytes, &x->a, kind ? s->by_kind[kind - 1].a : NULL, s->n) &&
	       cut_triangle(bytes, &x->s, x->a, s->n);
}

static bool cut_names(struct str *bytes, struct hour_stats *s, struct arena *arena)
{
	if (!str_ends(*bytes, STR("\n")))
		return false;
	s->names = arena_alloc(arena, (size_t)s->n * sizeof *s->names);
	for (int i = 0; i < s->n; i++) {
		s->names[i] = str_cut(bytes, '\n');
		if (!s->names[i].len)
			return false;
	}
	return bytes->len == 0;
}

bool hour_stats_read(struct str bytes, struct arena *arena, struct hour_stats *ret)
{
	struct head head;
	if (!cut_bytes(&bytes, &head, sizeof head) || head.magic != HOUR_STATS_MAGIC || head.n == 0 ||
	    head.n > HOUR_STATS_PRINCIPALS)
		return false;
	hour_stats_init(ret, (int)head.n, arena);
	if (!cut_doubles(&bytes, ret->ttl_known, ret->n) || !cut_doubles(&bytes, ret->ttl_1h, ret->n))
		return false;
	for (int kind = 0; kind < METRIC_KINDS; kind++)
		if (!cut_kind(&bytes, ret, kind))
			return false;
	return cut_names(&bytes, ret, arena);
}
