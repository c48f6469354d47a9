// SPDX-License-Identifier: Apache-2.0
// One handle a request: there are dozens of them in a run, not thousands. A download that stalls (less than 1
// KiB/s for half a minute) is given up; the caller continues where it stopped.
#include "aws/http_client.h"

#include <assert.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/text.h"

enum { CONNECT_MS = 10000, STALLED_BYTES = 1024, STALLED_S = 30, HEAD_MAX = 1 << 20, BODY_MAX = 64 << 20 };

struct http_transfers {
	CURLM *multi;
};

struct http_transfer {
	CURL *curl;
	CURLM *multi;                      // NULL: http_client_do waits for it
	struct curl_slist *list;           // headers, or the recipients of a mail
	struct http_client_answer *answer; // NULL: what comes back is dropped
	http_client_body_fn *on_body;
	void *user;
	struct str mail;                   // what is left to send of it
	char text[CURL_ERROR_SIZE];        // curl's own words
	bool over;
	long status;
	struct err why;
};

// ---- what curl calls ----------------------------------------------------------------------------

static size_t take_body(char *data, size_t size, size_t n, void *user)
{
	struct http_transfer *t = user;
	struct http_client_answer *a = t->answer;
	size_t len = size * n;
	if (!a)
		return len;
	if (t->on_body && (a->status == 200 || a->status == 206))
		return t->on_body(t->user, a, (struct str){data, len}) ? len : 0;
	if (a->body.len + len > BODY_MAX)
		return 0;
	buf_add(&a->body, data, len);
	return len;
}

static size_t take_header(char *data, size_t size, size_t n, void *user)
{
	struct http_transfer *t = user;
	struct http_client_answer *a = t->answer;
	struct str line = {data, size * n}, rest = line;
	if (!a)
		return line.len;
	if (str_starts(line, STR("HTTP/"))) { // also after a redirect
		str_cut(&rest, ' ');
		buf_clear(&a->head);
		a->status = rest.len ? strtol(rest.p, NULL, 10) : 0;
	} else if (a->head.len + line.len <= HEAD_MAX) {
		buf_addstr(&a->head, line);
	}
	return line.len;
}

static size_t feed_mail(char *to, size_t size, size_t n, void *user)
{
	struct http_transfer *t = user;
	size_t len = size * n < t->mail.len ? size * n : t->mail.len;
	memcpy(to, t->mail.p, len);
	t->mail.p += len;
	t->mail.len -= len;
	return len;
}

// ---- making a handle ----------------------------------------------------------------------------

static void init_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

// Before any other function of curl.
static void init_curl_once(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, init_curl);
}

static CURL *new_handle(struct http_transfer *t, const char *protocols, struct str ca_file)
{
	init_curl_once();
	CURL *c = curl_easy_init();
	assert(c); // no memory
	t->curl = c;
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, protocols);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_PRIVATE, t);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->text);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	if (ca_file.len) {
		char *copy = xstrdup(ca_file); // curl makes one of its own
		curl_easy_setopt(c, CURLOPT_CAINFO, copy);
		free(copy);
	}
	return c;
}

static void set_times(CURL *c, int connect_ms, int total_ms)
{
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)(connect_ms ? connect_ms : CONNECT_MS));
	if (total_ms) {
		curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)total_ms);
	} else {
		curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)STALLED_BYTES);
		curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)STALLED_S);
	}
}

static struct curl_slist *headers_of(const struct http_client_request *r)
{
	struct curl_slist *list = NULL;
	struct buf b = BUF_INIT;
	for (int i = 0; i < HTTP_CLIENT_HEADERS_MAX && r->headers[i]; i++)
		list = curl_slist_append(list, r->headers[i]);
	if (r->sign) {
		if (!r->service) // S3 alone knows it; the others want the hash, which curl makes
			list = curl_slist_append(list, "x-amz-content-sha256: UNSIGNED-PAYLOAD");
		if (r->sign->session_token.len) {
			buf_addf(&b, "x-amz-security-token: %s", r->sign->session_token.data);
			list = curl_slist_append(list, b.data);
		}
	}
	buf_release(&b);
	return list;
}

static void sign_request(CURL *curl, const struct http_client_request *r)
{
	struct buf b = BUF_INIT;
	assert(r->region);
	buf_addf(&b, "aws:amz:%s:%s", r->region, r->service ? r->service : "s3");
	curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, b.data);
	curl_easy_setopt(curl, CURLOPT_USERNAME, r->sign->access_key.data);
	curl_easy_setopt(curl, CURLOPT_PASSWORD, r->sign->secret_key.data);
	buf_release(&b);
}

// Whether the path has a segment "." or "..", which curl would resolve. Keys of objects on S3 may have them.
static bool has_dot_segment(const char *url)
{
	struct str rest = str_of(url), path = str_cut(&rest, '?');
	while (path.len) {
		struct str segment = str_cut(&path, '/');
		if (str_is(segment, ".") || str_is(segment, ".."))
			return true;
	}
	return false;
}

static void make_request(struct http_transfer *t, const struct http_client_request *r)
{
	char range[32];
	CURL *c = new_handle(t, "http,https", r->ca_file);
	t->on_body = r->on_body;
	t->user = r->user;
	t->list = headers_of(r);
	curl_easy_setopt(c, CURLOPT_URL, r->url);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, t->list);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
	// only where it makes a difference: curl 8.14 signs no request with it
	curl_easy_setopt(c, CURLOPT_PATH_AS_IS, (long)has_dot_segment(r->url));
	set_times(c, r->connect_ms, r->total_ms);
	if (r->body.p) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, r->body.p);
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
	}
	if (r->method)
		curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->method);
	if (r->from > 0) {
		snprintf(range, sizeof range, "%lld-", (long long)r->from);
		curl_easy_setopt(c, CURLOPT_RANGE, range);
	}
	if (r->sign)
		sign_request(c, r);
}

// ---- one request --------------------------------------------------------------------------------

static void end_transfer(struct http_transfer *t, CURLcode code)
{
	curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &t->status);
	if (code != CURLE_OK) {
		bool is_wrong =
			code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_LOGIN_DENIED ||
			code == CURLE_BAD_FUNCTION_ARGUMENT; // a path with dots, that curl 8.14 does not sign
		err_set(&t->why, is_wrong ? ERR_CONFIG : ERR_RETRY, "%s",
		        *t->text ? t->text : curl_easy_strerror(code));
	}
	t->over = true;
}

static void release_transfer(struct http_transfer *t)
{
	if (t->multi)
		curl_multi_remove_handle(t->multi, t->curl);
	curl_easy_cleanup(t->curl);
	curl_slist_free_all(t->list);
}

// curl would take "https://u:12/34@host" for the host u and the port 12, and say so.
static bool check_url(struct str url, struct err *err)
{
	struct str secret = url_secret(url), rest = url;
	bool ends = secret.len && memchr(secret.p, '/', secret.len);
	str_cut(&rest, '/');
	str_cut(&rest, '/');
	struct str authority = str_cut(&rest, '/');
	return !(ends && authority.len && memchr(authority.p, ':', authority.len)) ||
	       err_set(err, ERR_CONFIG,
	               "the URL has an @ behind a /: write a / of a password %%2F, and an @ of a path %%40");
}

// "https" and "host:port" of a URL.
static void cut_place(const char *url, struct str *ret_scheme, struct str *ret_host)
{
	struct str rest = str_of(url);
	*ret_scheme = str_cut(&rest, ':');
	while (rest.len && rest.p[0] == '/')
		rest.p++, rest.len--;
	*ret_host = (struct str){rest.p, 0};
	while (ret_host->len < rest.len && !strchr("/?#", rest.p[ret_host->len]))
		ret_host->len++;
	*ret_host = str_after_last(*ret_host, '@');
}

static bool is_same(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || strncasecmp(a.p, b.p, a.len) == 0);
}

// Whether a redirect stays where the user has sent us: on the host that was named, and on https.
static bool stays(const char *from, const char *to)
{
	struct str scheme, host, new_scheme, new_host;
	cut_place(from, &scheme, &host);
	cut_place(to, &new_scheme, &new_host);
	return is_same(scheme, new_scheme) && is_same(host, new_host);
}

static bool fail_request(const struct http_client_request *r, enum err_kind kind, const char *why,
                         struct http_client_answer *a, struct err *err)
{
	http_client_answer_release(a);
	struct str rest = str_of(r->url), place = str_cut(&rest, '?'); // its parameters may hold a token
	return err_set(err, kind, "%.*s: %s", STR_ARG(place), why);
}

// One answer. *ret_next: where it redirects to, or NULL; freed by the caller.
static bool ask_once(const struct http_client_request *r, struct http_client_answer *ret, char **ret_next,
                     struct err *err)
{
	char *next = NULL;
	*ret = (struct http_client_answer){0};
	struct http_transfer t = {.answer = ret};
	make_request(&t, r);
	end_transfer(&t, curl_easy_perform(t.curl));
	ret->status = t.status;
	curl_easy_getinfo(t.curl, CURLINFO_REDIRECT_URL, &next);
	*ret_next = next ? xstrdup(str_of(next)) : NULL;
	release_transfer(&t);
	if (!t.why.kind)
		return true;
	free(*ret_next);
	*ret_next = NULL;
	return fail_request(r, t.why.kind, t.why.msg, ret, err);
}

bool http_client_do(const struct http_client_request *r, struct http_client_answer *ret, struct err *err)
{
	struct http_client_request one = *r;
	char *url = NULL, *next = NULL;
	int left = r->redirects_max;
	bool good = check_url(str_of(r->url), err) && ask_once(&one, ret, &next, err);
	while (good && next && r->redirects_max) {
		if (!stays(r->url, next)) {
			good = fail_request(r, ERR_CONFIG,
			                    "it redirects to another host or away from https, and is not followed there: "
			                    "name the other place if it is meant",
			                    ret, err);
			break;
		}
		if (left-- == 0) {
			good = fail_request(r, ERR_RETRY, "it redirects too often", ret, err);
			break;
		}
		http_client_answer_release(ret);
		free(url);
		one.url = url = next;
		next = NULL;
		good = ask_once(&one, ret, &next, err);
	}
	free(next);
	free(url);
	return good;
}

void http_client_answer_release(struct http_client_answer *a)
{
	buf_release(&a->head);
	buf_release(&a->body);
}

struct str http_client_header(const struct http_client_answer *a, const char *name)
{
	struct str rest = buf_str(&a->head);
	size_t n = strlen(name);
	while (rest.len) {
		struct str line = str_cut(&rest, '\n');
		if (line.len <= n || strncasecmp(line.p, name, n) != 0 || line.p[n] != ':')
			continue;
		line = (struct str){line.p + n + 1, line.len - n - 1};
		while (line.len && line.p[0] == ' ')
			line = (struct str){line.p + 1, line.len - 1};
		while (line.len && strchr(" \r", line.p[line.len - 1]))
			line.len--;
		return line;
	}
	return STR_NONE;
}

void buf_add_url_part(struct buf *b, struct str s, bool keep_slash)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    (c && strchr("-._~", c)) || (c == '/' && keep_slash))
			buf_addc(b, (char)c);
		else
			buf_addf(b, "%%%02X", c);
	}
}

// ---- several at the same time -------------------------------------------------------------------

struct http_transfers *http_transfers_new(void)
{
	struct http_transfers *all = xcalloc(1, sizeof *all);
	init_curl_once();
	all->multi = curl_multi_init();
	assert(all->multi); // no memory
	return all;
}

void http_transfers_free(struct http_transfers *all)
{
	if (!all)
		return;
	curl_multi_cleanup(all->multi);
	free(all);
}

void http_transfers_wait(struct http_transfers *all, int64_t ms)
{
	int left, running;
	CURLMsg *m;
	curl_multi_perform(all->multi, &running);
	curl_multi_poll(all->multi, NULL, 0, (int)ms, NULL);
	curl_multi_perform(all->multi, &running);
	while ((m = curl_multi_info_read(all->multi, &left))) {
		char *t;
		if (m->msg == CURLMSG_DONE && curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t) == CURLE_OK)
			end_transfer((struct http_transfer *)(void *)t, m->data.result);
	}
}

static struct http_transfer *add_transfer(struct http_transfers *all, struct http_transfer *t, struct str url)
{
	t->over = !check_url(url, &t->why);
	// no message waits for the connection of another one
	curl_easy_setopt(t->curl, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(t->curl, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(t->curl, CURLOPT_QUICK_EXIT, 1L);    // nor for a name server
	if (!t->over) {
		t->multi = all->multi;
		curl_multi_add_handle(t->multi, t->curl);
	}
	return t;
}

struct http_transfer *http_transfer_begin(struct http_transfers *all, const struct http_client_request *r)
{
	struct http_transfer *t = xcalloc(1, sizeof *t);
	make_request(t, r);
	return add_transfer(all, t, str_of(r->url));
}

static void set_text(CURL *c, CURLoption option, struct str value)
{
	char *copy = xstrdup(value); // curl makes one of its own
	curl_easy_setopt(c, option, copy);
	free(copy);
}

struct http_transfer *http_transfer_begin_mail(struct http_transfers *all, const struct mail_request *m)
{
	struct http_transfer *t = xcalloc(1, sizeof *t);
	CURL *c = new_handle(t, "smtp,smtps", m->ca_file);
	struct str rest = m->to;
	while (rest.len) {
		struct str one = str_cut(&rest, ',');
		while (one.len && one.p[0] == ' ')
			one.p++, one.len--;
		char *address = xstrdup(one);
		t->list = curl_slist_append(t->list, address);
		free(address);
	}
	t->mail = m->text;
	set_times(c, m->connect_ms, m->total_ms);
	set_text(c, CURLOPT_URL, m->url);
	set_text(c, CURLOPT_MAIL_FROM, m->from);
	curl_easy_setopt(c, CURLOPT_MAIL_RCPT, t->list);
	curl_easy_setopt(c, CURLOPT_USE_SSL, (long)CURLUSESSL_TRY);
	if (m->user.len) {
		// a password is never sent unencrypted
		curl_easy_setopt(c, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
		set_text(c, CURLOPT_USERNAME, m->user);
		set_text(c, CURLOPT_PASSWORD, m->password);
	}
	curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(c, CURLOPT_READFUNCTION, feed_mail);
	curl_easy_setopt(c, CURLOPT_READDATA, t);
	return add_transfer(all, t, m->url);
}

bool http_transfer_over(const struct http_transfer *t, long *ret_status, const struct err **ret_why)
{
	*ret_status = t->status;
	*ret_why = t->why.kind ? &t->why : NULL;
	return t->over;
}

void http_transfer_free(struct http_transfer *t)
{
	if (!t)
		return;
	release_transfer(t);
	free(t);
}

void http_client_library(struct buf *out)
{
	buf_addf(out, "libcurl %s", curl_version_info(CURLVERSION_NOW)->version);
}
