// SPDX-License-Identifier: Apache-2.0
// `price update`: downloads AWS's price list and imports it, one offer after the other. The downloads are in
// prices.dir/download. If a download fails, what was imported earlier stays.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/price_priv.h"
#include "pricing/download.h"

enum { OFFER_MAX = 256 << 20 };

static const char default_offers[] = "AmazonBedrock,AmazonBedrockFoundationModels,AmazonBedrockService";

struct price_update {
	struct price_import_options options;
	const char *url;
};

static bool update_offer(const struct price_update *u, const char *offer, struct err *err)
{
	static const char *const results[] = {[DOWNLOAD_SAME] = "has not changed",
	                                      [DOWNLOAD_FRESH] = "downloaded",
	                                      [DOWNLOAD_RESUMED] = "download completed"};
	struct buf url = BUF_INIT, json = BUF_INIT, path = BUF_INIT, csv = BUF_INIT;
	enum download_result result;
	buf_addf(&url, "%s/offers/v1.0/aws/%s/current/index.json", u->url, offer);
	buf_addf(&json, "%s/download/%s.json", u->options.conf->prices_dir, offer);
	prices_path(u->options.conf, "pricelist", offer, &path);
	bool good = download_file(url.data, json.data, OFFER_MAX, &result, err);
	if (good)
		fprintf(stderr, "%s: %s\n", offer, results[result]);
	good = good && price_import_convert(&u->options, json.data, 0, &csv, err) &&
	       price_import_merge(&u->options, path.data, buf_str(&csv), err);
	buf_release(&url);
	buf_release(&json);
	buf_release(&path);
	buf_release(&csv);
	return good;
}

static bool is_offer(struct str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!memchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", name.p[i], 62))
			return false;
	return name.len > 0;
}

// An offer that fails does not stop the others. The error is that of the first one that failed.
static bool update_all(const struct price_update *u, struct str offers, struct err *err)
{
	size_t failed = 0;
	while (offers.len) {
		struct str name = str_cut(&offers, ',');
		struct err one = ERR_INIT;
		char *offer = xstrdup(name);
		if (!is_offer(name))
			err_set(&one, ERR_CONFIG, "--offers: expected names such as AmazonBedrock");
		if (one.kind != ERR_NONE || !update_offer(u, offer, &one)) {
			fprintf(stderr, "%s: %s\n", offer, one.msg);
			err_set(err, one.kind, "%s: %s", offer, one.msg);
			failed++;
		}
		free(offer);
	}
	if (failed)
		fprintf(stderr, "%zu offer%s failed; the prices that were imported from them earlier stay\n", failed,
		        text_s((int64_t)failed));
	return failed == 0;
}

bool price_verb_update(struct command *c, int *ret_status, struct err *err)
{
	const char *offers = default_offers;
	struct price_update u = {.options = {.conf = &c->conf,
	                                     .source = "pricelist",
	                                     .yes = command_switch(c, "--yes"),
	                                     .dry = command_switch(c, "--dry-run")},
	                         .url = c->conf.prices_url};
	(void)ret_status;
	if (!command_option(c, "--offers", &offers, err) || !command_option(c, "--url", &u.url, err) ||
	    !command_done(c, 0, 0, err) || !price_import_make_folder(&c->conf, NULL, err))
		return false;
	return price_import_make_folder(&c->conf, "download", err) && update_all(&u, str_of(offers), err);
}
