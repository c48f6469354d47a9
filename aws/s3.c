// SPDX-License-Identifier: Apache-2.0
#include "aws/s3_priv.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aws/endpoint.h"
#include "aws/s3_cache.h"
#include "aws/xml.h"
#include "base/text.h"
#include "base/usd.h"
#include "base/when.h"

enum { TRIES = 5, OBJECTS_MAX = 1000000, KEEP_MS = 30 * 60000 };

// ---- one request --------------------------------------------------------------------------------

// AWS_ENDPOINT_URL_S3 (or AWS_ENDPOINT_URL) names another server, addressed by path; so is a bucket with a
// dot in its name, whose certificate would not match.
static void add_url(const struct s3 *s, struct buf *b)
{
	const char *endpoint = aws_endpoint("S3"), *domain = aws_domain(s->region);
	if (endpoint)
		buf_addf(b, "%s/%.*s/", endpoint, STR_ARG(s->bucket));
	else if (memchr(s->bucket.p, '.', s->bucket.len))
		buf_addf(b, "https://s3.%s.%s/%.*s/", s->region, domain, STR_ARG(s->bucket));
	else
		buf_addf(b, "https://%.*s.s3.%s.%s/", STR_ARG(s->bucket), s->region, domain);
}

static bool is_expired(struct str code)
{
	return str_is(code, "ExpiredToken") || str_is(code, "ExpiredTokenException") ||
	       str_is(code, "TokenRefreshRequired");
}

// The new ones take the place of the old ones, if there are any.
static bool renew_credentials(struct s3 *s)
{
	struct credentials fresh = {0};
	struct err err = ERR_INIT;
	bool good = credentials_find(&fresh, &err);
	if (good) {
		credentials_release(&s->credentials);
		s->credentials = fresh;
	} else {
		credentials_release(&fresh);
	}
	s->found_ms = when_ticks_ms();
	return good;
}

// What a status that is not success means, and what to do.
static bool set_refusal(const struct s3 *s, const struct http_client_answer *a, const struct s3_ask *q,
                        struct err *err)
{
	const char *what = q->what;
	bool kms, writes = q->body.p != NULL;
	struct str code = xml_element(buf_str(&a->body), "Code", NULL),
			   words = xml_element(buf_str(&a->body), "Message", NULL);
	struct str name = s->bucket;
	if (a->status == 404 && !str_is(code, "NoSuchBucket"))
		return err_set(err, ERR_SKIP, "s3://%.*s: %s is not there (NoSuchKey)", STR_ARG(name), what);
	if (is_expired(code))
		return err_set(err, s->found_ms ? ERR_CONFIG : ERR_RETRY,
		               "s3://%.*s: S3 answers %.*s: the credentials, from the %s, have expired: renew them",
		               STR_ARG(name), STR_ARG(code), s->credentials.origin);
	kms = words.len && memmem(words.p, words.len, "kms:", 4);
	if (a->status == 403 || a->status == 401 || str_is(code, "InvalidAccessKeyId"))
		return err_set(
			err, ERR_CONFIG,
			"s3://%.*s: S3 refuses %s: %.*s (%.*s); credentials are from the %s; %s%s%s%s",
			STR_ARG(name), what, STR_ARG(code.len ? code : STR("access denied")), STR_ARG(words),
			s->credentials.origin,
			writes ? "s3:PutObject is needed" : "s3:ListBucket and s3:GetObject are needed", kms ? ", and " : "",
			!kms     ? ""
			: writes ? "kms:GenerateDataKey"
			         : "kms:Decrypt",
			kms ? " of the key that the bucket is encrypted with" : "");
	if (a->status == 404)
		return err_set(err, ERR_CONFIG, "s3://%.*s: there is no such bucket", STR_ARG(name));
	return err_set(err, a->status >= 500 || a->status == 429 ? ERR_RETRY : ERR_CONFIG,
	               "s3://%.*s: S3 answers %ld to %s%s%.*s %.*s", STR_ARG(name), a->status, what,
	               code.len ? ": " : "", STR_ARG(code), STR_ARG(words));
}

// A file that a body is appended to.
struct file_writer {
	const struct s3 *s3;
	FILE *file;
	bool failed;
};

static bool write_body(void *user, const struct http_client_answer *head, struct str piece)
{
	struct file_writer *w = user;
	const struct s3 *s = w->s3;
	(void)head;
	w->failed = fwrite(piece.p, 1, piece.len, w->file) != piece.len;
	if (s->progress && s->fetching)
		s->progress(s->user, s->fetching->key, ftello(w->file), s->fetching->size);
	return !w->failed;
}

// A name that may become part of a host: an answer must not choose another host by it.
static bool is_region(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-", s.p[i]) || !s.p[i])
			return false;
	return s.len > 0;
}

bool s3_request(struct s3 *s, const struct s3_ask *q, struct http_client_answer *ret, struct err *err)
{
	FILE *file = q->file;
	struct buf url = BUF_INIT;
	struct err last = ERR_INIT;
	bool good = false, again = true, renewed = false;
	if (s->found_ms && when_ticks_ms() - s->found_ms > KEEP_MS)
		renew_credentials(s); // or else the old ones, while they are valid
	for (int i = 0; again && !good && i < TRIES; i++) {
		if (i)
			usleep((useconds_t)(100000 << i));
		err_clear(&last);
		buf_clear(&url);
		add_url(s, &url);
		buf_adds(&url, q->tail);
		struct file_writer writer = {s, file, false};
		struct http_client_request r = {.url = url.data,
		                                .method = q->body.p ? "PUT" : NULL,
		                                .body = q->body,
		                                .headers = {q->header},
		                                .sign = &s->credentials,
		                                .region = s->region,
		                                .ca_file = aws_ca_file(),
		                                .from = file ? ftello(file) : 0,
		                                .on_body = file ? write_body : NULL,
		                                .user = &writer};
		if (!http_client_do(&r, ret, &last)) {
			if (writer.failed) {
				err_clear(&last);
				err_set(&last, ERR_FATAL, "what was fetched cannot be written: is the disk full?");
			}
			again = last.kind == ERR_RETRY;
			continue;
		}
		good = ret->status == 200 || ret->status == 206;
		// the server does not know ranges: the whole file came again, after what was there
		if (good && r.from > 0 && ret->status == 200) {
			good = false;
			rewind(file);
			if (ftruncate(fileno(file), 0) != 0)
				break;
			http_client_answer_release(ret);
			continue;
		}
		if (good)
			break;
		struct str region = http_client_header(ret, "x-amz-bucket-region");
		if (is_region(region) && !str_is(region, s->region)) {
			snprintf(s->region, sizeof s->region, "%.*s", STR_ARG(region));
		} else {
			s->expired = is_expired(xml_element(buf_str(&ret->body), "Code", NULL));
			set_refusal(s, ret, q, &last);
			again = s->expired ? s->found_ms && !renewed && renew_credentials(s) : last.kind == ERR_RETRY;
			renewed |= s->expired;
		}
		http_client_answer_release(ret);
	}
	buf_release(&url);
	return good || err_set(err, last.kind ? last.kind : ERR_RETRY, "%s",
	                       *last.msg ? last.msg : "S3 gives no usable answer");
}

// ---- the listing --------------------------------------------------------------------------------

struct str s3_decode_key(struct arena *a, struct str key)
{
	struct buf b = BUF_INIT;
	buf_add_url_decoded(&b, key, true);
	struct str copy = arena_str(a, buf_str(&b));
	buf_release(&b);
	return copy;
}

void s3_add_objects(struct s3 *s, struct str xml)
{
	struct str one;
	while ((one = xml_element(xml, "Contents", &xml)).p) {
		struct s3_object o = {.key = s3_decode_key(&s->arena, xml_element(one, "Key", NULL))};
		if (!usd_parse_scaled(xml_element(one, "Size", NULL), 0, &o.size) ||
		    !when_parse(xml_element(one, "LastModified", NULL), &o.modified_ms))
			continue;
		if (s->n == s->cap)
			s->objects = xrealloc(s->objects, s->cap = s->cap ? s->cap * 2 : 256, sizeof *s->objects);
		s->objects[s->n++] = o;
	}
}

static int by_key(const void *a, const void *b)
{
	return str_cmp(((const struct s3_object *)a)->key, ((const struct s3_object *)b)->key);
}

// Parameters are in the order of their names, as the signature requires.
static bool list_objects(struct s3 *s, struct err *err)
{
	struct buf tail = BUF_INIT, token = BUF_INIT;
	bool good = true, more = true;
	while (good && more) {
		struct http_client_answer a;
		buf_clear(&tail);
		buf_addc(&tail, '?');
		if (token.len) {
			buf_adds(&tail, "continuation-token=");
			buf_add_url_part(&tail, buf_str(&token), false);
			buf_addc(&tail, '&');
		}
		buf_adds(&tail, "encoding-type=url&list-type=2&prefix=");
		buf_add_url_part(&tail, s->prefix, false);
		good = s3_request(s, &(struct s3_ask){.tail = tail.data, .what = "the listing"}, &a, err);
		if (!good)
			break;
		s3_add_objects(s, buf_str(&a.body));
		good = s->n <= OBJECTS_MAX ||
		       err_set(err, ERR_CONFIG, "s3://%.*s/%.*s: more than %d objects: name a longer prefix",
		               STR_ARG(s->bucket), STR_ARG(s->prefix), OBJECTS_MAX);
		struct str next = xml_element(buf_str(&a.body), "NextContinuationToken", NULL);
		more = next.len > 0 && !str_eq(next, buf_str(&token));
		buf_clear(&token);
		buf_addstr(&token, next);
		http_client_answer_release(&a);
	}
	if (s->n > 1)
		qsort(s->objects, s->n, sizeof *s->objects, by_key);
	buf_release(&tail);
	buf_release(&token);
	return good;
}

static void add_folders(struct s3 *s, struct str xml)
{
	struct str one;
	while ((one = xml_element(xml, "CommonPrefixes", &xml)).p) {
		if (s->n == s->cap)
			s->objects = xrealloc(s->objects, s->cap = s->cap ? s->cap * 2 : 256, sizeof *s->objects);
		s->objects[s->n++] =
			(struct s3_object){.key = s3_decode_key(&s->arena, xml_element(one, "Prefix", NULL))};
	}
}

bool s3_list_page(struct s3 *page, struct str prefix, struct str after, bool folders, bool *ret_more,
                  struct err *err)
{
	struct buf tail = BUF_INIT, last = BUF_INIT;
	struct http_client_answer a;
	buf_addstr(&last, after); // it may be a key of the page that is replaced
	buf_addf(&tail, "?%sencoding-type=url&list-type=2&prefix=", folders ? "delimiter=%2F&" : "");
	buf_add_url_part(&tail, prefix, false);
	if (last.len) {
		buf_adds(&tail, "&start-after=");
		buf_add_url_part(&tail, buf_str(&last), false);
	}
	page->n = 0;
	page->expired = false;
	arena_reset(&page->arena);
	bool good = s3_request(page, &(struct s3_ask){.tail = tail.data, .what = "the listing"}, &a, err);
	if (good) {
		struct str xml = buf_str(&a.body);
		if (folders)
			add_folders(page, xml);
		else
			s3_add_objects(page, xml);
		if (page->n > 1)
			qsort(page->objects, page->n, sizeof *page->objects, by_key);
		*ret_more = page->n > 0 && str_is(xml_element(xml, "IsTruncated", NULL), "true");
		http_client_answer_release(&a);
	}
	buf_release(&tail);
	buf_release(&last);
	return good;
}

void s3_page_release(struct s3 *page)
{
	free(page->objects);
	arena_release(&page->arena);
	*page = (struct s3){0};
}

// ---- files --------------------------------------------------------------------------------------

static bool make_folders(const char *path)
{
	struct buf b = BUF_INIT;
	bool good = true;
	for (const char *p = path; good && *p; p++) {
		if (*p == '/' && b.len)
			good = mkdir(b.data, 0700) == 0 || errno == EEXIST;
		buf_addc(&b, *p);
	}
	buf_release(&b);
	return good;
}

static bool download_object(struct s3 *s, const struct s3_object *o, const char *path, struct err *err)
{
	struct buf part = BUF_INIT, tail = BUF_INIT;
	struct http_client_answer a;
	// The name of the part says which version it is of, so that two are never mixed.
	buf_addf(&part, "%s.%lld-%lld.part", path, (long long)o->modified_ms, (long long)o->size);
	buf_add_url_part(&tail, o->key, true);
	FILE *f = make_folders(path) ? fopen(part.data, "ab") : NULL;
	bool good =
		f || err_set(err, ERR_CONFIG,
	                 "%s: cannot be written (%s): set reconcile.cache to a folder that nowcast may write",
	                 part.data, strerror(errno));
	bool whole = good && fseeko(f, 0, SEEK_END) == 0 && ftello(f) == o->size;
	const struct s3_ask q = {.tail = tail.data, .what = "a file", .file = f};
	if (good && !whole && (good = s3_request(s, &q, &a, err)))
		http_client_answer_release(&a);
	if (f && (fflush(f) != 0 || fsync(fileno(f)) != 0) && good)
		good = err_set(err, ERR_FATAL, "%s: cannot be written: %s", part.data, strerror(errno));
	if (good && ftello(f) != o->size) {
		good = err_set(err, ERR_RETRY, "s3://%.*s/%.*s: %lld bytes came, %lld were promised",
		               STR_ARG(s->bucket), STR_ARG(o->key), (long long)ftello(f), (long long)o->size);
		unlink(part.data);
	}
	if (f)
		fclose(f);
	struct timespec times[2] = {{.tv_sec = o->modified_ms / 1000}, {.tv_sec = o->modified_ms / 1000}};
	if (good && (utimensat(AT_FDCWD, part.data, times, 0) != 0 || rename(part.data, path) != 0))
		good = err_set(err, ERR_FATAL, "%s: %s", path, strerror(errno));
	s->fetched += good;
	s->fetched_bytes += good ? o->size : 0;
	buf_release(&part);
	buf_release(&tail);
	return good;
}

static bool is_fresh(const struct s3_object *o, const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && st.st_size == o->size && st.st_mtim.tv_sec == o->modified_ms / 1000;
}

static const struct s3_object *find_object(const struct s3 *s, struct str key)
{
	struct s3_object like = {.key = key};
	return s->n ? bsearch(&like, s->objects, s->n, sizeof like, by_key) : NULL;
}

bool s3_fetch(void *s3, struct str path, struct err *err)
{
	struct s3 *s = s3;
	assert(str_starts(path, s->folder) && path.len > s->folder.len && path.p[s->folder.len] == '/');
	struct str key = {path.p + s->folder.len + 1, path.len - s->folder.len - 1};
	const struct s3_object *o = find_object(s, key);
	if (!s3_key_is_plain(key))
		return err_set(err, ERR_CONFIG, "s3://%.*s/%.*s: a key with . or .. among its parts is not fetched",
		               STR_ARG(s->bucket), STR_ARG(key));
	if (!o)
		return err_set(err, ERR_SKIP,
		               "s3://%.*s/%.*s is not there: the delivery is not whole; run again when it is",
		               STR_ARG(s->bucket), STR_ARG(key));
	s->fetching = o;
	bool good = is_fresh(o, path.p) || download_object(s, o, path.p, err);
	s->fetching = NULL;
	if (good)
		s3_cache_touch(path.p);
	return good;
}

bool s3_read(const struct credentials *c, const char *region, struct s3_name object, struct buf *ret,
             bool *ret_expired, struct err *err)
{
	struct s3 s = {.credentials = *c, .bucket = object.bucket}; // the credentials stay the caller's
	struct buf tail = BUF_INIT;
	struct http_client_answer a;
	snprintf(s.region, sizeof s.region, "%s", region);
	buf_add_url_part(&tail, object.key, true);
	bool good = s3_request(&s, &(struct s3_ask){.tail = tail.data, .what = "a file"}, &a, err);
	*ret_expired = !good && s.expired;
	if (good) {
		buf_addstr(ret, buf_str(&a.body));
		http_client_answer_release(&a);
	}
	buf_release(&tail);
	return good;
}

// ---- opening ------------------------------------------------------------------------------------

static int forget_manifest(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st, (void)at;
	if (flag == FTW_F && str_ends(str_of(path), STR("-Manifest.json")))
		unlink(path);
	return 0;
}

bool s3_key_is_plain(struct str key)
{
	if (key.len && memchr(key.p, '\0', key.len))
		return false;
	while (key.len) {
		struct str part = str_cut(&key, '/');
		if (str_is(part, "..") || str_is(part, "."))
			return false;
	}
	return true;
}

// Manifests are small and decide everything: the cache has those of the listing and no others.
static bool fetch_manifests(struct s3 *s, struct err *err)
{
	size_t n = 0;
	nftw(s->folder.p, forget_manifest, 16, FTW_PHYS);
	for (size_t i = 0; i < s->n; i++) {
		struct str key = s->objects[i].key;
		if (!str_ends(key, STR("-Manifest.json")) || !s3_key_is_plain(key))
			continue;
		struct buf path = BUF_INIT;
		buf_addf(&path, "%.*s/%.*s", STR_ARG(s->folder), STR_ARG(key));
		bool good = download_object(s, &s->objects[i], path.data, err);
		buf_release(&path);
		if (!good)
			return false;
		n++;
	}
	return n > 0 ||
	       err_set(
			   err, ERR_CONFIG,
			   "s3://%.*s/%.*s: no export: expected <export>/metadata/BILLING_PERIOD=YYYY-MM/<export>-Manifest.json below it",
			   STR_ARG(s->bucket), STR_ARG(s->prefix));
}

static void choose_folders(struct s3 *s, const char *cache)
{
	struct buf b = BUF_INIT;
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	if (cache && *cache)
		buf_adds(&b, cache);
	else if (xdg && *xdg)
		buf_addf(&b, "%s/nowcast/cur", xdg);
	else
		buf_addf(&b, "%s/.cache/nowcast/cur", home ? home : "");
	s->cache = arena_str(&s->arena, buf_str(&b));
	s->folder = arena_text(&s->arena, "%s/%.*s", b.data, STR_ARG(s->bucket));
	buf_release(&b);
}

bool s3_find_credentials(struct s3 *s, struct err *err)
{
	struct buf region = BUF_INIT;
	if (!credentials_find(&s->credentials, err))
		return false;
	s->found_ms = when_ticks_ms();
	aws_add_region(&region, buf_str(&s->credentials.region));
	snprintf(s->region, sizeof s->region, "%s", region.data);
	buf_release(&region);
	return true;
}

static bool open_listing(struct s3 *s, const char *uri, const char *cache, struct err *err)
{
	struct str rest = str_of(uri);
	assert(str_starts(rest, STR("s3://")));
	rest.p += 5, rest.len -= 5;
	s->bucket = arena_str(&s->arena, str_cut(&rest, '/'));
	while (rest.len && rest.p[rest.len - 1] == '/')
		rest.len--;
	s->prefix = arena_str(&s->arena, rest);
	if (!s->bucket.len || !s3_key_is_plain(s->prefix) || !s3_key_is_plain(s->bucket))
		return err_set(err, ERR_CONFIG, "%s: expected s3://BUCKET/PREFIX", uri);
	choose_folders(s, cache);
	s->opened_ms = when_now_ms();
	return s3_find_credentials(s, err) && list_objects(s, err);
}

bool s3_open(struct s3 *s, const char *uri, const char *cache, s3_progress *progress, void *user,
             struct err *err)
{
	s->progress = progress;
	s->user = user;
	return open_listing(s, uri, cache, err) && fetch_manifests(s, err);
}

bool s3_open_prefix(struct s3 *s, const char *uri, const char *cache, struct err *err)
{
	return open_listing(s, uri, cache, err);
}

void s3_prune(const struct s3 *s, int64_t max)
{
	if (s->cache.len)
		s3_cache_prune(s->cache.p, max, s->opened_ms, when_now_ms());
}

void s3_close(struct s3 *s)
{
	credentials_release(&s->credentials);
	free(s->objects);
	arena_release(&s->arena);
	*s = (struct s3){0};
}
