// SPDX-License-Identifier: Apache-2.0
// A viewer is a connection whose answer never ends. It is suspended while there is nothing to send, and
// resumed for an event or for a heartbeat: a comment that keeps proxies from closing the connection. One
// that reads slowly skips to the newest event.
#include <assert.h>
#include <stdlib.h>

#include "base/when.h"
#include "web/http_priv.h"

// Called by the library whenever the socket takes more.
static ssize_t read_stream(void *user, uint64_t at, char *out, size_t max)
{
	struct viewer *v = user;
	struct http *h = v->http;
	ssize_t n = 0;
	(void)at;
	pthread_mutex_lock(&h->lock);
	assert(v->sent <= v->text.len);
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

static void free_viewer(void *user)
{
	struct viewer *v = user;
	pthread_mutex_lock(&v->http->lock);
	*v->where = v->next;
	if (v->next)
		v->next->where = v->where;
	v->http->nviewers--;
	assert(v->http->nviewers >= 0);
	pthread_mutex_unlock(&v->http->lock);
	buf_release(&v->text);
	free(v);
}

static struct MHD_Response *new_viewer(struct http *h, struct MHD_Connection *mhd)
{
	struct viewer *v = xcalloc(1, sizeof *v);
	*v = (struct viewer){.http = h, .mhd = mhd};
	pthread_mutex_lock(&h->lock);
	v->beat = h->nbeat; // but seen is 0: a new viewer gets the newest event at once
	v->next = h->viewers;
	v->where = &h->viewers;
	if (v->next)
		v->next->where = &v->next;
	h->viewers = v;
	h->nviewers++;
	pthread_mutex_unlock(&h->lock);
	return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, read_stream, v, free_viewer);
}

// Under the lock.
void http_wake_viewers(struct http *h)
{
	for (struct viewer *v = h->viewers; v; v = v->next) {
		if (!v->parked)
			continue;
		v->parked = false;
		MHD_resume_connection(v->mhd);
	}
}

enum MHD_Result http_send_stream(struct exchange *e)
{
	struct MHD_Response *r = new_viewer(e->http, e->mhd);
	if (!r)
		return MHD_NO;
	e->x.answer.type = "text/event-stream";
	http_set_phase(e->http, e->mhd, STREAMING);
	http_add_headers(r, &e->x.answer);
	MHD_add_response_header(r, "X-Accel-Buffering", "no"); // proxies would hold events back
	enum MHD_Result sent = MHD_queue_response(e->mhd, MHD_HTTP_OK, r);
	MHD_destroy_response(r);
	return sent;
}

void http_publish(struct http *h, struct str event)
{
	assert(str_ends(event, STR("\n\n")));
	pthread_mutex_lock(&h->lock);
	buf_clear(&h->event);
	buf_addstr(&h->event, event);
	h->nevent++;
	h->event_ms = when_ticks_ms();
	http_wake_viewers(h);
	pthread_mutex_unlock(&h->lock);
}

int http_viewers(struct http *h)
{
	pthread_mutex_lock(&h->lock);
	int n = h->nviewers;
	pthread_mutex_unlock(&h->lock);
	return n;
}
