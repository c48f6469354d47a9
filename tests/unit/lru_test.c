// SPDX-License-Identifier: Apache-2.0
// A least-recently-used list does what a plain array in the order of use does, over random steps. Prints its
// seed; NOWCAST_SEED repeats one.
#include <stdlib.h>

#include "base/lru.h"
#include "tests/support/random.h"
#include "tests/tap.h"

enum { KEYS = 300, STEPS = 20000, MODEL_MAX = 2 * KEYS };

static int nfreed;

static void free_counted(struct lru_entry *e)
{
	nfreed++;
	free(e);
}

// The newest first.
struct model {
	uint64_t keys[MODEL_MAX];
	size_t bytes[MODEL_MAX], total;
	int n, nfreed;
};

static int model_find(const struct model *m, uint64_t key)
{
	for (int i = 0; i < m->n; i++)
		if (m->keys[i] == key)
			return i;
	return -1;
}

static size_t model_remove(struct model *m, int at)
{
	size_t bytes = m->bytes[at];
	for (int i = at; i + 1 < m->n; i++) {
		m->keys[i] = m->keys[i + 1];
		m->bytes[i] = m->bytes[i + 1];
	}
	m->n--;
	m->total -= bytes;
	return bytes;
}

static void model_add(struct model *m, uint64_t key, size_t bytes)
{
	for (int i = m->n++; i > 0; i--) {
		m->keys[i] = m->keys[i - 1];
		m->bytes[i] = m->bytes[i - 1];
	}
	m->keys[0] = key;
	m->bytes[0] = bytes;
	m->total += bytes;
}

static void step_with(struct lru *l, struct model *m, uint64_t key)
{
	size_t bytes = (size_t)below(1000);
	int at = model_find(m, key);
	struct lru_entry *e = lru_find(l, key);
	if ((at >= 0) != (e != NULL)) {
		m->n = -1; // differs from now on
		return;
	}
	if (!e) {
		e = calloc(1, sizeof *e);
		*e = (struct lru_entry){.key = key, .bytes = bytes};
		lru_add(l, e);
		model_add(m, key, bytes);
	} else if (below(4) == 0) {
		lru_remove(l, e);
		model_remove(m, at);
		m->nfreed++;
	} else if (below(2)) {
		lru_use(l, e);
		model_add(m, key, model_remove(m, at));
	} else {
		lru_resize(l, e, bytes);
		m->total += bytes - m->bytes[at];
		m->bytes[at] = bytes;
	}
	if (below(50) == 0) {
		size_t room = (size_t)below(100000);
		lru_trim(l, room);
		for (; m->total > room; m->nfreed++)
			model_remove(m, m->n - 1);
	}
}

static bool is_same(const struct lru *l, const struct model *m)
{
	const struct lru_entry *e = l->newest;
	int i = 0;
	for (; e && i < m->n; e = e->older, i++)
		if (e->key != m->keys[i] || e->bytes != m->bytes[i] ||
		    e->newer != (i ? lru_find(l, m->keys[i - 1]) : NULL))
			return false;
	return !e && i == m->n && l->n == (size_t)m->n && l->bytes == m->total && nfreed == m->nfreed;
}

int main(void)
{
	struct lru l = LRU_INIT(free_counted);
	struct model m = {0};
	int good = 0;
	diag("NOWCAST_SEED=%llu", (unsigned long long)seed_rng());
	ok(!lru_find(&l, 1), "an empty one has nothing");
	for (int i = 0; i < STEPS && good == i; i++) {
		// few remainders, so that buckets hold several
		step_with(&l, &m, (uint64_t)below(KEYS) * (below(2) ? 64 : 1));
		good += m.n >= 0 && (i % 20 || is_same(&l, &m));
	}
	is_int(good, STEPS, "its entries are those of an array in the order of use");
	int n = m.n + m.nfreed;
	lru_release(&l);
	ok(nfreed == n && !l.newest && !l.oldest, "at the end all entries are freed");
	struct lru_entry *e = calloc(1, sizeof *e);
	lru_add(&l, e);
	ok(lru_find(&l, 0) == e, "it can be used again");
	lru_release(&l);
	return done();
}
