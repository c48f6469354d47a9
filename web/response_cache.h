// SPDX-License-Identifier: Apache-2.0
// The newest answers, by their question: when two hundred viewers of one page learn that something changed,
// they all ask the same within a second or two. An answer is kept for a second, or for a few times what it
// cost. For one thread.
#ifndef NOWCAST_WEB_RESPONSE_CACHE_H
#define NOWCAST_WEB_RESPONSE_CACHE_H

#include "web/http.h"

struct response_cache;

struct response_cache *response_cache_new(void);
void response_cache_free(struct response_cache *c);

// Fills `ret` and returns true if the same was asked a moment ago.
bool response_cache_find(struct response_cache *c, const struct http_request *r, int64_t ticks_ms,
                         struct http_answer *ret);

// Keeps a good answer that took cost_ms.
void response_cache_keep(struct response_cache *c, const struct http_request *r, int64_t ticks_ms,
                         int64_t cost_ms, const struct http_answer *answer);

#endif
