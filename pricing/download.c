// SPDX-License-Identifier: Apache-2.0
// libcurl does the talking. A broken connection leaves PATH.part with the validator of the version it is part
// of, and the next call asks for the rest of that very version (If-Range): a server that has another by now
// sends all of it.
#include "pricing/download.h"

#include <curl/curl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/text.h"

enum {
	STATE_MAX = 4096,
	CONNECT_S = 10,
	SLOW_S = 30,
	SLOW_BYTES = 1024,
	REDIRECTS_MAX = 3,
	DIGEST_SIZE = 32
};

struct download {
	const char *path;
	int64_t max;
	struct buf part, part_state, state; // names
	FILE *out;         // PATH.part
	int64_t have;      // bytes of it
	bool begun;        // body has begun to come
	bool whole;        // with it from its first byte: not the rest of an earlier part
	long status;
	struct buf etag;   // of the answer
	struct buf sum;    // x-amz-checksum-sha256 of the answer, base64
	struct buf range;  // Content-Range of the answer
	struct err *err;
};

// ---- state: "ETAG\nSHA256\n" --------------------------------------------------------------------

static bool read_state(const char *path, struct buf *ret, struct str *ret_etag, struct str *ret_sum)
{
	struct err ignored = ERR_INIT;
	if (!file_read(path, STATE_MAX, ret, &ignored))
		return false;
	struct str rest = buf_str(ret);
	*ret_etag = str_cut(&rest, '\n');
	*ret_sum = str_cut(&rest, '\n');
	return ret_etag->len > 0;
}

static bool write_state(const char *path, struct str etag, struct str sum, struct err *err)
{
	struct buf text = BUF_INIT;
	buf_addf(&text, "%.*s\n%.*s\n", STR_ARG(etag), STR_ARG(sum));
	bool good = file_replace(path, buf_str(&text), err);
	buf_release(&text);
	return good;
}

static bool checksum(const char *path, struct buf *ret_base64)
{
	unsigned char digest[EVP_MAX_MD_SIZE], block[65536];
	unsigned len = 0;
	size_t n;
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	FILE *f = fopen(path, "rbe");
	bool good = f && c && EVP_DigestInit_ex(c, EVP_sha256(), NULL);
	while (good && (n = fread(block, 1, sizeof block, f)) > 0)
		good = EVP_DigestUpdate(c, block, n);
	good = good && !ferror(f) && EVP_DigestFinal_ex(c, digest, &len) && len == DIGEST_SIZE;
	if (good)
		buf_add_base64(ret_base64, (struct str){(const char *)digest, len});
	if (f)
		fclose(f);
	EVP_MD_CTX_free(c);
	return good;
}

// Whether PATH is still what was downloaded.
static bool is_intact(const char *path, struct str sum)
{
	struct buf now = BUF_INIT;
	bool good = checksum(path, &now) && str_eq(buf_str(&now), sum);
	buf_release(&now);
	return good;
}

// ---- what curl calls ----------------------------------------------------------------------------

static bool take_header(struct str line, const char *name, struct buf *ret)
{
	size_t n = strlen(name);
	if (line.len <= n || strncasecmp(line.p, name, n) != 0 || line.p[n] != ':')
		return false;
	line = (struct str){line.p + n + 1, line.len - n - 1};
	while (line.len && line.p[0] == ' ')
		line = (struct str){line.p + 1, line.len - 1};
	while (line.len && strchr(" \r\n", line.p[line.len - 1]))
		line.len--;
	buf_clear(ret);
	buf_addstr(ret, line);
	return true;
}

static size_t on_header(char *p, size_t size, size_t n, void *user)
{
	struct download *d = user;
	struct str line = {p, size * n};
	if (str_starts(line, STR("HTTP/"))) { // also after a redirect
		buf_clear(&d->etag);
		buf_clear(&d->sum);
		buf_clear(&d->range);
		struct str rest = line;
		str_cut(&rest, ' ');
		d->status = rest.len ? strtol(rest.p, NULL, 10) : 0;
	}
	if (!take_header(line, "etag", &d->etag) && !take_header(line, "content-range", &d->range))
		take_header(line, "x-amz-checksum-sha256", &d->sum);
	return line.len;
}

// Before the first byte of a body is kept, it is noted whose it is.
static bool begin_body(struct download *d)
{
	d->begun = true;
	d->whole = d->status == 200;
	if (d->whole) {
		d->have = 0;
		if (ftruncate(fileno(d->out), 0) != 0 || fseek(d->out, 0, SEEK_SET) != 0)
			return err_set(d->err, ERR_CONFIG, "cannot write %s", d->part.data);
		unlink(d->part_state.data);
		return !d->etag.len || write_state(d->part_state.data, buf_str(&d->etag), STR_NONE, d->err);
	}
	struct buf start = BUF_INIT;
	buf_addf(&start, "bytes %lld-", (long long)d->have);
	bool good = str_starts(buf_str(&d->range), buf_str(&start)) ||
	            err_set(d->err, ERR_RETRY, "the server continues at another place than was asked for");
	buf_release(&start);
	return good;
}

static size_t on_body(char *p, size_t size, size_t n, void *user)
{
	struct download *d = user;
	size_t len = size * n;
	if (d->status != 200 && d->status != 206)
		return len; // what an error page says is of no use
	if (!d->begun && !begin_body(d))
		return 0;
	d->have += (int64_t)len;
	if (d->have > d->max) {
		err_set(d->err, ERR_CONFIG, "more than %lld bytes came", (long long)d->max);
		return 0;
	}
	if (fwrite(p, 1, len, d->out) != len) {
		err_set(d->err, ERR_CONFIG, "cannot write %s", d->part.data);
		return 0;
	}
	return len;
}

// ---- one request --------------------------------------------------------------------------------

static void add_header(struct curl_slist **list, const char *name, struct str value)
{
	struct buf line = BUF_INIT;
	buf_addf(&line, "%s: %.*s", name, STR_ARG(value));
	*list = curl_slist_append(*list, line.data);
	buf_release(&line);
}

// What may save work: the validator of the whole file, or the rest of a part.
static struct curl_slist *conditions(struct download *d)
{
	struct curl_slist *list = NULL;
	struct buf state = BUF_INIT, part = BUF_INIT;
	struct str etag, sum;
	struct stat st;
	if (stat(d->part.data, &st) == 0 && st.st_size > 0 && st.st_size < d->max &&
	    read_state(d->part_state.data, &part, &etag, &sum) &&
	    !str_starts(etag, STR("W/"))) { // a weak one does not promise the same bytes
		struct buf range = BUF_INIT;
		buf_addf(&range, "bytes=%lld-", (long long)st.st_size);
		add_header(&list, "Range", buf_str(&range));
		add_header(&list, "If-Range", etag);
		buf_release(&range);
		d->have = st.st_size;
	} else if (read_state(d->state.data, &state, &etag, &sum) && is_intact(d->path, sum)) {
		add_header(&list, "If-None-Match", etag);
	}
	buf_release(&state);
	buf_release(&part);
	return list;
}

static bool perform(struct download *d, const char *url)
{
	char why[CURL_ERROR_SIZE] = "";
	struct curl_slist *headers = conditions(d);
	CURL *c = curl_easy_init();
	if (!c)
		return err_set(d->err, ERR_FATAL, "libcurl does not start");
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)SLOW_S);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "nowcast");
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, d);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, d);
	CURLcode code = curl_easy_perform(c);
	curl_slist_free_all(headers);
	curl_easy_cleanup(c);
	if (code == CURLE_OK || d->err->kind != ERR_NONE)
		return d->err->kind == ERR_NONE;
	bool address = code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT;
	return err_set(d->err, address ? ERR_CONFIG : ERR_RETRY, "%s: %s%s", url,
	               *why ? why : curl_easy_strerror(code),
	               d->begun ? "; what has come is kept, and continued the next time" : "");
}

// The part is whole: checks it and puts it in its place.
static bool finish(struct download *d, enum download_result *ret)
{
	struct buf sum = BUF_INIT;
	bool good = (fflush(d->out) == 0 && fsync(fileno(d->out)) == 0 && checksum(d->part.data, &sum)) ||
	            err_set(d->err, ERR_CONFIG, "cannot write %s", d->part.data);
	if (good && d->sum.len && !str_eq(buf_str(&d->sum), buf_str(&sum))) {
		unlink(d->part.data);
		unlink(d->part_state.data);
		good = err_set(d->err, ERR_RETRY, "what came does not fit its checksum; it is thrown away");
	}
	if (good) {
		unlink(d->state.data); // never a new file with an old validator
		good = rename(d->part.data, d->path) == 0 || err_set(d->err, ERR_CONFIG, "cannot write %s", d->path);
	}
	if (good) {
		unlink(d->part_state.data);
		good = !d->etag.len || write_state(d->state.data, buf_str(&d->etag), buf_str(&sum), d->err);
		*ret = d->whole ? DOWNLOAD_FRESH : DOWNLOAD_RESUMED;
	}
	buf_release(&sum);
	return good;
}

static bool settle(struct download *d, const char *url, enum download_result *ret)
{
	if (d->status == 304) {
		*ret = DOWNLOAD_SAME;
		return true;
	}
	if (d->status == 416) { // the part is as long as the file, or the file is shorter by now
		unlink(d->part.data);
		unlink(d->part_state.data);
	}
	if (d->status != 200 && d->status != 206)
		return err_set(d->err, ERR_RETRY, "%s: the server answers %ld", url, d->status);
	return d->begun ? finish(d, ret) : err_set(d->err, ERR_RETRY, "%s: the server's answer is empty", url);
}

bool download_file(const char *url, const char *path, int64_t max, enum download_result *ret, struct err *err)
{
	struct download d = {.path = path, .max = max, .err = err};
	buf_addf(&d.part, "%s.part", path);
	buf_addf(&d.part_state, "%s.part.state", path);
	buf_addf(&d.state, "%s.state", path);
	d.out = fopen(d.part.data, "abe");
	bool good = d.out || err_set(err, ERR_CONFIG, "cannot write %s", d.part.data);
	good = good && perform(&d, url) && settle(&d, url, ret);
	if (d.out)
		fclose(d.out);
	struct stat st;
	if (stat(d.part.data, &st) == 0 && st.st_size == 0)
		unlink(d.part.data);
	buf_release(&d.part);
	buf_release(&d.part_state);
	buf_release(&d.state);
	buf_release(&d.etag);
	buf_release(&d.sum);
	buf_release(&d.range);
	return good;
}
