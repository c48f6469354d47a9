// SPDX-License-Identifier: Apache-2.0
#include "estimator/ttl_shares.h"

#include "base/arn.h"

__extension__ typedef __int128 wide;

// Billed cache writes, and those of them with the one-hour TTL.
struct billed_writes {
	wide all, of_1h;
};

static void add_means(struct billed_writes *to, const struct billed_means *m)
{
	int64_t all = m->tokens[TOKENS_CACHE_WRITE], of_1h = m->tokens[TOKENS_CACHE_WRITE_1H];
	to->all += all;
	to->of_1h += of_1h < all ? of_1h : all; // an amendment may lower the writes alone
}

static struct billed_writes writes_of_role(struct str arn, const struct billed_means *means, int n)
{
	struct billed_writes sum = {0};
	struct str role = arn_without_session(arn);
	for (int i = billed_means_find(means, n, role); i < n && str_starts(means[i].arn, role); i++)
		if (str_eq(arn_without_session(means[i].arn), role))
			add_means(&sum, &means[i]);
	return sum;
}

static int32_t permille_of(const struct billed_writes *w)
{
	return (int32_t)((w->of_1h * 1000 + w->all / 2) / w->all);
}

void ttl_shares_apply(const struct span *s, const struct billed_means *billed_means, int nbilled_means,
                      const struct billed_means *all, struct hour_usage *u)
{
	struct billed_writes of_model = {0}, of_all = {0};
	for (int i = 0; i < nbilled_means; i++)
		add_means(&of_model, &billed_means[i]);
	if (all)
		add_means(&of_all, all);
	const struct billed_writes *others = of_model.all ? &of_model : &of_all;
	u->ttl_source = of_model.all ? TTL_OF_MODEL : of_all.all ? TTL_OF_ALL : TTL_ASSUMED;
	u->ttl_permille = others->all ? permille_of(others) : TTL_PRIOR;
	for (int32_t i = 0; i < s->ncallers; i++) {
		struct caller_usage *c = &u->callers[i];
		if (ttl_is_known(c->ttl_permille))
			continue;
		struct billed_writes of_role = writes_of_role(s->callers[i].arn, billed_means, nbilled_means);
		c->ttl_source = of_role.all ? TTL_OF_ROLE : u->ttl_source;
		c->ttl_permille = of_role.all ? permille_of(&of_role) : u->ttl_permille;
		if (c->ttl_source == TTL_ASSUMED && !c->ttl_may_be_1h)
			c->ttl_permille = 0;
	}
}
