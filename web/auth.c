// SPDX-License-Identifier: Apache-2.0
// Clients are kept in a table of fixed size. A new address replaces the one that was quiet longest among
// the few places it may take. So a client with thousands of addresses escapes the rate, but not the limit
// of connections.
#include "web/auth.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/hash.h"

enum {
	CLIENTS = 4096,
	WAYS = 8,
	BURST_S = 4, // seconds of the rate that a client may use at once
	WRONG_MAX = 10, // wrong tokens at once ...
	WRONG_EVERY_MS = 6000, // ... and then one in so many
	TOKEN_LEN_MIN = 16,
	FILE_BYTES_MAX = 1 << 20,
};

struct client {
	uint64_t id;
	int64_t seen_ms;
	int64_t credit; // thousandths of a request
	int64_t wrong_credit; // ms; a wrong token costs WRONG_EVERY_MS
};

struct token {
	unsigned char digest[SHA256_SIZE];
	char name[AUTH_NAME_SIZE];
};

struct auth {
	const char *key; // of the configuration, that names the file
	char *file;
	int64_t rate;
	pthread_mutex_t lock; // guards tokens
	struct token *tokens;
	size_t ntokens;
	struct timespec changed; // of the file that was read
	struct client clients[CLIENTS];
};

// ---- tokens -------------------------------------------------------------------------------------

static struct str cut_word(struct str *rest)
{
	while (rest->len && (*rest->p == ' ' || *rest->p == '\t' || *rest->p == '\r'))
		rest->p++, rest->len--;
	size_t n = 0;
	while (n < rest->len && rest->p[n] != ' ' && rest->p[n] != '\t' && rest->p[n] != '\r')
		n++;
	struct str w = {rest->p, n};
	rest->p += n;
	rest->len -= n;
	return w;
}

static bool read_tokens(const struct auth *a, struct str text, struct token **ret, size_t *ret_n,
                        struct err *err)
{
	struct token *list = NULL;
	size_t n = 0, before = err_listed(err);
	for (int line = 1; text.len; line++) {
		struct str rest = str_cut(&text, '\n'), name = cut_word(&rest), token = cut_word(&rest),
				   more = cut_word(&rest);
		if (!name.len || name.p[0] == '#')
			continue;
		if (token.len < TOKEN_LEN_MIN || more.len) {
			err_set(err, ERR_CONFIG,
			        "%s %s:%d: expected `NAME TOKEN`, the token of %d characters or more without blanks "
			        "(`openssl rand -hex 24` makes one)",
			        a->key, a->file, line, TOKEN_LEN_MIN);
			if (err_collect(err))
				continue;
			free(list);
			return false;
		}
		list = xrealloc(list, n + 1, sizeof *list);
		sha256(token, list[n].digest);
		snprintf(list[n++].name, AUTH_NAME_SIZE, "%.*s", STR_ARG(name));
	}
	if (!err_check(err, before)) {
		free(list);
		return false;
	}
	if (n == 0)
		return err_set(err, ERR_CONFIG, "%s %s holds no token: every request would be refused", a->key,
		               a->file);
	*ret = list;
	*ret_n = n;
	return true;
}

bool auth_refresh(struct auth *a, struct err *err)
{
	struct stat st;
	struct token *tokens = NULL;
	size_t ntokens = 0;
	if (!*a->file)
		return true;
	if (stat(a->file, &st) != 0)
		return err_set(err, ERR_CONFIG, "%s = %s: %s", a->key, a->file, strerror(errno));
	if (a->tokens && st.st_mtim.tv_sec == a->changed.tv_sec && st.st_mtim.tv_nsec == a->changed.tv_nsec)
		return true;
	a->changed = st.st_mtim; // of a bad file too: its error is reported once, not each second
	FILE *f = fopen(a->file, "re");
	if (!f)
		return err_set(err, ERR_CONFIG, "%s = %s: cannot be opened: %s", a->key, a->file, strerror(errno));
	char *text = xmalloc(FILE_BYTES_MAX);
	size_t n = fread(text, 1, FILE_BYTES_MAX, f);
	fclose(f);
	bool good = read_tokens(a, (struct str){text, n}, &tokens, &ntokens, err);
	explicit_bzero(text, n);
	free(text);
	if (!good)
		return false;
	pthread_mutex_lock(&a->lock);
	struct token *old = a->tokens;
	a->tokens = tokens;
	a->ntokens = ntokens;
	pthread_mutex_unlock(&a->lock);
	free(old);
	return true;
}

bool auth_knows(struct auth *a, struct str token, char ret_name[AUTH_NAME_SIZE])
{
	unsigned char digest[SHA256_SIZE];
	const struct token *found = NULL;
	sha256(token, digest);
	pthread_mutex_lock(&a->lock);
	for (size_t i = 0; i < a->ntokens; i++) // all of them, to take the same time
		if (sha256_equal(digest, a->tokens[i].digest))
			found = &a->tokens[i];
	if (found && ret_name)
		memcpy(ret_name, found->name, AUTH_NAME_SIZE);
	pthread_mutex_unlock(&a->lock);
	return found;
}

// ---- clients ------------------------------------------------------------------------------------

static int64_t at_most(int64_t v, int64_t max)
{
	return v < max ? v : max;
}

static struct client *find_client(struct auth *a, struct str peer, int64_t now)
{
	uint64_t id = hash64(peer.p, peer.len) | 1;
	struct client *row = &a->clients[id / 2 % (CLIENTS / WAYS) * WAYS], *oldest = row;
	for (int i = 0; i < WAYS; i++) {
		if (row[i].id == id) {
			int64_t spent = now - row[i].seen_ms;
			row[i].seen_ms = now;
			row[i].credit = at_most(row[i].credit + spent * a->rate, BURST_S * 1000 * a->rate);
			row[i].wrong_credit = at_most(row[i].wrong_credit + spent, WRONG_MAX * WRONG_EVERY_MS);
			return &row[i];
		}
		if (row[i].seen_ms < oldest->seen_ms)
			oldest = &row[i];
	}
	*oldest = (struct client){id, now, BURST_S * 1000 * a->rate, WRONG_MAX * WRONG_EVERY_MS};
	return oldest;
}

// The bearer token of the header, or STR_NONE.
static struct str bearer_token(struct str authorization)
{
	struct str rest = authorization, scheme = cut_word(&rest), token = cut_word(&rest);
	return scheme.len == 6 && strncasecmp(scheme.p, "Bearer", 6) == 0 && token.len ? token : STR_NONE;
}

bool auth_rate(struct auth *a, struct str peer, struct str authorization, int64_t ticks_ms)
{
	struct str token = *a->file ? bearer_token(authorization) : STR_NONE;
	struct client *c = find_client(a, token.len && auth_knows(a, token, NULL) ? token : peer, ticks_ms);
	assert(c->credit >= 0 && c->wrong_credit >= 0);
	if (c->credit < 1000)
		return false;
	c->credit -= 1000;
	return true;
}

enum auth_verdict auth_check_token(struct auth *a, struct str peer, struct str token, int64_t ticks_ms)
{
	if (!*a->file)
		return AUTH_YES;
	if (token.len && auth_knows(a, token, NULL))
		return AUTH_YES; // whatever others at this address have tried
	struct client *c = find_client(a, peer, ticks_ms);
	if (c->wrong_credit < WRONG_EVERY_MS)
		return AUTH_SLOWER;
	if (!token.len)
		return AUTH_MISSING;
	c->wrong_credit -= WRONG_EVERY_MS;
	return AUTH_WRONG;
}

enum auth_verdict auth_check(struct auth *a, struct str peer, struct str authorization, int64_t ticks_ms)
{
	return auth_check_token(a, peer, bearer_token(authorization), ticks_ms);
}

bool auth_wants_tokens(const struct auth *a)
{
	return *a->file != '\0';
}

// ---- life ---------------------------------------------------------------------------------------

bool auth_open(struct auth **ret, const char *key, const char *file, int64_t requests_per_s, struct err *err)
{
	struct auth *a = xcalloc(1, sizeof *a);
	a->key = key;
	a->file = xstrdup(str_of(file));
	a->rate = requests_per_s;
	pthread_mutex_init(&a->lock, NULL);
	if (!auth_refresh(a, err)) {
		auth_close(a);
		return false;
	}
	*ret = a;
	return true;
}

void auth_close(struct auth *a)
{
	if (!a)
		return;
	pthread_mutex_destroy(&a->lock);
	free(a->tokens);
	free(a->file);
	free(a);
}
