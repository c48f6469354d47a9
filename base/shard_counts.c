// SPDX-License-Identifier: Apache-2.0
#include "base/shard_counts.h"

#include "base/arn.h"

// "8", or "111122223333/us-east-1=8": `*ret_place` is empty without one. False: it is neither.
static bool parse_item(struct str item, struct str *ret_place, int *ret_n)
{
	struct str n = str_after_last(item, '=');
	bool placed = n.len < item.len;
	*ret_place = placed ? str_trim((struct str){item.p, item.len - n.len - 1}) : STR_NONE;
	*ret_n = 0;
	n = str_trim(n);
	for (size_t i = 0; i < n.len && *ret_n <= SHARDS_MAX; i++) {
		if (n.p[i] < '0' || n.p[i] > '9')
			return false;
		*ret_n = *ret_n * 10 + n.p[i] - '0';
	}
	struct str region = *ret_place, account = str_cut(&region, '/');
	return *ret_n >= 1 && *ret_n <= SHARDS_MAX && (!placed || (arn_is_account(account) && region.len));
}

bool shard_counts_check(const struct conf_list *l, struct err *err)
{
	for (size_t i = 0; i < l->n; i++) {
		struct str place, other;
		int n;
		if (!parse_item(str_of(l->items[i]), &place, &n))
			return err_set(err, ERR_CONFIG,
			               "shards: expected a number from 1 to %d, or ACCOUNT/REGION=NUMBER, got \"%s\"",
			               SHARDS_MAX, l->items[i]);
		for (size_t k = 0; k < i; k++)
			if (parse_item(str_of(l->items[k]), &other, &n) && str_eq(place, other))
				return err_set(err, ERR_CONFIG, "shards: \"%s\" and \"%s\" say two numbers of the same",
				               l->items[k], l->items[i]);
	}
	return true;
}

int shard_counts_of(const struct conf_list *l, struct str acct_region)
{
	int all = 1, n;
	for (size_t i = 0; l && i < l->n; i++) {
		struct str place;
		if (!parse_item(str_of(l->items[i]), &place, &n))
			continue;
		if (str_eq(place, acct_region))
			return n;
		if (!place.len)
			all = n;
	}
	return all;
}
