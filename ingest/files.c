// SPDX-License-Identifier: Apache-2.0
// Two layers: a source yields plain bytes (it inflates gzip), and a window over them finds the messages. The
// format of a file is read from its content, not from its name: a dump named .json may hold lines, and a .log
// may hold one indented object.
#include "ingest/files.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "base/buf.h"

enum { CHUNK = 256 * 1024 };

// ---- the list

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void add_entry(struct files *f, const char *path, int64_t bytes)
{
	f->entries = xrealloc(f->entries, f->n + 1, sizeof *f->entries);
	f->entries[f->n++] = (struct files_entry){xstrdup(str_of(path)), bytes};
	f->bytes += bytes;
}

static bool list_tree(struct files *f, const char *path, struct err *err)
{
	char *const roots[] = {(char *)path, NULL};
	FTS *walk = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
	if (!walk)
		return err_set(err, ERR_CONFIG, "%s: %s", path, strerror(errno));
	bool good = true;
	for (FTSENT *at; good && (at = fts_read(walk));) {
		if (at->fts_level > 0 && at->fts_name[0] == '.')
			fts_set(walk, at, FTS_SKIP);
		else if (at->fts_info == FTS_F || at->fts_info == FTS_DEFAULT)
			add_entry(f, at->fts_path, at->fts_info == FTS_F ? at->fts_statp->st_size : 0);
		else if (at->fts_info == FTS_NS || at->fts_info == FTS_DNR || at->fts_info == FTS_ERR ||
		         at->fts_info == FTS_SLNONE)
			good = err_set(err, ERR_CONFIG, "%s: %s", at->fts_path,
			               strerror(at->fts_errno ? at->fts_errno : ENOENT));
	}
	fts_close(walk);
	return good;
}

bool files_list(struct files *f, char *const *paths, struct err *err)
{
	*f = (struct files){0};
	for (; *paths; paths++) {
		if (strcmp(*paths, "-") == 0)
			add_entry(f, "-", 0);
		else if (!list_tree(f, *paths, err))
			return false;
	}
	return true;
}

void files_release(struct files *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->entries[i].path);
	free(f->entries);
	*f = (struct files){0};
}

// ---- bytes

struct source {
	struct files *files;
	const char *path;
	int fd;
	bool gzip, inside, eof;      // inside: a gzip member has begun and not ended
	const char *damage;          // NULL, or what is wrong with the gzip
	z_stream z;
	size_t at, len;              // of `raw`
	unsigned char raw[64 * 1024];
};

// Reads more bytes into `raw`, after its first `keep` bytes.
static bool source_fill(struct source *s, size_t keep, struct err *err)
{
	const volatile sig_atomic_t *stop = s->files->stop;
	ssize_t n;
	do {
		if (stop && *stop)
			return err_set(err, ERR_FATAL, "interrupted while reading %s", s->path);
		n = read(s->fd, s->raw + keep, sizeof s->raw - keep);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(err, ERR_FATAL, "cannot read %s: %s", s->path, strerror(errno));
	s->eof = n == 0 && keep == 0;
	s->at = 0;
	s->len = keep + (size_t)n;
	s->files->bytes_read += n;
	return true;
}

static bool source_open(struct source *s, struct files *f, const char *path, struct err *err)
{
	*s = (struct source){.files = f, .path = path};
	s->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0)
		return err_set(err, ERR_FATAL, "cannot open %s: %s", path, strerror(errno));
	if (!source_fill(s, 0, err))
		return false;
	// a pipe may yield one byte first, and gzip is recognised by two
	if (s->len == 1 && !source_fill(s, 1, err))
		return false;
	s->gzip = s->len >= 2 && s->raw[0] == 0x1f && s->raw[1] == 0x8b;
	if (s->gzip && inflateInit2(&s->z, 15 + 16) != Z_OK)
		return err_set(err, ERR_FATAL, "zlib cannot start: out of memory?");
	s->inside = s->gzip;
	return true;
}

static void source_close(struct source *s)
{
	if (s->gzip)
		inflateEnd(&s->z);
	if (s->fd > STDIN_FILENO)
		close(s->fd);
}

// Inflates from `raw` into `out`; returns the number of bytes. Damage ends the source: the next member cannot
// be found.
static size_t source_inflate(struct source *s, char *out, size_t room)
{
	if (!s->inside) { // between members
		inflateReset(&s->z);
		s->inside = true;
	}
	s->z.next_in = s->raw + s->at;
	s->z.avail_in = (uInt)(s->len - s->at);
	s->z.next_out = (unsigned char *)out;
	s->z.avail_out = (uInt)room;
	int rc = inflate(&s->z, Z_NO_FLUSH);
	s->at = s->len - s->z.avail_in;
	if (rc == Z_STREAM_END)
		s->inside = false;
	else if (rc != Z_OK && rc != Z_BUF_ERROR)
		s->damage = "gzip data is damaged";
	return room - s->z.avail_out;
}

// Up to `room` plain bytes; *ret_n 0 at the end.
static bool source_read(struct source *s, char *out, size_t room, size_t *ret_n, struct err *err)
{
	size_t n = 0;
	while (n == 0 && !s->damage) {
		if (s->at == s->len && !s->eof && !source_fill(s, 0, err))
			return false;
		if (s->eof) {
			if (s->inside)
				s->damage = "gzip data is truncated";
			break;
		}
		if (s->gzip) {
			n = source_inflate(s, out, room);
		} else {
			n = s->len - s->at < room ? s->len - s->at : room;
			memcpy(out, s->raw + s->at, n);
			s->at += n;
		}
	}
	*ret_n = n;
	return true;
}

// ---- messages

struct window {
	struct source source;
	struct buf buf;    // bytes from `start` on are not delivered yet
	size_t start;
	bool end;          // the source has no more
	size_t limit;      // of a message
	int64_t line;      // of the last message delivered
	files_message_fn *fn;
	void *user;
};

static struct str window_rest(const struct window *w)
{
	return (struct str){w->buf.data + w->start, w->buf.len - w->start};
}

static bool window_more(struct window *w, struct err *err)
{
	size_t n;
	if (w->start > 0) {
		memmove(w->buf.data, w->buf.data + w->start, w->buf.len - w->start);
		w->buf.len -= w->start;
		w->start = 0;
	}
	buf_reserve(&w->buf, CHUNK);
	if (!source_read(&w->source, w->buf.data + w->buf.len, CHUNK, &n, err))
		return false;
	w->buf.len += n;
	w->end = n == 0;
	return true;
}

static const char too_large[] = "larger than message.bytes";

static bool deliver_message(struct window *w, struct str data, int64_t line, const char *broken,
                            struct err *err)
{
	while (data.len && (data.p[data.len - 1] == '\n' || data.p[data.len - 1] == '\r'))
		data.len--;
	if (!data.len && !broken)
		return true;
	struct files_message m = {w->source.path, line, data, broken, broken == too_large};
	return w->fn(w->user, &m, err);
}

// The first line, or the part of it within the limit.
static bool first_line(struct window *w, struct str *ret, struct err *err)
{
	size_t blank = 0, looked = 0; // of the rest: leading blanks; bytes after them without a newline
	for (;;) {
		struct str rest = window_rest(w);
		while (blank < rest.len && rest.p[blank] && strchr(" \t\r\n", rest.p[blank]))
			blank++;
		rest.p += blank;
		rest.len -= blank;
		const char *nl = rest.len > looked ? memchr(rest.p + looked, '\n', rest.len - looked) : NULL;
		if (nl || w->end || rest.len > w->limit) {
			*ret = nl ? (struct str){rest.p, (size_t)(nl - rest.p)} : rest;
			return true;
		}
		looked = rest.len;
		if (!window_more(w, err))
			return false;
	}
}

// Whether this is the first line of an indented value: a bracket is open, and the line ends where a printer
// breaks it. A truncated record has open brackets too, but the lines after it are records of their own.
static bool is_indented(struct str s)
{
	int64_t depth = 0;
	bool quoted = false;
	while (s.len && strchr(" \t\r", s.p[s.len - 1]))
		s.len--;
	if (!s.len || !strchr("{[,:", s.p[s.len - 1]))
		return false; // at once: this line may be a whole file of CloudTrail
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];
		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted)
			depth += (c == '{' || c == '[') - (c == '}' || c == ']');
	}
	return depth > 0 && !quoted;
}

static bool is_binary(struct str s)
{
	for (size_t i = 0; i < s.len && i < 512; i++)
		if ((unsigned char)s.p[i] < ' ' && s.p[i] != '\t' && s.p[i] != '\r')
			return true;
	return false;
}

// Skips to the end of a line that is too long to be a message.
static bool skip_line(struct window *w, struct err *err)
{
	for (;;) {
		struct str rest = window_rest(w);
		const char *nl = rest.len ? memchr(rest.p, '\n', rest.len) : NULL;
		w->start = nl ? (size_t)(nl + 1 - w->buf.data) : w->buf.len;
		if (nl || w->end)
			return true;
		if (!window_more(w, err))
			return false;
	}
}

static bool read_lines(struct window *w, struct err *err)
{
	size_t looked = 0; // of the rest, without a newline
	for (;;) {
		struct str rest = window_rest(w);
		const char *nl = rest.len > looked ? memchr(rest.p + looked, '\n', rest.len - looked) : NULL;
		if (nl) {
			rest.len = (size_t)(nl - rest.p);
			if (!deliver_message(w, rest, ++w->line, rest.len > w->limit ? too_large : NULL,
			                     err))
				return false;
			w->start = (size_t)(nl + 1 - w->buf.data);
			looked = 0;
		} else if (w->end) {
			return deliver_message(w, rest, ++w->line, w->source.damage, err);
		} else if (rest.len > w->limit) {
			if (!deliver_message(w, (struct str){rest.p, w->limit}, ++w->line, too_large,
			                     err) ||
			    !skip_line(w, err))
				return false;
			looked = 0;
		} else {
			looked = rest.len;
			if (!window_more(w, err))
				return false;
		}
	}
}

static bool read_messages(struct window *w, struct err *err)
{
	struct str line;
	if (!first_line(w, &line, err))
		return false;
	if (is_binary(line) || is_indented(line)) {
		while (!w->end && window_rest(w).len <= w->limit)
			if (!window_more(w, err))
				return false;
		if (w->end)
			return deliver_message(w, window_rest(w), 0, w->source.damage, err);
		// Too large for one message: it is read line by line, and incomplete lines become faults.
	}
	return read_lines(w, err);
}

bool files_read(struct files *f, size_t entry, size_t message_bytes, files_message_fn *fn, void *user,
                struct err *err)
{
	assert(entry < f->n);
	struct window *w = xcalloc(1, sizeof *w);
	w->limit = message_bytes;
	w->fn = fn;
	w->user = user;
	bool good = source_open(&w->source, f, f->entries[entry].path, err) && read_messages(w, err);
	source_close(&w->source);
	buf_release(&w->buf);
	free(w);
	return good;
}
