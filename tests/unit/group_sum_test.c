// SPDX-License-Identifier: Apache-2.0
// Groups that were packed are the groups, whatever their figures and keys.
#include "query/group_sum.h"

#include "tests/tap.h"

enum { GROUPS = 300 };

static uint64_t rng_state = 1;

static uint64_t rng(void) // splitmix64
{
	uint64_t z = (rng_state += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

// Of any size; one in three is 0.
static int64_t count(void)
{
	return rng() % 3 ? (int64_t)(rng() >> 3 >> rng() % 60) : 0;
}

static struct usd dollars(void)
{
	struct usd x = usd_price(count(), 1 + count() / 2);
	return rng() % 2 ? usd_sub(USD_ZERO, x) : x;
}

// What group_set_band asks of a group holds: its parts add up, and its floor is no more than its dollars.
static void fill(struct group *x)
{
	x->calls = count();
	x->failed = count();
	x->tokens = x->billed = count();
	x->prompt = -count();
	x->unbilled = count();
	x->usd_unbilled = dollars();
	x->usd = x->usd_billed = x->floor = x->ceiling = dollars();
	x->usd_scope_unknown = dollars();
	x->usd_ttl_estimated = dollars();
	x->chance_variance = (double)count() / 1e9;
	x->band_scale = (int)(rng() % 3) * 700;
	for (int i = 0; i < ERROR_BINS; i++)
		x->weights_errors.bins[i] = rng() % 2 ? (double)(int64_t)rng() / 1e18 : 0;
	group_set_band(x);
}

static bool same_figures(const struct group *a, const struct group *b)
{
	struct group x = *a, y = *b;
	memset(x.keys, 0, sizeof x.keys);
	memset(y.keys, 0, sizeof y.keys);
	return memcmp(&x, &y, sizeof x) == 0;
}

int main(void)
{
	struct grouping by = {.n = 2, .by = {BY_PRINCIPAL, BY_MODEL}, .name = {STR("principal"), STR("model")}};
	struct groups from, back, twice;
	struct buf packed = BUF_INIT;
	char name[400];
	int32_t wrong = 0;
	groups_init(&from, &by);
	groups_init(&back, &by);
	groups_init(&twice, &by);
	for (int i = 0; i < GROUPS; i++) {
		int len = snprintf(name, sizeof name, "%0*d", 1 + i, i);
		struct str keys[] = {{name, (size_t)len}, i % 2 ? STR("amazon.nova-pro-v1:0") : STR("")};
		fill(groups_get(&from, keys));
	}
	groups_pack(&packed, &from);
	groups_merge_packed(&back, buf_str(&packed));
	groups_set_bands(&back);
	for (int32_t i = 0; i < from.n; i++) {
		const struct group *x = groups_find(&back, from.list[i].keys);
		wrong += !x || !same_figures(x, &from.list[i]);
	}
	is_int(back.n, GROUPS, "as many groups as were packed");
	is_int(wrong, 0, "each as it was");
	groups_merge_packed(&twice, buf_str(&packed));
	groups_merge_packed(&twice, buf_str(&packed));
	groups_set_bands(&twice);
	groups_merge(&back, &from);
	wrong = 0;
	for (int32_t i = 0; i < back.n; i++)
		wrong += !same_figures(&back.list[i], &twice.list[i]);
	is_int(wrong, 0, "what is added packed is what is added unpacked");
	buf_clear(&packed);
	struct groups none;
	groups_init(&none, &by);
	groups_pack(&packed, &none);
	groups_merge_packed(&none, buf_str(&packed));
	is_int(none.n, 0, "nothing is nothing");
	buf_release(&packed);
	groups_release(&from);
	groups_release(&back);
	groups_release(&twice);
	return done();
}
