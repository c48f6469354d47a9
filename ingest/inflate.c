// SPDX-License-Identifier: Apache-2.0
// The output buffer doubles as it grows: a small input costs little, and a decompression bomb stops at `max`
// with at most twice that allocated. A truncated stream and a damaged one have different messages, because
// their causes differ (an interrupted upload, a copy in text mode).
#include "ingest/inflate.h"

#include <assert.h>
#include <limits.h>
#include <zlib.h>

enum { CHUNK = 16 * 1024 };

// Inflates one member; *in then starts after it.
static bool inflate_member(z_stream *z, struct str *in, size_t limit, struct buf *out, struct err *err)
{
	size_t whole = in->len;
	int code = Z_OK;
	while (code != Z_STREAM_END) {
		// One byte more than allowed: a stream that fits exactly still needs room to report its end.
		size_t room = out->len > CHUNK ? out->len : CHUNK, left = limit - out->len + 1;
		if (room > left)
			room = left;
		unsigned ask = room > UINT_MAX / 2 ? UINT_MAX / 2 : (unsigned)room;
		unsigned give = in->len > UINT_MAX / 2 ? UINT_MAX / 2 : (unsigned)in->len;
		buf_reserve(out, ask);
		z->next_in = (Bytef *)(uintptr_t)in->p;
		z->avail_in = give;
		z->next_out = (Bytef *)out->data + out->len;
		z->avail_out = ask;
		code = inflate(z, Z_NO_FLUSH);
		in->p += give - z->avail_in;
		in->len -= give - z->avail_in;
		out->len += ask - z->avail_out;
		out->data[out->len] = '\0';
		if (out->len > limit)
			return err_set(
				err, ERR_SKIP,
				"message too large: its gzip data inflates to more than the %zu bytes left of message.bytes; raise it if such messages are expected",
				limit);
		if (code == Z_BUF_ERROR || (code == Z_OK && in->len == 0 && z->avail_out > 0))
			return err_set(
				err, ERR_SKIP,
				"gzip data is truncated: it ends after %zu bytes, within a member with %zu bytes of output so far",
				whole, (size_t)z->total_out);
		if (code != Z_OK && code != Z_STREAM_END)
			return err_set(err, ERR_SKIP, "gzip data is damaged %zu bytes in: %s", whole - in->len,
			               z->msg ? z->msg : "unreadable");
	}
	return true;
}

bool inflate_gzip(struct str in, size_t max, struct buf *out, struct err *err)
{
	z_stream z = {0};
	size_t limit = out->len + max;
	if (limit < max)
		limit = SIZE_MAX / 2;
	if (inflateInit2(&z, 15 + 16) != Z_OK) // 16: gzip only, with its checksum
		return err_set(err, ERR_RETRY, "zlib cannot start: out of memory");
	bool good = true;
	while (good && inflate_is_gzip(in)) {
		good = inflate_member(&z, &in, limit, out, err);
		inflateReset(&z);
	}
	inflateEnd(&z);
	assert(!good || out->len <= limit);
	while (good && in.len && in.p[0] == '\0')
		in.p++, in.len--;
	if (good && in.len)
		return err_set(err, ERR_SKIP, "%zu bytes after the gzip data are not gzip", in.len);
	return good;
}

void inflate_library(struct buf *out)
{
	buf_addf(out, "zlib %s", zlibVersion());
}
