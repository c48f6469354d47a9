// SPDX-License-Identifier: Apache-2.0
#include "base/secret_files.h"

#include <sys/stat.h>

#include "base/log.h"
#include "base/text.h"

static void look_at(const char *key, const char *path, secret_file_fn *fn, void *user)
{
	struct stat st;
	if (path && *path && stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_mode & S_IROTH)
		fn(user, key, path);
}

static bool has_secret(const struct conf *c)
{
	for (size_t i = 0; i < c->nkafka; i++)
		if (c->kafka[i].origin.source == CONF_FILE && conf_is_secret(str_of(c->kafka[i].key)))
			return true;
	for (size_t i = 0; i < conf_nkeys; i++)
		if (c->origin[i].source == CONF_FILE && conf_keys[i].type == CONF_STRING &&
		    url_secret(str_of(*(char *const *)((const char *)c + conf_keys[i].offset))).len)
			return true;
	return false;
}

void secret_files_each_open(const struct conf *c, secret_file_fn *fn, void *user)
{
	if (c->file && has_secret(c))
		look_at("--config", c->file, fn, user);
	look_at("secrets.file", c->secrets_file, fn, user);
	look_at("auth.tokens.file", c->auth_tokens_file, fn, user);
	look_at("firehose.keys.file", c->firehose_keys_file, fn, user);
	look_at("names.hash.key", c->names_hash_key, fn, user);
	look_at("alerts.file", c->alerts_file, fn, user);
	look_at("listen.tls.key", c->listen_tls_key, fn, user);
	for (size_t i = 0; i < c->nkafka; i++)
		if (strcmp(c->kafka[i].key, "ssl.key.location") == 0 ||
		    strcmp(c->kafka[i].key, "ssl.keystore.location") == 0)
			look_at("kafka.ssl.key.location", c->kafka[i].value, fn, user);
}

static void log_open(void *user, const char *key, const char *path)
{
	(void)user;
	log_warn("a file with secrets can be read by every user of this machine: chmod o-r", LOG_STR("key", key),
	         LOG_STR("file", path));
}

void secret_files_log_open(const struct conf *c)
{
	secret_files_each_open(c, log_open, NULL);
}
