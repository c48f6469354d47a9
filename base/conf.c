// SPDX-License-Identifier: Apache-2.0
// The sources may be read in any order: each value has its origin, and a weaker source never overwrites a
// stronger one. So main can read the flags first, which name the file, then the file.
#include "base/conf.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/conf_value.h"
#include "base/file.h"
#include "base/nearest.h"
#include "base/text.h"

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
static bool refuse_line(struct str line, struct err *err)
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
	return false;
}

static bool read_text(struct conf *c, struct str text, enum conf_source source, const char *file,
                      struct err *err)
{
	size_t before = err_listed(err);
	if (str_starts(text, STR("\xef\xbb\xbf"))) // some editors write a byte order mark
		text = (struct str){text.p + 3, text.len - 3};
	for (int line = 1; text.len; line++) {
		struct str at = str_trim(str_cut(&text, '\n'));
		if (!at.len || at.p[0] == '#')
			continue;
		struct str value = at, key = str_trim(str_cut(&value, '='));
		bool good = memchr(at.p, '=', at.len)
		                ? conf_set(c, key, str_trim(value), (struct conf_origin){source, line}, err)
		                : refuse_line(at, err);
		if (!good && (err_prefix(err, "%s:%d", file, line), !err_collect(err)))
			return false;
	}
	return err_check(err, before);
}

bool conf_read_text(struct conf *c, struct str text, const char *file, struct err *err)
{
	free(c->file);
	c->file = xstrdup(str_of(file));
	return read_text(c, text, CONF_FILE, file, err);
}

bool conf_read_secrets(struct conf *c, struct err *err)
{
	struct buf text = BUF_INIT;
	char *file = xstrdup(str_of(c->secrets_file)); // the key itself may be in it, and changes nothing then
	bool good = !*file || ((file_read(file, FILE_BYTES_MAX, &text, err) || err_prefix(err, "secrets.file") ||
	                        conf_blame(c, "secrets.file", err)) &&
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
	size_t before = err_listed(err);
	for (; *env; env++) {
		struct str value = str_of(*env), name = str_cut(&value, '=');
		if (!str_starts(name, STR("NOWCAST_")))
			continue;
		if (!read_env_variable(c, (struct str){name.p + 8, name.len - 8}, value.p ? value : STR(""), err) &&
		    (err_prefix(err, "%.*s in the environment", STR_ARG(name)), !err_collect(err)))
			return false;
	}
	return err_check(err, before);
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
