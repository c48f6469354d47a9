// SPDX-License-Identifier: Apache-2.0
// A request comes in pieces (headers, body, end) and is routed once it is whole. One that is answered later
// is parked: the library does not poll its socket until http_finish resumes it.
#include <arpa/inet.h>
#include <assert.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/when.h"
#include "web/http_priv.h"

static enum MHD_Result add_arg(void *user, enum MHD_ValueKind kind, const char *name, size_t name_n,
                               const char *value, size_t value_n)
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

static struct str copy_header(struct exchange *e, const char *name)
{
	const char *value = MHD_lookup_connection_value(e->mhd, MHD_HEADER_KIND, name);
	return value ? arena_str(&e->x.arena, str_of(value)) : STR_NONE;
}

static void name_peer(struct exchange *e)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(e->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	snprintf(e->x.request.peer, sizeof e->x.request.peer, "?");
	if (info && info->client_addr)
		getnameinfo(info->client_addr,
		            info->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
		                                                     : sizeof(struct sockaddr_in),
		            e->x.request.peer, sizeof e->x.request.peer, NULL, 0, NI_NUMERICHOST);
}

static void copy_delivery(struct exchange *e)
{
	e->x.request.delivery = (struct http_delivery){
		.key = copy_header(e, "X-Amz-Firehose-Access-Key"),
		.request_id = copy_header(e, "X-Amz-Firehose-Request-Id"),
		.stream_arn = copy_header(e, "X-Amz-Firehose-Source-Arn"),
		.version = copy_header(e, "X-Amz-Firehose-Protocol-Version"),
		.encoding = copy_header(e, MHD_HTTP_HEADER_CONTENT_ENCODING),
	};
}

// Room for all of a large body is reserved at its start: a body whose end finds none would have come in vain.
static void reserve_body(struct exchange *e)
{
	struct http *h = e->http;
	const char *length = MHD_lookup_connection_value(e->mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	unsigned long long n = length ? strtoull(length, NULL, 10) : e->body_max;
	if (n > e->body_max) {
		e->x.request.body_fault = HTTP_BODY_TOO_LARGE;
	} else if (n > h->bodies_max - h->bodies) {
		e->x.request.body_fault = HTTP_BODY_NO_ROOM;
	} else {
		e->reserved = (size_t)n;
		h->bodies += e->reserved;
		if (length)
			buf_reserve(&e->body, e->reserved);
	}
	http_set_phase(h, e->mhd, UPLOADING);
}

static struct exchange *begin_exchange(struct http *h, struct MHD_Connection *mhd, const char *url,
                                       const char *method)
{
	struct exchange *e = xcalloc(1, sizeof *e);
	struct http_request *r = &e->x.request;
	e->http = h;
	e->mhd = mhd;
	r->method = arena_str(&e->x.arena, str_of(method));
	r->path = arena_str(&e->x.arena, str_of(url));
	MHD_get_connection_values_n(mhd, MHD_GET_ARGUMENT_KIND, add_arg, &e->x);
	r->authorization = copy_header(e, MHD_HTTP_HEADER_AUTHORIZATION);
	r->host = copy_header(e, MHD_HTTP_HEADER_HOST);
	r->content_type = copy_header(e, MHD_HTTP_HEADER_CONTENT_TYPE);
	r->fetch_site = copy_header(e, "Sec-Fetch-Site");
	r->if_none_match = copy_header(e, MHD_HTTP_HEADER_IF_NONE_MATCH);
	const char *encodings =
		MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_ENCODING);
	r->gzip = encodings && strstr(encodings, "gzip");
	name_peer(e);
	e->body_max = HTTP_BODY_MAX;
	if (h->admit && str_is(r->method, "POST")) {
		copy_delivery(e);
		size_t admitted = h->admit(h->user, r);
		if (admitted > e->body_max) {
			e->body_max = admitted;
			reserve_body(e);
		}
	}
	return e;
}

void http_on_completed(void *user, struct MHD_Connection *mhd, void **context,
                       enum MHD_RequestTerminationCode why)
{
	struct exchange *e = *context;
	(void)why;
	if (!e)
		return;
	http_set_phase(user, mhd, RECEIVING);
	assert(e->http->bodies >= e->reserved);
	e->http->bodies -= e->reserved;
	assert(e->http->sending >= e->sending);
	e->http->sending -= e->sending;
	buf_release(&e->x.answer.body);
	buf_release(&e->body);
	arena_release(&e->x.arena);
	free(e);
	*context = NULL;
}

static void park_exchange(struct exchange *e)
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
void http_unpark(struct exchange *e)
{
	assert(e->parked);
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
	http_unpark(e);
	pthread_mutex_unlock(&h->lock);
}

static enum MHD_Result route_exchange(struct exchange *e)
{
	struct http *h = e->http;
	assert(!e->routed);
	e->routed = true;
	e->x.request.body = buf_str(&e->body);
	// Under the lock, so that no thread finishes an exchange before it is parked.
	pthread_mutex_lock(&h->lock);
	enum http_route how = h->route(h->user, &e->x);
	if (how == HTTP_LATER)
		park_exchange(e);
	pthread_mutex_unlock(&h->lock);
	return how == HTTP_LATER ? MHD_YES : how == HTTP_STREAM ? http_send_stream(e) : http_send(e);
}

// The library allocates each parameter of a query before it calls anybody, and closes the connection when
// its memory runs out. It shows the request line first, which lies in its own buffer: a query of too many
// parameters is cut there behind one more than are allowed.
void *http_on_line(void *user, const char *line, struct MHD_Connection *mhd)
{
	int params = 0;
	(void)user;
	(void)mhd;
	for (char *p = (char *)line; *p; p++)
		if (*p == '&' && ++params > HTTP_ARGS_MAX) {
			*p = '\0';
			break;
		}
	return NULL;
}

// A NUL would end a path early where it is read as a C string. Text with one stays escaped, and no path is
// equal to it.
size_t http_unescape(void *user, struct MHD_Connection *mhd, char *text)
{
	(void)user;
	(void)mhd;
	return strstr(text, "%00") ? strlen(text) : MHD_http_unescape(text);
}

// Called for the headers, for each piece of a body, at its end, and again after an exchange was parked.
enum MHD_Result http_on_request(void *user, struct MHD_Connection *mhd, const char *url, const char *method,
                                const char *version, const char *upload, size_t *upload_n, void **context)
{
	struct exchange *e = *context;
	(void)version;
	if (!e) {
		*context = begin_exchange(user, mhd, url, method);
		return MHD_YES;
	}
	if (*upload_n) {
		if (e->body.len + *upload_n > e->body_max)
			e->x.request.body_fault = HTTP_BODY_TOO_LARGE;
		if (e->x.request.body_fault == HTTP_BODY_WHOLE)
			buf_add(&e->body, upload, *upload_n);
		*upload_n = 0;
		return MHD_YES;
	}
	if (e->routed)
		return http_send(e);
	http_set_phase(user, mhd, ANSWERING);
	return route_exchange(e);
}
