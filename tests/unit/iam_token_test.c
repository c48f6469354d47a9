// SPDX-License-Identifier: Apache-2.0
// Presigned URLs: the published vectors of Signature Version 4 (awslabs/aws-c-auth,
// tests/aws-signing-test-suite/v4/*/query-signature.txt), and for the tokens what botocore 1.44's
// SigV4QueryAuth makes of the same request.
#include "aws/iam_token.h"
#include "base/text.h"
#include "ingest/base64.h"
#include "tests/tap.h"

static struct credentials credentials_of(const char *token)
{
	struct credentials c = {.origin = "test"};
	buf_adds(&c.access_key, "AKIDEXAMPLE");
	buf_adds(&c.secret_key, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
	buf_adds(&c.session_token, token);
	return c;
}

static void release_credentials(struct credentials *c)
{
	buf_release(&c->access_key);
	buf_release(&c->secret_key);
	buf_release(&c->session_token);
}

static void test_vectors(void)
{
#define TOKEN "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"
#define UNRESERVED "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	static const struct {
		const char *name, *query, *token, *signature;
	} vectors[] = {
		{"get-vanilla-query", "", "", "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d"},
		{"get-vanilla-with-session-token", "", TOKEN,
	     "7ff2b50b376cb4d151970630573d6291dc128cc5c2a12ffb237f73cc53f67b6c"},
		{"get-vanilla-query-order-key-case", "Param1=value1&Param2=value2", "",
	     "86012e2c9ad4d77369f5d81c11f75158aae4f895a085212cc6d3f923d300bed5"},
		{"get-vanilla-query-order-encoded", "%E1%88%B4=Value1&Param=Value2&Param-3=Value3", "",
	     "c5f1848ceec943ac2ca68ee720460c23aaae30a2300586597ada94c4a65e4787"},
		{"get-vanilla-query-unreserved", UNRESERVED "=" UNRESERVED, "",
	     "8e76a88a7433637b12778d5592799b29ad21ecd6cf6325051c21d86f0acda2bf"},
	};
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		struct credentials c = credentials_of(vectors[i].token);
		struct buf url = BUF_INIT;
		iam_presign(&(struct iam_presign){.by = &c,
		                                  .service = "service",
		                                  .region = "us-east-1",
		                                  .host = "example.amazonaws.com",
		                                  .query = vectors[i].query,
		                                  .now_ms = 1440938160000, // 2015-08-30T12:36:00Z
		                                  .expires_s = 3600},
		            &url);
		ok(str_starts(buf_str(&url), STR("example.amazonaws.com/?")) &&
		       str_ends(buf_str(&url), str_of(vectors[i].signature)),
		   "the published vector %s", vectors[i].name);
		buf_release(&url);
		release_credentials(&c);
	}
}

enum { NEW_DAY_MS = 1 }; // before midnight
#define NOW_MS (1796083200000 - NEW_DAY_MS) // 2026-11-30T23:59:59.999Z

static bool is_signed(const struct buf *url, const char *start, const char *signature)
{
	bool good = str_starts(buf_str(url), str_of(start)) && str_ends(buf_str(url), str_of(signature));
	if (!good)
		diag("%s", url->data);
	return good;
}

static void test_kafka(void)
{
	struct credentials c = credentials_of("IQo/a+b==");
	struct buf token = BUF_INIT, url = BUF_INIT;
	struct err err = ERR_INIT;
	iam_token_kafka(&c, "us-west-2", NOW_MS, &token);
	ok(token.len && !strpbrk(token.data, "+/="), "a token of MSK is base64 for URLs, without padding");
	ok(base64_decode(buf_str(&token), &url, &err), "it can be decoded");
	ok(is_signed(&url,
	             "https://kafka.us-west-2.amazonaws.com/?Action=kafka-cluster%3AConnect&X-Amz-Algorithm=",
	             "&X-Amz-SignedHeaders=host&X-Amz-Signature="
	             "d89662d0a491bc10dc4d662b0e9db623bfa951b76749ba4f92948984a79d2e73&User-Agent=nowcast"),
	   "and is the URL that botocore signs, with a user agent behind it");
	ok(strstr(url.data, "&X-Amz-Date=20261130T235959Z&X-Amz-Expires=900&"), "it holds for 15 minutes");
	ok(strstr(url.data, "&X-Amz-Security-Token=IQo%2Fa%2Bb%3D%3D&"), "the session token is percent-encoded");
	buf_release(&token);
	buf_release(&url);
	release_credentials(&c);
}

static void test_redis(enum iam_redis kind, const char *region, const char *token, const char *start,
                       const char *signature)
{
	struct credentials c = credentials_of(token);
	struct buf url = BUF_INIT;
	iam_token_redis(&c, kind, region, "orders", "now-cast", NOW_MS, &url);
	ok(is_signed(&url, start, signature), "%s", start);
	buf_release(&url);
	release_credentials(&c);
}

int main(void)
{
	test_vectors();
	test_kafka();
	test_redis(IAM_ELASTICACHE, "eu-central-1", "", "orders/?Action=connect&User=now-cast&X-Amz-Algorithm=",
	           "22f2b6947ea989e404232d85e5741c981d88c4dc8cf603efbbb8b9d2d2bee2da");
	test_redis(IAM_ELASTICACHE_SERVERLESS, "eu-central-1", "t/+=",
	           "orders/?Action=connect&ResourceType=ServerlessCache&User=now-cast&X-Amz-Algorithm=",
	           "44ca93bff653ff23b93a537e7716850a1614c69f9140b27a1bd6bb3cce36cca5");
	test_redis(IAM_MEMORYDB, "us-east-1", "", "orders/?Action=connect&User=now-cast&X-Amz-Algorithm=",
	           "ec3f56696e4dd70d6dd0c93631fb84b8939b73f04c12463b6d404d1dbf12cc10");
	return done();
}
