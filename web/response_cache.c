// SPDX-License-Identifier: Apache-2.0
// Answers are found by a hash of their question and then compared with the whole of it. One that is too old
// stays until there is a newer one or its room is needed.
#include "web/response_cache.h"

#include <assert.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/lru.h"

enum {
	ANSWER_BYTES_MAX = 2 << 20,
	BYTES_MAX = 4 * ANSWER_BYTES_MAX,
	KEEP_MS = 1000,
	KEEP_MS_MAX = 5000,
	COST_FACTOR = 4,
};

struct cached_answer {
	struct lru_entry entry; // first
	struct buf question, body;
	const char *type;
	int64_t until_ms;
};

struct response_cache {
	struct lru answers;
	struct buf question; // of the request in hand
};

static void free_answer(struct lru_entry *e)
{
	struct cached_answer *x = (struct cached_answer *)e;
	buf_release(&x->question);
	buf_release(&x->body);
	free(x);
}

// Writes the path and the parameters of `r` to c->question, and finds what is kept by its hash: the answer to
// it, or (a collision) to another.
static struct cached_answer *find_by_hash(struct response_cache *c, const struct http_request *r,
                                          uint64_t *ret_key)
{
	buf_clear(&c->question);
	buf_addstr(&c->question, r->path);
	for (int i = 0; i < r->nargs && i < HTTP_ARGS_MAX; i++) {
		buf_addf(&c->question, "&%zu:%zu:", r->args[i].name.len, r->args[i].value.len);
		buf_addstr(&c->question, r->args[i].name);
		buf_addstr(&c->question, r->args[i].value);
	}
	*ret_key = hash64(c->question.data, c->question.len);
	return (struct cached_answer *)lru_find(&c->answers, *ret_key);
}

bool response_cache_find(struct response_cache *c, const struct http_request *r, int64_t ticks_ms,
                         struct http_answer *ret)
{
	uint64_t key;
	const struct cached_answer *x = find_by_hash(c, r, &key);
	if (!x || ticks_ms >= x->until_ms || !str_eq(buf_str(&x->question), buf_str(&c->question)))
		return false;
	ret->status = 200;
	ret->type = x->type;
	buf_clear(&ret->body);
	buf_addstr(&ret->body, buf_str(&x->body));
	return true;
}

void response_cache_keep(struct response_cache *c, const struct http_request *r, int64_t ticks_ms,
                         int64_t cost_ms, const struct http_answer *answer)
{
	uint64_t key;
	assert(answer->status);
	if (answer->status != 200 || answer->body.len > ANSWER_BYTES_MAX || r->nargs > HTTP_ARGS_MAX)
		return;
	struct cached_answer *x = find_by_hash(c, r, &key);
	if (x)
		lru_remove(&c->answers, &x->entry);
	int64_t keep = cost_ms * COST_FACTOR > KEEP_MS ? cost_ms * COST_FACTOR : KEEP_MS;
	x = xcalloc(1, sizeof *x);
	buf_addstr(&x->question, buf_str(&c->question));
	buf_addstr(&x->body, buf_str(&answer->body));
	x->type = answer->type;
	x->until_ms = ticks_ms + (keep < KEEP_MS_MAX ? keep : KEEP_MS_MAX);
	x->entry = (struct lru_entry){.key = key, .bytes = sizeof *x + x->question.cap + x->body.cap};
	lru_add(&c->answers, &x->entry);
	lru_trim(&c->answers, BYTES_MAX);
}

struct response_cache *response_cache_new(void)
{
	struct response_cache *c = xcalloc(1, sizeof *c);
	c->answers = (struct lru)LRU_INIT(free_answer);
	return c;
}

void response_cache_free(struct response_cache *c)
{
	if (!c)
		return;
	lru_release(&c->answers);
	buf_release(&c->question);
	free(c);
}
