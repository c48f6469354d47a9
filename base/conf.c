// SPDX-License-Identifier: Apache-2.0
// The sources may be read in any order: each value has its origin, and a weaker source never overwrites a
// stronger one. So main can read the flags first, which name the file, then the file.
#include "base/conf.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/arn.h"
#include "base/buf.h"
#include "base/cache_ttl.h"
#include "base/conf_value.h"
#include "base/file.h"
#include "base/nearest.h"
#include "base/text.h"
#include "base/usd.h"

enum { FILE_BYTES_MAX = 1 << 20 };

void conf_init(struct conf *c)
{
	struct err err = ERR_INIT;
	*c = (struct conf){0};
	for (size_t i = 0; i < conf_nkeys; i++)
		if (!conf_value_parse(c, &conf_keys[i], str_of(conf_keys[i].init), &err)) {
			fprintf(stderr, "nowcast: a default is not valid: %s\n", err.msg);
			abort();
		}
}

static void free_pairs(struct conf_pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(pairs[i].key);
		free(pairs[i].value);
	}
	free(pairs);
}

void conf_release(struct conf *c)
{
	for (size_t i = 0; i < conf_nkeys; i++)
		conf_value_free(c, &conf_keys[i]);
	free_pairs(c->kafka, c->nkafka);
	free_pairs(c->trust, c->ntrust);
	free(c->file);
	*c = (struct conf){0};
}

static bool refuse_unknown_key(struct str key, struct err *err)
{
	struct nearest near = nearest_of(key);
	for (size_t i = 0; i < conf_nkeys; i++)
		nearest_try(&near, str_of(conf_keys[i].name));
	int shown = (int)(key.len < 80 ? key.len : 80);
	if (near.word.len)
		return err_set(err, ERR_CONFIG, "unknown key %.*s; did you mean %.*s?", shown, key.p,
		               STR_ARG(near.word));
	return err_set(err, ERR_CONFIG, "unknown key %.*s; `nowcast check-config --sample` lists them all", shown,
	               key.p);
}

static bool is_set_twice(enum conf_source was, enum conf_source is)
{
	return was == is && (is == CONF_FILE || is == CONF_SECRETS);
}

// The pair of the key within its family ("kafka.", "trust."), made if it is not there.
static bool set_pair(struct conf_pair **pairs, size_t *n, struct str name, size_t family, struct str value,
                     struct conf_origin origin, struct err *err)
{
	struct conf_pair *at = NULL;
	struct str key = {name.p + family, name.len - family};
	if (!key.len)
		return err_set(err, ERR_CONFIG, "%.*s: expected the name of a %s after it", STR_ARG(name),
		               str_is(name, "trust.") ? "topic" : "librdkafka property");
	for (size_t i = 0; i < *n; i++)
		if (str_is(key, (*pairs)[i].key))
			at = &(*pairs)[i];
	if (at && is_set_twice(at->origin.source, origin.source))
		return err_set(err, ERR_CONFIG, "%.*s is set twice, first in line %d", STR_ARG(name),
		               at->origin.line);
	if (at && at->origin.source > origin.source)
		return true;
	if (!at) {
		*pairs = xrealloc(*pairs, *n + 1, sizeof **pairs);
		at = &(*pairs)[(*n)++];
		*at = (struct conf_pair){.key = xstrdup(key)};
	}
	free(at->value);
	at->value = xstrdup(value);
	at->origin = origin;
	return true;
}

// librdkafka's own names for keys that nowcast reads too.
static struct str canonical_key(struct str key)
{
	if (str_is(key, "kafka.bootstrap.servers") || str_is(key, "kafka.metadata.broker.list"))
		return STR("brokers");
	if (str_is(key, "kafka.group.id"))
		return STR("group");
	return key;
}

bool conf_set(struct conf *c, struct str key, struct str value, struct conf_origin origin, struct err *err)
{
	key = canonical_key(key);
	if (str_starts(key, STR("kafka.")))
		return set_pair(&c->kafka, &c->nkafka, key, 6, value, origin, err);
	if (str_starts(key, STR("trust.")))
		return set_pair(&c->trust, &c->ntrust, key, 6, value, origin, err);
	for (size_t i = 0; i < conf_nkeys; i++) {
		if (!str_is(key, conf_keys[i].name))
			continue;
		struct conf_origin *was = &c->origin[i];
		if (is_set_twice(was->source, origin.source))
			return err_set(err, ERR_CONFIG, "%s is set twice, first in line %d", conf_keys[i].name,
			               was->line);
		if (was->source > origin.source)
			return true;
		if (!conf_value_parse(c, &conf_keys[i], value, err))
			return false;
		*was = origin;
		return true;
	}
	return refuse_unknown_key(key, err);
}

// A line without "=" may hold a password: its first word is shown, if there are more.
static void refuse_line(struct str line, struct err *err)
{
	struct buf found = BUF_INIT;
	size_t n = 0;
	while (n < line.len && !str_is_space(line.p[n]))
		n++;
	buf_add_json(&found, (struct str){line.p, n < 80 ? n : 80});
	if (n < line.len && !memmem(line.p, n, "://", 3))
		err_set(err, ERR_CONFIG, "expected `key = value` or a # comment, found %s and no =", found.data);
	else
		err_set(err, ERR_CONFIG, "expected `key = value` or a # comment, found a word and no =");
	buf_release(&found);
}

static bool read_text(struct conf *c, struct str text, enum conf_source source, const char *file,
                      struct err *err)
{
	if (str_starts(text, STR("\xef\xbb\xbf"))) // some editors write a byte order mark
		text = (struct str){text.p + 3, text.len - 3};
	for (int line = 1; text.len; line++) {
		struct str at = str_trim(str_cut(&text, '\n'));
		if (!at.len || at.p[0] == '#')
			continue;
		if (!memchr(at.p, '=', at.len)) {
			refuse_line(at, err);
			return err_prefix(err, "%s:%d", file, line);
		}
		struct str value = at, key = str_trim(str_cut(&value, '='));
		if (!conf_set(c, key, str_trim(value), (struct conf_origin){source, line}, err))
			return err_prefix(err, "%s:%d", file, line);
	}
	return true;
}

bool conf_read_text(struct conf *c, struct str text, const char *file, struct err *err)
{
	return read_text(c, text, CONF_FILE, file, err);
}

bool conf_read_secrets(struct conf *c, struct err *err)
{
	struct buf text = BUF_INIT;
	char *file = xstrdup(str_of(c->secrets_file)); // the key itself may be in it, and changes nothing then
	bool good = !*file || ((file_read(file, FILE_BYTES_MAX, &text, err) || err_prefix(err, "secrets.file")) &&
	                       read_text(c, buf_str(&text), CONF_SECRETS, file, err));
	if (text.data)
		explicit_bzero(text.data, text.len);
	buf_release(&text);
	free(file);
	return good;
}

bool conf_read_file(struct conf *c, const char *file, struct err *err)
{
	struct buf text = BUF_INIT;
	if (!file_read(file, FILE_BYTES_MAX, &text, err))
		return err_prefix(err, "the configuration");
	bool good = conf_read_text(c, buf_str(&text), file, err);
	if (good) {
		free(c->file);
		c->file = xstrdup(str_of(file));
	}
	buf_release(&text);
	return good;
}

// "NOWCAST_" and the key in capitals, every other character than a letter or digit an underscore.
static bool env_names_key(struct str name, const char *key)
{
	if (name.len != strlen(key))
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (name.p[i] != (isalnum((unsigned char)key[i]) ? toupper((unsigned char)key[i]) : '_'))
			return false;
	return true;
}

// Kubernetes sets variables such as NOWCAST_KAFKA_SERVICE_HOST and NOWCAST_KAFKA_PORT_9092_TCP if a service
// is named nowcast-kafka. No librdkafka property has such a name.
static bool is_service_link(struct str property)
{
	return str_starts(property, STR("service.host")) || str_starts(property, STR("service.port")) ||
	       str_starts(property, STR("port"));
}

static bool read_env_variable(struct conf *c, struct str name, struct str value, struct err *err)
{
	const struct conf_origin origin = {CONF_ENV, 0};
	for (size_t i = 0; i < conf_nkeys; i++)
		if (env_names_key(name, conf_keys[i].name))
			return conf_set(c, str_of(conf_keys[i].name), value, origin, err);
	if (str_starts(name, STR("TRUST_"))) // a rule that is silently passed over would be believed to hold
		return err_set(
			err, ERR_CONFIG,
			"the environment cannot spell the names of topics: put trust.TOPIC into the file, or give it as a flag");
	if (!str_starts(name, STR("KAFKA_")))
		return true; // not a key: another program's variable
	char *key = xstrdup(name);
	for (size_t i = 0; key[i]; i++)
		key[i] = key[i] == '_' ? '.' : (char)tolower((unsigned char)key[i]);
	bool good = is_service_link(str_of(key + 6)) || conf_set(c, str_of(key), value, origin, err);
	free(key);
	return good;
}

bool conf_read_env(struct conf *c, char *const *env, struct err *err)
{
	for (; *env; env++) {
		struct str value = str_of(*env), name = str_cut(&value, '=');
		if (!str_starts(name, STR("NOWCAST_")))
			continue;
		if (!read_env_variable(c, (struct str){name.p + 8, name.len - 8}, value.p ? value : STR(""), err))
			return err_prefix(err, "%.*s in the environment", STR_ARG(name));
	}
	return true;
}

bool conf_flag_key(struct str flag, struct str *ret_key)
{
	if (str_starts(flag, STR("kafka.")) || str_starts(flag, STR("trust."))) {
		*ret_key = flag;
		return true;
	}
	for (size_t i = 0; i < conf_nkeys; i++) {
		const char *name = conf_keys[i].name;
		size_t k = 0;
		while (k < flag.len && name[k] &&
		       (flag.p[k] == name[k] || (flag.p[k] == '-' && !isalnum((unsigned char)name[k]))))
			k++;
		if (k == flag.len && !name[k]) {
			*ret_key = str_of(name);
			return true;
		}
	}
	return false;
}

struct caller_sources conf_sources(const struct conf *c)
{
	return (struct caller_sources){.team_tag = str_of(c->team_tag),
	                               .team = str_of(c->team_from),
	                               .user = str_of(c->user_from),
	                               .mapped = *c->map_file != '\0'};
}

static bool check_sources(const struct conf *c, const char *name, struct str sources, struct err *err)
{
	static const char *const kinds[] = {"tag", "meta", "identity", "map"};
	while (sources.len) {
		struct str source = str_trim(str_cut(&sources, ',')), key = source, kind = str_cut(&key, ':');
		bool good = str_is(source, "map") || str_is(source, "session");
		for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
			good |= key.len && str_is(kind, kinds[i]);
		if (!good)
			return err_set(
				err, ERR_CONFIG,
				"%s: expected tag:KEY, meta:KEY, identity:KEY, map:KEY, map or session, got \"%.*s\"", name,
				STR_ARG(source));
		if (str_is(kind, "map") && !*c->map_file)
			return err_set(err, ERR_CONFIG, "%s names \"%.*s\", and map.file is not set", name,
			               STR_ARG(source));
	}
	return true;
}

char *conf_key_flag(const struct conf_key *k, char ret[CONF_FLAG_SIZE])
{
	snprintf(ret, CONF_FLAG_SIZE, "--%s", k->name);
	for (char *p = ret; *p; p++)
		if (*p == '.' || *p == '_')
			*p = '-';
	return ret;
}

bool conf_list_has(const struct conf_list *l, struct str word)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_is(word, l->items[i]))
			return true;
	return false;
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

// What cannot be decoded is answered for like the rest, so it needs a place: Firehose does not send it again.
static bool check_firehose(const struct conf *c, struct err *err)
{
	const char *what = !*c->listen ? "listen: the address to which Firehose delivers (its path is /firehose)"
	                   : !*c->firehose_keys_file
	                       ? "firehose.keys.file to the file of its access keys, a line each: NAME KEY"
	                   : !*c->dead_letter_file && !(*c->dead_letter_topic && *c->brokers)
	                       ? "dead_letter.file (or dead_letter.topic): what cannot be decoded is kept nowhere else"
	                       : NULL;
	return !what || err_set(err, ERR_CONFIG, "sources has firehose: set %s", what);
}

static bool check_record_sources(const struct conf *c, struct err *err)
{
	struct usd usd;
	for (size_t i = 0; i < c->sources.n; i++) {
		const char *const *word = aws_sources, *given = c->sources.items[i];
		while (*word && strcmp(*word, given) != 0)
			word++;
		if (!*word && strcmp(given, "kafka") != 0 && strcmp(given, "aws") != 0 &&
		    strcmp(given, "firehose") != 0)
			return err_set(
				err, ERR_CONFIG,
				"sources: expected kafka, aws, cloudtrail, metrics, logs, tags, profiles, trail or firehose, got \"%s\"",
				given);
	}
	if (conf_list_has(&c->sources, str_of("firehose")) && !check_firehose(c, err))
		return false;
	if ((conf_list_has(&c->sources, str_of("trail")) && !*c->trail_queue && !*c->trail_files) ||
	    (*c->trail_queue && *c->trail_files))
		return err_set(err, ERR_CONFIG,
		               "the source trail: set trail.queue to the URL of its queue, or trail.files to s3://BUCKET/PREFIX%s",
		               *c->trail_files ? ", not both" : "");
	if (*c->trail_files && !str_starts(str_of(c->trail_files), STR("s3://")))
		return err_set(err, ERR_CONFIG, "trail.files: expected s3://BUCKET/PREFIX, got \"%s\"", c->trail_files);
	for (size_t i = 0; i < c->accounts.n; i++)
		if (strncmp(c->accounts.items[i], "arn:aws", 7) != 0 && strcmp(c->accounts.items[i], "own") != 0)
			return err_set(
				err, ERR_CONFIG,
				"accounts: expected ARNs of roles (arn:aws:iam::111122223333:role/nowcast) or own, got \"%s\"",
				c->accounts.items[i]);
	if (!usd_parse(str_of(c->aws_cost_max), &usd) || usd.pico < 0 ||
	    usd.pico > (usd_pico)1000000 * 1000000000000)
		return err_set(err, ERR_CONFIG, "aws.cost_max: expected dollars a day, such as 1.00, got \"%s\"",
		               c->aws_cost_max);
	return true;
}

static bool check_telemetry(const struct conf *c, struct err *err)
{
	const struct conf_list *alone = &c->telemetry_without_cloudtrail;
	const char *region = c->telemetry_region;
	if (*c->telemetry_account && !arn_is_account(str_of(c->telemetry_account)))
		return err_set(err, ERR_CONFIG, "telemetry.account: expected an account of 12 digits, got \"%s\"",
		               c->telemetry_account);
	if (strlen(region) > 32 || region[strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-")])
		return err_set(err, ERR_CONFIG, "telemetry.region: expected a Region such as us-east-1, got \"%s\"",
		               region);
	for (size_t i = 0; i < alone->n; i++)
		if (!arn_is_account(str_of(alone->items[i])))
			return err_set(err, ERR_CONFIG,
			               "telemetry.without_cloudtrail: expected accounts of 12 digits, got \"%s\"",
			               alone->items[i]);
	return true;
}

bool conf_check(const struct conf *c, struct err *err)
{
	if (!check_record_sources(c, err) || !check_telemetry(c, err))
		return false;
	if (c->retention_ms < c->window_ms)
		return err_set(err, ERR_CONFIG,
		               "retention is shorter than window: figures would expire while they still change");
	if (c->lookback_ms % 60000)
		return err_set(err, ERR_CONFIG, "lookback: expected whole minutes, such as 5m");
	for (size_t i = 0; i < c->topics.n; i++)
		if (*c->dead_letter_topic && strcmp(c->topics.items[i], c->dead_letter_topic) == 0)
			return err_set(err, ERR_CONFIG,
			               "dead_letter.topic = %s is one of topics: records that cannot be decoded would "
			               "be read again for ever",
			               c->dead_letter_topic);
	if (!*c->group)
		return err_set(err, ERR_CONFIG,
		               "group is empty: expected the name of a consumer group, such as nowcast");
	if (!*c->redis_prefix)
		return err_set(err, ERR_CONFIG, "redis.prefix is empty: expected a word, such as nowcast");
	if (!*c->listen_tls_cert != !*c->listen_tls_key)
		return err_set(err, ERR_CONFIG, "listen.tls.cert and listen.tls.key: expected both or neither");
	return check_sources(c, "team.from", str_of(c->team_from), err) &&
	       check_sources(c, "user.from", str_of(c->user_from), err) &&
	       cache_ttl_list_check(str_of(c->cache_ttl), err);
}

static bool are_same(const struct conf_pair *a, size_t na, const struct conf_pair *b, size_t nb)
{
	bool same = na == nb;
	for (size_t i = 0; same && i < na; i++)
		same = strcmp(a[i].key, b[i].key) == 0 && strcmp(a[i].value, b[i].value) == 0;
	return same;
}

void conf_reload(struct conf *c, const struct conf *fresh, const char **ret_restart)
{
	struct err ignored = ERR_INIT;
	*ret_restart = NULL;
	for (size_t i = 0; i < conf_nkeys; i++) {
		struct buf was = BUF_INIT, is = BUF_INIT;
		conf_value_format(c, &conf_keys[i], &was);
		conf_value_format(fresh, &conf_keys[i], &is);
		if (str_eq(buf_str(&was), buf_str(&is))) {
			// nothing to do
		} else if (!conf_keys[i].reloadable) {
			*ret_restart = *ret_restart ? *ret_restart : conf_keys[i].name;
		} else if (conf_value_parse(c, &conf_keys[i], buf_str(&is), &ignored)) {
			c->origin[i] = fresh->origin[i];
		}
		buf_release(&was);
		buf_release(&is);
	}
	if (!*ret_restart && !are_same(c->kafka, c->nkafka, fresh->kafka, fresh->nkafka))
		*ret_restart = "kafka.*";
	if (!*ret_restart && !are_same(c->trust, c->ntrust, fresh->trust, fresh->ntrust))
		*ret_restart = "trust.*";
}
