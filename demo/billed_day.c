// SPDX-License-Identifier: Apache-2.0
#include "demo/billed_day.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/when.h"
#include "pricing/prices.h"
#include "reconcile/publish.h"
#include "run/intake.h"
#include "store/billed_means_refresh.h"

// ---- the calls

static bool put_messages(struct intake *in, const struct traffic *t, struct err *err)
{
	const struct origin origin = {.path = "the demo"};
	bool good = intake_prepare(in, err);
	for (size_t i = 0; good && i < t->n; i++) {
		intake_message(in, &origin, t->messages[i].text);
		good = !intake_is_full(in) || intake_apply(in, err);
	}
	size_t left;
	return good && intake_apply(in, err) && engine_settle(in->engine, true, &left, err);
}

bool traffic_replay(const struct conf *conf, const struct traffic *t, struct err *err)
{
	struct prices *prices = NULL;
	struct intake in = {0};
	bool good = prices_load(&prices, conf, err) &&
	            intake_open(&in, conf, prices, (size_t)conf->message_bytes, NULL, NULL, err) &&
	            put_messages(&in, t, err);
	intake_close(&in);
	prices_free(prices);
	return good;
}

// ---- the bill

// A model that no price list has is a preview, which is free: its tokens are billed, at nothing.
static struct usd billed_usd(const struct traffic *t, const struct traffic_truth *truth, int type)
{
	struct rate rate;
	struct price_query q = {
		.model = truth->model, .region = truth->region, .type = (enum token_type)type, .time_ms = t->from_ms};
	if (catalogue_find(catalogue_builtin(), &q, &rate) != MISS_NONE)
		return USD_ZERO;
	return usd_price(truth->tokens[type], rate.pico_per_token);
}

static void make_bill(const struct traffic *t, struct names *names, struct ledger *ret)
{
	struct buf acct_region = BUF_INIT;
	names_add(names, STR_NONE); // number 0 is none
	for (int i = 0; i < t->ntruth; i++) {
		const struct traffic_truth *truth = &t->truth[i];
		buf_clear(&acct_region);
		buf_addf(&acct_region, "%s/%.*s", truth->account, STR_ARG(truth->region));
		for (int type = 0; type < TOKEN_TYPES; type++) {
			struct usd usd = billed_usd(t, truth, type);
			struct ledger_row row = {.acct_region = names_add(names, buf_str(&acct_region)),
			                         .model = names_add(names, truth->model),
			                         .principal = names_add(names, truth->principal),
			                         .type = type,
			                         .hour = t->from_ms / MS_PER_HOUR,
			                         .tokens = truth->tokens[type],
			                         .usd = usd,
			                         .list = usd};
			if (row.tokens)
				ledger_add(ret, &row);
		}
	}
	buf_release(&acct_region);
}

// One account and Region after the other. The bill is final up to the end of the hour.
static bool publish_bill(struct publish *p, const struct names *names, const struct ledger *bill,
                         struct err *err)
{
	const struct ledger_row **sorted = ledger_sort(bill, LEDGER_BY_MODEL_HOUR);
	bool good = true, taken;
	for (int64_t i = 0, end; good && i < bill->n; i = end) {
		char period[WHEN_SIZE];
		int64_t hour = sorted[i]->hour;
		for (end = i; end < bill->n && sorted[end]->acct_region == sorted[i]->acct_region;)
			end++;
		when_format(hour * MS_PER_HOUR, period);
		const struct publish_acct_region one = {.acct_region = names->list[sorted[i]->acct_region],
		                                        .period = {period, strlen("2026-11")},
		                                        .first = hour,
		                                        .end = hour + 1,
		                                        .since = hour,
		                                        .watermark = hour + 1};
		good = publish_acct_region(p, &one, names, sorted + i, end - i, &taken, err);
	}
	free(sorted);
	return good;
}

static bool bill_traffic(const struct conf *conf, const struct traffic *t, struct err *err)
{
	struct publish p = {0};
	struct names names = {0};
	struct ledger bill = {0};
	make_bill(t, &names, &bill);
	bool good = publish_begin(&p, redis_target_of(conf), conf->retention_ms, err) &&
	            publish_bill(&p, &names, &bill, err) &&
	            billed_means_refresh(redis_target_of(conf), 0, conf->retention_ms, err);
	publish_end(&p);
	ledger_release(&bill);
	names_release(&names);
	return good;
}

// It begins with a full hour, so that all of it is in one hour of the bill.
bool billed_day_add(const struct conf *conf, int64_t from_ms, uint64_t seed, struct err *err)
{
	struct traffic day, nothing = {0};
	traffic_make(&day, (from_ms / MS_PER_HOUR - 24) * MS_PER_HOUR, seed + 1);
	bool good = traffic_replay(conf, &day, err) && bill_traffic(conf, &day, err) &&
	            traffic_replay(conf, &nothing, err);
	traffic_release(&day);
	return good;
}
