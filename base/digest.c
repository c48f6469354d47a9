// SPDX-License-Identifier: Apache-2.0
#include "base/digest.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

static void format_hex(const unsigned char *bytes, size_t n, char *ret)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < n; i++) {
		ret[2 * i] = digits[bytes[i] >> 4];
		ret[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret[2 * n] = '\0';
}

static void digest(const EVP_MD *kind, struct str s, unsigned char *ret, unsigned size)
{
	unsigned n = 0;
	int done = EVP_Digest(s.p ? s.p : "", s.len, ret, &n, kind, NULL);
	assert(done == 1 && n == size);
}

void sha1_hex(struct str s, char ret[SHA1_HEX_SIZE])
{
	unsigned char md[SHA1_SIZE];
	digest(EVP_sha1(), s, md, sizeof md);
	format_hex(md, sizeof md, ret);
}

void sha256(struct str s, unsigned char ret[SHA256_SIZE])
{
	digest(EVP_sha256(), s, ret, SHA256_SIZE);
}

bool sha256_file(const char *path, unsigned char ret[SHA256_SIZE])
{
	unsigned char block[65536];
	unsigned len = 0;
	size_t n;
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	FILE *f = fopen(path, "rbe");
	bool good = f && c && EVP_DigestInit_ex(c, EVP_sha256(), NULL);
	while (good && (n = fread(block, 1, sizeof block, f)) > 0)
		good = EVP_DigestUpdate(c, block, n);
	good = good && !ferror(f) && EVP_DigestFinal_ex(c, ret, &len) && len == SHA256_SIZE;
	if (f)
		fclose(f);
	EVP_MD_CTX_free(c);
	return good;
}

void hmac_sha256(struct str key, struct str s, unsigned char ret[SHA256_SIZE])
{
	unsigned len = 0;
	const unsigned char *done = HMAC(EVP_sha256(), key.p ? key.p : "", (int)key.len,
	                                 (const unsigned char *)(s.p ? s.p : ""), s.len, ret, &len);
	assert(done && len == SHA256_SIZE);
}

void hmac_sha256_hex(struct str key, struct str s, char ret[SHA256_HEX_SIZE])
{
	unsigned char mac[SHA256_SIZE];
	hmac_sha256(key, s, mac);
	format_hex(mac, sizeof mac, ret);
}

bool sha256_equal(const unsigned char a[SHA256_SIZE], const unsigned char b[SHA256_SIZE])
{
	return CRYPTO_memcmp(a, b, SHA256_SIZE) == 0;
}

void digest_library(struct buf *out)
{
	buf_addf(out, "OpenSSL %s", OpenSSL_version(OPENSSL_VERSION_STRING));
}
