// SPDX-License-Identifier: Apache-2.0
// Cryptographic digests: SHA-1 where a protocol names it (Redis' EVALSHA, the token files of AWS single
// sign-on), SHA-256 for everything else. For hashes of tables see base/hash.h.
#ifndef NOWCAST_BASE_DIGEST_H
#define NOWCAST_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

enum {
	SHA1_SIZE = 20,
	SHA1_HEX_SIZE = 2 * SHA1_SIZE + 1,
	SHA256_SIZE = 32,
	SHA256_HEX_SIZE = 2 * SHA256_SIZE + 1
};

// In lower-case hex, with a NUL.
void sha1_hex(struct str s, char ret[SHA1_HEX_SIZE]);

void sha256(struct str s, unsigned char ret[SHA256_SIZE]);
bool sha256_file(const char *path, unsigned char ret[SHA256_SIZE]); // false: it cannot be read to its end

void hmac_sha256(struct str key, struct str s, unsigned char ret[SHA256_SIZE]);
void hmac_sha256_hex(struct str key, struct str s, char ret[SHA256_HEX_SIZE]);

// Takes the same time whether and wherever they differ.
bool sha256_equal(const unsigned char a[SHA256_SIZE], const unsigned char b[SHA256_SIZE]);

// Appends the library and its version, as it is loaded: "OpenSSL 3.0.20".
void digest_library(struct buf *out);

#endif
