// SPDX-License-Identifier: Apache-2.0
// The address, the certificate, and the limits: everything that a client may use up has one. An error in the
// configuration names its key.
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "web/http_priv.h"

enum {
	HEADERS_BYTES_MAX = 32 << 10, // request line and headers; the library answers 414 or 431 beyond
	DELIVERY_HEADERS_BYTES_MAX = 128 << 10, // common attributes of a Firehose stream: 50 of 1,280 characters
	SILENCE_S = 40,               // longer than the pause between two events
	FILE_BYTES_MAX = 1 << 20,
};

static bool read_pem(const char *path, const char *key, char **ret, struct err *err)
{
	FILE *f = fopen(path, "re");
	if (!f)
		return err_set(err, ERR_CONFIG, "%s = %s: cannot be opened: %s", key, path, strerror(errno));
	char *text = xcalloc(1, FILE_BYTES_MAX + 1);
	size_t n = fread(text, 1, FILE_BYTES_MAX, f);
	fclose(f);
	if (n == 0 || n == FILE_BYTES_MAX) {
		free(text);
		return err_set(err, ERR_CONFIG, "%s = %s: expected a PEM file, found %s", key, path,
		               n ? "more than 1MiB" : "nothing to read");
	}
	*ret = text;
	return true;
}

bool http_check_pem(const char *path, const char *key, struct err *err)
{
	char *text = NULL;
	bool good = !*path || read_pem(path, key, &text, err);
	free(text);
	return good;
}

// "host:port", "[v6]:port", ":port".
static bool resolve_address(const char *listen, struct addrinfo **ret, struct err *err)
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

static bool start_daemon(struct http *h, const struct http_options *o, struct addrinfo *at, struct err *err)
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
	h->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, http_on_request, h, MHD_OPTION_SOCK_ADDR, at->ai_addr,
		MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, h, MHD_OPTION_NOTIFY_CONNECTION, http_on_connection,
		h, MHD_OPTION_URI_LOG_CALLBACK, http_on_line, NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)(o->admit ? DELIVERY_HEADERS_BYTES_MAX : HEADERS_BYTES_MAX), MHD_OPTION_CONNECTION_LIMIT,
		// a proxy is one address
		(unsigned)o->connections_max, MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)(o->connections_max / 2),
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENCE_S, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_UNESCAPE_CALLBACK, http_unescape, NULL, MHD_OPTION_ARRAY, h->cert ? tls : none,
		MHD_OPTION_END);
	if (h->daemon)
		return true;
	if (h->cert && errno == 0)
		return err_set(err, ERR_CONFIG,
		               "listen.tls.cert, listen.tls.key: they are not a certificate and its key in PEM");
	return err_set(err, ERR_CONFIG, "listen = %s: cannot listen there: %s%s", o->listen,
	               errno ? strerror(errno) : "the HTTP library refuses",
	               errno == EADDRINUSE ? "; give another port, or end the program that has this one" : "");
}

bool http_listen(struct http *h, const struct http_options *o, struct err *err)
{
	struct addrinfo *at = NULL;
	bool good = resolve_address(o->listen, &at, err);
	if (good && *o->tls_cert)
		good = read_pem(o->tls_cert, "listen.tls.cert", &h->cert, err) &&
		       read_pem(o->tls_key, "listen.tls.key", &h->key, err);
	good = good && start_daemon(h, o, at, err);
	if (at)
		freeaddrinfo(at);
	return good;
}
