// SPDX-License-Identifier: Apache-2.0
// Bytes compressed in the format of gzip.
#ifndef NOWCAST_WEB_GZIP_H
#define NOWCAST_WEB_GZIP_H

#include <stdbool.h>

#include "base/buf.h"

// zlib's level and memLevel: more time and memory for fewer bytes.
struct gzip_effort {
	int level, memory;
};

#define GZIP_ONCE ((struct gzip_effort){9, 9})     // compressed at the start, sent often
#define GZIP_ANSWER ((struct gzip_effort){4, 8})   // compressed and sent once

// Fills `out`, which is empty. False: it stays so, and the bytes are sent as they are.
bool gzip_into(struct buf *out, struct str in, struct gzip_effort effort);

#endif
