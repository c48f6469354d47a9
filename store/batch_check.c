// SPDX-License-Identifier: Apache-2.0
// Which strings may be part of a key or field in Redis, and which times, accounts and Regions a record may
// have.
#include "base/hash.h"
#include "base/text.h"
#include "base/when.h"
#include "pricing/model_id.h"
#include "store/batch_priv.h"

// Whether none of eight bytes is a blank or below, DEL, or beyond ASCII.
static bool are_plain(const char *p)
{
	const uint64_t ones = 0x0101010101010101, high = ones << 7;
	uint64_t w;
	memcpy(&w, p, sizeof w);
	uint64_t del = w ^ ones * 0x7f;
	return ((w | (w - ones * 0x21) | (del - ones)) & high) == 0;
}

// Likewise of all bytes, of which there are eight at least: the last eight overlap those before.
static bool is_plain(struct str s)
{
	size_t i = 0;
	while (i + 8 <= s.len && are_plain(s.p + i))
		i += 8;
	return i + 8 > s.len && are_plain(s.p + s.len - 8);
}

bool batch_is_clean(struct str s)
{
	if (s.len == 0 || s.len > BATCH_TEXT_MAX)
		return false;
	if (s.len >= 8 && is_plain(s))
		return true;
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] == ' ' || text_control(s, i))
			return false;
	return true;
}

bool batch_is_model(struct str s)
{
	return batch_is_clean(s) && !str_is(s, MODEL_OTHERS_STORED);
}

bool batch_is_made_of(struct str s, size_t max, const char *set)
{
	if (s.len == 0 || s.len > max)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!s.p[i] || !strchr(set, s.p[i]))
			return false;
	return true;
}

bool batch_check_place(struct str account, struct str region, struct err *err)
{
	if (!batch_is_made_of(account, 12, "0123456789"))
		return err_set(err, ERR_SKIP, "account: expected up to 12 digits, got \"%.*s\"",
		               account.len > 20 ? 20 : (int)account.len, account.len ? account.p : "");
	if (!batch_is_made_of(region, 32, "abcdefghijklmnopqrstuvwxyz0123456789-"))
		return err_set(err, ERR_SKIP, "region: expected a name like us-east-1, got \"%.*s\"",
		               region.len > 40 ? 40 : (int)region.len, region.len ? region.p : "");
	return true;
}

static uint64_t place_key(struct str account, struct str region)
{
	return hash64_seeded(region.p, region.len, hash64(account.p, account.len));
}

void batch_set_places(struct batch *b, const struct str *acct_regions, size_t n)
{
	bool added;
	map_clear(&b->known_places);
	for (size_t i = 0; i < n; i++) {
		struct str region = acct_regions[i], account = str_cut(&region, '/');
		map_add(&b->known_places, place_key(account, region), 0, &added);
	}
}

bool batch_admit(struct batch *b, struct str account, struct str region, struct err *err)
{
	bool added;
	if (batch_find_first_place(b, account, region) >= 0)
		return true; // it was admitted
	if (!batch_check_place(account, region, err))
		return false;
	uint64_t key = place_key(account, region);
	if (!b->places_max || map_find(&b->known_places, key))
		return true;
	if ((int64_t)b->known_places.count >= b->places_max)
		return err_set(err, ERR_SKIP,
		               "account %.*s in %.*s would be one more than acct_regions.max, %lld pairs of account and Region: "
		               "raise it, and replay this record",
		               STR_ARG(account), STR_ARG(region), (long long)b->places_max);
	map_add(&b->known_places, key, 0, &added);
	return true;
}

bool batch_check_time(struct batch *b, int64_t ms, int64_t latest_ms, struct err *err)
{
	char text[WHEN_SIZE];
	if (ms <= 0)
		return err_set(err, ERR_SKIP, "time: not after 1970");
	b->future += ms > latest_ms;
	if (ms > latest_ms)
		return err_set(
			err, ERR_SKIP,
			"time: %s lies too far in the future (is the clock of this machine right? see: future)",
			when_format(ms, text));
	return true;
}

