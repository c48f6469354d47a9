// SPDX-License-Identifier: Apache-2.0
// One file from a web server, kept on disk: not downloaded again while it has not changed, continued where it
// broke off, and put in its place only when it is whole.
//
//     PATH          the last whole download
//     PATH.state    its validator (ETag) and SHA-256
//     PATH.part     what has come of the next one; PATH.part.state: whose beginning it is
#ifndef NOWCAST_PRICING_DOWNLOAD_H
#define NOWCAST_PRICING_DOWNLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum download_result {
	DOWNLOAD_SAME,    // the server says that PATH is current
	DOWNLOAD_FRESH,   // PATH is new
	DOWNLOAD_RESUMED, // PATH is new, its beginning came earlier
};

// At most `max` bytes. A checksum that the server sends along (x-amz-checksum-sha256) must fit; a PATH that
// no longer fits its own SHA-256 is downloaded again. False: PATH is as it was. ERR_RETRY: the network or the
// server; call again later. ERR_CONFIG: the address, the folder, or what came.
bool download_file(const char *url, const char *path, int64_t max, enum download_result *ret,
                   struct err *err) NC_CHECK;

#endif
