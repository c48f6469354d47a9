// SPDX-License-Identifier: Apache-2.0
// A row of a few answers; a new one takes the place of the oldest. Questions are compared whole, not by hash.
#include "web/response_cache.h"

#include <stdlib.h>

enum { KEPT = 32, BYTES_MAX = 2 << 20, KEEP_MS = 1000, KEEP_MS_MAX = 5000, COST_FACTOR = 4 };

struct kept {
	struct buf question, body;
	const char *type;
	int64_t since_ms, until_ms;
};

struct response_cache {
	struct kept kept[KEPT];
	struct buf question; // of the request in hand
};

static struct str question_of(struct response_cache *a, const struct http_request *r)
{
	buf_clear(&a->question);
	buf_addstr(&a->question, r->path);
	for (int i = 0; i < r->nargs && i < HTTP_ARGS_MAX; i++) {
		buf_addf(&a->question, "&%zu:%zu:", r->args[i].name.len, r->args[i].value.len);
		buf_addstr(&a->question, r->args[i].name);
		buf_addstr(&a->question, r->args[i].value);
	}
	return buf_str(&a->question);
}

bool response_cache_find(struct response_cache *a, const struct http_request *r, int64_t ticks_ms,
                         struct http_answer *ret)
{
	struct str question = question_of(a, r);
	for (int i = 0; i < KEPT; i++) {
		struct kept *k = &a->kept[i];
		if (ticks_ms >= k->until_ms || !str_eq(buf_str(&k->question), question))
			continue;
		ret->status = 200;
		ret->type = k->type;
		buf_clear(&ret->body);
		buf_addstr(&ret->body, buf_str(&k->body));
		return true;
	}
	return false;
}

void response_cache_keep(struct response_cache *a, const struct http_request *r, int64_t ticks_ms,
                         int64_t cost_ms, const struct http_answer *answer)
{
	struct str question = question_of(a, r);
	struct kept *place = &a->kept[0];
	if (answer->status != 200 || answer->body.len > BYTES_MAX || r->nargs > HTTP_ARGS_MAX)
		return;
	for (int i = 0; i < KEPT; i++)
		if (a->kept[i].since_ms < place->since_ms)
			place = &a->kept[i];
	int64_t keep = cost_ms * COST_FACTOR > KEEP_MS ? cost_ms * COST_FACTOR : KEEP_MS;
	buf_clear(&place->question);
	buf_addstr(&place->question, question);
	buf_clear(&place->body);
	buf_addstr(&place->body, buf_str(&answer->body));
	place->type = answer->type;
	place->since_ms = ticks_ms;
	place->until_ms = ticks_ms + (keep < KEEP_MS_MAX ? keep : KEEP_MS_MAX);
}

struct response_cache *response_cache_new(void)
{
	return xcalloc(1, sizeof(struct response_cache));
}

void response_cache_free(struct response_cache *a)
{
	for (int i = 0; a && i < KEPT; i++) {
		buf_release(&a->kept[i].question);
		buf_release(&a->kept[i].body);
	}
	if (a)
		buf_release(&a->question);
	free(a);
}
