// SPDX-License-Identifier: Apache-2.0
// One thread of libmicrohttpd polls all sockets. It never computes and never waits: what takes time is parked (suspended) and
// finished by another thread. `lock` guards what two threads see: the list of connections, the newest event, the viewers.
//
// The library's own timeout counts silence only, so a client that drips a byte now and then would stay for ever. Hence
// the list of connections with the moment each began its present phase, and http_tick, which shuts down what is overdue.
#include "serve/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <zlib.h>

#include "base/when.h"

enum {
	HEADERS_BYTES_MAX = 32 << 10, // request line and headers; the library answers 414 or 431 beyond
	BODY_BYTES_MAX = 64 << 10,
	SILENCE_S = 40,               // longer than the pause between two events
	REQUEST_MS = 20000,           // to send a request, and between two of one connection
	ANSWER_MS = 120000,           // to compute and take an answer
	KEEPALIVE_MS = 10000,         // what a viewer who went away costs is known after so long
	GZIP_BYTES_MIN = 1400,        // what fits into a packet gains nothing
	FILE_BYTES_MAX = 1 << 20,
};

// What a connection is doing, since when.
enum phase { RECEIVING, ANSWERING, STREAMING };

struct connection {
	struct connection *next, **where;
	int fd;
	enum phase phase;
	int64_t since_ms;
};

struct viewer {
	struct viewer *next, **where;
	struct http *http;
	struct MHD_Connection *mhd;
	uint64_t seen, beat; // numbers of the event and of the heartbeat last taken
	struct buf text;    // of the event being sent ...
	size_t sent;        // ... and how much of it is
	bool parked;
};

// An exchange as this file sees it: the public part comes first.
struct exchange {
	struct http_exchange x;
	struct http *http;
	struct MHD_Connection *mhd;
	struct buf body;
	bool routed, parked, too_large;
	struct exchange *next_parked, **where;
};

struct http {
	struct MHD_Daemon *daemon;
	http_route_fn *route;
	void *user;
	pthread_mutex_t lock;
	struct connection *connections;
	struct exchange *parked;
	struct viewer *viewers;
	int nviewers;
	struct buf event;            // the newest
	uint64_t nevent, nbeat;
	int64_t event_ms;            // of the last of either
	bool closing;
	char *cert, *key;
};

// ---- connections ---------------------------------------------------------------------------------------------------

static void on_connection(void *user, struct MHD_Connection *mhd, void **context, enum MHD_ConnectionNotificationCode what)
{
	struct http *h = user;
	struct connection *c = *context;
	pthread_mutex_lock(&h->lock);
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
		c = xcalloc(1, sizeof *c);
		*c = (struct connection){.next = h->connections, .where = &h->connections, .fd = info ? info->connect_fd : -1, .since_ms = when_ticks_ms()};
		if (c->next)
			c->next->where = &c->next;
		h->connections = c;
		*context = c;
	} else if (c) {
		*c->where = c->next;
		if (c->next)
			c->next->where = c->where;
		free(c);
		*context = NULL;
	}
	pthread_mutex_unlock(&h->lock);
}

static void set_phase(struct http *h, struct MHD_Connection *mhd, enum phase phase)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct connection *c = info ? info->socket_context : NULL;
	if (!c)
		return;
	pthread_mutex_lock(&h->lock);
	c->phase = phase;
	c->since_ms = when_ticks_ms();
	pthread_mutex_unlock(&h->lock);
}

// ---- the stream of events ------------------------------------------------------------------------------------------

// Called by the library whenever the socket takes more.
static ssize_t read_stream(void *user, uint64_t at, char *out, size_t max)
{
	struct viewer *v = user;
	struct http *h = v->http;
	ssize_t n = 0;
	(void)at;
	pthread_mutex_lock(&h->lock);
	if (v->sent == v->text.len && (v->seen != h->nevent || v->beat != h->nbeat)) {
		buf_clear(&v->text);
		buf_addstr(&v->text, v->seen != h->nevent ? buf_str(&h->event) : STR(": still here\n\n"));
		v->sent = 0;
		v->seen = h->nevent;
		v->beat = h->nbeat;
	}
	if (h->closing) {
		n = MHD_CONTENT_READER_END_OF_STREAM;
	} else if (v->sent < v->text.len) {
		n = (ssize_t)(v->text.len - v->sent < max ? v->text.len - v->sent : max);
		memcpy(out, v->text.data + v->sent, (size_t)n);
		v->sent += (size_t)n;
	} else {
		v->parked = true;
		MHD_suspend_connection(v->mhd);
	}
	pthread_mutex_unlock(&h->lock);
	return n;
}

static void free_stream(void *user)
{
	struct viewer *v = user;
	pthread_mutex_lock(&v->http->lock);
	*v->where = v->next;
	if (v->next)
		v->next->where = v->where;
	v->http->nviewers--;
	pthread_mutex_unlock(&v->http->lock);
	buf_release(&v->text);
	free(v);
}

static struct MHD_Response *make_stream(struct http *h, struct MHD_Connection *mhd)
{
	struct viewer *v = xcalloc(1, sizeof *v);
	*v = (struct viewer){.http = h, .mhd = mhd};
	pthread_mutex_lock(&h->lock);
	v->beat = h->nbeat; // but no event was seen: whoever comes gets the newest one at once
	v->next = h->viewers;
	v->where = &h->viewers;
	if (v->next)
		v->next->where = &v->next;
	h->viewers = v;
	h->nviewers++;
	pthread_mutex_unlock(&h->lock);
	return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, read_stream, v, free_stream);
}

// Under the lock.
static void wake_viewers(struct http *h)
{
	for (struct viewer *v = h->viewers; v; v = v->next) {
		if (!v->parked)
			continue;
		v->parked = false;
		MHD_resume_connection(v->mhd);
	}
}

void http_tick(struct http *h)
{
	int64_t now = when_ticks_ms();
	pthread_mutex_lock(&h->lock);
	for (struct connection *c = h->connections; c; c = c->next) {
		int64_t limit = c->phase == RECEIVING ? REQUEST_MS : ANSWER_MS;
		if (c->phase != STREAMING && c->fd >= 0 && now - c->since_ms > limit)
			shutdown(c->fd, SHUT_RDWR); // the library sees the end and closes; the number stays ours until then
	}
	if (now - h->event_ms > KEEPALIVE_MS) {
		h->nbeat++;
		h->event_ms = now;
		wake_viewers(h);
	}
	pthread_mutex_unlock(&h->lock);
}

void http_publish(struct http *h, struct str event)
{
	pthread_mutex_lock(&h->lock);
	buf_clear(&h->event);
	buf_addstr(&h->event, event);
	h->nevent++;
	h->event_ms = when_ticks_ms();
	wake_viewers(h);
	pthread_mutex_unlock(&h->lock);
}

int http_viewers(struct http *h)
{
	pthread_mutex_lock(&h->lock);
	int n = h->nviewers;
	pthread_mutex_unlock(&h->lock);
	return n;
}

// ---- requests ------------------------------------------------------------------------------------------------------

static enum MHD_Result add_arg(void *user, enum MHD_ValueKind kind, const char *name, size_t name_n, const char *value, size_t value_n)
{
	struct http_exchange *x = user;
	(void)kind;
	if (x->request.nargs >= HTTP_ARGS_MAX) {
		x->request.nargs = HTTP_ARGS_MAX + 1;
		return MHD_NO;
	}
	x->request.args[x->request.nargs++] = (struct http_arg){
		arena_str(&x->arena, (struct str){name, name_n}),
		arena_str(&x->arena, (struct str){value ? value : "", value ? value_n : 0}),
	};
	return MHD_YES;
}

static struct str header(struct exchange *e, const char *name)
{
	const char *value = MHD_lookup_connection_value(e->mhd, MHD_HEADER_KIND, name);
	return value ? arena_str(&e->x.arena, str_of(value)) : STR_NONE;
}

static void name_peer(struct exchange *e)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(e->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	snprintf(e->x.request.peer, sizeof e->x.request.peer, "?");
	if (info && info->client_addr)
		getnameinfo(info->client_addr, info->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in),
		            e->x.request.peer, sizeof e->x.request.peer, NULL, 0, NI_NUMERICHOST);
}

static struct exchange *begin(struct http *h, struct MHD_Connection *mhd, const char *url, const char *method)
{
	struct exchange *e = xcalloc(1, sizeof *e);
	struct http_request *r = &e->x.request;
	e->http = h;
	e->mhd = mhd;
	r->method = arena_str(&e->x.arena, str_of(method));
	r->path = arena_str(&e->x.arena, str_of(url));
	MHD_get_connection_values_n(mhd, MHD_GET_ARGUMENT_KIND, add_arg, &e->x);
	r->authorization = header(e, MHD_HTTP_HEADER_AUTHORIZATION);
	r->host = header(e, MHD_HTTP_HEADER_HOST);
	r->content_type = header(e, MHD_HTTP_HEADER_CONTENT_TYPE);
	r->fetch_site = header(e, "Sec-Fetch-Site");
	r->if_none_match = header(e, MHD_HTTP_HEADER_IF_NONE_MATCH);
	const char *encodings = MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_ENCODING);
	r->gzip = encodings && strstr(encodings, "gzip");
	name_peer(e);
	return e;
}

static void on_completed(void *user, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode why)
{
	struct exchange *e = *context;
	(void)why;
	if (!e)
		return;
	set_phase(user, mhd, RECEIVING);
	buf_release(&e->x.answer.body);
	buf_release(&e->body);
	arena_release(&e->x.arena);
	free(e);
	*context = NULL;
}

// ---- answers -------------------------------------------------------------------------------------------------------

static bool deflate_into(struct buf *out, struct str in)
{
	z_stream z = {0};
	if (deflateInit2(&z, 4, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	size_t bound = deflateBound(&z, in.len);
	buf_reserve(out, bound);
	z.next_in = (Bytef *)(uintptr_t)in.p;
	z.avail_in = (uInt)in.len;
	z.next_out = (Bytef *)out->data;
	z.avail_out = (uInt)bound;
	bool good = deflate(&z, Z_FINISH) == Z_STREAM_END;
	out->len = good ? z.total_out : 0;
	deflateEnd(&z);
	return good;
}

// What every answer says about itself. The page is one's own script and style and nothing else: what data says cannot run.
static void add_headers(struct MHD_Response *r, const struct http_answer *a)
{
	static const char *const always[][2] = {
		{"Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
		                            "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
		{"X-Content-Type-Options", "nosniff"},
		{"X-Frame-Options", "DENY"},
		{"Referrer-Policy", "no-referrer"},
		{"Cross-Origin-Opener-Policy", "same-origin"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
		{"Vary", "Accept-Encoding, Authorization"},
	};
	char text[16];
	for (size_t i = 0; i < sizeof always / sizeof *always; i++)
		MHD_add_response_header(r, always[i][0], always[i][1]);
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, a->type ? a->type : "text/plain; charset=utf-8");
	MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, a->etag ? "no-cache" : "no-store");
	if (a->etag)
		MHD_add_response_header(r, MHD_HTTP_HEADER_ETAG, a->etag);
	if (a->allow)
		MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, a->allow);
	if (a->challenge)
		MHD_add_response_header(r, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"nowcast\"");
	if (a->retry_s) {
		snprintf(text, sizeof text, "%d", a->retry_s);
		MHD_add_response_header(r, MHD_HTTP_HEADER_RETRY_AFTER, text);
	}
}

static enum MHD_Result send_answer(struct exchange *e)
{
	struct http_answer *a = &e->x.answer;
	struct str bytes = a->fixed.p ? a->fixed : buf_str(&a->body);
	struct buf packed = BUF_INIT;
	bool gzip = a->fixed.p ? a->fixed_gzip : e->x.request.gzip && bytes.len >= GZIP_BYTES_MIN && deflate_into(&packed, bytes);
	if (packed.len)
		bytes = buf_str(&packed);
	if (a->etag && e->x.request.if_none_match.p && strstr(e->x.request.if_none_match.p, a->etag)) {
		a->status = MHD_HTTP_NOT_MODIFIED;
		bytes = STR("");
		gzip = false;
	}
	struct MHD_Response *r = MHD_create_response_from_buffer(bytes.len, (void *)(uintptr_t)(bytes.p ? bytes.p : ""),
	                                                         a->fixed.p ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY);
	buf_release(&packed);
	if (!r)
		return MHD_NO;
	add_headers(r, a);
	if (gzip)
		MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	enum MHD_Result sent = MHD_queue_response(e->mhd, (unsigned)a->status, r);
	MHD_destroy_response(r);
	return sent;
}

static enum MHD_Result send_stream(struct exchange *e)
{
	struct MHD_Response *r = make_stream(e->http, e->mhd);
	if (!r)
		return MHD_NO;
	e->x.answer.type = "text/event-stream";
	set_phase(e->http, e->mhd, STREAMING);
	add_headers(r, &e->x.answer);
	MHD_add_response_header(r, "X-Accel-Buffering", "no"); // proxies would hold events back
	enum MHD_Result sent = MHD_queue_response(e->mhd, MHD_HTTP_OK, r);
	MHD_destroy_response(r);
	return sent;
}

static void park(struct exchange *e)
{
	struct http *h = e->http;
	e->parked = true;
	e->next_parked = h->parked;
	e->where = &h->parked;
	if (e->next_parked)
		e->next_parked->where = &e->next_parked;
	h->parked = e;
	MHD_suspend_connection(e->mhd);
}

// Under the lock.
static void unpark(struct exchange *e)
{
	*e->where = e->next_parked;
	if (e->next_parked)
		e->next_parked->where = e->where;
	e->parked = false;
	MHD_resume_connection(e->mhd);
}

void http_finish(struct http_exchange *x)
{
	struct exchange *e = (struct exchange *)x;
	struct http *h = e->http;
	pthread_mutex_lock(&h->lock);
	unpark(e);
	pthread_mutex_unlock(&h->lock);
}

static enum MHD_Result route(struct exchange *e)
{
	struct http *h = e->http;
	e->routed = true;
	e->x.request.body = buf_str(&e->body);
	if (e->too_large) {
		e->x.answer = (struct http_answer){.status = MHD_HTTP_CONTENT_TOO_LARGE, .type = "text/plain; charset=utf-8"};
		buf_addf(&e->x.answer.body, "the body is larger than %d bytes\n", BODY_BYTES_MAX);
		return send_answer(e);
	}
	// The lock is held so that nobody finishes what is not parked yet.
	pthread_mutex_lock(&h->lock);
	enum http_route how = h->route(h->user, &e->x);
	if (how == HTTP_LATER)
		park(e);
	pthread_mutex_unlock(&h->lock);
	return how == HTTP_LATER ? MHD_YES : how == HTTP_STREAM ? send_stream(e) : send_answer(e);
}

// A NUL would end a path early for whoever looks at it as a C string: text with one stays as it came, and is found nowhere.
static size_t unescape(void *user, struct MHD_Connection *mhd, char *text)
{
	(void)user;
	(void)mhd;
	return strstr(text, "%00") ? strlen(text) : MHD_http_unescape(text);
}

// Called for the headers, for each piece of a body, at its end, and again after an exchange was parked.
static enum MHD_Result on_request(void *user, struct MHD_Connection *mhd, const char *url, const char *method, const char *version,
                                  const char *upload, size_t *upload_n, void **context)
{
	struct exchange *e = *context;
	(void)version;
	if (!e) {
		*context = begin(user, mhd, url, method);
		return MHD_YES;
	}
	if (*upload_n) {
		if (e->body.len + *upload_n > BODY_BYTES_MAX)
			e->too_large = true;
		else
			buf_add(&e->body, upload, *upload_n);
		*upload_n = 0;
		return MHD_YES;
	}
	if (e->routed)
		return send_answer(e);
	set_phase(user, mhd, ANSWERING);
	return route(e);
}

// ---- life ----------------------------------------------------------------------------------------------------------

static bool read_file(const char *path, const char *key, char **ret, struct err *err)
{
	FILE *f = fopen(path, "re");
	if (!f)
		return err_set(err, ERR_CONFIG, "%s = %s: cannot be opened: %s", key, path, strerror(errno));
	char *text = xcalloc(1, FILE_BYTES_MAX + 1);
	size_t n = fread(text, 1, FILE_BYTES_MAX, f);
	fclose(f);
	if (n == 0 || n == FILE_BYTES_MAX) {
		free(text);
		return err_set(err, ERR_CONFIG, "%s = %s: expected a PEM file, found %s", key, path, n ? "more than 1MiB" : "nothing to read");
	}
	*ret = text;
	return true;
}

// "host:port", "[v6]:port", ":port".
static bool resolve(const char *listen, struct addrinfo **ret, struct err *err)
{
	const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
	char host[256];
	const char *colon = strrchr(listen, ':');
	if (!colon || !colon[1] || (size_t)(colon - listen) >= sizeof host)
		return err_set(err, ERR_CONFIG, "listen = %s: expected host:port, such as 127.0.0.1:8321", listen);
	size_t n = (size_t)(colon - listen);
	const char *from = listen;
	if (n >= 2 && from[0] == '[' && from[n - 1] == ']') {
		from++;
		n -= 2;
	}
	memcpy(host, from, n);
	host[n] = '\0';
	int fault = getaddrinfo(n ? host : NULL, colon + 1, &hints, ret);
	if (fault)
		return err_set(err, ERR_CONFIG, "listen = %s: %s", listen, gai_strerror(fault));
	return true;
}

static bool start(struct http *h, const struct http_options *o, struct addrinfo *at, struct err *err)
{
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, h->cert},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, h->key},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"},
		{MHD_OPTION_END, 0, NULL},
	};
	struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
	if (at->ai_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	if (h->cert)
		flags |= MHD_USE_TLS;
	errno = 0;
	h->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, h, MHD_OPTION_SOCK_ADDR, at->ai_addr,
	                             MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
	                             MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADERS_BYTES_MAX, MHD_OPTION_CONNECTION_LIMIT,
	                             (unsigned)o->connections_max, MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)(o->connections_max / 2), // a proxy is one address
	                             MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENCE_S, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u,
	                             MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL, MHD_OPTION_ARRAY, h->cert ? tls : none, MHD_OPTION_END);
	if (h->daemon)
		return true;
	if (h->cert && errno == 0)
		return err_set(err, ERR_CONFIG, "listen.tls.cert, listen.tls.key: they are not a certificate and its key in PEM");
	return err_set(err, ERR_CONFIG, "listen = %s: cannot listen there: %s", o->listen, errno ? strerror(errno) : "the HTTP library refuses");
}

bool http_open(struct http **ret, const struct http_options *o, http_route_fn *route_fn, void *user, struct err *err)
{
	struct http *h = xcalloc(1, sizeof *h);
	struct addrinfo *at = NULL;
	h->route = route_fn;
	h->user = user;
	h->event_ms = when_ticks_ms();
	pthread_mutex_init(&h->lock, NULL);
	bool good = resolve(o->listen, &at, err);
	if (good && *o->tls_cert)
		good = read_file(o->tls_cert, "listen.tls.cert", &h->cert, err) && read_file(o->tls_key, "listen.tls.key", &h->key, err);
	good = good && start(h, o, at, err);
	if (at)
		freeaddrinfo(at);
	if (!good) {
		http_close(h);
		return false;
	}
	*ret = h;
	return true;
}

int http_port(const struct http *h)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT);
	return info ? info->port : 0;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	h->closing = true;
	wake_viewers(h); // the library wants nothing suspended when it stops
	while (h->parked) {
		h->parked->x.answer.status = MHD_HTTP_SERVICE_UNAVAILABLE;
		unpark(h->parked);
	}
	pthread_mutex_unlock(&h->lock);
	if (h->daemon)
		MHD_stop_daemon(h->daemon);
	pthread_mutex_destroy(&h->lock);
	buf_release(&h->event);
	if (h->key)
		explicit_bzero(h->key, strlen(h->key));
	free(h->cert);
	free(h->key);
	free(h);
}
