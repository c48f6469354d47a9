// SPDX-License-Identifier: Apache-2.0
// An HTTP server: requests as plain structs, answers as buffers, and one stream of events to any number of
// viewers. Only the files of web/http_priv.h know libmicrohttpd.
//
//     socket -> [HTTP thread: parse, route] -> DONE: answered at once
//                                           -> LATER: parked until any thread calls http_finish
//                                           -> STREAM: gets what http_publish sends, until it leaves
//
// What a client may use is bounded: connections in all and from one address, bytes of headers, of a body, of
// all large bodies and of all large answers, the time to send a request, the time to receive an answer. A
// viewer that reads slowly gets the newest event, not every one.
#ifndef NOWCAST_WEB_HTTP_H
#define NOWCAST_WEB_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { HTTP_ARGS_MAX = 32, HTTP_PEER_SIZE = 48, HTTP_BODY_MAX = 64 << 10 };
enum { HTTP_SENDING_MAX = 128 << 20 }; // bytes of all large answers on their way; beyond that, 503

struct http_arg {
	struct str name, value; // percent-decoded
};

// Headers of a delivery by Amazon Data Firehose; STR_NONE if absent.
struct http_delivery {
	struct str key, request_id, stream_arn, version, encoding;
};

enum http_body {
	HTTP_BODY_WHOLE,
	HTTP_BODY_TOO_LARGE, // larger than was admitted; it was not kept
	HTTP_BODY_NO_ROOM,   // others use the memory now; likewise
};

struct http_request {
	struct str method, path; // the path percent-decoded, without the query
	struct http_arg args[HTTP_ARGS_MAX];
	int nargs;               // HTTP_ARGS_MAX + 1: there were more
	struct str body;
	enum http_body body_fault;
	struct str authorization, host, content_type, fetch_site, if_none_match; // headers; STR_NONE if absent
	struct http_delivery delivery; // of a POST
	bool gzip;               // the client accepts it
	char peer[HTTP_PEER_SIZE];
};

struct http_answer {
	int status;
	const char *type;        // "application/json"; static
	struct buf body;
	struct str fixed;        // instead of body: bytes that live as long as the program
	bool fixed_gzip;         // fixed is compressed
	const char *etag;        // static, or NULL; with one, the client may keep the answer and revalidate it
	int retry_s;             // Retry-After, or 0
	const char *allow;       // with 405
	bool challenge;          // with 401
};

struct http_exchange {
	struct http_request request;
	struct http_answer answer;
	struct arena arena;      // strings of the request
	struct str sender;       // who that is, if the caller knows; in `arena`
	struct http_exchange *next; // for the caller, while it is parked
};

enum http_route { HTTP_DONE, HTTP_LATER, HTTP_STREAM };

// Runs on the http thread and must not block.
typedef enum http_route http_route_fn(void *user, struct http_exchange *x);

// The largest body that is read of a request, by its headers; one of HTTP_BODY_MAX always is. Runs on the
// http thread as well.
typedef size_t http_admit_fn(void *user, const struct http_request *r);

struct http_options {
	const char *listen;      // "127.0.0.1:8321", "[::]:8321", ":8321" (all addresses), port 0: any free one
	const char *tls_cert, *tls_key; // files in PEM, or empty: no TLS
	int connections_max;
	http_admit_fn *admit;    // NULL: no large bodies
	size_t bodies_max;       // bytes of all large bodies at a time
};

struct http;

// Whether a file of `key` can be read, if there is one; not whether it is a certificate.
bool http_check_pem(const char *path, const char *key, struct err *err) NC_CHECK;

// ERR_CONFIG names the key and what is wrong with the address, the certificate or the key.
bool http_open(struct http **ret, const struct http_options *o, http_route_fn *route, void *user,
               struct err *err) NC_CHECK;

// Ends streams, and answers with 503 what is still parked. No http_finish after it.
void http_close(struct http *h);

int http_port(const struct http *h);

// Any thread may call these.
void http_finish(struct http_exchange *x);           // the answer of a parked exchange is ready
void http_publish(struct http *h, struct str event); // a whole one: "event: ...\ndata: ...\n\n"
int http_viewers(struct http *h);                    // of the stream, now
void http_tick(struct http *h); // each second or so: ends overdue connections, keeps quiet streams alive

// Appends the library and its version, as it is loaded: "libmicrohttpd 0.9.75".
void http_library(struct buf *out);

#endif
