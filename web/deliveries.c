// SPDX-License-Identifier: Apache-2.0
#include "web/deliveries.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/json_writer.h"
#include "base/log.h"
#include "base/when.h"
#include "ingest/firehose.h"

enum {
	RETRY_S = 5,
	LOG_EVERY_MS = 60000, // about refused keys
};

struct deliveries {
	deliveries_take_fn *take;
	void *user;
	struct auth *keys;
	atomic_ullong refused_keys;
	atomic_llong refused_ms;
	int64_t log_due_ms; // monotonic
};

bool deliveries_open(struct deliveries **ret, const struct conf *conf, deliveries_take_fn *take, void *user,
                     struct err *err)
{
	struct deliveries *d = xcalloc(1, sizeof *d);
	d->take = take;
	d->user = user;
	if (!auth_open(&d->keys, "firehose.keys.file", conf->firehose_keys_file, conf->listen_rate, err)) {
		deliveries_close(d);
		return conf_blame(conf, "firehose.keys.file", err);
	}
	*ret = d;
	return true;
}

void deliveries_close(struct deliveries *d)
{
	if (!d)
		return;
	auth_close(d->keys);
	free(d);
}

bool deliveries_refresh(struct deliveries *d, struct err *err)
{
	return auth_refresh(d->keys, err);
}

size_t deliveries_admit(struct deliveries *d, const struct http_request *r)
{
	return r->delivery.key.len && auth_knows(d->keys, r->delivery.key, NULL) ? FIREHOSE_BODY_BYTES : 0;
}

void deliveries_answer(struct http_exchange *x, int status, const char *error)
{
	struct http_answer *a = &x->answer;
	struct str id = x->request.delivery.request_id;
	a->status = status;
	a->type = "application/json";
	a->retry_s = status == 503 || status == 429 ? RETRY_S : 0;
	x->request.gzip = false; // Content-Encoding must not be used
	buf_clear(&a->body);
	struct json_writer j = JSON_WRITER(&a->body);
	jw_object(&j, NULL);
	jw_str(&j, "requestId", firehose_id_is_valid(id) ? id : STR(""));
	jw_int(&j, "timestamp", when_now_ms());
	if (error)
		jw_strz(&j, "errorMessage", error);
	jw_end(&j);
}

static enum http_route refuse(struct http_exchange *x, int status, const char *error)
{
	deliveries_answer(x, status, error);
	return HTTP_DONE;
}

static void note_refused_key(struct deliveries *d, const struct http_request *r)
{
	int64_t now = when_ticks_ms();
	atomic_fetch_add(&d->refused_keys, 1);
	atomic_store(&d->refused_ms, when_now_ms());
	if (now < d->log_due_ms)
		return;
	d->log_due_ms = now + LOG_EVERY_MS;
	log_warn("a delivery of Firehose was refused: its access key is not in firehose.keys.file",
	         LOG_STR("peer", r->peer));
}

// Whether the key is right; if not, the answer says why.
static bool check_key(struct deliveries *d, struct http_exchange *x, struct auth *viewers)
{
	char name[AUTH_NAME_SIZE];
	struct str key = x->request.delivery.key;
	switch (auth_check_token(d->keys, str_of(x->request.peer), key, when_ticks_ms())) {
	case AUTH_YES:
		break;
	case AUTH_MISSING:
		refuse(x, 401, "an access key is needed: X-Amz-Firehose-Access-Key");
		return false;
	case AUTH_WRONG:
		note_refused_key(d, &x->request);
		refuse(x, 401, "this access key is not in firehose.keys.file");
		return false;
	case AUTH_SLOWER:
		note_refused_key(d, &x->request);
		refuse(x, 429, "too many wrong access keys from your address: wait a minute");
		return false;
	}
	if (auth_wants_tokens(viewers) && auth_knows(viewers, key, NULL)) {
		refuse(x, 403, "this access key is also a token of auth.tokens.file: make another one for Firehose");
		return false;
	}
	if (!auth_knows(d->keys, key, name))
		return refuse(x, 401, "this access key was withdrawn"), false;
	x->sender = arena_str(&x->arena, str_of(name));
	return true;
}

enum http_route deliveries_route(struct deliveries *d, struct http_exchange *x, struct auth *viewers)
{
	const struct http_request *r = &x->request;
	if (!auth_knows(d->keys, r->delivery.key, NULL) &&
	    !auth_rate(viewers, str_of(r->peer), STR_NONE, when_ticks_ms()))
		return refuse(x, 429, "too many requests a second from your address");
	if (!str_is(r->method, "POST")) {
		x->answer.allow = "POST";
		return refuse(x, 405, "Firehose delivers here by POST");
	}
	if (!check_key(d, x, viewers))
		return HTTP_DONE;
	if (r->delivery.version.len && !str_is(r->delivery.version, "1.0"))
		return refuse(x, 400, "X-Amz-Firehose-Protocol-Version: only 1.0 is known here");
	if (r->delivery.encoding.len && !str_is(r->delivery.encoding, "gzip"))
		return refuse(x, 400, "Content-Encoding: only gzip is known here");
	if (r->delivery.request_id.len && !firehose_id_is_valid(r->delivery.request_id))
		return refuse(x, 400, "X-Amz-Firehose-Request-Id: expected a GUID");
	if (r->body_fault == HTTP_BODY_TOO_LARGE)
		return refuse(x, 400, "the body is larger than 96 MiB: give the stream a smaller buffer");
	if (r->body_fault == HTTP_BODY_NO_ROOM)
		return refuse(x, 503, "other deliveries use all of firehose.memory: try again");
	return d->take(d->user, x);
}

uint64_t deliveries_refused_keys(const struct deliveries *d, int64_t *ret_last_ms)
{
	*ret_last_ms = atomic_load(&d->refused_ms);
	return atomic_load(&d->refused_keys);
}
