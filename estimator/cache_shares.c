// SPDX-License-Identifier: Apache-2.0
#include "estimator/cache_shares.h"

#include "base/arn.h"

__extension__ typedef __int128 wide;

// Thousandths of the tokens that may be of another kind than the shares say, by whose bill the shares are.
// One day's share of writes is not the next day's, and a caller may cache otherwise than others do.
enum { OF_CALLER = 100, OF_ROLE = 250, OF_MODEL = 500, OF_NOBODY = 1000 };

// Billed tokens of prompts, and those of them that were read from the cache or written to it.
struct shares_of_prompt {
	wide prompt, read, written;
	int doubt; // thousandths
};

static void add_means(struct shares_of_prompt *to, const struct billed_means *m)
{
	to->read += m->tokens[TOKENS_CACHE_READ];
	to->written += m->tokens[TOKENS_CACHE_WRITE];
	to->prompt += m->tokens[TOKENS_INPUT];
	to->prompt += m->tokens[TOKENS_CACHE_READ];
	to->prompt += m->tokens[TOKENS_CACHE_WRITE];
}

// Of the caller; else of its role.
static struct shares_of_prompt shares_of(struct str arn, const struct billed_means *means, int n)
{
	struct shares_of_prompt own = {.doubt = OF_CALLER}, role = {.doubt = OF_ROLE};
	int at = billed_means_find(means, n, arn);
	if (at < n && str_eq(means[at].arn, arn))
		add_means(&own, &means[at]);
	if (own.prompt > 0)
		return own;
	struct str name = arn_without_session(arn);
	for (at = billed_means_find(means, n, name); at < n && str_starts(means[at].arn, name); at++)
		if (str_eq(arn_without_session(means[at].arn), name))
			add_means(&role, &means[at]);
	return role;
}

static int64_t part(int64_t tokens, wide share, wide whole)
{
	return whole > 0 ? (int64_t)((wide)tokens * share / whole) : 0;
}

static int64_t doubtful(int64_t tokens, const struct shares_of_prompt *p)
{
	return (int64_t)((wide)tokens * p->doubt / 1000);
}

static void move(int64_t *from, int64_t whole, wide share, wide all, int64_t *to)
{
	int64_t n = part(whole, share, all);
	*from -= n;
	*to += n;
}

static void divide(const struct shares_of_prompt *p, int64_t *input, int64_t *read, int64_t *written)
{
	int64_t whole = *input;
	move(input, whole, p->read, p->prompt, read);
	move(input, whole, p->written, p->prompt, written);
}

static void divide_caller(const struct shares_of_prompt *p, struct caller_usage *u)
{
	struct shares *input = &u->by_kind[TOKENS_INPUT], *read = &u->by_kind[TOKENS_CACHE_READ],
				  *written = &u->by_kind[TOKENS_CACHE_WRITE];
	divide(p, &input->allocated, &read->allocated, &written->allocated);
	divide(p, &input->provisional, &read->provisional, &written->provisional);
	divide(p, &u->spread[TOKENS_INPUT], &u->spread[TOKENS_CACHE_READ], &u->spread[TOKENS_CACHE_WRITE]);
	divide(p, &u->noise[TOKENS_INPUT], &u->noise[TOKENS_CACHE_READ], &u->noise[TOKENS_CACHE_WRITE]);
	for (int kind = 0; kind < METRIC_KINDS; kind++)
		if (kind != TOKENS_OUTPUT)
			u->cache_unknown[kind] = doubtful(u->by_kind[kind].allocated + u->by_kind[kind].provisional, p);
}

void cache_shares_apply(const struct span *s, const struct billed_means *billed_means, int nbilled_means,
                        struct hour_usage *u)
{
	struct shares_of_prompt all = {.doubt = OF_NOBODY};
	for (int i = 0; i < nbilled_means; i++)
		add_means(&all, &billed_means[i]);
	if (all.prompt > 0)
		all.doubt = OF_MODEL;
	for (int32_t i = 0; i < s->ncallers; i++) {
		struct shares_of_prompt p = shares_of(s->callers[i].arn, billed_means, nbilled_means);
		divide_caller(p.prompt > 0 ? &p : &all, &u->callers[i]);
	}
	divide(&all, &u->unattributed[TOKENS_INPUT], &u->unattributed[TOKENS_CACHE_READ],
	       &u->unattributed[TOKENS_CACHE_WRITE]);
	for (int kind = 0; kind < METRIC_KINDS; kind++)
		if (kind != TOKENS_OUTPUT)
			u->cache_unknown[kind] = doubtful(u->unattributed[kind], &all);
}
