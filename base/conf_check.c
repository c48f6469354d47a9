// SPDX-License-Identifier: Apache-2.0
// Checks the keys that depend on each other, or whose values have a form of their own. A mistake is told with
// the line in which the key was set.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arn.h"
#include "base/cache_ttl.h"
#include "base/conf.h"
#include "base/shard_counts.h"
#include "base/usd.h"

enum { PORT_MAX = 65535 };
#define AWS_COST_MAX ((usd_pico)1000000 * 1000000000000)

// ---- where a key was set ------------------------------------------------------------------------

bool conf_blame_origin(const struct conf *c, struct conf_origin origin, struct err *err)
{
	const char *file = origin.source == CONF_FILE      ? c->file
	                   : origin.source == CONF_SECRETS ? c->secrets_file
	                                                   : NULL;
	return file && err_prefix(err, "%s:%d", file, origin.line);
}

bool conf_blame(const struct conf *c, const char *key, struct err *err)
{
	for (size_t i = 0; i < conf_nkeys; i++)
		if (strcmp(conf_keys[i].name, key) == 0)
			return conf_blame_origin(c, c->origin[i], err);
	return false;
}

// Returns whether to go on (base/err.h).
NC_PRINTF(4, 5)
static bool refuse(const struct conf *c, const char *key, struct err *err, const char *fmt, ...)
{
	char msg[sizeof err->msg];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	err_set(err, ERR_CONFIG, "%s", msg);
	conf_blame(c, key, err);
	return err_collect(err);
}

// ---- what keys say ------------------------------------------------------------------------------

struct caller_sources conf_sources(const struct conf *c)
{
	return (struct caller_sources){.team_tag = str_of(c->team_tag),
	                               .team = str_of(c->team_from),
	                               .user = str_of(c->user_from),
	                               .mapped = *c->map_file != '\0'};
}

static const char *const aws_sources[] = {"cloudtrail", "metrics", "logs", "tags", "profiles", "trail", NULL};

bool conf_has_aws(const struct conf *c)
{
	const char *const *word = aws_sources;
	while (*word && !conf_has_source(c, *word))
		word++;
	return *word != NULL;
}

bool conf_has_source(const struct conf *c, const char *word)
{
	if (c->sources.n == 0)
		return strcmp(word, "kafka") == 0;
	if (conf_list_has(&c->sources, str_of(word)))
		return true;
	const char *const *api = aws_sources;
	while (*api && strcmp(*api, word) != 0)
		api++;
	return *api && conf_list_has(&c->sources, str_of("aws"));
}

// ---- checks -------------------------------------------------------------------------------------

static bool check_sources(const struct conf *c, const char *key, struct str sources, struct err *err)
{
	static const char *const kinds[] = {"tag", "meta", "identity", "map"};
	while (sources.len) {
		struct str source = str_trim(str_cut(&sources, ',')), name = source, kind = str_cut(&name, ':');
		bool good = str_is(source, "map") || str_is(source, "session");
		for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
			good |= name.len && str_is(kind, kinds[i]);
		if (!good &&
		    !refuse(c, key, err,
		            "%s: expected tag:KEY, meta:KEY, identity:KEY, map:KEY, map or session, got \"%.*s\"", key,
		            STR_ARG(source)))
			return false;
		if (str_is(kind, "map") && !*c->map_file &&
		    !refuse(c, key, err, "%s names \"%.*s\", and map.file is not set", key, STR_ARG(source)))
			return false;
	}
	return true;
}

// What cannot be decoded is answered for like the rest, so it needs a place: Firehose does not send it again.
static bool check_firehose(const struct conf *c, struct err *err)
{
	if (!conf_list_has(&c->sources, STR("firehose")))
		return true;
	if (!*c->listen &&
	    !refuse(c, "sources", err,
	            "sources has firehose: set listen: the address to which Firehose delivers (its path is /firehose)"))
		return false;
	if (!*c->firehose_keys_file &&
	    !refuse(c, "sources", err,
	            "sources has firehose: set firehose.keys.file to the file of its access keys, a line each: NAME KEY"))
		return false;
	return *c->dead_letter_file || (*c->dead_letter_topic && *c->brokers) ||
	       refuse(c, "sources", err,
	              "sources has firehose: set dead_letter.file (or dead_letter.topic): what cannot be decoded is "
	              "kept nowhere else");
}

static bool is_source(const char *word)
{
	const char *const *api = aws_sources;
	while (*api && strcmp(*api, word) != 0)
		api++;
	return *api || strcmp(word, "kafka") == 0 || strcmp(word, "aws") == 0 || strcmp(word, "firehose") == 0;
}

static bool check_trail(const struct conf *c, struct err *err)
{
	bool none = conf_list_has(&c->sources, STR("trail")) && !*c->trail_queue && !*c->trail_files;
	bool both = *c->trail_queue && *c->trail_files;
	if ((none || both) &&
	    !refuse(c, both ? "trail.files" : "sources", err,
	            "the source trail: set trail.queue to the URL of its queue, or trail.files to s3://BUCKET/PREFIX%s",
	            both ? ", not both" : ""))
		return false;
	return !*c->trail_files || str_starts(str_of(c->trail_files), STR("s3://")) ||
	       refuse(c, "trail.files", err, "trail.files: expected s3://BUCKET/PREFIX, got \"%s\"", c->trail_files);
}

static bool check_region(const struct conf *c, const char *key, const char *region, struct err *err)
{
	return (strlen(region) <= 32 && !region[strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-")]) ||
	       refuse(c, key, err, "%s: expected a Region in lower case such as us-east-1, got \"%s\"", key, region);
}

static bool check_record_sources(const struct conf *c, struct err *err)
{
	struct usd usd;
	for (size_t i = 0; i < c->sources.n; i++)
		if (!is_source(c->sources.items[i]) &&
		    !refuse(c, "sources", err,
		            "sources: expected kafka, aws, cloudtrail, metrics, logs, tags, profiles, trail or firehose, "
		            "got \"%s\"",
		            c->sources.items[i]))
			return false;
	for (size_t i = 0; i < c->regions.n; i++)
		if (!check_region(c, "regions", c->regions.items[i], err))
			return false;
	for (size_t i = 0; i < c->accounts.n; i++)
		if (strncmp(c->accounts.items[i], "arn:aws", 7) != 0 && strcmp(c->accounts.items[i], "own") != 0 &&
		    !refuse(c, "accounts", err,
		            "accounts: expected ARNs of roles (arn:aws:iam::111122223333:role/nowcast) or own, got \"%s\"",
		            c->accounts.items[i]))
			return false;
	if ((!usd_parse(str_of(c->aws_cost_max), &usd) || usd.pico < 0 || usd.pico > AWS_COST_MAX) &&
	    !refuse(c, "aws.cost_max", err,
	            "aws.cost_max: expected dollars a day from 0 to 1000000, such as 1.00, got \"%s\"", c->aws_cost_max))
		return false;
	return check_firehose(c, err) && check_trail(c, err);
}

static bool check_telemetry(const struct conf *c, struct err *err)
{
	const struct conf_list *alone = &c->telemetry_without_cloudtrail;
	if (*c->telemetry_account && !arn_is_account(str_of(c->telemetry_account)) &&
	    !refuse(c, "telemetry.account", err, "telemetry.account: expected an account of 12 digits, got \"%s\"",
	            c->telemetry_account))
		return false;
	if (!check_region(c, "telemetry.region", c->telemetry_region, err))
		return false;
	for (size_t i = 0; i < alone->n; i++)
		if (!arn_is_account(str_of(alone->items[i])) &&
		    !refuse(c, "telemetry.without_cloudtrail", err,
		            "telemetry.without_cloudtrail: expected accounts of 12 digits, got \"%s\"", alone->items[i]))
			return false;
	return true;
}

// "host:port", "[v6]:port", ":port". Port 0: a free one.
static bool check_listen(const struct conf *c, struct err *err)
{
	struct str port = {strrchr(c->listen, ':'), 0};
	int64_t number;
	if (!*c->listen)
		return true;
	if (!port.p || !port.p[1])
		return refuse(c, "listen", err, "listen = %s: expected host:port, such as 127.0.0.1:8321", c->listen);
	port = str_of(port.p + 1);
	return (strspn(port.p, "0123456789") == port.len && usd_parse_scaled(port, 0, &number) &&
	        number <= PORT_MAX) ||
	       refuse(c, "listen", err, "listen = %s: expected a port from 0 to %d behind the colon, got \"%.*s\"",
	              c->listen, PORT_MAX, STR_ARG(port));
}

static bool check_topics(const struct conf *c, struct err *err)
{
	for (size_t i = 0; i < c->topics.n; i++)
		if (*c->dead_letter_topic && strcmp(c->topics.items[i], c->dead_letter_topic) == 0 &&
		    !refuse(c, "dead_letter.topic", err,
		            "dead_letter.topic = %s is one of topics: records that cannot be decoded would "
		            "be read again for ever",
		            c->dead_letter_topic))
			return false;
	return *c->group ||
	       refuse(c, "group", err, "group is empty: expected the name of a consumer group, such as nowcast");
}

static bool check_cache_ttl(const struct conf *c, struct err *err)
{
	if (cache_ttl_list_check(str_of(c->cache_ttl), err))
		return true;
	conf_blame(c, "cache_ttl", err);
	return err_collect(err);
}

static bool check_shards(const struct conf *c, struct err *err)
{
	if (shard_counts_check(&c->shards, err))
		return true;
	conf_blame(c, "shards", err);
	return err_collect(err);
}

static bool check_all(const struct conf *c, struct err *err)
{
	if (!check_record_sources(c, err) || !check_telemetry(c, err) || !check_listen(c, err))
		return false;
	if (c->retention_ms < c->window_ms &&
	    !refuse(c, "retention", err,
	            "retention is shorter than window: figures would expire while they still change"))
		return false;
	if (c->lookback_ms % 60000 &&
	    !refuse(c, "lookback", err, "lookback: expected whole minutes, such as 5m"))
		return false;
	if (!check_topics(c, err))
		return false;
	if (!*c->redis_prefix &&
	    !refuse(c, "redis.prefix", err, "redis.prefix is empty: expected a word, such as nowcast"))
		return false;
	if (!*c->listen_tls_cert != !*c->listen_tls_key &&
	    !refuse(c, *c->listen_tls_cert ? "listen.tls.cert" : "listen.tls.key", err,
	            "listen.tls.cert and listen.tls.key: expected both or neither"))
		return false;
	return check_sources(c, "team.from", str_of(c->team_from), err) &&
	       check_sources(c, "user.from", str_of(c->user_from), err) && check_cache_ttl(c, err) &&
	       check_shards(c, err);
}

bool conf_check(const struct conf *c, struct err *err)
{
	size_t before = err_listed(err);
	return check_all(c, err) && err_check(err, before);
}
