// SPDX-License-Identifier: Apache-2.0
// One handle a request: there are dozens of them in a run, not thousands. A download that stalls (less than 1
// KiB/s for half a minute) is given up; whoever asked goes on from where it stopped.
#include "aws/http_client.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>

enum { CONNECT_MS = 10000, STALLED_BYTES = 1024, STALLED_S = 30, BODY_MAX = 64 << 20 };

struct transfer {
	CURL *curl;
	const struct http_request *request;
	struct http_answer *answer;
	bool cannot_write;
};

static size_t on_body(char *data, size_t size, size_t n, void *user)
{
	struct transfer *t = user;
	long status = 0;
	curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	if (t->request->file && (status == 200 || status == 206)) {
		t->cannot_write = fwrite(data, size, n, t->request->file) != n;
		if (t->request->tell)
			t->request->tell(t->request->user, ftello(t->request->file));
		return t->cannot_write ? 0 : size * n;
	}
	if (t->answer->body.len + size * n > BODY_MAX)
		return 0;
	buf_add(&t->answer->body, data, size * n);
	return size * n;
}

static size_t on_header(char *data, size_t size, size_t n, void *user)
{
	static const char name[] = "x-amz-bucket-region:";
	struct transfer *t = user;
	size_t len = size * n, at = sizeof name - 1, k = 0;
	if (len > at && strncasecmp(data, name, at) == 0) {
		while (at < len && data[at] == ' ')
			at++;
		for (; at < len && data[at] > ' ' && k + 1 < sizeof t->answer->region; at++)
			t->answer->region[k++] = data[at];
		t->answer->region[k] = '\0';
	}
	return len;
}

static void init(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static struct curl_slist *headers_of(const struct http_request *r)
{
	struct curl_slist *list = NULL;
	struct buf b = BUF_INIT;
	for (int i = 0; i < 8 && r->headers[i]; i++)
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

static void sign(CURL *curl, const struct http_request *r)
{
	struct buf b = BUF_INIT;
	buf_addf(&b, "aws:amz:%s:%s", r->region, r->service ? r->service : "s3");
	curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, b.data);
	curl_easy_setopt(curl, CURLOPT_USERNAME, r->sign->access_key.data);
	curl_easy_setopt(curl, CURLOPT_PASSWORD, r->sign->secret_key.data);
	buf_release(&b);
}

bool http_do(const struct http_request *r, struct http_answer *ret, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	char why[CURL_ERROR_SIZE] = "", range[32];
	pthread_once(&once, init);
	*ret = (struct http_answer){0};
	struct transfer t = {.curl = curl_easy_init(), .request = r, .answer = ret};
	struct curl_slist *headers = headers_of(r);
	curl_easy_setopt(t.curl, CURLOPT_URL, r->url);
	curl_easy_setopt(t.curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(t.curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(t.curl, CURLOPT_WRITEDATA, &t);
	curl_easy_setopt(t.curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(t.curl, CURLOPT_HEADERDATA, &t);
	curl_easy_setopt(t.curl, CURLOPT_ERRORBUFFER, why);
	curl_easy_setopt(t.curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(t.curl, CURLOPT_FILETIME, 1L);
	curl_easy_setopt(t.curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(t.curl, CURLOPT_CONNECTTIMEOUT_MS, (long)(r->connect_ms ? r->connect_ms : CONNECT_MS));
	curl_easy_setopt(t.curl, CURLOPT_LOW_SPEED_LIMIT, (long)STALLED_BYTES);
	curl_easy_setopt(t.curl, CURLOPT_LOW_SPEED_TIME, (long)STALLED_S);
	if (getenv("AWS_CA_BUNDLE"))
		curl_easy_setopt(t.curl, CURLOPT_CAINFO, getenv("AWS_CA_BUNDLE"));
	if (r->method)
		curl_easy_setopt(t.curl, CURLOPT_CUSTOMREQUEST, r->method);
	if (r->from > 0) {
		snprintf(range, sizeof range, "%lld-", (long long)r->from);
		curl_easy_setopt(t.curl, CURLOPT_RANGE, range);
	}
	if (r->sign)
		sign(t.curl, r);
	CURLcode code = curl_easy_perform(t.curl);
	curl_off_t modified = -1;
	curl_easy_getinfo(t.curl, CURLINFO_RESPONSE_CODE, &ret->status);
	curl_easy_getinfo(t.curl, CURLINFO_FILETIME_T, &modified);
	ret->modified_ms = modified > 0 ? (int64_t)modified * 1000 : 0;
	curl_slist_free_all(headers);
	curl_easy_cleanup(t.curl);
	if (code == CURLE_OK)
		return true;
	http_answer_release(ret);
	if (t.cannot_write)
		return err_set(err, ERR_FATAL, "what was fetched cannot be written: is the disk full?");
	return err_set(err, ERR_RETRY, "%s: %s", r->url, *why ? why : curl_easy_strerror(code));
}

void http_answer_release(struct http_answer *a)
{
	buf_release(&a->body);
}

void buf_add_url_part(struct buf *b, struct str s, bool keep_slash)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c) ||
		    (c == '/' && keep_slash))
			buf_addc(b, (char)c);
		else
			buf_addf(b, "%%%02X", c);
	}
}
