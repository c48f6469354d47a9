// SPDX-License-Identifier: Apache-2.0
// The password of a user of IAM at ElastiCache or MemoryDB: a token, made anew for every connection. For
// redis.c only.
#ifndef NOWCAST_STORE_REDIS_IAM_H
#define NOWCAST_STORE_REDIS_IAM_H

#include <stdint.h>

#include "aws/iam_token.h"

struct redis_iam {
	enum iam_redis kind;
	char *region, *name; // NULL: the password is that of the URL
};

// AWS closes a connection twelve hours after its login.
enum { REDIS_IAM_RENEW_MS = 11 * 3600000 };

// "elasticache:us-east-1:NAME", "elasticache-serverless:...", "memorydb:..."; NULL or "": no IAM. ERR_CONFIG.
bool redis_iam_parse(struct redis_iam *ret, const char *text, struct err *err) NC_CHECK;
void redis_iam_copy(struct redis_iam *to, const struct redis_iam *from);
void redis_iam_release(struct redis_iam *iam);

// Looks for credentials of AWS, and appends the password. ERR_CONFIG, ERR_RETRY: there are none now.
bool redis_iam_password(const struct redis_iam *iam, const char *user, struct buf *ret,
                        struct err *err) NC_CHECK;

#endif
