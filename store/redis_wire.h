// SPDX-License-Identifier: Apache-2.0
// The transport to Redis: a URL, and a connection over TCP or a unix socket, with TLS or without. For
// redis.c and redis_sentinel.c only, which speak the protocol.
#ifndef NOWCAST_STORE_REDIS_WIRE_H
#define NOWCAST_STORE_REDIS_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct ssl_st;
struct ssl_ctx_st;

struct wire {
	char *host, *port, *path;   // path: of a unix socket, instead of host and port
	char *at_host, *at_port;    // where it goes instead (wire_point); NULL: to host and port
	char *user, *password, *db; // NULL where the URL has none
	char *ca;                   // file of CA certificates; NULL: the system's
	char *url_where, *where;    // "host:port" or the path, for messages: never holds a password
	char *master;               // its name at the sentinels; NULL: there are none, and host is the URL's
	char **sentinels;           // "host" or "host:port"
	size_t nsentinels, sentinel; // the one that answered last
	bool tls;
	bool timed_out;             // why the last of connect, send and read failed: the limit was over
	int fd;                     // -1: not connected
	struct ssl_ctx_st *ssl_ctx;
	struct ssl_st *ssl;
};

// Parses the URL (redis_open in redis.h lists the forms). ERR_CONFIG says what is wrong with it.
bool wire_init(struct wire *w, const char *url, const char *ca, struct err *err) NC_CHECK;
void wire_release(struct wire *w);

// To another host and port, with the login and the certificates of `like`.
void wire_init_like(struct wire *w, const struct wire *like, struct str host, struct str port);

// Where the next wire_connect goes: elsewhere, or (wire_point_back) where the URL says. An empty host: the
// one that it is at.
void wire_point(struct wire *w, struct str host, struct str port);
void wire_point_back(struct wire *w);

// ERR_RETRY: no answer, or the TLS handshake failed; ERR_CONFIG: the CA certificates cannot be read. Until
// wire_limit, it waits for the other side WIRE_HANDSHAKE_MS at most.
enum { WIRE_HANDSHAKE_MS = 5000 };
bool wire_connect(struct wire *w, struct err *err) NC_CHECK;
void wire_disconnect(struct wire *w);

// How long the other side may be silent from now on.
void wire_limit(struct wire *w, int ms);

// All of it, or ERR_RETRY.
bool wire_send(struct wire *w, const char *p, size_t n, struct err *err) NC_CHECK;

// Waits for at least one byte. ERR_RETRY: closed, or silent for too long.
bool wire_read(struct wire *w, char *buf, size_t size, size_t *ret_got, struct err *err) NC_CHECK;

#endif
