// SPDX-License-Identifier: Apache-2.0
// How sure the figures are: bands, telemetry, the bill.
#include "query/health_parts.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/when.h"
#include "query/group.h"
#include "store/batch.h"
#include "store/keys.h"
#include "store/telemetry_counts.h"

// How wide the bands of the last day are, in the mean over callers and hours.
static void check_bands(struct health *h, const struct last_day_sum *day)
{
	char basis[GROUP_BASIS_SIZE], usd[USD_SIZE], scaled[96] = "";
	const struct group *all = &day->all;
	if (all->usd.pico <= 0)
		return;
	int scale = view_band_scale(h->view);
	if (scale != BAND_SCALE_ONE)
		snprintf(scaled, sizeof scaled,
		         "; bands are %d.%02d times what the method says, as learned from the bill",
		         scale / BAND_SCALE_ONE, scale % BAND_SCALE_ONE / 10);
	bool uncertain = 4 * all->usd_provisional.pico > all->usd.pico;
	health_add(h, uncertain ? HEALTH_WARN : HEALTH_OK, "bands",
	            "the last 24 hours: $%s, %s; the band of a caller's hour is %d %% wide in the mean%s%s",
	            usd_format(all->usd, 2, usd), group_basis(all, basis),
	            (int)(100 * day->width.pico / all->usd.pico), scaled,
	            uncertain ? ": much is provisional; see which signal above is missing or silent" : "");
}

// What callers tell of their own calls: how much of it was used, and what was not.
static bool check_telemetry(struct health *h, const struct telemetry_calls *calls, struct err *err)
{
	const int64_t span = BUCKET_HOURS * MS_PER_HOUR;
	int64_t unused[TELEMETRY_UNUSED];
	struct telemetry_waiting waiting;
	if (!telemetry_counts_read(h->redis, view_prefix(h->view), unused, err) ||
	    !telemetry_waiting_read(h->redis, view_prefix(h->view), h->now_ms - 24 * MS_PER_HOUR - span,
	                            h->now_ms - span - MS_PER_HOUR, &waiting, err))
		return false;
	if (calls->used || calls->unjoined || waiting.old || waiting.recent)
		health_add(
			h, 10 * (calls->refused + calls->unjoined + waiting.old) > calls->used ? HEALTH_NOTE : HEALTH_OK,
			"telemetry",
			"of the last 24 hours: %lld call%s with telemetry; of these %lld exceeded the metric and were refused; "
			"%lld that fit no call or several; by request id %lld of calls that did not come, "
			"%lld of calls that may still come",
			(long long)calls->used, text_s(calls->used), (long long)calls->refused,
			(long long)calls->unjoined, (long long)waiting.old, (long long)waiting.recent);
	for (int why = 0; why < TELEMETRY_UNUSED; why++)
		if (unused[why])
			health_add(h, HEALTH_NOTE, "telemetry", "%lld not used (`%s`): %s", (long long)unused[why],
			            telemetry_unused_word((enum telemetry_unused)why),
			            telemetry_unused_advice((enum telemetry_unused)why));
	return true;
}

bool health_check_last_day(struct health *h, struct last_day *kept, struct err *err)
{
	struct last_day_sum day;
	if (!last_day_read(kept, h->view, h->now_ms / MS_PER_HOUR, &day, err))
		return false;
	check_bands(h, &day);
	return check_telemetry(h, &day.telemetry, err);
}

// What is declared about the TTL of cache writes, and was billed otherwise.
static void note_contradicted(struct health *h, struct str period, struct str number, struct str dollars)
{
	int64_t n;
	struct usd usd;
	char text[USD_SIZE];
	if (usd_parse_scaled(number, 0, &n) && n > 0 && usd_parse_pico(dollars, &usd))
		health_add(
			h, HEALTH_WARN, "cache_ttl",
			"the bill of %.*s contradicts %lld declared TTL%s of cache writes, by $%s: `nowcast reconcile` "
			"lists them; mend them, or take them out, and the bill's shares are used",
			STR_ARG(period), (long long)n, text_s(n), usd_format(usd, 2, text));
}

// Whether the newest bill has names that match no model that was called, or contradicts what was declared.
bool health_check_bill(struct health *h, struct err *err)
{
	struct buf key = BUF_INIT, newest = BUF_INIT;
	char text[USD_SIZE];
	struct usd usd = USD_ZERO;
	int64_t names = 0;
	bool known = false; // no: it was reconciled by an earlier version
	key_reconcile_periods(&key, view_prefix(h->view));
	redis_cmdz(h->redis, "SMEMBERS", key.data, NULL);
	bool good = redis_exec(h->redis, err);
	for (size_t i = 0; good && i < redis_len(h->redis, 0); i++)
		if (str_cmp(redis_elem(h->redis, 0, i), buf_str(&newest)) > 0) {
			buf_clear(&newest);
			buf_addstr(&newest, redis_elem(h->redis, 0, i));
		}
	if (good && newest.len) {
		buf_clear(&key);
		key_reconcile_period(&key, view_prefix(h->view), buf_str(&newest));
		redis_cmdz(h->redis, "HMGET", key.data, "unmatched", "unmatched_usd", "ttl_contradicted",
		           "ttl_contradicted_usd", NULL);
		good = redis_exec(h->redis, err);
		known = good && usd_parse_scaled(redis_elem(h->redis, 0, 0), 0, &names) &&
		        usd_parse_pico(redis_elem(h->redis, 0, 1), &usd);
		if (good)
			note_contradicted(h, buf_str(&newest), redis_elem(h->redis, 0, 2), redis_elem(h->redis, 0, 3));
	}
	if (known && names)
		health_add(
			h, HEALTH_NOTE, "bill",
			"%lld name%s in the bill of %s, for $%s, %s no model that was called: `nowcast reconcile` lists them; "
			"a line name,model in names.csv of prices.dir says which model a name means",
			(long long)names, text_s(names), newest.data, usd_format(usd, 2, text),
			names == 1 ? "matches" : "match");
	else if (known)
		health_add(h, HEALTH_OK, "bill", "every name in the bill of %s matches a model that was called",
		            newest.data);
	buf_release(&key);
	buf_release(&newest);
	return good;
}
