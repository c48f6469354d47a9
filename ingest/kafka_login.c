// SPDX-License-Identifier: Apache-2.0
// Tokens for SASL's OAUTHBEARER. librdkafka asks for one when it starts, and for the next one when four
// fifths of its life are over; on its own thread, so that a producer that has nothing to send logs in as
// well. Without a token it asks again after ten seconds.
//
//     kafka.sasl.mechanism = AWS_MSK_IAM       a presigned URL, by the credentials of AWS
//     kafka.sasl.oauthbearer.method = oidc     what a token server gives for an id and a secret (OAuth 2.0,
//                                              RFC 6749, 4.4)
//
// librdkafka does the latter itself if it was built with curl. That of Debian 12 was not, so it is done here
// always, by the same properties.
#include <stdio.h>
#include <stdlib.h>

#include "aws/credentials.h"
#include "aws/endpoint.h"
#include "aws/iam_token.h"
#include "base/text.h"
#include "base/when.h"
#include "ingest/base64.h"
#include "ingest/json.h"
#include "ingest/kafka_priv.h"

enum {
	CONNECT_MS = 5000,
	TOTAL_MS = 20000,
	// A third of what MSK allows: the credentials behind a token may end before it does.
	MSK_TOKEN_MS = 300000,
	EXTENSIONS_MAX = 16,
	SAID_MAX = 200, // bytes of a token server's own words
};

#define OIDC "sasl.oauthbearer."

// ---- whose login it is --------------------------------------------------------------------------

// The last one counts, as in librdkafka. "": it is not set.
static const char *value_of(const struct conf *conf, const char *name)
{
	for (size_t i = conf->nkafka; i > 0; i--)
		if (strcmp(conf->kafka[i - 1].key, name) == 0)
			return conf->kafka[i - 1].value;
	return "";
}

static bool is_mechanism(const char *name)
{
	return strcmp(name, "sasl.mechanism") == 0 || strcmp(name, "sasl.mechanisms") == 0;
}

enum kafka_login kafka_login_of(const struct conf *conf)
{
	for (size_t i = conf->nkafka; i > 0; i--)
		if (is_mechanism(conf->kafka[i - 1].key)) {
			if (strcmp(conf->kafka[i - 1].value, "AWS_MSK_IAM") == 0)
				return KAFKA_LOGIN_MSK;
			break;
		}
	return strcmp(value_of(conf, OIDC "method"), "oidc") == 0 ? KAFKA_LOGIN_OIDC : KAFKA_LOGIN_OTHER;
}

bool kafka_login_owns(enum kafka_login login, const char *name)
{
	static const char *const oidc[] = {
		OIDC "method",     OIDC "client.id",          OIDC "client.secret", OIDC "scope",
		OIDC "extensions", OIDC "token.endpoint.url", "https.ca.location"};
	if (login == KAFKA_LOGIN_MSK)
		return is_mechanism(name);
	for (size_t i = 0; login == KAFKA_LOGIN_OIDC && i < sizeof oidc / sizeof *oidc; i++)
		if (strcmp(name, oidc[i]) == 0)
			return true;
	return false;
}

static bool check_oidc(const struct conf *conf, struct err *err)
{
	static const char *const needed[] = {OIDC "client.id", OIDC "client.secret", OIDC "token.endpoint.url"};
	const char *url = value_of(conf, OIDC "token.endpoint.url");
	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		if (!*value_of(conf, needed[i]))
			return err_set(err, ERR_CONFIG, "kafka.%s is not set: the method oidc needs it", needed[i]);
	if (!str_starts(str_of(url), STR("https://")) && !str_starts(str_of(url), STR("http://")))
		return err_set(err, ERR_CONFIG, "kafka." OIDC "token.endpoint.url: expected https://...");
	return true;
}

// ---- Amazon MSK ---------------------------------------------------------------------------------

// The Region in the name of a broker: "b-1.NAME.a1b2c3.c2.kafka.us-east-1.amazonaws.com:9098", or
// "...kafka-serverless.us-east-1...". STR_NONE: there is none.
struct str kafka_msk_region(struct str brokers)
{
	while (brokers.len) {
		struct str host = str_cut(&brokers, ',');
		while (host.len) {
			struct str label = str_cut(&host, '.');
			if (str_is(label, "kafka") || str_is(label, "kafka-serverless"))
				return strstr(host.len ? host.p : "", "amazonaws.com") ? str_cut(&host, '.') : STR_NONE;
		}
	}
	return STR_NONE;
}

static bool make_msk_token(const struct conf *conf, struct buf *ret, int64_t *ret_until_ms, struct err *err)
{
	struct credentials c = {0};
	struct buf region = BUF_INIT;
	int64_t now_ms = when_now_ms();
	bool good = credentials_find(&c, err);
	if (good) {
		struct str named = kafka_msk_region(str_of(conf->brokers));
		if (named.len)
			buf_addstr(&region, named);
		else
			aws_add_region(&region, buf_str(&c.region));
		iam_token_kafka(&c, region.data, now_ms, ret);
		*ret_until_ms = now_ms + MSK_TOKEN_MS;
	}
	credentials_release(&c);
	buf_release(&region);
	return good;
}

// ---- OAuth --------------------------------------------------------------------------------------

// "exp" of a JWT, HEAD.CLAIMS.SIGNATURE: seconds since 1970. False: it says nothing, or is no JWT.
static bool read_expiry(struct json_parser *p, struct str token, int64_t *ret_s)
{
	struct buf claims = BUF_INIT;
	struct err err = ERR_INIT;
	struct json v;
	const char *why;
	str_cut(&token, '.');
	bool good = base64_decode(str_cut(&token, '.'), &claims, &err) && claims.len &&
	            json_parse(p, buf_str(&claims), &v, &why) && json_int(json_get(v, STR("exp")), ret_s);
	buf_release(&claims);
	return good;
}

static bool refuse_answer(const char *url, const struct http_client_answer *a, struct json v, struct err *err)
{
	struct str code = STR_NONE, words = STR_NONE;
	json_str(json_get(v, STR("error")), &code);
	json_str(json_get(v, STR("error_description")), &words);
	words.len = words.len < SAID_MAX ? words.len : SAID_MAX;
	return err_set(err, a->status >= 500 || a->status == 429 ? ERR_RETRY : ERR_CONFIG,
	               "the token server %s gives no token (status %ld%s%.*s%s%.*s): look at "
	               "kafka." OIDC "client.id, client.secret and scope",
	               url, a->status, code.len ? ": " : "", STR_ARG(code), words.len ? ", " : "",
	               STR_ARG(words));
}

static bool read_token(const char *url, const struct http_client_answer *a, struct buf *ret,
                       int64_t *ret_until_ms, struct err *err)
{
	struct json_parser *p = json_parser_new();
	struct json v = JSON_ABSENT;
	struct str token = STR_NONE;
	const char *why;
	int64_t s = 0;
	bool parsed = json_parse(p, buf_str(&a->body), &v, &why);
	bool good = a->status == 200 && parsed && json_str(json_get(v, STR("access_token")), &token) && token.len;
	if (good) {
		buf_addstr(ret, token);
		if (json_int(json_get(v, STR("expires_in")), &s) && s > 0 && s < INT32_MAX)
			*ret_until_ms = when_now_ms() + s * 1000;
		else if (read_expiry(p, buf_str(ret), &s) && s > 0 && s < INT64_MAX / 1000)
			*ret_until_ms = s * 1000;
		else
			good = err_set(err, ERR_CONFIG, "the token server %s does not say when its token expires", url);
	} else {
		refuse_answer(url, a, parsed ? v : JSON_ABSENT, err);
	}
	json_parser_free(p);
	return good;
}

static bool ask_for_token(const struct conf *conf, struct buf *ret, int64_t *ret_until_ms, struct err *err)
{
	const char *url = value_of(conf, OIDC "token.endpoint.url"), *scope = value_of(conf, OIDC "scope");
	struct buf body = BUF_INIT, secret = BUF_INIT, login = BUF_INIT;
	struct http_client_answer a;
	buf_adds(&body, "grant_type=client_credentials");
	if (*scope) {
		buf_adds(&body, "&scope=");
		buf_add_url_part(&body, str_of(scope), false);
	}
	buf_addf(&secret, "%s:%s", value_of(conf, OIDC "client.id"), value_of(conf, OIDC "client.secret"));
	buf_adds(&login, "Authorization: Basic ");
	buf_add_base64(&login, buf_str(&secret));
	const char *ca = value_of(conf, "https.ca.location");
	const struct http_client_request r = {
		.url = url,
		.headers = {"Content-Type: application/x-www-form-urlencoded", "Accept: application/json", login.data},
		.body = buf_str(&body),
		.ca_file = *ca ? str_of(ca) : STR_NONE,
		.connect_ms = CONNECT_MS,
		.total_ms = TOTAL_MS};
	bool good = http_client_do(&r, &a, err);
	if (good) {
		good = read_token(url, &a, ret, ret_until_ms, err);
		http_client_answer_release(&a);
	}
	buf_release(&body);
	buf_release(&secret);
	buf_release(&login);
	return good;
}

// ---- what librdkafka calls ----------------------------------------------------------------------

// "key=value,key=value" as librdkafka takes it, in place. Returns how many texts there are.
static size_t split_extensions(char *text, const char *ret[2 * EXTENSIONS_MAX])
{
	size_t n = 0;
	char *rest = text, *pair;
	while ((pair = strsep(&rest, ",")) && n + 2 <= 2 * EXTENSIONS_MAX) {
		char *key = strsep(&pair, "=");
		if (!pair)
			continue;
		ret[n++] = key;
		ret[n++] = pair;
	}
	return n;
}

static void on_token_wanted(rd_kafka_t *rk, const char *config, void *opaque)
{
	const struct kafka_hooks *hooks = opaque;
	const struct conf *conf = hooks->conf;
	struct buf token = BUF_INIT;
	struct err err = ERR_INIT;
	const char *extensions[2 * EXTENSIONS_MAX];
	char why[256];
	int64_t until_ms = 0;
	(void)config;
	bool oidc = kafka_login_of(conf) == KAFKA_LOGIN_OIDC;
	char *text = xstrdup(str_of(oidc ? value_of(conf, OIDC "extensions") : ""));
	size_t n = split_extensions(text, extensions);
	bool good = (oidc ? ask_for_token : make_msk_token)(conf, &token, &until_ms, &err);
	if (good && rd_kafka_oauthbearer_set_token(rk, token.data, until_ms, "nowcast", extensions, n, why,
	                                           sizeof why))
		good = err_set(&err, ERR_RETRY, "the token cannot be used: %s", why);
	if (!good)
		rd_kafka_oauthbearer_set_token_failure(rk, err.msg);
	free(text);
	buf_release(&token);
}

bool kafka_login_set(rd_kafka_conf_t *k, const struct conf *conf, struct err *err)
{
	enum kafka_login login = kafka_login_of(conf);
	char why[256], mechanism[64] = "";
	size_t size = sizeof mechanism;
	if (login == KAFKA_LOGIN_OIDC && !check_oidc(conf, err))
		return false;
	if (login == KAFKA_LOGIN_MSK && rd_kafka_conf_set(k, "sasl.mechanisms", "OAUTHBEARER", why, sizeof why))
		return err_set(err, ERR_CONFIG, "kafka.sasl.mechanism: this librdkafka knows no OAUTHBEARER: %s", why);
	rd_kafka_conf_get(k, "sasl.mechanisms", mechanism, &size);
	if (login != KAFKA_LOGIN_OTHER)
		rd_kafka_conf_set_oauthbearer_token_refresh_cb(k, on_token_wanted);
	if (strcmp(mechanism, "OAUTHBEARER") == 0)
		rd_kafka_conf_enable_sasl_queue(k, 1);
	return true;
}

void kafka_login_begin(rd_kafka_t *rk)
{
	char mechanism[64] = "";
	size_t size = sizeof mechanism;
	rd_kafka_conf_get(rd_kafka_conf(rk), "sasl.mechanisms", mechanism, &size);
	rd_kafka_error_t *e =
		strcmp(mechanism, "OAUTHBEARER") == 0 ? rd_kafka_sasl_background_callbacks_enable(rk) : NULL;
	if (e) // not for SASL after all: security.protocol says so
		rd_kafka_error_destroy(e);
}
