// SPDX-License-Identifier: Apache-2.0
#include "store/redis_sentinel.h"

#include <stdlib.h>

#include "aws/http_client.h"
#include "store/redis.h"

enum { ANSWER_MS = 1000 };

// The URL of one sentinel, by the same transport.
static void add_url(struct buf *b, const struct wire *w, struct str place, bool with_login)
{
	buf_addf(b, "redis%s://", w->tls ? "s" : "");
	if (with_login && w->user)
		buf_add_url_part(b, str_of(w->user), false);
	if (with_login && w->password) {
		buf_adds(b, w->user ? ":" : "");
		buf_add_url_part(b, str_of(w->password), false);
		buf_addc(b, '@');
	}
	buf_addstr(b, place);
	if (!memchr(place.p, ':', place.len) || place.p[place.len - 1] == ']')
		buf_adds(b, ":26379");
}

static bool ask(struct wire *w, struct str place, bool with_login, struct err *err)
{
	struct redis *r;
	struct buf url = BUF_INIT;
	add_url(&url, w, place, with_login);
	bool good = redis_open(&r, (struct redis_target){.url = url.data, .ca = w->ca}, err);
	buf_release(&url);
	if (!good)
		return false;
	redis_limit(r, ANSWER_MS);
	redis_cmdz(r, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", w->master, NULL);
	good = redis_exec(r, err);
	if (good && redis_len(r, 0) != 2)
		good = err_set(err, ERR_RETRY, "the sentinel %s knows no master named %s: is that the name in its "
		               "`sentinel monitor`?", redis_where(r), w->master);
	if (good)
		wire_point(w, redis_elem(r, 0, 0), redis_elem(r, 0, 1));
	redis_close(r);
	return good;
}

bool sentinel_find_master(struct wire *w, struct err *err)
{
	size_t first = w->sentinel;
	struct err last = ERR_INIT;
	bool refused = true; // by all of them
	for (size_t i = 0; i < w->nsentinels; i++) {
		w->sentinel = (first + i) % w->nsentinels;
		struct str place = str_of(w->sentinels[w->sentinel]);
		err_clear(&last);
		if (ask(w, place, false, &last))
			return true;
		bool asks_for_login = last.kind == ERR_CONFIG && w->password;
		if (asks_for_login)
			err_clear(&last);
		if (asks_for_login && ask(w, place, true, &last))
			return true;
		refused &= last.kind == ERR_CONFIG;
	}
	return err_set(err, refused ? ERR_CONFIG : ERR_RETRY, "no sentinel says where the Redis %s is: %s", w->master, last.msg);
}
