// SPDX-License-Identifier: Apache-2.0
// Passwords made of credentials of AWS: a server takes a presigned URL (Signature Version 4, in its query) as
// proof of who the client is. Nobody requests that URL; the server shows it to IAM. Nothing is asked of AWS
// here.
#ifndef NOWCAST_AWS_IAM_TOKEN_H
#define NOWCAST_AWS_IAM_TOKEN_H

#include "aws/http_client.h"

enum { IAM_TOKEN_S = 900 }; // how long MSK, ElastiCache and MemoryDB take one for a new connection

struct iam_presign {
	const struct credentials *by;
	const char *service, *region;
	const char *host;
	const char *query;     // percent-encoded, in the order of names, none after "X-Amz-"; "": none
	int64_t now_ms;        // since 1970
	int expires_s;
};

// Appends "HOST/?QUERY": a GET of that host, without its scheme. The signature is that of
// https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html, with a host header only and an
// empty body.
void iam_presign(const struct iam_presign *p, struct buf *ret);

// Appends the token that a broker of Amazon MSK takes by SASL's OAUTHBEARER, valid for IAM_TOKEN_S: as the
// libraries aws-msk-iam-sasl-signer-* make it.
void iam_token_kafka(const struct credentials *by, const char *region, int64_t now_ms, struct buf *ret);

// A Redis of AWS that knows users of IAM.
enum iam_redis { IAM_ELASTICACHE, IAM_ELASTICACHE_SERVERLESS, IAM_MEMORYDB };

// Appends the password of `user`, valid for IAM_TOKEN_S. `name`: that of the replication group, the
// serverless cache or the cluster; AWS has it in lower case.
void iam_token_redis(const struct credentials *by, enum iam_redis kind, const char *region, const char *name,
                     const char *user, int64_t now_ms, struct buf *ret);

#endif
