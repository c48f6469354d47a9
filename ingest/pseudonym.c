// SPDX-License-Identifier: Apache-2.0
// A hash takes about a microsecond, and the same callers come again and again. So the last CACHED hashes are
// kept; when the cache is full it is emptied.
#include "ingest/pseudonym.h"

#include <assert.h>
#include <stdlib.h>
#include <strings.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/map.h"

enum { KEY_MIN = 32, KEY_MAX = 4096, HASH_DIGITS = 20, HASH_LEN = 2 + HASH_DIGITS, CACHED = 50000 };

struct cached_name {
	struct str name;
	char hash[HASH_LEN + 1];
};

struct pseudonyms {
	bool sessions, users;
	char **words;                  // of names.hash, "tag:KEY" and "meta:KEY" among them
	size_t nwords;
	struct buf key;
	struct arena names;            // strings of the cache
	struct map index;              // hash of a name -> index into cache
	struct cached_name *cache;
	int32_t ncached;
};

// ---- opening ------------------------------------------------------------------------------------

static bool read_key(struct pseudonyms *p, const char *path, struct err *err)
{
	if (!*path)
		return err_set(
			err, ERR_CONFIG,
			"names.hash.key: expected a file with a key of %d bytes or more, because names.hash is set; "
			"`openssl rand -hex 32 >FILE` makes one: keep it, and use it for every process that shares this Redis",
			KEY_MIN);
	if (!file_read(path, KEY_MAX, &p->key, err))
		return err_prefix(err, "names.hash.key");
	while (p->key.len && strchr(" \t\r\n", p->key.data[p->key.len - 1]))
		p->key.len--;
	return p->key.len >= KEY_MIN ||
	       err_set(err, ERR_CONFIG, "names.hash.key: %s holds %zu bytes, expected %d or more", path,
	               p->key.len, KEY_MIN);
}

// tag:KEY, meta:KEY, identity:KEY
static bool names_key(struct str word)
{
	struct str kind = str_cut(&word, ':');
	return word.len && (str_is(kind, "tag") || str_is(kind, "meta") || str_is(kind, "identity"));
}

bool pseudonyms_open(struct pseudonyms **ret, const struct conf *conf, struct err *err)
{
	*ret = NULL;
	if (conf->names_hash.n == 0)
		return true;
	struct pseudonyms *p = xcalloc(1, sizeof *p);
	size_t before = err_listed(err);
	bool good = true;
	p->words = xcalloc(conf->names_hash.n, sizeof *p->words);
	for (size_t i = 0; i < conf->names_hash.n && good; i++) {
		struct str word = str_of(conf->names_hash.items[i]);
		p->words[p->nwords++] = xstrdup(word);
		p->sessions |= str_is(word, "sessions");
		p->users |= str_is(word, "users");
		if (str_is(word, "sessions") || str_is(word, "users") || names_key(word))
			continue;
		err_set(err, ERR_CONFIG,
		        "names.hash: expected sessions, users, tag:KEY, meta:KEY or identity:KEY, got \"%.*s\"",
		        STR_ARG(word));
		conf_blame(conf, "names.hash", err);
		good = err_collect(err);
	}
	const char *key = *conf->names_hash_key ? "names.hash.key" : "names.hash";
	good = good && (read_key(p, conf->names_hash_key, err) || conf_blame(conf, key, err) || err_collect(err));
	if (!good || !err_check(err, before)) {
		pseudonyms_close(p);
		return false;
	}
	p->cache = xcalloc(CACHED, sizeof *p->cache);
	*ret = p;
	return true;
}

void pseudonyms_close(struct pseudonyms *p)
{
	if (!p)
		return;
	if (p->key.data)
		explicit_bzero(p->key.data, p->key.len);
	buf_release(&p->key);
	arena_release(&p->names);
	map_release(&p->index);
	for (size_t i = 0; i < p->nwords; i++)
		free(p->words[i]);
	free(p->words);
	free(p->cache);
	free(p);
}

// ---- hashing ------------------------------------------------------------------------------------

static void write_hash(const struct pseudonyms *p, struct str name, char *ret)
{
	char mac[SHA256_HEX_SIZE];
	hmac_sha256_hex(buf_str(&p->key), name, mac);
	memcpy(ret, "h_", 2);
	memcpy(ret + 2, mac, HASH_DIGITS);
	ret[HASH_LEN] = '\0';
}

static int compare_words(const void *a, const void *b)
{
	return strcasecmp(*(char *const *)a, *(char *const *)b);
}

char *pseudonyms_mark(struct pseudonyms *p, char *ret)
{
	struct buf text = BUF_INIT;
	_Static_assert((int)PSEUDONYM_MARK > (int)HASH_LEN, "a mark is a hash");
	*ret = '\0';
	if (!p)
		return ret;
	qsort(p->words, p->nwords, sizeof *p->words, compare_words);
	buf_adds(&text, "\n"); // no name has one
	for (size_t i = 0; i < p->nwords; i++)
		buf_addf(&text, "%s\n", p->words[i]);
	write_hash(p, buf_str(&text), ret);
	buf_release(&text);
	return ret;
}

static const char *cached_hash(struct pseudonyms *p, struct str name)
{
	bool added;
	if (p->ncached == CACHED) {
		p->ncached = 0;
		map_clear(&p->index);
		arena_reset(&p->names);
	}
	assert(p->ncached >= 0 && p->ncached < CACHED);
	int32_t at = *map_add(&p->index, hash64(name.p, name.len), p->ncached, &added);
	struct cached_name *m = &p->cache[at];
	if (!added && str_eq(m->name, name))
		return m->hash;
	m->name = arena_str(&p->names, name);
	write_hash(p, name, m->hash);
	p->ncached += added;
	return m->hash;
}

struct str pseudonym_of(struct pseudonyms *p, struct arena *arena, struct str name)
{
	return name.len ? arena_str(arena, str_of(cached_hash(p, name))) : name;
}

// Where the name to be hashed begins in an ARN; the ARN's length if there is none. The name ends with the
// ARN.
static size_t find_name(const struct pseudonyms *p, struct str arn)
{
	struct str rest = arn;
	for (int i = 0; i < 5; i++)
		str_cut(&rest, ':');
	struct str name = rest, kind = str_cut(&name, '/');
	bool user = str_is(kind, "user") && !memmem(arn.p, arn.len, ":identitystore:", 15);
	// ROLE/SESSION, AROA...:SESSION
	char before = str_is(kind, "assumed-role") ? '/' : str_is(kind, "unknown") ? ':' : '\0';
	if (user ? !p->users : !p->sessions || (!before && !str_is(kind, "federated-user")))
		return arn.len;
	if (user)
		name = str_after_last(name, '/');
	else if (before && !memchr(name.len ? name.p : "", before, name.len))
		return arn.len;
	else if (before)
		str_cut(&name, before);
	return name.len ? (size_t)(name.p - arn.p) : arn.len;
}

struct str pseudonym_arn(struct pseudonyms *p, struct arena *arena, struct str arn)
{
	size_t at = p ? find_name(p, arn) : arn.len;
	if (at == arn.len)
		return arn;
	return arena_text(arena, "%.*s%s", (int)at, arn.p,
	                  cached_hash(p, (struct str){arn.p + at, arn.len - at}));
}

static bool is_hash(struct str s)
{
	bool good = s.len == HASH_LEN && str_starts(s, STR("h_"));
	for (size_t i = 2; good && i < s.len; i++)
		good = (s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f');
	return good;
}

struct str pseudonym_asked(struct pseudonyms *p, struct arena *arena, struct str arn)
{
	size_t at = p ? find_name(p, arn) : arn.len;
	struct str name = {arn.p + at, arn.len - at};
	return is_hash(name) || str_is(name, "(other sessions)") ? arn : pseudonym_arn(p, arena, arn);
}

bool pseudonym_ask(const struct conf *conf, struct arena *arena, struct str arn, struct str *ret,
                   struct err *err)
{
	struct pseudonyms *p;
	if (!pseudonyms_open(&p, conf, err))
		return false;
	*ret = arena_str(arena, pseudonym_asked(p, arena, arn));
	pseudonyms_close(p);
	return true;
}

// Whether names.hash has the word KIND:KEY.
static bool is_hashed(const struct pseudonyms *p, const char *kind, struct str key)
{
	for (size_t i = 0; p && i < p->nwords; i++) {
		struct str word = str_of(p->words[i]);
		if (str_is(str_cut(&word, ':'), kind) && word.len == key.len &&
		    strncasecmp(word.p, key.p, key.len) == 0)
			return true;
	}
	return false;
}

struct str pseudonym_tag(struct pseudonyms *p, struct arena *arena, struct str key, struct str value)
{
	return value.len && is_hashed(p, "tag", key) ? pseudonym_of(p, arena, value) : value;
}

bool pseudonym_hashes_label(const struct pseudonyms *p, const char *kind, struct str key)
{
	// These two are names of whoever is behind a session, as its own name is.
	bool of_session = strcmp(kind, "identity") == 0 && (str_is(key, "source") || str_is(key, "subject"));
	return p && ((p->sessions && of_session) || is_hashed(p, kind, key));
}

struct str pseudonym_user(struct pseudonyms *p, struct arena *arena, struct str name)
{
	return p && p->users ? pseudonym_of(p, arena, name) : name;
}

// ---- records ------------------------------------------------------------------------------------

static void hide_tags(struct pseudonyms *p, struct arena *arena, struct tag *tags, int n)
{
	for (int i = 0; i < n; i++)
		tags[i].value = pseudonym_tag(p, arena, tags[i].key, tags[i].value);
}

static struct labels hide_labels(struct pseudonyms *p, struct arena *arena, const char *kind, struct labels l)
{
	struct tag *v = l.n ? arena_alloc(arena, (size_t)l.n * sizeof *v) : NULL;
	for (int i = 0; i < l.n; i++) {
		v[i] = l.v[i];
		if (pseudonym_hashes_label(p, kind, v[i].key))
			v[i].value = pseudonym_of(p, arena, v[i].value);
	}
	return (struct labels){v, l.n};
}

void pseudonym_record(struct pseudonyms *p, struct arena *arena, struct record *r)
{
	switch (r->kind) {
	case RECORD_CALL:
	case RECORD_CALL_TOKENS:
	case RECORD_AMENDMENT:
		r->call.caller.arn = pseudonym_arn(p, arena, r->call.caller.arn);
		r->call.caller.role_arn = pseudonym_arn(p, arena, r->call.caller.role_arn);
		r->call.caller.identity = hide_labels(p, arena, "identity", r->call.caller.identity);
		r->call.meta = hide_labels(p, arena, "meta", r->call.meta);
		break;
	case RECORD_SESSION_TAGS:
		r->session_tags.arn = pseudonym_arn(p, arena, r->session_tags.arn);
		hide_tags(p, arena, r->session_tags.tags, r->session_tags.ntags);
		break;
	case RECORD_PRINCIPAL_TAGS:
		if (!r->principal_tags.is_role)
			r->principal_tags.name = pseudonym_user(p, arena, r->principal_tags.name);
		hide_tags(p, arena, r->principal_tags.tags, r->principal_tags.ntags);
		break;
	case RECORD_TELEMETRY:
		r->telemetry.principal = pseudonym_arn(p, arena, r->telemetry.principal);
		if (p && p->sessions && r->telemetry.user.len) // it is compared with the names of sessions
			r->telemetry.user = pseudonym_of(p, arena, r->telemetry.user);
		break;
	case RECORD_METRIC:
	case RECORD_KINDS:
		break;
	}
}
