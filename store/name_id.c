// SPDX-License-Identifier: Apache-2.0
#include "store/name_id.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "store/keys.h"

uint64_t name_id(const struct siphash_key *key, struct str text)
{
	struct siphash s;
	siphash_begin(&s, key);
	siphash_add(&s, text);
	return siphash_end(&s);
}

uint64_t name_id_of_model(const struct siphash_key *key, struct str model)
{
	struct siphash s;
	siphash_begin(&s, key);
	siphash_add(&s, STR("m"));
	siphash_add(&s, model);
	return siphash_end(&s);
}

uint64_t name_id_of_project(struct str project)
{
	unsigned char sum[SHA256_SIZE];
	if (!project.len)
		return 0;
	sha256(project, sum);
	return bytes_get64(sum) | 1;
}

enum { DIGITS = 24 };

// In decimal, without snprintf: it is there once a call. Returns what of `buf` it fills.
static struct str format_start(int64_t ms, char buf[DIGITS])
{
	char *end = buf + DIGITS, *p = end;
	uint64_t n = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
	do
		*--p = (char)('0' + n % 10);
	while (n /= 10);
	if (ms < 0)
		*--p = '-';
	return (struct str){p, (size_t)(end - p)};
}

static char *put_after(char *to, char before, struct str s)
{
	*to++ = before;
	if (s.len)
		memcpy(to, s.p, s.len);
	return to + s.len;
}

struct str name_of_caller(struct buf *text, const struct caller *c, struct str labels)
{
	char digits[DIGITS];
	struct str start = format_start(c->session_start_ms, digits);
	buf_clear(text);
	buf_reserve(text, 5 + c->arn.len + c->access_key.len + start.len + c->role_arn.len + c->project.len +
	                      labels.len);
	char *to = put_after(text->data, 'c', c->arn);
	to = put_after(to, '\t', c->access_key);
	to = put_after(to, '\t', start);
	to = put_after(to, '\t', c->role_arn);
	to = put_after(to, '\t', c->project);
	if (labels.len)
		memcpy(to, labels.p, labels.len);
	to += labels.len;
	*to = '\0';
	text->len = (size_t)(to - text->data);
	return buf_str(text);
}

// ---- the key ------------------------------------------------------------------------------------

static bool parse_key(struct str hex, struct siphash_key *ret)
{
	char halves[2][17] = {"", ""};
	char *end[2];
	if (hex.len != NAME_KEY_HEX - 1)
		return false;
	memcpy(halves[0], hex.p, 16);
	memcpy(halves[1], hex.p + 16, 16);
	*ret = (struct siphash_key){strtoull(halves[0], &end[0], 16), strtoull(halves[1], &end[1], 16)};
	return !*end[0] && !*end[1];
}

static bool is_none(const struct siphash_key *key)
{
	return !key->k0 && !key->k1;
}

char *name_key_format(const struct siphash_key *key, char buf[NAME_KEY_HEX])
{
	snprintf(buf, NAME_KEY_HEX, "%016" PRIx64 "%016" PRIx64, key->k0, key->k1);
	return buf;
}

static bool key_error(struct redis *r, struct str name, struct err *err)
{
	return err_set(
		err, ERR_CONFIG,
		"redis %s: %.*s, the key of the ids of names, should be 32 hex digits and is not: restore it "
		"from a backup of Redis, or empty Redis and replay",
		redis_where(r), STR_ARG(name));
}

bool name_key_take(struct redis *r, const char *prefix, struct siphash_key *key, struct err *err)
{
	struct buf name = BUF_INIT;
	char hex[NAME_KEY_HEX];
	while (is_none(key))
		if (getrandom(key, sizeof *key, 0) != sizeof *key)
			return err_set(err, ERR_RETRY, "getrandom: %s", strerror(errno));
	redis_cmd(r, 5,
	          (struct str[]){STR("SET"), key_name_key(&name, prefix), str_of(name_key_format(key, hex)),
	                         STR("NX"), STR("GET")});
	bool good = redis_exec(r, err);
	if (good && !redis_nil(r, 0))
		good = parse_key(redis_str(r, 0), key) || key_error(r, buf_str(&name), err);
	buf_release(&name);
	return good;
}

bool name_key_read(struct redis *r, const char *prefix, struct siphash_key *ret, struct err *err)
{
	struct buf name = BUF_INIT;
	redis_cmd(r, 2, (struct str[]){STR("GET"), key_name_key(&name, prefix)});
	bool good = redis_exec(r, err);
	*ret = (struct siphash_key){0};
	if (good && !redis_nil(r, 0))
		good = parse_key(redis_str(r, 0), ret) || key_error(r, buf_str(&name), err);
	buf_release(&name);
	return good;
}
