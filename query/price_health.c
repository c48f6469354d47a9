// SPDX-License-Identifier: Apache-2.0
#include "query/health_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/when.h"
#include "store/keys.h"

// The files as the daemon would load them now.
void health_check_prices(struct health *h)
{
	struct err err = ERR_INIT;
	const struct prices *p = prices_kept_read(h->prices, h->conf, &err);
	if (!p) {
		health_add(h, HEALTH_FAIL, "prices",
		            "%s; a running daemon keeps its prices, and cannot start again with these", err.msg);
		return;
	}
	size_t n = prices_count(p);
	if (n == 1 && strcmp(prices_source(p, 0).name, "builtin") == 0)
		health_add(h, HEALTH_OK, "prices",
		            "only the built-in ones; `nowcast price update` downloads AWS's current list");
	else
		health_add(h, HEALTH_OK, "prices", "%zu price file%s; `nowcast price check` lists them", n,
		            text_s((int64_t)n));
}

// How old the newest list of prices is, and which models of today came after it: those that are in none.
static void check_price_age(struct health *h, const char *newcomers)
{
	enum { DAY_MS = 86400000, OLD_DAYS = 45 };
	struct err err = ERR_INIT;
	const struct prices *p = prices_kept_read(h->prices, h->conf, &err);
	struct price_source s;
	int64_t ms;
	char when[WHEN_SIZE];
	if (p && prices_newest(p, &s, &ms)) { // without prices: health_check_prices has said so
		int64_t days = (h->now_ms - ms) / DAY_MS;
		days = days > 0 ? days : 0;
		health_add(h,
		            *newcomers        ? HEALTH_WARN
		            : days > OLD_DAYS ? HEALTH_NOTE
		                              : HEALTH_OK,
		            "price age", "the newest price list is %" PRId64 " day%s old (%s, %.10s)%s%s%s", days,
		            text_s(days), s.name, when_format(ms, when),
		            *newcomers ? "; models called today that are in no list: " : "", newcomers,
		            *newcomers || days > OLD_DAYS
		                ? "; `nowcast price update` or prices.update = daily brings AWS's"
		                : "");
	}
}

bool health_check_unpriced(struct health *h, struct err *err)
{
	enum { DAY_MS = 86400000 };
	struct buf key = BUF_INIT, newcomers = BUF_INIT;
	char today[32];
	snprintf(today, sizeof today, "%" PRId64, h->now_ms / DAY_MS * DAY_MS);
	key_unpriced(&key, view_prefix(h->view));
	redis_cmdz(h->redis, "HGETALL", key.data, NULL);
	buf_clear(&key);
	key_unpriced_seen(&key, view_prefix(h->view));
	redis_cmdz(h->redis, "ZRANGE", key.data, today, "+inf", "BYSCORE", NULL);
	buf_release(&key);
	if (!redis_exec(h->redis, err))
		return false;
	redis_sort_fields(h->redis, 0);
	for (size_t i = 0; i + 1 < redis_len(h->redis, 0); i += 2) {
		struct str model = redis_elem(h->redis, 0, i), why = redis_elem(h->redis, 0, i + 1);
		health_add(h, HEALTH_WARN, "prices", "%.*s is unpriced: %.*s", STR_ARG(model), STR_ARG(why));
		for (size_t k = 0; str_is(why, price_miss_text(MISS_MODEL)) && k < redis_len(h->redis, 1); k++)
			if (str_eq(redis_elem(h->redis, 1, k), model))
				buf_addf(&newcomers, "%s%.*s", newcomers.len ? ", " : "", STR_ARG(model));
	}
	if (redis_len(h->redis, 0) == 0)
		health_add(h, HEALTH_OK, "prices", "every model that was called has a price");
	check_price_age(h, newcomers.len ? newcomers.data : "");
	buf_release(&newcomers);
	return true;
}
