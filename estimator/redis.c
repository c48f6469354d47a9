// SPDX-License-Identifier: Apache-2.0
// Commands are written into one buffer in the protocol's own form (arrays of bulk strings), sent in one go, and the
// replies are fed to hiredis' reader. Redis buffers what it answers, so writing all before reading any cannot deadlock.
#include "estimator/redis.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"

enum { CONNECT_TIMEOUT_MS = 5000, REPLY_TIMEOUT_S = 60, SCRIPTS_MAX = 8, SHA_LEN = 40 };

struct redis {
	char *host, *port, *path, *user, *password, *db; // path: of a unix socket, instead of host and port
	char *ca;
	char *where;
	bool tls;
	int fd; // -1: not connected
	SSL_CTX *ssl_ctx;
	SSL *ssl;
	redisReader *reader;
	struct buf out;
	size_t commands; // in `out`
	redisReply **replies;
	size_t nreplies, capreplies;
	struct str scripts[SCRIPTS_MAX];
	char sha[SCRIPTS_MAX][SHA_LEN + 1];
	int nscripts;
	uint64_t round_trips;
};

// ---- URL -----------------------------------------------------------------------------------------------------------

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static char *percent_decoded(struct str s)
{
	char *z = xstrdup(s), *w = z;
	for (const char *p = z; *p; p++) {
		if (p[0] == '%' && p[1] && hex_digit(p[1]) >= 0 && hex_digit(p[2]) >= 0) {
			*w++ = (char)(hex_digit(p[1]) * 16 + hex_digit(p[2]));
			p += 2;
		} else {
			*w++ = *p;
		}
	}
	*w = '\0';
	return z;
}

static bool all_digits(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.len > 0 && s.len < 6;
}

static void parse_userinfo(struct redis *r, struct str info)
{
	struct str user = str_cut(&info, ':');
	if (info.p) {
		r->user = user.len ? percent_decoded(user) : NULL;
		r->password = percent_decoded(info);
	} else {
		r->password = percent_decoded(user);
	}
}

static bool parse_authority(struct redis *r, struct str rest, struct err *err)
{
	struct str authority = str_cut(&rest, '/');
	size_t at = authority.len;
	while (at > 0 && authority.p[at - 1] != '@')
		at--;
	if (at > 0) {
		parse_userinfo(r, (struct str){authority.p, at - 1});
		authority.p += at;
		authority.len -= at;
	}
	struct str host, port;
	if (authority.len && authority.p[0] == '[') { // [::1]:6379
		authority.p++;
		authority.len--;
		host = str_cut(&authority, ']');
		port = authority.len && authority.p[0] == ':' ? (struct str){authority.p + 1, authority.len - 1} : STR_NONE;
	} else {
		host = str_cut(&authority, ':');
		port = authority;
	}
	if (!host.len)
		host = STR("127.0.0.1");
	if (port.p && !all_digits(port))
		return err_set(err, ERR_CONFIG, "redis: \"%.*s\" is no port number", STR_ARG(port));
	if (rest.len && !all_digits(rest))
		return err_set(err, ERR_CONFIG, "redis: \"%.*s\" is no database number", STR_ARG(rest));
	r->host = xstrdup(host);
	r->port = xstrdup(port.len ? port : STR("6379"));
	r->db = rest.len ? xstrdup(rest) : NULL;
	return true;
}

static bool parse_url(struct redis *r, struct str url, struct err *err)
{
	struct str rest = url;
	if (str_starts(url, STR("unix:"))) {
		rest.p += 5;
		rest.len -= 5;
		while (rest.len > 1 && rest.p[0] == '/' && rest.p[1] == '/')
			rest.p++, rest.len--;
		struct str path = str_cut(&rest, '?');
		if (str_starts(rest, STR("db=")) && all_digits((struct str){rest.p + 3, rest.len - 3}))
			r->db = xstrdup((struct str){rest.p + 3, rest.len - 3});
		if (!path.len || path.len >= sizeof ((struct sockaddr_un *)0)->sun_path)
			return err_set(err, ERR_CONFIG, "redis: unix: needs a path of at most 107 bytes");
		r->path = xstrdup(path);
		return true;
	}
	r->tls = str_starts(url, STR("rediss://"));
	if (!r->tls && !str_starts(url, STR("redis://")))
		return err_set(err, ERR_CONFIG, "redis: expected redis://host:port/db, rediss://... or unix:/path");
	size_t scheme = r->tls ? 9 : 8;
	return parse_authority(r, (struct str){rest.p + scheme, rest.len - scheme}, err);
}

bool redis_open(struct redis **ret, const char *url, const char *ca, struct err *err)
{
	struct redis *r = xcalloc(1, sizeof *r);
	r->fd = -1;
	if (!parse_url(r, str_of(url), err)) {
		redis_close(r);
		return false;
	}
	struct buf where = BUF_INIT;
	if (r->path)
		buf_addf(&where, "%s", r->path);
	else
		buf_addf(&where, "%s:%s", r->host, r->port);
	r->where = where.data;
	r->ca = ca && *ca ? xstrdup(str_of(ca)) : NULL;
	*ret = r;
	return true;
}

// ---- transport -----------------------------------------------------------------------------------------------------

static void drop_replies(struct redis *r)
{
	for (size_t i = 0; i < r->nreplies; i++)
		freeReplyObject(r->replies[i]);
	r->nreplies = 0;
}

static void disconnect(struct redis *r)
{
	if (r->ssl)
		SSL_free(r->ssl);
	r->ssl = NULL;
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	if (r->reader)
		redisReaderFree(r->reader);
	r->reader = NULL;
}

void redis_close(struct redis *r)
{
	if (!r)
		return;
	drop_replies(r);
	disconnect(r);
	if (r->ssl_ctx)
		SSL_CTX_free(r->ssl_ctx);
	free(r->replies);
	buf_release(&r->out);
	free(r->host);
	free(r->port);
	free(r->path);
	free(r->user);
	free(r->password);
	free(r->db);
	free(r->ca);
	free(r->where);
	free(r);
}

static bool connect_to(struct redis *r, const struct sockaddr *addr, socklen_t len, int family)
{
	r->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (r->fd < 0)
		return false;
	int rc = connect(r->fd, addr, len), fault = rc == 0 ? 0 : errno;
	if (fault == EINPROGRESS) {
		struct pollfd p = {.fd = r->fd, .events = POLLOUT};
		socklen_t flen = sizeof fault;
		if (poll(&p, 1, CONNECT_TIMEOUT_MS) != 1)
			fault = ETIMEDOUT;
		else
			getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &fault, &flen);
	}
	if (fault) {
		close(r->fd);
		r->fd = -1;
		errno = fault;
		return false;
	}
	// From here on plain blocking calls with a limit on how long they wait.
	struct timeval limit = {.tv_sec = REPLY_TIMEOUT_S};
	int one = 1;
	fcntl(r->fd, F_SETFL, fcntl(r->fd, F_GETFL) & ~O_NONBLOCK);
	setsockopt(r->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(r->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	if (family != AF_UNIX)
		setsockopt(r->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return true;
}

static bool connect_socket(struct redis *r, struct err *err)
{
	if (r->path) {
		struct sockaddr_un un = {.sun_family = AF_UNIX};
		memcpy(un.sun_path, r->path, strlen(r->path) + 1);
		if (connect_to(r, (struct sockaddr *)&un, sizeof un, AF_UNIX))
			return true;
		return err_set(err, ERR_RETRY, "redis %s: %s", r->where, strerror(errno));
	}
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
	int rc = getaddrinfo(r->host, r->port, &hints, &list);
	if (rc != 0)
		return err_set(err, ERR_RETRY, "redis %s: %s", r->where, gai_strerror(rc));
	for (struct addrinfo *a = list; a && r->fd < 0; a = a->ai_next)
		connect_to(r, a->ai_addr, a->ai_addrlen, a->ai_family);
	int fault = errno;
	freeaddrinfo(list);
	if (r->fd < 0)
		return err_set(err, ERR_RETRY, "redis %s: %s", r->where, strerror(fault));
	return true;
}

static bool tls_fault(struct redis *r, const char *what, struct err *err)
{
	char text[160] = "";
	unsigned long code = ERR_get_error();
	long verify = r->ssl ? SSL_get_verify_result(r->ssl) : X509_V_OK;
	if (verify != X509_V_OK)
		snprintf(text, sizeof text, "%s", X509_verify_cert_error_string(verify));
	else if (code)
		ERR_error_string_n(code, text, sizeof text);
	ERR_clear_error();
	return err_set(err, ERR_RETRY, "redis %s: TLS: %s%s%s", r->where, what, *text ? ": " : "", text);
}

static bool start_tls(struct redis *r, struct err *err)
{
	if (!r->ssl_ctx) {
		r->ssl_ctx = SSL_CTX_new(TLS_client_method());
		if (!r->ssl_ctx)
			return tls_fault(r, "cannot start", err);
		SSL_CTX_set_min_proto_version(r->ssl_ctx, TLS1_2_VERSION);
		SSL_CTX_set_verify(r->ssl_ctx, SSL_VERIFY_PEER, NULL);
		int good = r->ca ? SSL_CTX_load_verify_locations(r->ssl_ctx, r->ca, NULL) : SSL_CTX_set_default_verify_paths(r->ssl_ctx);
		if (good != 1) {
			SSL_CTX_free(r->ssl_ctx);
			r->ssl_ctx = NULL;
			ERR_clear_error();
			return err_set(err, ERR_CONFIG, "redis.ca: cannot read CA certificates from %s", r->ca ? r->ca : "the system's store");
		}
	}
	r->ssl = SSL_new(r->ssl_ctx);
	if (!r->ssl || SSL_set_fd(r->ssl, r->fd) != 1)
		return tls_fault(r, "cannot start", err);
	unsigned char literal[16];
	if (inet_pton(AF_INET, r->host, literal) == 1 || inet_pton(AF_INET6, r->host, literal) == 1) {
		X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(r->ssl), r->host);
	} else {
		SSL_set_tlsext_host_name(r->ssl, r->host);
		SSL_set1_host(r->ssl, r->host);
	}
	if (SSL_connect(r->ssl) != 1)
		return tls_fault(r, "handshake failed", err);
	return true;
}

static bool send_all(struct redis *r, const char *p, size_t n, struct err *err)
{
	while (n > 0) {
		size_t chunk = n > (1 << 20) ? 1 << 20 : n;
		ssize_t sent = r->ssl ? SSL_write(r->ssl, p, (int)chunk) : send(r->fd, p, chunk, MSG_NOSIGNAL);
		if (sent <= 0) {
			if (!r->ssl && sent < 0 && errno == EINTR)
				continue;
			return r->ssl ? tls_fault(r, "cannot send", err)
			              : err_set(err, ERR_RETRY, "redis %s: cannot send: %s", r->where, strerror(errno));
		}
		p += sent;
		n -= (size_t)sent;
	}
	return true;
}

static bool read_more(struct redis *r, struct err *err)
{
	char chunk[64 * 1024];
	for (;;) {
		ssize_t got = r->ssl ? SSL_read(r->ssl, chunk, sizeof chunk) : recv(r->fd, chunk, sizeof chunk, 0);
		if (got > 0) {
			if (redisReaderFeed(r->reader, chunk, (size_t)got) != REDIS_OK)
				return err_set(err, ERR_RETRY, "redis %s: %s", r->where, r->reader->errstr);
			return true;
		}
		if (got < 0 && !r->ssl && errno == EINTR)
			continue;
		if (got < 0 && !r->ssl)
			return err_set(err, ERR_RETRY, "redis %s: no answer: %s", r->where,
			               errno == EAGAIN || errno == EWOULDBLOCK ? "timed out" : strerror(errno));
		return err_set(err, ERR_RETRY, "redis %s: connection closed", r->where);
	}
}

static bool read_reply(struct redis *r, redisReply **ret, struct err *err)
{
	for (;;) {
		void *reply = NULL;
		if (redisReaderGetReply(r->reader, &reply) != REDIS_OK)
			return err_set(err, ERR_RETRY, "redis %s: not the Redis protocol: %s", r->where, r->reader->errstr);
		if (reply) {
			*ret = reply;
			return true;
		}
		if (!read_more(r, err))
			return false;
	}
}

static bool refused(struct redis *r, struct str said, struct err *err)
{
	static const struct {
		struct str prefix;
		enum err_kind kind;
		const char *hint;
	} known[] = {
		{STR("LOADING"), ERR_RETRY, ""},
		{STR("BUSY"), ERR_RETRY, ""},
		{STR("TRYAGAIN"), ERR_RETRY, ""},
		{STR("CLUSTERDOWN"), ERR_RETRY, ""},
		{STR("MASTERDOWN"), ERR_RETRY, ""},
		{STR("READONLY"), ERR_RETRY, " (is this a replica?)"},
		{STR("NOREPLICAS"), ERR_RETRY, ""},
		{STR("MISCONF"), ERR_RETRY, ""},
		{STR("NOSCRIPT"), ERR_RETRY, ""},
		{STR("OOM"), ERR_RETRY, " (raise maxmemory, or shorten window and retention; nothing is lost meanwhile)"},
		{STR("NOAUTH"), ERR_CONFIG, " (put user and password into the redis URL)"},
		{STR("WRONGPASS"), ERR_CONFIG, " (check user and password in the redis URL)"},
		{STR("NOPERM"), ERR_CONFIG, " (the ACL user needs: ~nowcast:* +@read +@write +@scripting +@connection +info +time)"},
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (str_starts(said, known[i].prefix))
			return err_set(err, known[i].kind, "redis %s: %.*s%s", r->where, STR_ARG(said), known[i].hint);
	return err_set(err, ERR_FATAL, "redis %s: %.*s", r->where, STR_ARG(said));
}

static struct str reply_str(const redisReply *p)
{
	return p->str ? (struct str){p->str, (size_t)p->len} : STR_NONE;
}

// Sends what stands in `out` and hands every reply to r->replies.
static bool round_trip(struct redis *r, struct err *err)
{
	drop_replies(r);
	r->round_trips++;
	if (!send_all(r, r->out.data, r->out.len, err))
		return false;
	if (r->capreplies < r->commands) {
		r->capreplies = r->commands;
		r->replies = xrealloc(r->replies, r->capreplies, sizeof *r->replies);
	}
	for (size_t i = 0; i < r->commands; i++) {
		if (!read_reply(r, &r->replies[i], err))
			return false;
		r->nreplies++;
	}
	for (size_t i = 0; i < r->nreplies; i++)
		if (r->replies[i]->type == REDIS_REPLY_ERROR)
			return refused(r, reply_str(r->replies[i]), err);
	return true;
}

static void clear_pipeline(struct redis *r)
{
	buf_clear(&r->out);
	r->commands = 0;
}

// Connects, says who we are, and loads the scripts.
static bool greet(struct redis *r, struct err *err)
{
	clear_pipeline(r);
	if (r->password && r->user)
		redis_cmdz(r, "AUTH", r->user, r->password, NULL);
	else if (r->password)
		redis_cmdz(r, "AUTH", r->password, NULL);
	if (r->db)
		redis_cmdz(r, "SELECT", r->db, NULL);
	size_t first = r->commands;
	for (int i = 0; i < r->nscripts; i++)
		redis_cmd(r, 3, (struct str[]){STR("SCRIPT"), STR("LOAD"), r->scripts[i]});
	if (r->commands == 0)
		return true;
	bool good = round_trip(r, err);
	for (int i = 0; good && i < r->nscripts; i++)
		if (!str_is(redis_str(r, first + (size_t)i), r->sha[i]))
			good = err_set(err, ERR_FATAL, "redis %s: loaded a script under another name than it has", r->where);
	return good;
}

static bool connect_now(struct redis *r, struct err *err)
{
	r->reader = redisReaderCreate();
	if (!r->reader)
		return err_set(err, ERR_FATAL, "redis: out of memory");
	r->reader->maxbuf = 0; // keep its buffer between replies
	struct buf pipeline = r->out;
	size_t commands = r->commands;
	r->out = (struct buf)BUF_INIT;
	bool good = connect_socket(r, err) && (!r->tls || start_tls(r, err)) && greet(r, err);
	buf_release(&r->out);
	r->out = pipeline;
	r->commands = commands;
	return good;
}

bool redis_exec(struct redis *r, struct err *err)
{
	bool good = true;
	if (r->commands == 0) {
		drop_replies(r);
		return true;
	}
	if (r->fd < 0)
		good = connect_now(r, err);
	good = good && round_trip(r, err);
	clear_pipeline(r);
	if (!good) {
		drop_replies(r);
		disconnect(r);
	}
	return good;
}

// ---- commands ------------------------------------------------------------------------------------------------------

static void sha1_hex(struct str s, char *ret)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	EVP_Digest(s.p, s.len, md, &n, EVP_sha1(), NULL);
	for (unsigned int i = 0; i < n; i++)
		snprintf(ret + 2 * i, 3, "%02x", md[i]);
}

int redis_script(struct redis *r, struct str source)
{
	assert(r->nscripts < SCRIPTS_MAX);
	r->scripts[r->nscripts] = source;
	sha1_hex(source, r->sha[r->nscripts]);
	return r->nscripts++;
}

static void add_number(struct buf *b, char mark, uint64_t v)
{
	char text[24], *p = text + sizeof text;
	*--p = '\n';
	*--p = '\r';
	do
		*--p = (char)('0' + v % 10);
	while (v /= 10);
	*--p = mark;
	buf_add(b, p, (size_t)(text + sizeof text - p));
}

void redis_begin(struct redis *r, int argc)
{
	add_number(&r->out, '*', (uint64_t)argc);
	r->commands++;
}

void redis_arg(struct redis *r, struct str arg)
{
	add_number(&r->out, '$', arg.len);
	buf_add(&r->out, arg.p, arg.len);
	buf_add(&r->out, "\r\n", 2);
}

void redis_argz(struct redis *r, const char *arg)
{
	redis_arg(r, str_of(arg));
}

void redis_argi(struct redis *r, int64_t arg)
{
	char text[24];
	int n = snprintf(text, sizeof text, "%lld", (long long)arg);
	redis_arg(r, (struct str){text, (size_t)n});
}

void redis_begin_eval(struct redis *r, int script, int nkeys, int argc)
{
	redis_begin(r, 3 + argc);
	redis_argz(r, "EVALSHA");
	redis_argz(r, r->sha[script]);
	redis_argi(r, nkeys);
}

void redis_cmd(struct redis *r, int argc, const struct str *argv)
{
	redis_begin(r, argc);
	for (int i = 0; i < argc; i++)
		redis_arg(r, argv[i]);
}

void redis_cmdz(struct redis *r, ...)
{
	va_list ap;
	int n = 0;
	va_start(ap, r);
	while (va_arg(ap, const char *))
		n++;
	va_end(ap);
	redis_begin(r, n);
	va_start(ap, r);
	for (const char *arg; (arg = va_arg(ap, const char *));)
		redis_argz(r, arg);
	va_end(ap);
}

// ---- replies -------------------------------------------------------------------------------------------------------

size_t redis_count(const struct redis *r)
{
	return r->nreplies;
}

static const redisReply *reply(const struct redis *r, size_t i)
{
	assert(i < r->nreplies);
	return r->replies[i];
}

struct str redis_str(const struct redis *r, size_t i)
{
	return reply_str(reply(r, i));
}

int64_t redis_int(const struct redis *r, size_t i)
{
	const redisReply *p = reply(r, i);
	return p->type == REDIS_REPLY_INTEGER ? p->integer : p->str ? strtoll(p->str, NULL, 10) : 0;
}

bool redis_nil(const struct redis *r, size_t i)
{
	return reply(r, i)->type == REDIS_REPLY_NIL;
}

size_t redis_len(const struct redis *r, size_t i)
{
	const redisReply *p = reply(r, i);
	return p->type == REDIS_REPLY_ARRAY ? p->elements : 0;
}

struct str redis_elem(const struct redis *r, size_t i, size_t k)
{
	const redisReply *p = reply(r, i);
	assert(p->type == REDIS_REPLY_ARRAY && k < p->elements);
	return reply_str(p->element[k]);
}

uint64_t redis_round_trips(const struct redis *r)
{
	return r->round_trips;
}

const char *redis_where(const struct redis *r)
{
	return r->where;
}
