// SPDX-License-Identifier: Apache-2.0
// Two threads. The HTTP thread decides about each request: too many, not allowed, a file of the page, or
// one for the worker. The worker owns the figures and answers one request after the other. Between requests
// it publishes the live stream, ends overdue connections and reads changed tokens.
//
//     HTTP thread:  route_request -> queue (bounded) -> worker: answer_exchange -> http_finish
//                                                       worker: publish_summary every 2 s while there are
//                                                               viewers -> http_publish
//
// The page itself (it holds no figures), /healthz and /readyz need no token. On loopback without tokens the
// name in Host is checked: else any web site could let its own name point here and read the figures (DNS
// rebinding).
#include "web/server.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/when.h"
#include "store/redis.h"
#include "web/api.h"
#include "web/auth.h"
#include "web/deliveries.h"
#include "web/http.h"
#include "web/metrics.h"
#include "web/page.h"
#include "web/response_cache.h"

enum { QUEUE_MAX = 256, TICK_MS = 500, LIVE_MS = 2000, READY_MS = 1000 };

// A Redis that hangs is noticed within READY_MS, TICK_MS and this.
enum { SILENT_MS = 3000, HUNG_MS = 1000 };

struct server {
	const struct conf *conf;
	struct api api;
	struct response_cache *response_cache;        // the worker's
	struct auth *auth;
	struct deliveries *deliveries;  // NULL: none are taken
	struct http *http;
	bool loopback;
	pthread_t worker;
	bool running;
	pthread_mutex_t lock;           // guards queue, queued, stop
	pthread_cond_t wake;
	struct http_exchange *queue, **tail;
	int queued;
	bool stop;
	atomic_bool ready;              // Redis answered the last time
	atomic_llong asked_ms;          // when that was (monotonic)
	atomic_ullong requests, refused;
	int64_t hung_ms;                // until when a Redis that hangs is not asked again (monotonic)
	int64_t started_ms;
	struct buf live;                // the summary published last
	int64_t live_ms;                // when it was compared with a new one
	bool warming;                   // there is more to read ahead now
};

// ---- routing: on the http thread ----------------------------------------------------------------

static enum http_route answer_plain(struct http_exchange *x, int status, const char *text)
{
	x->answer.status = status;
	x->answer.type = "text/plain; charset=utf-8";
	buf_adds(&x->answer.body, text);
	return HTTP_DONE;
}

#define refuse_request(x, ...) (api_error(&(x)->answer, __VA_ARGS__), HTTP_DONE)

static bool is_loopback_name(struct str host)
{
	static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
	for (size_t i = 0; i < 3; i++) {
		struct str name = str_of(names[i]);
		if (host.len >= name.len && strncasecmp(host.p, name.p, name.len) == 0 &&
		    (host.len == name.len || host.p[name.len] == ':'))
			return true;
	}
	return false;
}

static bool is_for_worker(struct str path)
{
	return str_is(path, "/metrics") || str_is(path, "/api/v1/events") || api_has_path(path);
}

// Whether the client has a token, where one is needed. False: the answer says why not.
static bool check_token(struct server *s, struct http_exchange *x)
{
	switch (auth_check(s->auth, str_of(x->request.peer), x->request.authorization, when_ticks_ms())) {
	case AUTH_YES:
		return true;
	case AUTH_MISSING:
		api_error(&x->answer, 401, "a bearer token is needed: Authorization: Bearer TOKEN");
		x->answer.challenge = true;
		return false;
	case AUTH_WRONG:
		api_error(&x->answer, 401, "this token is not known here");
		x->answer.challenge = true;
		return false;
	case AUTH_SLOWER:
		api_error(&x->answer, 429, "too many wrong tokens from your address: wait a minute");
		x->answer.retry_s = 60;
		return false;
	}
	return false;
}

static enum http_route enqueue_exchange(struct server *s, struct http_exchange *x)
{
	pthread_mutex_lock(&s->lock);
	assert(s->queued >= 0 && s->queued <= QUEUE_MAX);
	bool full = s->queued >= QUEUE_MAX || s->stop;
	if (!full) {
		x->next = NULL;
		*s->tail = x;
		s->tail = &x->next;
		s->queued++;
		pthread_cond_signal(&s->wake);
	}
	pthread_mutex_unlock(&s->lock);
	if (!full)
		return HTTP_LATER;
	x->answer.retry_s = 2;
	return refuse_request(x, 503, "too many requests are waiting: try again in a moment");
}

static enum http_route route_get(struct server *s, struct http_exchange *x)
{
	struct str path = x->request.path;
	if (str_is(path, "/healthz"))
		return answer_plain(x, 200, "ok\n");
	if (str_is(path, "/readyz"))
		return atomic_load(&s->ready) ? answer_plain(x, 200, "ready\n")
		                              : answer_plain(x, 503, "Redis does not answer\n");
	if (page_answer(&x->request, &x->answer))
		return HTTP_DONE;
	if (!is_for_worker(path))
		return refuse_request(x, 404, "there is nothing here; /api/v1/openapi.json lists what there is");
	if (!check_token(s, x))
		return HTTP_DONE;
	return str_is(path, "/api/v1/events") ? HTTP_STREAM : enqueue_exchange(s, x);
}

static enum http_route route_allowed(struct server *s, struct http_exchange *x)
{
	const struct http_request *r = &x->request;
	bool reading = str_is(r->method, "GET") || str_is(r->method, "HEAD");
	if (!auth_rate(s->auth, str_of(r->peer), r->authorization, when_ticks_ms())) {
		x->answer.retry_s = 1;
		return refuse_request(x, 429, "more than %lld requests a second from your address, or with your token",
		              (long long)s->conf->listen_rate);
	}
	if (r->body_fault)
		return refuse_request(x, 413, "the body is larger than %d bytes", HTTP_BODY_MAX);
	if (s->loopback && !auth_wants_tokens(s->auth) && !is_loopback_name(r->host))
		return refuse_request(x, 403,
		              "without tokens this server answers to localhost only, not to the name in Host");
	if (!reading) {
		x->answer.allow = "GET, HEAD";
		return refuse_request(x, 405,
		              s->conf->listen_read_only ? "this server is read-only (listen.read_only)"
		                                        : "nothing here can be changed by HTTP");
	}
	if (r->body.len)
		return refuse_request(x, 400, "a body makes no sense with GET");
	return route_get(s, x);
}

static bool is_delivery(const struct server *s, const struct http_request *r)
{
	return s->deliveries && str_is(r->path, DELIVERIES_PATH);
}

static enum http_route route_request(void *user, struct http_exchange *x)
{
	struct server *s = user;
	enum http_route how =
		is_delivery(s, &x->request) ? deliveries_route(s->deliveries, x, s->auth) : route_allowed(s, x);
	atomic_fetch_add(&s->requests, 1);
	if (how == HTTP_DONE && x->answer.status >= 400 && x->answer.status < 500)
		atomic_fetch_add(&s->refused, 1);
	return how;
}

static size_t admit_body(void *user, const struct http_request *r)
{
	struct server *s = user;
	return is_delivery(s, r) ? deliveries_admit(s->deliveries, r) : 0;
}

// ---- the worker ---------------------------------------------------------------------------------

static void note_redis(struct server *s, bool good)
{
	atomic_store(&s->asked_ms, when_ticks_ms());
	if (atomic_exchange(&s->ready, good) != good) {
		if (good)
			log_info("the figures can be read",
			         LOG_STR("redis", redis_where(view_redis(rollups_view(s->api.rollups)))));
		else
			log_warn("Redis does not answer: the API says 503 until it does",
			         LOG_STR("redis", redis_where(view_redis(rollups_view(s->api.rollups)))));
	}
}

// Requests that waited while Redis hung are not tried each: that would take SILENT_MS each.
static void note_hang(struct server *s, int64_t began)
{
	int64_t now = when_ticks_ms();
	if (!atomic_load(&s->ready) && now - began >= SILENT_MS / 2)
		s->hung_ms = now + HUNG_MS;
}

static void answer_exchange(struct server *s, struct http_exchange *x)
{
	int64_t began = when_ticks_ms();
	if (began < s->hung_ms && !str_is(x->request.path, "/metrics")) {
		x->answer.retry_s = 2;
		api_error(&x->answer, 503, "Redis does not answer");
	} else if (response_cache_find(s->response_cache, &x->request, began, &x->answer)) {
		// the same was asked a moment ago
	} else if (str_is(x->request.path, "/metrics")) {
		struct metrics_server m = {atomic_load(&s->requests), atomic_load(&s->refused), http_viewers(s->http),
		                           s->started_ms};
		x->answer.status = 200;
		x->answer.type = "text/plain; version=0.0.4; charset=utf-8";
		metrics_write(&s->api, &m, &x->answer.body);
	} else {
		api_answer(&s->api, &x->request, &x->answer);
		if (x->answer.status == 400)
			atomic_fetch_add(&s->refused, 1);
		else if (x->answer.status == 503 || x->answer.status == 200)
			note_redis(s, x->answer.status == 200);
		note_hang(s, began);
		response_cache_keep(s->response_cache, &x->request, when_ticks_ms(), when_ticks_ms() - began,
		                    &x->answer);
	}
	http_finish(x);
}

// Sends viewers the summary if it has changed, or the error if Redis does not answer.
static void publish_summary(struct server *s)
{
	struct http_request r = {.path = STR("/api/v1/summary")};
	struct http_answer a = {0};
	struct buf event = BUF_INIT;
	api_answer(&s->api, &r, &a);
	note_redis(s, a.status == 200);
	for (size_t i = 0; i < a.body.len; i++) // one line an event
		if (a.body.data[i] == '\n')
			a.body.data[i] = ' ';
	buf_addf(&event, "event: %s\ndata: ", a.status == 200 ? "summary" : "away");
	buf_addstr(&event, buf_str(&a.body));
	buf_adds(&event, "\n\n");
	struct str news = buf_str(&event); // without its first member, which is the time
	str_cut(&news, ',');
	if (!str_eq(news, buf_str(&s->live))) {
		buf_clear(&s->live);
		buf_addstr(&s->live, news);
		http_publish(s->http, buf_str(&event));
	}
	buf_release(&event);
	buf_release(&a.body);
}

static void ping_redis(struct server *s)
{
	struct redis *r = view_redis(rollups_view(s->api.rollups));
	struct err err = ERR_INIT;
	redis_cmdz(r, "PING", NULL);
	note_redis(s, redis_exec(r, &err));
}

static void do_housekeeping(struct server *s)
{
	struct err err = ERR_INIT;
	int64_t now = when_ticks_ms();
	http_tick(s->http);
	if (!auth_refresh(s->auth, &err))
		log_error("the changed file of tokens is not used", LOG_STR("why", err.msg));
	err_clear(&err);
	if (s->deliveries && !deliveries_refresh(s->deliveries, &err))
		log_error("the changed file of access keys is not used", LOG_STR("why", err.msg));
	if (http_viewers(s->http) && now - s->live_ms >= LIVE_MS) {
		publish_summary(s);
		s->live_ms = when_ticks_ms();
	} else if (now - atomic_load(&s->asked_ms) >= READY_MS) {
		ping_redis(s);
	}
}

// Reads ahead while no request waits. An error is left to the next request.
static void warm_rollups(struct server *s)
{
	struct err err = ERR_INIT;
	if (!rollups_warm(s->api.rollups, api_now_ms(&s->api) / MS_PER_HOUR, &s->warming, &err))
		s->warming = false;
}

// The next exchange to answer. NULL after TICK_MS without one (at once if there is something to read
// ahead), and at the end.
static struct http_exchange *dequeue_exchange(struct server *s, bool *ret_stop)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += s->warming ? 0 : TICK_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_mutex_lock(&s->lock);
	while (!s->queue && !s->stop && pthread_cond_timedwait(&s->wake, &s->lock, &until) == 0)
		;
	struct http_exchange *x = s->queue;
	if (x) {
		s->queue = x->next;
		s->queued--;
		assert(s->queued >= 0);
		if (!s->queue)
			s->tail = &s->queue;
	}
	*ret_stop = s->stop;
	pthread_mutex_unlock(&s->lock);
	return x;
}

static void *worker_main(void *opaque)
{
	struct server *s = opaque;
	bool stop = false;
	int64_t looked_ms = 0;
	ping_redis(s);
	while (!stop) {
		struct http_exchange *x = dequeue_exchange(s, &stop);
		if (x)
			answer_exchange(s, x); // at the end too: every parked request is answered
		else if (!stop && atomic_load(&s->ready))
			warm_rollups(s);
		if (x && stop)
			stop = false;
		if (when_ticks_ms() - looked_ms >= TICK_MS) {
			do_housekeeping(s);
			looked_ms = when_ticks_ms();
		}
	}
	return NULL;
}

// ---- life ---------------------------------------------------------------------------------------

static bool is_local(const char *listen)
{
	struct str host = {listen, strrchr(listen, ':') ? (size_t)(strrchr(listen, ':') - listen) : 0};
	return is_loopback_name(host);
}

static bool check_exposure(const struct conf *conf, const char *listen, struct err *err)
{
	if (is_local(listen) || *conf->auth_tokens_file || conf->auth_open)
		return true;
	err_set(
		err, ERR_CONFIG,
		"listen = %s can be reached by others, and without tokens would show everybody the figures: set auth.tokens.file, "
		"or auth.open = true where a proxy in front asks who they are",
		listen);
	return conf_blame(conf, "listen", err);
}

static bool open_auth(struct auth **ret, const struct conf *conf, struct err *err)
{
	return auth_open(ret, "auth.tokens.file", conf->auth_tokens_file, conf->listen_rate, err) ||
	       conf_blame(conf, "auth.tokens.file", err);
}

bool server_check(const struct conf *conf, struct err *err)
{
	struct auth *auth = NULL;
	size_t before = err_listed(err);
	bool good =
		(open_auth(&auth, conf, err) || err_collect(err)) &&
		(!*conf->listen || check_exposure(conf, conf->listen, err) || err_collect(err)) &&
		(http_check_pem(conf->listen_tls_cert, "listen.tls.cert", err) ||
	     conf_blame(conf, "listen.tls.cert", err) || err_collect(err)) &&
		(http_check_pem(conf->listen_tls_key, "listen.tls.key", err) ||
	     conf_blame(conf, "listen.tls.key", err) || err_collect(err));
	auth_close(auth);
	return good && err_check(err, before);
}

bool server_start(struct server **ret, const struct conf *conf, const struct server_options *o,
                  struct err *err)
{
	struct server *s = xcalloc(1, sizeof *s);
	const struct http_options http = {
		.listen = o->listen,
		.tls_cert = conf->listen_tls_cert,
		.tls_key = conf->listen_tls_key,
		.connections_max = (int)conf->listen_connections,
		.admit = o->deliveries ? admit_body : NULL,
		.bodies_max = (size_t)conf->firehose_memory,
	};
	pthread_condattr_t attr;
	s->conf = conf;
	s->deliveries = o->deliveries;
	s->api = (struct api){.conf = conf, .fixed_now_ms = o->fixed_now_ms};
	s->response_cache = response_cache_new();
	s->tail = &s->queue;
	s->started_ms = when_now_ms();
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->wake, &attr);
	pthread_condattr_destroy(&attr);
	s->loopback = is_local(o->listen);
	page_prepare();
	bool good = open_auth(&s->auth, conf, err) &&
	            check_exposure(conf, o->listen, err) &&
	            rollups_open(&s->api.rollups, redis_target_of(conf), err) &&
	            view_map(rollups_view(s->api.rollups), conf, err) &&
	            http_open(&s->http, &http, route_request, s, err);
	if (good) {
		rollups_limit(s->api.rollups, (size_t)conf->listen_memory);
		redis_limit(view_redis(rollups_view(s->api.rollups)), SILENT_MS);
	}
	if (good && pthread_create(&s->worker, NULL, worker_main, s) != 0)
		good = err_set(err, ERR_FATAL, "cannot start a thread for the API");
	s->running = good;
	if (!good) {
		server_stop(s);
		return false;
	}
	*ret = s;
	return true;
}

int server_port(const struct server *s)
{
	return http_port(s->http);
}

void server_stop(struct server *s)
{
	if (!s)
		return;
	if (s->running) {
		pthread_mutex_lock(&s->lock);
		s->stop = true;
		pthread_cond_signal(&s->wake);
		pthread_mutex_unlock(&s->lock);
		pthread_join(s->worker, NULL);
	}
	http_close(s->http);
	auth_close(s->auth);
	rollups_close(s->api.rollups);
	spikes_kept_release(&s->api.spikes);
	prices_kept_release(&s->api.prices);
	response_cache_free(s->response_cache);
	buf_release(&s->live);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->wake);
	free(s);
}
