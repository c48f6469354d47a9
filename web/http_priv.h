// SPDX-License-Identifier: Apache-2.0
// What the files of the HTTP side share, beneath web/http.h:
//
//     http.c          opening and closing, connections and their time limits
//     http_listen.c   the address, the certificate, the library's daemon
//     http_request.c  a request as plain structs, routed, parked and brought back
//     http_answer.c   an answer as the library's response, with the headers that every answer has
//     http_stream.c   the stream of events and its viewers
//
// One thread of libmicrohttpd polls all sockets. It never computes and never waits: what takes time is parked
// (suspended) and finished by another thread. `lock` guards what two threads see: the connections, the parked
// exchanges, the newest event, the viewers.
#ifndef NOWCAST_WEB_HTTP_PRIV_H
#define NOWCAST_WEB_HTTP_PRIV_H

#include <microhttpd.h>
#include <pthread.h>

#include "web/http.h"

// What a connection is doing, since when.
enum phase {
	RECEIVING,
	UPLOADING, // a large body that was admitted
	ANSWERING,
	STREAMING,
	PHASES
};

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
	uint64_t seen, beat; // numbers of the event and of the heartbeat last sent to it
	struct buf text;    // of the event being sent ...
	size_t sent;        // ... and how much of it is
	bool parked;
};

// An exchange with its private part; the public part comes first.
struct exchange {
	struct http_exchange x;
	struct http *http;
	struct MHD_Connection *mhd;
	struct buf body;
	size_t body_max, reserved; // bytes; reserved: of http.bodies_max
	size_t sending;            // bytes of its answer, if that is large
	bool routed, parked;
	struct exchange *next_parked, **where;
};

struct http {
	struct MHD_Daemon *daemon;
	http_route_fn *route;
	http_admit_fn *admit;
	void *user;
	size_t bodies_max, bodies;   // bytes of large bodies: at most, and reserved now. Of the http thread
	size_t sending;              // bytes of large answers that clients are taking. Of the http thread
	pthread_mutex_t lock;
	struct connection *connections;
	struct exchange *parked;
	struct viewer *viewers;
	int nviewers;
	struct buf event;            // the newest
	uint64_t nevent, nbeat;
	int64_t checked_ms;          // when connections were looked at last
	int64_t event_ms;            // when the last event or heartbeat was
	bool closing;
	char *cert, *key;
};

// The library's callbacks: a connection began or ended, a request came (in pieces), one is done with.
void http_on_connection(void *user, struct MHD_Connection *mhd, void **context,
                        enum MHD_ConnectionNotificationCode what);
enum MHD_Result http_on_request(void *user, struct MHD_Connection *mhd, const char *url, const char *method,
                                const char *version, const char *upload, size_t *upload_n, void **context);
void http_on_completed(void *user, struct MHD_Connection *mhd, void **context,
                       enum MHD_RequestTerminationCode why);
void *http_on_line(void *user, const char *line, struct MHD_Connection *mhd);
size_t http_unescape(void *user, struct MHD_Connection *mhd, char *text);

void http_set_phase(struct http *h, struct MHD_Connection *mhd, enum phase phase);

bool http_listen(struct http *h, const struct http_options *o, struct err *err) NC_CHECK;

enum MHD_Result http_send(struct exchange *e);        // its answer
enum MHD_Result http_send_stream(struct exchange *e); // from now on, it is a viewer
void http_add_headers(struct MHD_Response *r, const struct http_answer *a);

void http_unpark(struct exchange *e);       // under the lock
void http_wake_viewers(struct http *h);     // likewise

#endif
