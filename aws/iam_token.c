// SPDX-License-Identifier: Apache-2.0
#include "aws/iam_token.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

#include "base/digest.h"
#include "base/text.h"

enum { TIME_SIZE = 17, DAY_LEN = 8 }; // "20150830T123600Z"

static void format_time(int64_t now_ms, char ret[TIME_SIZE])
{
	time_t s = (time_t)(now_ms / 1000);
	struct tm tm;
	gmtime_r(&s, &tm);
	strftime(ret, TIME_SIZE, "%Y%m%dT%H%M%SZ", &tm);
}

// What the signature is for, in this order: "20150830/us-east-1/service/aws4_request".
static void add_scope(struct buf *b, const struct iam_presign *p, const char *time)
{
	buf_addf(b, "%.*s/%s/%s/aws4_request", DAY_LEN, time, p->region, p->service);
}

static void add_query(struct buf *b, const struct iam_presign *p, const char *time)
{
	struct buf credential = BUF_INIT;
	buf_addf(&credential, "%.*s/", STR_ARG(buf_str(&p->by->access_key)));
	add_scope(&credential, p, time);
	buf_addf(b, "%s%sX-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=", p->query, *p->query ? "&" : "");
	buf_add_url_part(b, buf_str(&credential), false);
	buf_addf(b, "&X-Amz-Date=%s&X-Amz-Expires=%d", time, p->expires_s);
	if (p->by->session_token.len) {
		buf_adds(b, "&X-Amz-Security-Token=");
		buf_add_url_part(b, buf_str(&p->by->session_token), false);
	}
	buf_adds(b, "&X-Amz-SignedHeaders=host");
	buf_release(&credential);
}

// In lower-case hex.
static void add_sha256(struct buf *b, struct str s)
{
	unsigned char md[SHA256_SIZE];
	sha256(s, md);
	for (size_t i = 0; i < sizeof md; i++)
		buf_addf(b, "%02x", md[i]);
}

// Each word's HMAC is the key of the next one.
static void sign_text(const struct iam_presign *p, const char *time, struct str text,
                      char ret[SHA256_HEX_SIZE])
{
	const struct str words[] = {{time, DAY_LEN}, str_of(p->region), str_of(p->service), STR("aws4_request")};
	struct buf secret = BUF_INIT;
	unsigned char key[SHA256_SIZE], next[SHA256_SIZE];
	buf_addf(&secret, "AWS4%.*s", STR_ARG(buf_str(&p->by->secret_key)));
	struct str by = buf_str(&secret);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		hmac_sha256(by, words[i], next);
		memcpy(key, next, sizeof key);
		by = (struct str){(const char *)key, sizeof key};
	}
	hmac_sha256_hex(by, text, ret);
	buf_release(&secret);
}

void iam_presign(const struct iam_presign *p, struct buf *ret)
{
	char time[TIME_SIZE], signature[SHA256_HEX_SIZE];
	struct buf query = BUF_INIT, request = BUF_INIT, text = BUF_INIT;
	assert(p->expires_s > 0 && p->region && *p->region);
	format_time(p->now_ms, time);
	add_query(&query, p, time);
	buf_addf(&request, "GET\n/\n%s\nhost:%s\n\nhost\n", query.data, p->host);
	add_sha256(&request, STR("")); // of the body
	buf_addf(&text, "AWS4-HMAC-SHA256\n%s\n", time);
	add_scope(&text, p, time);
	buf_addc(&text, '\n');
	add_sha256(&text, buf_str(&request));
	sign_text(p, time, buf_str(&text), signature);
	buf_addf(ret, "%s/?%s&X-Amz-Signature=%s", p->host, query.data, signature);
	buf_release(&query);
	buf_release(&request);
	buf_release(&text);
}

// base64 for URLs (RFC 4648, 5), without padding.
static void add_base64_url(struct buf *b, struct str s)
{
	size_t from = b->len;
	buf_add_base64(b, s);
	while (b->len > from && b->data[b->len - 1] == '=')
		b->data[--b->len] = '\0';
	for (size_t i = from; i < b->len; i++)
		b->data[i] = b->data[i] == '+' ? '-' : b->data[i] == '/' ? '_' : b->data[i];
}

void iam_token_kafka(const struct credentials *by, const char *region, int64_t now_ms, struct buf *ret)
{
	struct buf url = BUF_INIT, host = BUF_INIT;
	// in every partition of AWS, as those libraries have it
	buf_addf(&host, "kafka.%s.amazonaws.com", region);
	buf_adds(&url, "https://");
	iam_presign(&(struct iam_presign){.by = by,
	                                  .service = "kafka-cluster",
	                                  .region = region,
	                                  .host = host.data,
	                                  .query = "Action=kafka-cluster%3AConnect",
	                                  .now_ms = now_ms,
	                                  .expires_s = IAM_TOKEN_S},
	            &url);
	buf_adds(&url, "&User-Agent=nowcast"); // behind the signature: it is not signed
	add_base64_url(ret, buf_str(&url));
	buf_release(&url);
	buf_release(&host);
}

void iam_token_redis(const struct credentials *by, enum iam_redis kind, const char *region, const char *name,
                     const char *user, int64_t now_ms, struct buf *ret)
{
	struct buf query = BUF_INIT;
	buf_adds(&query, "Action=connect&");
	if (kind == IAM_ELASTICACHE_SERVERLESS)
		buf_adds(&query, "ResourceType=ServerlessCache&");
	buf_adds(&query, "User=");
	buf_add_url_part(&query, str_of(user), false);
	iam_presign(&(struct iam_presign){.by = by,
	                                  .service = kind == IAM_MEMORYDB ? "memorydb" : "elasticache",
	                                  .region = region,
	                                  .host = name,
	                                  .query = query.data,
	                                  .now_ms = now_ms,
	                                  .expires_s = IAM_TOKEN_S},
	            ret);
	buf_release(&query);
}
