// SPDX-License-Identifier: Apache-2.0
// Digests of known texts: RFC 3174, FIPS 180-2, RFC 4231.
#include "base/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/tap.h"

static bool is_abc(const unsigned char *md) // SHA-256 of "abc" begins and ends so
{
	return md[0] == 0xba && md[1] == 0x78 && md[2] == 0x16 && md[31] == 0xad;
}

int main(void)
{
	char sha1[SHA1_HEX_SIZE], mac[SHA256_HEX_SIZE], path[] = "/tmp/digest_test.XXXXXX";
	unsigned char of_text[SHA256_SIZE], of_file[SHA256_SIZE];
	sha1_hex(STR("abc"), sha1);
	is_str(sha1, "a9993e364706816aba3e25717850c26c9cd0d89d", "SHA-1 of abc");
	sha1_hex(STR_NONE, sha1);
	is_str(sha1, "da39a3ee5e6b4b0d3255bfef95601890afd80709", "SHA-1 of nothing");
	hmac_sha256_hex(STR("Jefe"), STR("what do ya want for nothing?"), mac);
	is_str(mac, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
	       "HMAC-SHA256 of RFC 4231");
	sha256(STR("abc"), of_text);
	ok(is_abc(of_text), "SHA-256 of abc");

	int fd = mkstemp(path);
	ok(fd >= 0 && write(fd, "abc", 3) == 3 && sha256_file(path, of_file), "a file is read");
	ok(sha256_equal(of_text, of_file), "and has the digest of its text");
	of_file[31] ^= 1;
	ok(!sha256_equal(of_text, of_file), "one bit makes them differ");
	close(fd);
	unlink(path);
	ok(!sha256_file(path, of_file), "a file that is not there has none");
	return done();
}
