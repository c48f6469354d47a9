// SPDX-License-Identifier: Apache-2.0
#include "cli/config_files.h"

#include "aws/sqs.h"
#include "ingest/kafka.h"
#include "ingest/pseudonym.h"
#include "ingest/trust.h"
#include "store/redis.h"
#include "web/auth.h"
#include "web/http.h"
#include "web/server.h"

static bool check_hashes(const struct conf *conf, struct err *err)
{
	struct pseudonyms *pseudonyms = NULL;
	bool good = pseudonyms_open(&pseudonyms, conf, err);
	pseudonyms_close(pseudonyms);
	return good;
}

static bool check_firehose_keys(const struct conf *conf, struct err *err)
{
	struct auth *keys = NULL;
	const char *key = "firehose.keys.file";
	bool good = auth_open(&keys, key, conf->firehose_keys_file, conf->listen_rate, err) ||
	            conf_blame(conf, key, err);
	auth_close(keys);
	return good;
}

static bool check_trust(const struct conf *conf, struct err *err)
{
	struct trust *trust = NULL;
	bool good = trust_open(&trust, conf, err);
	trust_close(trust);
	return good;
}

static bool check_redis(const struct conf *conf, struct err *err)
{
	struct redis *redis = NULL;
	size_t before = err_listed(err);
	bool good = redis_open(&redis, redis_target_of(conf), err);
	redis_close(redis);
	if (!good) // the message begins with the key
		conf_blame(conf, str_starts(str_of(err->msg), STR("redis.iam")) ? "redis.iam" : "redis", err);
	good = (good || err_collect(err)) && (http_check_pem(conf->redis_ca, "redis.ca", err) ||
	                                      conf_blame(conf, "redis.ca", err) || err_collect(err));
	return good && err_check(err, before);
}

static bool check_trail(const struct conf *conf, struct err *err)
{
	char region[64];
	return !*conf->trail_queue || sqs_region(str_of(conf->trail_queue), region, sizeof region, err) ||
	       conf_blame(conf, "trail.queue", err);
}

static bool check_others(const struct conf *conf, struct err *err)
{
	static bool (*const checks[])(const struct conf *conf, struct err *err) = {
		kafka_check, check_trust, check_trail, check_hashes, check_firehose_keys,
	};
	size_t before = err_listed(err);
	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
		if (!checks[i](conf, err) && !err_collect(err))
			return false;
	return err_check(err, before);
}

bool config_files_load(struct config_files *ret, const struct conf *conf, enum config_reader reader,
                       struct err *err)
{
	size_t before = err_listed(err);
	*ret = (struct config_files){.mapping = NULL};
	return (reader == CONFIG_OF_SERVER || check_others(conf, err) || err_collect(err)) &&
	       (check_redis(conf, err) || err_collect(err)) &&
	       (mapping_load(&ret->mapping, conf, err) || err_collect(err)) &&
	       (prices_load(&ret->prices, conf, err) || err_collect(err)) &&
	       (server_check(conf, err) || err_collect(err)) &&
	       (alert_rules_load(&ret->rules, conf, err) || err_collect(err)) && err_check(err, before);
}

void config_files_release(struct config_files *f)
{
	mapping_free(f->mapping);
	prices_free(f->prices);
	alert_rules_release(&f->rules);
}
