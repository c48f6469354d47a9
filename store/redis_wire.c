// SPDX-License-Identifier: Apache-2.0
#include "store/redis_wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

// ---- URL ----------------------------------------------------------------------------------------

static char *decode_percent(struct str s)
{
	struct buf b = BUF_INIT;
	buf_add_url_decoded(&b, s, false);
	char *text = xstrdup(buf_str(&b));
	buf_release(&b);
	return text;
}

enum { PORT_MAX = 65535 };

static bool has_only_digits(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.len > 0 && s.len < 6;
}

static void parse_userinfo(struct wire *w, struct str info)
{
	struct str user = str_cut(&info, ':');
	if (info.p) {
		w->user = user.len ? decode_percent(user) : NULL;
		w->password = decode_percent(info);
	} else {
		w->password = decode_percent(user);
	}
}

// Up to the last @: a password may hold a / or an @ (base/text.h, url_secret). Returns what follows.
static struct str take_userinfo(struct wire *w, struct str s)
{
	size_t at = s.len;
	while (at > 0 && s.p[at - 1] != '@')
		at--;
	if (at > 0)
		parse_userinfo(w, (struct str){s.p, at - 1});
	return (struct str){s.p + at, s.len - at};
}

static bool is_port(struct str s)
{
	struct str rest = s;
	int64_t port = str_cut_count(&rest);
	return has_only_digits(s) && port > 0 && port <= PORT_MAX;
}

// HOST[:PORT], [::1]:6379. False: what is behind the host is no port.
static bool split_place(struct str place, struct str *ret_host, struct str *ret_port)
{
	if (place.len && place.p[0] == '[') {
		place.p++;
		place.len--;
		*ret_host = str_cut(&place, ']');
		*ret_port = place.len && place.p[0] == ':' ? (struct str){place.p + 1, place.len - 1} : STR_NONE;
	} else {
		*ret_host = str_cut(&place, ':');
		*ret_port = place;
	}
	return !ret_port->p || is_port(*ret_port);
}

static bool parse_authority(struct wire *w, struct str rest, struct err *err)
{
	rest = take_userinfo(w, rest);
	struct str authority = str_cut(&rest, '/'), host, port;
	bool good = split_place(authority, &host, &port);
	if (!host.len)
		host = STR("127.0.0.1");
	if (!good)
		return err_set(err, ERR_CONFIG,
		               "redis: expected a port from 1 to %d behind the host and a colon", PORT_MAX);
	if (rest.len && !has_only_digits(rest))
		return err_set(err, ERR_CONFIG, "redis: what is behind the / is no database number");
	w->host = xstrdup(host);
	w->port = xstrdup(port.len ? port : STR("6379"));
	w->db = rest.len ? xstrdup(rest) : NULL;
	return true;
}

// HOST[:PORT],HOST[:PORT]/MASTER[/DB]
static bool parse_sentinels(struct wire *w, struct str rest, struct err *err)
{
	rest = take_userinfo(w, rest);
	struct str places = str_cut(&rest, '/'), master = str_cut(&rest, '/'), host, port;
	bool good = true;
	while (places.len) {
		struct str place = str_cut(&places, ',');
		if (!place.len)
			continue;
		good &= split_place(place, &host, &port) && host.len;
		w->sentinels = xrealloc(w->sentinels, w->nsentinels + 1, sizeof *w->sentinels);
		w->sentinels[w->nsentinels++] = xstrdup(place);
	}
	if (!good || !w->nsentinels || !master.len || (rest.len && !has_only_digits(rest)))
		return err_set(err, ERR_CONFIG,
		               "redis: behind redis+sentinel:// expected [user:password@]host:port,host:port/MASTER[/db], "
		               "with the name that the sentinels have for the master");
	w->master = xstrdup(master);
	w->db = rest.len ? xstrdup(rest) : NULL;
	return true;
}

static bool parse_url(struct wire *w, struct str url, struct err *err)
{
	struct str rest = url;
	w->tls = str_starts(url, STR("rediss"));
	if (str_starts(url, STR("redis+sentinel://")) || str_starts(url, STR("rediss+sentinel://"))) {
		size_t head = w->tls ? 18 : 17;
		return parse_sentinels(w, (struct str){rest.p + head, rest.len - head}, err);
	}
	if (str_starts(url, STR("unix:"))) {
		rest.p += 5;
		rest.len -= 5;
		bool path_only = !str_starts(rest, STR("//")) || str_starts(rest, STR("///")); // it may hold an @
		if (!path_only)
			rest = take_userinfo(w, (struct str){rest.p + 2, rest.len - 2});
		while (rest.len > 1 && rest.p[0] == '/' && rest.p[1] == '/')
			rest.p++, rest.len--;
		struct str path = str_cut(&rest, '?');
		if (str_starts(rest, STR("db=")) && has_only_digits((struct str){rest.p + 3, rest.len - 3}))
			w->db = xstrdup((struct str){rest.p + 3, rest.len - 3});
		if (!path.len || path.len >= sizeof((struct sockaddr_un *)0)->sun_path)
			return err_set(err, ERR_CONFIG, "redis: unix: needs a path of at most 107 bytes");
		w->path = xstrdup(path);
		return true;
	}
	struct str shown = memchr(url.p, '@', url.len) ? STR_NONE : url; // it may hold a password
	if (!str_starts(url, STR("rediss://")) && !str_starts(url, STR("redis://")))
		return err_set(err, ERR_CONFIG,
		               "redis: expected redis://127.0.0.1:6379/0, rediss://..., redis+sentinel://... or unix:/path%s%.*s%s",
		               shown.len ? ", got \"" : "", STR_ARG(shown), shown.len ? "\"" : "");
	size_t scheme = w->tls ? 9 : 8;
	return parse_authority(w, (struct str){rest.p + scheme, rest.len - scheme}, err);
}

bool wire_init(struct wire *w, const char *url, const char *ca, struct err *err)
{
	*w = (struct wire){.fd = -1};
	if (!parse_url(w, str_of(url), err)) {
		wire_release(w);
		return false;
	}
	struct buf where = BUF_INIT;
	if (w->path)
		buf_addf(&where, "%s", w->path);
	else if (w->master)
		buf_addf(&where, "%s", w->master);
	else
		buf_addf(&where, "%s:%s", w->host, w->port);
	w->where = where.data;
	w->url_where = xstrdup(buf_str(&where));
	w->ca = ca && *ca ? xstrdup(str_of(ca)) : NULL;
	return true;
}

static char *copy_text(const char *z)
{
	return z ? xstrdup(str_of(z)) : NULL;
}

void wire_init_like(struct wire *w, const struct wire *like, struct str host, struct str port)
{
	struct buf where = BUF_INIT;
	buf_addf(&where, "%.*s:%.*s", STR_ARG(host), STR_ARG(port));
	*w = (struct wire){.fd = -1,
	                   .host = xstrdup(host),
	                   .port = xstrdup(port),
	                   .user = copy_text(like->user),
	                   .password = copy_text(like->password),
	                   .ca = copy_text(like->ca),
	                   .tls = like->tls,
	                   .url_where = xstrdup(buf_str(&where))};
	w->where = where.data;
}

static const char *wire_host(const struct wire *w)
{
	return w->at_host ? w->at_host : w->host;
}

void wire_point_back(struct wire *w)
{
	free(w->at_host);
	free(w->at_port);
	free(w->where);
	w->at_host = w->at_port = NULL;
	w->where = xstrdup(str_of(w->url_where));
}

void wire_point(struct wire *w, struct str host, struct str port)
{
	struct buf where = BUF_INIT;
	char *to_host = xstrdup(host.len ? host : str_of(wire_host(w))), *to_port = xstrdup(port);
	wire_point_back(w);
	free(w->where);
	w->at_host = to_host;
	w->at_port = to_port;
	buf_addf(&where, "%s:%s (%s)", to_host, to_port, w->url_where);
	w->where = where.data;
}

void wire_disconnect(struct wire *w)
{
	if (w->ssl)
		SSL_free(w->ssl);
	w->ssl = NULL;
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

void wire_release(struct wire *w)
{
	wire_disconnect(w);
	if (w->ssl_ctx)
		SSL_CTX_free(w->ssl_ctx);
	free(w->host);
	free(w->port);
	free(w->path);
	free(w->user);
	free(w->password);
	free(w->db);
	free(w->ca);
	free(w->where);
	free(w->url_where);
	free(w->at_host);
	free(w->at_port);
	free(w->master);
	for (size_t i = 0; i < w->nsentinels; i++)
		free(w->sentinels[i]);
	free(w->sentinels);
	*w = (struct wire){.fd = -1};
}

// ---- connecting ---------------------------------------------------------------------------------

void wire_limit(struct wire *w, int ms)
{
	struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000L};
	setsockopt(w->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(w->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

static bool connect_to(struct wire *w, const struct sockaddr *addr, socklen_t len, int family)
{
	w->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (w->fd < 0)
		return false;
	int rc = connect(w->fd, addr, len), fault = rc == 0 ? 0 : errno;
	if (fault == EINPROGRESS) {
		struct pollfd p = {.fd = w->fd, .events = POLLOUT};
		socklen_t flen = sizeof fault;
		if (poll(&p, 1, WIRE_HANDSHAKE_MS) != 1)
			fault = ETIMEDOUT;
		else
			getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &fault, &flen);
	}
	if (fault) {
		w->timed_out = fault == ETIMEDOUT;
		close(w->fd);
		w->fd = -1;
		errno = fault;
		return false;
	}
	// From here on plain blocking calls with a limit on how long they wait.
	int one = 1;
	fcntl(w->fd, F_SETFL, fcntl(w->fd, F_GETFL) & ~O_NONBLOCK);
	wire_limit(w, WIRE_HANDSHAKE_MS);
	if (family != AF_UNIX)
		setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return true;
}

static bool connect_socket(struct wire *w, struct err *err)
{
	if (w->path) {
		struct sockaddr_un un = {.sun_family = AF_UNIX};
		memcpy(un.sun_path, w->path, strlen(w->path) + 1);
		if (connect_to(w, (struct sockaddr *)&un, sizeof un, AF_UNIX))
			return true;
		return err_set(err, ERR_RETRY, "redis %s: %s", w->where, strerror(errno));
	}
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
	int rc = getaddrinfo(wire_host(w), w->at_port ? w->at_port : w->port, &hints, &list);
	if (rc != 0)
		return err_set(err, ERR_RETRY, "redis %s: %s", w->where, gai_strerror(rc));
	for (struct addrinfo *a = list; a && w->fd < 0; a = a->ai_next)
		connect_to(w, a->ai_addr, a->ai_addrlen, a->ai_family);
	int fault = errno;
	freeaddrinfo(list);
	if (w->fd < 0)
		return err_set(err, ERR_RETRY, "redis %s: %s%s", w->where, strerror(fault),
		               fault == ECONNREFUSED ? "; is it running? --redis URL, or the key redis, names another (of a Redis Cluster any node)" : "");
	return true;
}

static bool fail_tls(struct wire *w, const char *what, struct err *err)
{
	char text[160] = "";
	unsigned long code = ERR_get_error();
	long verify = w->ssl ? SSL_get_verify_result(w->ssl) : X509_V_OK;
	if (verify != X509_V_OK)
		snprintf(text, sizeof text, "%s", X509_verify_cert_error_string(verify));
	else if (code)
		ERR_error_string_n(code, text, sizeof text);
	ERR_clear_error();
	return err_set(err, ERR_RETRY, "redis %s: TLS: %s%s%s", w->where, what, *text ? ": " : "", text);
}

// Whether what has just returned `got` failed since the limit of wire_limit is over.
static bool is_limit_over(const struct wire *w, ssize_t got)
{
	if (!w->ssl)
		return errno == EAGAIN || errno == EWOULDBLOCK;
	int why = SSL_get_error(w->ssl, (int)got);
	return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
}

static bool start_tls(struct wire *w, struct err *err)
{
	if (!w->ssl_ctx) {
		w->ssl_ctx = SSL_CTX_new(TLS_client_method());
		if (!w->ssl_ctx)
			return fail_tls(w, "cannot start", err);
		SSL_CTX_set_min_proto_version(w->ssl_ctx, TLS1_2_VERSION);
		SSL_CTX_set_verify(w->ssl_ctx, SSL_VERIFY_PEER, NULL);
		int good = w->ca ? SSL_CTX_load_verify_locations(w->ssl_ctx, w->ca, NULL)
		                 : SSL_CTX_set_default_verify_paths(w->ssl_ctx);
		if (good != 1) {
			SSL_CTX_free(w->ssl_ctx);
			w->ssl_ctx = NULL;
			ERR_clear_error();
			return err_set(err, ERR_CONFIG, "redis.ca: cannot read CA certificates from %s",
			               w->ca ? w->ca : "the system's store");
		}
	}
	w->ssl = SSL_new(w->ssl_ctx);
	if (!w->ssl || SSL_set_fd(w->ssl, w->fd) != 1)
		return fail_tls(w, "cannot start", err);
	unsigned char literal[16];
	const char *host = wire_host(w);
	if (inet_pton(AF_INET, host, literal) == 1 || inet_pton(AF_INET6, host, literal) == 1) {
		X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(w->ssl), host);
	} else {
		SSL_set_tlsext_host_name(w->ssl, host);
		SSL_set1_host(w->ssl, host);
	}
	int done = SSL_connect(w->ssl);
	w->timed_out = done != 1 && is_limit_over(w, done);
	if (w->timed_out)
		return fail_tls(w, "no answer: timed out", err);
	if (done != 1)
		return fail_tls(w, "handshake failed", err);
	return true;
}

bool wire_connect(struct wire *w, struct err *err)
{
	w->timed_out = false;
	return connect_socket(w, err) && (!w->tls || start_tls(w, err));
}

// ---- bytes --------------------------------------------------------------------------------------

bool wire_send(struct wire *w, const char *p, size_t n, struct err *err)
{
	while (n > 0) {
		size_t chunk = n > (1 << 20) ? 1 << 20 : n;
		ssize_t sent = w->ssl ? SSL_write(w->ssl, p, (int)chunk) : send(w->fd, p, chunk, MSG_NOSIGNAL);
		if (sent <= 0) {
			if (!w->ssl && sent < 0 && errno == EINTR)
				continue;
			w->timed_out = is_limit_over(w, sent);
			return w->ssl ? fail_tls(w, "cannot send", err)
			              : err_set(err, ERR_RETRY, "redis %s: cannot send: %s", w->where, strerror(errno));
		}
		p += sent;
		n -= (size_t)sent;
	}
	return true;
}

bool wire_read(struct wire *w, char *buf, size_t size, size_t *ret_got, struct err *err)
{
	for (;;) {
		ssize_t got = w->ssl ? SSL_read(w->ssl, buf, (int)size) : recv(w->fd, buf, size, 0);
		if (got > 0) {
			*ret_got = (size_t)got;
			return true;
		}
		if (got < 0 && !w->ssl && errno == EINTR)
			continue;
		w->timed_out = got < 0 && is_limit_over(w, got);
		if (w->timed_out || (got < 0 && !w->ssl))
			return err_set(err, ERR_RETRY, "redis %s: no answer: %s", w->where,
			               w->timed_out ? "timed out" : strerror(errno));
		return err_set(err, ERR_RETRY, "redis %s: connection closed", w->where);
	}
}
