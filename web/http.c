// SPDX-License-Identifier: Apache-2.0
// The library's own timeout counts silence only, so a client that sends a byte now and then could stay for
// ever. So there is a list of connections with the time at which each began its present phase, and
// http_tick shuts down those that are overdue.
#include "web/http.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/when.h"
#include "web/http_priv.h"

enum {
	CHECK_MS = 2000,              // between looks at all connections
	KEEPALIVE_MS = 10000,         // between heartbeats; a viewer that is gone is noticed at the second
};

static const int64_t phase_ms[PHASES] = {
	[RECEIVING] = 20000,  // to send a request, and between two of one connection
	[UPLOADING] = 60000,  // with the next: below the 3 minutes that Firehose waits
	[ANSWERING] = 110000, // to compute and receive an answer
	[STREAMING] = INT64_MAX,
};

void http_on_connection(void *user, struct MHD_Connection *mhd, void **context,
                        enum MHD_ConnectionNotificationCode what)
{
	struct http *h = user;
	struct connection *c = *context;
	pthread_mutex_lock(&h->lock);
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *info =
			MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
		c = xcalloc(1, sizeof *c);
		*c = (struct connection){.next = h->connections,
		                         .where = &h->connections,
		                         .fd = info ? info->connect_fd : -1,
		                         .since_ms = when_ticks_ms()};
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

void http_set_phase(struct http *h, struct MHD_Connection *mhd, enum phase phase)
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

// Under the lock.
static void shut_down_overdue(struct http *h, int64_t now)
{
	for (struct connection *c = h->connections; c; c = c->next)
		if (c->fd >= 0 && now - c->since_ms > phase_ms[c->phase])
			shutdown(c->fd,
			         SHUT_RDWR); // the library sees the end and closes; until then the number stays ours
}

void http_tick(struct http *h)
{
	int64_t now = when_ticks_ms();
	pthread_mutex_lock(&h->lock);
	if (now - h->checked_ms >= CHECK_MS) {
		shut_down_overdue(h, now);
		h->checked_ms = now;
	}
	if (now - h->event_ms > KEEPALIVE_MS) {
		h->nbeat++;
		h->event_ms = now;
		http_wake_viewers(h);
	}
	pthread_mutex_unlock(&h->lock);
}

// ---- life ---------------------------------------------------------------------------------------

bool http_open(struct http **ret, const struct http_options *o, http_route_fn *route_fn, void *user,
               struct err *err)
{
	assert(o->connections_max > 0);
	struct http *h = xcalloc(1, sizeof *h);
	h->route = route_fn;
	h->admit = o->admit;
	h->bodies_max = o->bodies_max;
	h->user = user;
	h->event_ms = when_ticks_ms();
	pthread_mutex_init(&h->lock, NULL);
	if (!http_listen(h, o, err)) {
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
	http_wake_viewers(h); // nothing may be suspended when the library stops
	while (h->parked) {
		h->parked->x.answer.status = MHD_HTTP_SERVICE_UNAVAILABLE;
		http_unpark(h->parked);
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

void http_library(struct buf *out)
{
	buf_addf(out, "libmicrohttpd %s", MHD_get_version());
}
