// SPDX-License-Identifier: Apache-2.0
// Subjects without * are found by hash, the others are all tried, once for each caller: what is found is
// remembered, since a caller has many rows and hours.
#include "store/mapping.h"

#include <assert.h>
#include <stdlib.h>
#include <strings.h>

#include "base/arn.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/pattern.h"
#include "estimator/figure.h"
#include "pricing/model_id.h"
#include "store/cardinality.h"
#include "store/mapping_priv.h"
#include "store/profile.h"

// More callers than this are forgotten and found again: memory stays bounded.
enum { CALLERS_MAX = 200000 };

const char *const mapping_kind_names[MAPPING_KINDS] = {"account", "role", "user", "session", "profile"};

// ---- subjects -----------------------------------------------------------------------------------

static uint64_t hash_lower(struct str s, uint64_t seed)
{
	char low[512];
	size_t n = s.len < sizeof low ? s.len : sizeof low;
	for (size_t i = 0; i < n; i++)
		low[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] | 0x20) : s.p[i];
	return hash64_seeded(low, n, seed ^ s.len * 0x9e3779b97f4a7c15u);
}

uint64_t mapping_hash(enum mapping_kind kind, struct str account, struct str role, struct str name)
{
	return hash_lower(name, hash_lower(role, hash_lower(account, (uint64_t)kind + 1)));
}

static int cmp_lower(struct str a, struct str b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n ? strncasecmp(a.p, b.p, n) : 0;
	return c ? c : (a.len > b.len) - (a.len < b.len);
}

int mapping_subject_cmp(const struct mapping_line *a, const struct mapping_line *b)
{
	int c = (int)a->kind - (int)b->kind;
	if (!c)
		c = str_cmp(a->account, b->account);
	if (!c)
		c = cmp_lower(a->role, b->role);
	return c ? c : cmp_lower(a->name, b->name);
}

static int by_subject_and_time(const void *a, const void *b)
{
	const struct mapping_line *x = a, *y = b;
	int c = mapping_subject_cmp(x, y);
	return c ? c : (x->from > y->from) - (x->from < y->from);
}

static bool is_plain(const struct mapping_line *l)
{
	return pattern_is_plain(l->name) && pattern_is_plain(l->role);
}

static int count_literals(const struct mapping_line *l)
{
	int n = 0;
	for (size_t i = 0; i < l->name.len; i++)
		n += l->name.p[i] != '*';
	for (size_t i = 0; i < l->role.len; i++)
		n += l->role.p[i] != '*';
	return n;
}

static int first_number(const struct mapping_subject *s)
{
	int least = s->lines[0].number;
	for (int i = 1; i < s->n; i++)
		least = s->lines[i].number < least ? s->lines[i].number : least;
	return least;
}

// A role and a user are never the same caller, so their order says nothing.
static int by_precedence(const void *a, const void *b)
{
	const struct mapping_subject *x = a, *y = b;
	const struct mapping_line *l = x->lines, *k = y->lines;
	int c = (int)k->kind - (int)l->kind;
	if (!c)
		c = (k->account.len > 0) - (l->account.len > 0);
	if (!c)
		c = is_plain(k) - is_plain(l);
	if (!c)
		c = count_literals(k) - count_literals(l);
	return c ? c : first_number(x) - first_number(y);
}

void mapping_index(struct mapping *m)
{
	if (m->nlines > 1)
		qsort(m->lines, (size_t)m->nlines, sizeof *m->lines, by_subject_and_time);
	m->subjects = xcalloc((size_t)m->nlines + 1, sizeof *m->subjects);
	m->patterns = xcalloc((size_t)m->nlines + 1, sizeof *m->patterns);
	for (int i = 0; i < m->nlines; i++) {
		struct mapping_subject *s = m->nsubjects ? &m->subjects[m->nsubjects - 1] : NULL;
		bool same = s && mapping_subject_cmp(s->lines, &m->lines[i]) == 0;
		if (!same)
			m->subjects[m->nsubjects++] = (struct mapping_subject){.lines = &m->lines[i]};
		m->subjects[m->nsubjects - 1].n++;
		m->lines[i].until = INT64_MAX;
		if (same)
			m->lines[i - 1].until = m->lines[i].from;
	}
	if (m->nsubjects > 1)
		qsort(m->subjects, (size_t)m->nsubjects, sizeof *m->subjects, by_precedence);
	for (int i = 0; i < m->nsubjects; i++) {
		const struct mapping_line *l = m->subjects[i].lines;
		bool added;
		m->has[l->kind] = true;
		if (is_plain(l))
			map_add(&m->plain, mapping_hash(l->kind, l->account, l->role, l->name), i, &added);
		else
			m->patterns[m->npatterns++] = i;
	}
}

void mapping_free(struct mapping *m)
{
	if (!m)
		return;
	arena_release(&m->arena);
	arena_release(&m->found);
	map_release(&m->plain);
	map_release(&m->callers);
	free(m->lines);
	free(m->subjects);
	free(m->patterns);
	free(m->matches);
	free(m);
}

uint64_t mapping_digest(const struct mapping *m)
{
	return m ? m->digest : 0;
}

int mapping_nkeys(const struct mapping *m)
{
	return m ? m->nkeys : 0;
}

int mapping_nlines(const struct mapping *m)
{
	return m ? m->nlines : 0;
}

struct str mapping_key(const struct mapping *m, int key)
{
	assert(m && key >= 0 && key < m->nkeys);
	return m->keys[key];
}

int mapping_find_key(const struct mapping *m, struct str name)
{
	for (int i = 0; i < mapping_nkeys(m); i++)
		if (cmp_lower(m->keys[i], name) == 0)
			return i;
	return -1;
}

// ---- callers ------------------------------------------------------------------------------------

// What of a caller each kind of line is compared with.
struct caller_names {
	struct str account[MAPPING_KINDS]; // of what the kind is about: the caller's own, or where it called
	struct str name[MAPPING_KINDS]; // p is NULL: the caller has none
	struct str role;                // of the session
	bool folded[MAPPING_KINDS];     // several were counted together: the name is not known
	bool unknown;                   // nobody knows who called
};

static bool is_nobody(struct str principal)
{
	return str_is(principal, UNATTRIBUTED) || str_is(principal, UNKNOWN_CALLER);
}

static struct caller_names names_of(const struct mapping_caller *c)
{
	struct caller_names n = {0};
	struct str rest = c->principal, own = arn_cut_account(&rest);
	struct str kind = str_cut(&rest, '/');
	bool folded = is_overflow_name(c->principal);
	for (int i = 0; i < MAPPING_KINDS; i++)
		n.account[i] = own.len && i != MAPPING_ACCOUNT && i != MAPPING_PROFILE ? own : c->account;
	n.name[MAPPING_ACCOUNT] = c->account;
	n.unknown = is_nobody(c->principal);
	if (str_is(kind, "assumed-role")) {
		n.role = n.name[MAPPING_ROLE] = str_cut(&rest, '/');
		n.name[MAPPING_SESSION] = rest;
		n.folded[MAPPING_SESSION] = folded;
	} else if (str_is(kind, "role")) {
		n.name[MAPPING_ROLE] = rest;
	} else if (str_is(kind, "user") || str_is(kind, "federated-user")) {
		n.name[MAPPING_USER] = rest;
		n.folded[MAPPING_USER] = folded;
	}
	n.folded[MAPPING_PROFILE] = str_is(c->model, MODEL_OTHERS_SHOWN);
	if (n.folded[MAPPING_PROFILE] || profile_is_opaque(c->model))
		n.name[MAPPING_PROFILE] = str_after_last(c->model, '/');
	return n;
}

// Whether the subject of a line maps the caller; *ret_maybe: it maps some of those counted together.
static bool line_matches(const struct mapping_line *l, const struct caller_names *n, bool *ret_maybe)
{
	bool of_caller = l->kind != MAPPING_ACCOUNT && l->kind != MAPPING_PROFILE;
	*ret_maybe = n->unknown && of_caller && (!l->account.len || str_eq(l->account, n->account[l->kind]));
	if (*ret_maybe)
		return true;
	if (!n->name[l->kind].p || (l->account.len && !str_eq(l->account, n->account[l->kind])) ||
	    (l->kind == MAPPING_SESSION && !pattern_matches(l->role, n->role)))
		return false;
	*ret_maybe = n->folded[l->kind] && !str_is(l->name, "*");
	return *ret_maybe || n->folded[l->kind] || pattern_matches(l->name, n->name[l->kind]);
}

static int by_pointer(const void *a, const void *b) // subjects are in the order of precedence
{
	const struct mapping_match *x = a, *y = b;
	return (x->subject > y->subject) - (x->subject < y->subject);
}

static int add_match(struct mapping *m, const struct caller_names *n, int subject, struct mapping_match *list,
                     int at)
{
	bool maybe;
	if (line_matches(m->subjects[subject].lines, n, &maybe))
		list[at++] = (struct mapping_match){&m->subjects[subject], maybe};
	return at;
}

static struct mapping_matches find_matches(struct mapping *m, const struct mapping_caller *c)
{
	const struct caller_names n = names_of(c);
	struct mapping_match *list = xcalloc((size_t)m->nsubjects + 1, sizeof *list);
	struct mapping_matches found = {0};
	bool folded = n.unknown;
	for (int kind = 0; kind < MAPPING_KINDS; kind++)
		folded |= n.folded[kind];
	for (int i = 0; folded && i < m->nsubjects; i++)
		found.n = add_match(m, &n, i, list, found.n);
	for (int kind = 0; !folded && kind < MAPPING_KINDS; kind++)
		for (int any = 0; any < 2 && n.name[kind].p; any++) {
			struct str role = kind == MAPPING_SESSION ? n.role : STR_NONE;
			const int32_t *at =
				map_find(&m->plain, mapping_hash((enum mapping_kind)kind, any ? STR_NONE : n.account[kind],
			                                     role, n.name[kind]));
			if (at)
				found.n = add_match(m, &n, *at, list, found.n);
		}
	for (int i = 0; !folded && i < m->npatterns; i++)
		found.n = add_match(m, &n, m->patterns[i], list, found.n);
	if (found.n > 1)
		qsort(list, (size_t)found.n, sizeof *list, by_pointer);
	if (found.n) {
		found.list = arena_alloc(&m->found, (size_t)found.n * sizeof *found.list);
		memcpy(found.list, list, (size_t)found.n * sizeof *found.list);
	}
	free(list);
	return found;
}

static const struct mapping_matches *matches_of(struct mapping *m, const struct mapping_caller *c)
{
	// Only a profile says more than the caller, and to see that it is one takes time.
	bool by_model =
		m->has[MAPPING_PROFILE] && (profile_is_opaque(c->model) || str_is(c->model, MODEL_OTHERS_SHOWN));
	const struct str parts[] = {c->account, c->principal, by_model ? c->model : STR_NONE};
	uint64_t h = 0;
	bool added;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		h = hash64_seeded(parts[i].p ? parts[i].p : "", parts[i].len, h) ^ parts[i].len;
	if (m->nmatches == CALLERS_MAX && !map_find(&m->callers, h)) {
		map_clear(&m->callers);
		arena_reset(&m->found);
		m->nmatches = 0;
	}
	int32_t at = *map_add(&m->callers, h, m->nmatches, &added);
	if (!added)
		return &m->matches[at];
	if (m->nmatches == m->capmatches) {
		m->capmatches = m->capmatches ? m->capmatches * 2 : 64;
		m->matches = xrealloc(m->matches, (size_t)m->capmatches, sizeof *m->matches);
	}
	m->matches[m->nmatches] = find_matches(m, c);
	return &m->matches[m->nmatches++];
}

static const struct mapping_line *line_at(const struct mapping_subject *s, int64_t hour)
{
	for (int i = s->n; i-- > 0;)
		if (s->lines[i].from <= hour)
			return &s->lines[i];
	return NULL;
}

struct mapped mapping_value(struct mapping *m, const struct mapping_caller *c, int64_t hour, int key)
{
	const struct mapping_matches *all = m ? matches_of(m, c) : NULL;
	assert(!m || (key >= 0 && key < m->nkeys));
	for (int i = 0; all && i < all->n; i++) {
		const struct mapping_line *l = line_at(all->list[i].subject, hour);
		if (!l || !l->value[key].len)
			continue;
		if (all->list[i].maybe)
			return (struct mapped){is_nobody(c->principal) ? STR_NONE : STR(OTHER_VALUES), NULL};
		return (struct mapped){str_is(l->value[key], "-") ? STR("") : l->value[key], l};
	}
	return (struct mapped){STR_NONE, NULL};
}
