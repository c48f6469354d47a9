// SPDX-License-Identifier: Apache-2.0
#include "web/gzip.h"

#include <assert.h>
#include <zlib.h>

enum { WINDOW_BITS = 15, GZIP_FORMAT = 16 };

bool gzip_into(struct buf *out, struct str in, struct gzip_effort effort)
{
	z_stream z = {0};
	assert(out->len == 0);
	if (deflateInit2(&z, effort.level, Z_DEFLATED, WINDOW_BITS + GZIP_FORMAT, effort.memory,
	                 Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	size_t bound = deflateBound(&z, in.len);
	buf_reserve(out, bound);
	z.next_in = (Bytef *)(uintptr_t)in.p;
	z.avail_in = (uInt)in.len;
	z.next_out = (Bytef *)out->data;
	z.avail_out = (uInt)bound;
	bool good = deflate(&z, Z_FINISH) == Z_STREAM_END;
	out->len = good ? z.total_out : 0;
	deflateEnd(&z);
	return good;
}
