// SPDX-License-Identifier: Apache-2.0
#include "base/cache_ttl.h"

#include <stdio.h>

#include "base/usd.h"
#include "base/when.h"

bool cache_ttl_parse(struct str text, int32_t *ret_permille)
{
	int64_t permille;
	*ret_permille = str_is(text, "5m") ? 0 : str_is(text, "1h") ? 1000 : CACHE_TTL_UNKNOWN;
	if (*ret_permille != CACHE_TTL_UNKNOWN || str_is(text, "unknown"))
		return true;
	if (!str_ends(text, STR("%")))
		return false;
	text.len--;
	if (!usd_parse_scaled(text, 1, &permille) || permille < 0 || permille > 1000)
		return false;
	*ret_permille = (int32_t)permille;
	return true;
}

// "VALUE" or "VALUE from TIME". *ret_hour: INT64_MIN without a time.
static bool read_item(struct str item, int32_t *ret_permille, int64_t *ret_hour)
{
	struct str rest = str_trim(item), value = str_cut(&rest, ' ');
	int64_t ms;
	*ret_hour = INT64_MIN;
	if (!cache_ttl_parse(value, ret_permille))
		return false;
	rest = str_trim(rest);
	if (!rest.len)
		return true;
	if (!str_is(str_cut(&rest, ' '), "from") || !when_parse(str_trim(rest), &ms) || ms % MS_PER_HOUR != 0)
		return false;
	*ret_hour = ms / MS_PER_HOUR;
	return true;
}

bool cache_ttl_list_check(struct str text, struct err *err)
{
	int64_t before = INT64_MIN;
	for (bool first = true; text.len; first = false) {
		struct str item = str_trim(str_cut(&text, ','));
		int32_t permille;
		int64_t hour;
		if (!read_item(item, &permille, &hour))
			return err_set(
				err, ERR_CONFIG,
				"cache_ttl: expected 5m, 1h, a share such as 30%%, or unknown, and from the second on "
				"the hour from which it holds (5m, 1h from 2026-11-20), got \"%.*s\"",
				STR_ARG(item));
		if (!first && hour <= before)
			return err_set(err, ERR_CONFIG,
			               "cache_ttl: expected a later time than that of the value before, got \"%.*s\"",
			               STR_ARG(item));
		before = hour;
	}
	return true;
}

int32_t cache_ttl_list_at(struct str text, int64_t hour)
{
	int32_t found = CACHE_TTL_UNKNOWN;
	while (text.len) {
		int32_t permille;
		int64_t from;
		if (read_item(str_cut(&text, ','), &permille, &from) && from <= hour)
			found = permille;
	}
	return found;
}

char *cache_ttl_format(int32_t permille, char *buf)
{
	if (permille % 1000 == 0)
		snprintf(buf, CACHE_TTL_TEXT_SIZE, "%s", permille ? "1h" : "5m");
	else if (permille % 10 == 0)
		snprintf(buf, CACHE_TTL_TEXT_SIZE, "%d%%", permille / 10);
	else
		snprintf(buf, CACHE_TTL_TEXT_SIZE, "%d.%d%%", permille / 10, permille % 10);
	return buf;
}
