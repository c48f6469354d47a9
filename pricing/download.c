// SPDX-License-Identifier: Apache-2.0
// A broken connection leaves PATH.part with the validator of the version it is part of, and the next call
// asks for the rest of that very version (If-Range): a server that has another by now sends all of it.
#include "pricing/download.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aws/http_client.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/text.h"

enum { STATE_MAX = 4096, REDIRECTS_MAX = 3 };

struct download {
	const char *path;
	int64_t max;
	struct buf part, part_state, state; // names
	FILE *out;         // PATH.part
	int64_t have;      // bytes of it
	bool begun;        // body has begun to come
	bool whole;        // with it from its first byte: not the rest of an earlier part
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

static bool add_checksum(const char *path, struct buf *ret_base64)
{
	unsigned char digest[SHA256_SIZE];
	bool good = sha256_file(path, digest);
	if (good)
		buf_add_base64(ret_base64, (struct str){(const char *)digest, sizeof digest});
	return good;
}

// Whether PATH is still what was downloaded.
static bool is_intact(const char *path, struct str sum)
{
	struct buf now = BUF_INIT;
	bool good = add_checksum(path, &now) && str_eq(buf_str(&now), sum);
	buf_release(&now);
	return good;
}

// ---- the body -----------------------------------------------------------------------------------

// Before the first byte of a body is kept, it is noted whose it is.
static bool begin_body(struct download *d, const struct http_client_answer *head)
{
	d->begun = true;
	d->whole = head->status == 200;
	if (d->whole) {
		struct str etag = http_client_header(head, "etag");
		d->have = 0;
		if (ftruncate(fileno(d->out), 0) != 0 || fseek(d->out, 0, SEEK_SET) != 0)
			return err_set(d->err, ERR_CONFIG, "cannot write %s", d->part.data);
		unlink(d->part_state.data);
		return !etag.len || write_state(d->part_state.data, etag, STR_NONE, d->err);
	}
	struct buf start = BUF_INIT;
	buf_addf(&start, "bytes %lld-", (long long)d->have);
	bool good = str_starts(http_client_header(head, "content-range"), buf_str(&start)) ||
	            err_set(d->err, ERR_RETRY, "the server continues at another place than was asked for");
	buf_release(&start);
	return good;
}

static bool write_body(void *user, const struct http_client_answer *head, struct str piece)
{
	struct download *d = user;
	if (!d->begun && !begin_body(d, head))
		return false;
	assert(d->have >= 0 && d->have <= d->max);
	d->have += (int64_t)piece.len;
	if (d->have > d->max)
		return err_set(d->err, ERR_CONFIG, "more than %lld bytes came", (long long)d->max);
	return fwrite(piece.p, 1, piece.len, d->out) == piece.len ||
	       err_set(d->err, ERR_CONFIG, "cannot write %s", d->part.data);
}

// ---- one request --------------------------------------------------------------------------------

// Adds to the request what may save work: the validator of the whole file, or the rest of a part. `header`
// holds the text.
static void add_conditions(struct download *d, struct http_client_request *r, struct buf *header)
{
	struct buf state = BUF_INIT, part = BUF_INIT;
	struct str etag, sum;
	struct stat st;
	if (stat(d->part.data, &st) == 0 && st.st_size > 0 && st.st_size < d->max &&
	    read_state(d->part_state.data, &part, &etag, &sum) &&
	    !str_starts(etag, STR("W/"))) { // a weak one does not promise the same bytes
		buf_addf(header, "If-Range: %.*s", STR_ARG(etag));
		r->from = d->have = st.st_size;
	} else if (read_state(d->state.data, &state, &etag, &sum) && is_intact(d->path, sum)) {
		buf_addf(header, "If-None-Match: %.*s", STR_ARG(etag));
	}
	r->headers[1] = header->data;
	buf_release(&state);
	buf_release(&part);
}

static bool request_file(struct download *d, const char *url, struct http_client_answer *ret)
{
	struct buf header = BUF_INIT;
	struct err why = ERR_INIT;
	struct http_client_request r = {.url = url,
	                                .headers = {"User-Agent: nowcast"},
	                                .redirects_max = REDIRECTS_MAX,
	                                .on_body = write_body,
	                                .user = d};
	add_conditions(d, &r, &header);
	bool good = http_client_do(&r, ret, &why);
	buf_release(&header);
	return good || err_set(d->err, why.kind, "%s%s", why.msg,
	                       d->begun ? "; what has come is kept, and continued the next time" : "");
}

// The part is whole: checks it and puts it in its place.
static bool place_file(struct download *d, const struct http_client_answer *a, enum download_result *ret)
{
	struct str promised = http_client_header(a, "x-amz-checksum-sha256"),
			   etag = http_client_header(a, "etag");
	struct buf sum = BUF_INIT;
	bool good = (fflush(d->out) == 0 && fsync(fileno(d->out)) == 0 && add_checksum(d->part.data, &sum)) ||
	            err_set(d->err, ERR_CONFIG, "cannot write %s", d->part.data);
	if (good && promised.len && !str_eq(promised, buf_str(&sum))) {
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
		good = !etag.len || write_state(d->state.data, etag, buf_str(&sum), d->err);
		*ret = d->whole ? DOWNLOAD_FRESH : DOWNLOAD_RESUMED;
	}
	buf_release(&sum);
	return good;
}

static bool take_answer(struct download *d, const char *url, const struct http_client_answer *a,
                   enum download_result *ret)
{
	if (a->status == 304) {
		*ret = DOWNLOAD_SAME;
		return true;
	}
	if (a->status == 416) { // the part is as long as the file, or the file is shorter by now
		unlink(d->part.data);
		unlink(d->part_state.data);
	}
	if (a->status != 200 && a->status != 206)
		return err_set(d->err, ERR_RETRY, "%s: the server answers %ld", url, a->status);
	return d->begun ? place_file(d, a, ret)
	                : err_set(d->err, ERR_RETRY, "%s: the server's answer is empty", url);
}

bool download_file(const char *url, const char *path, int64_t max, enum download_result *ret, struct err *err)
{
	struct download d = {.path = path, .max = max, .err = err};
	struct http_client_answer a = {0};
	buf_addf(&d.part, "%s.part", path);
	buf_addf(&d.part_state, "%s.part.state", path);
	buf_addf(&d.state, "%s.state", path);
	d.out = fopen(d.part.data, "abe");
	bool good = d.out || err_set(err, ERR_CONFIG, "cannot write %s", d.part.data);
	good = good && request_file(&d, url, &a) && take_answer(&d, url, &a, ret);
	if (d.out)
		fclose(d.out);
	struct stat st;
	if (stat(d.part.data, &st) == 0 && st.st_size == 0)
		unlink(d.part.data);
	buf_release(&d.part);
	buf_release(&d.part_state);
	buf_release(&d.state);
	http_client_answer_release(&a);
	return good;
}
