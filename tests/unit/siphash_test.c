// SPDX-License-Identifier: Apache-2.0
// SipHash against the test vector of its paper and against OpenSSL's, of all lengths and in all pieces.
#include "base/siphash.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "tests/tap.h"

static const struct siphash_key paper = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};

static uint64_t by_openssl(const unsigned char *p, size_t n, unsigned c, unsigned d)
{
	unsigned char key[16], out[8];
	size_t size = sizeof out, len = 0;
	for (int i = 0; i < 16; i++)
		key[i] = (unsigned char)i;
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
	OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
	                       OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_C_ROUNDS, &c),
	                       OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_D_ROUNDS, &d),
	                       OSSL_PARAM_construct_end()};
	bool good = EVP_MAC_init(ctx, key, sizeof key, params) && EVP_MAC_update(ctx, p, n) &&
	            EVP_MAC_final(ctx, out, &len, sizeof out);
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
	uint64_t value = 0;
	for (int i = 7; good && i >= 0; i--)
		value = value << 8 | out[i];
	return value;
}

static uint64_t in_pieces(const unsigned char *p, size_t n, size_t first)
{
	struct siphash s;
	siphash_begin(&s, &paper);
	siphash_add(&s, (struct str){(const char *)p, first});
	siphash_add(&s, STR_NONE);
	siphash_add(&s, (struct str){(const char *)p + first, n - first});
	return siphash_end(&s);
}

int main(void)
{
	unsigned char text[300];
	int wrong = 0, wrong13 = 0;
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (unsigned char)i;
	ok(in_pieces(text, 15, 15) == 0xa129ca6149be45e5u, "the example of the paper's appendix");
	for (size_t n = 0; n <= sizeof text; n++) {
		uint64_t want = by_openssl(text, n, 2, 4);
		for (size_t first = 0; first <= n; first += n < 40 ? 1 : 7)
			wrong += in_pieces(text, n, first) != want;
		wrong13 += siphash13(&paper, (struct str){(const char *)text, n}) != by_openssl(text, n, 1, 3);
	}
	is_int(wrong, 0, "as OpenSSL has it, of all lengths and however the text is cut");
	is_int(wrong13, 0, "likewise with one round a block and three at the end");
	return done();
}
