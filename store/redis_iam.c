// SPDX-License-Identifier: Apache-2.0
#include "store/redis_iam.h"

#include <ctype.h>
#include <stdlib.h>

#include "aws/credentials.h"
#include "base/when.h"

bool redis_iam_parse(struct redis_iam *ret, const char *text, struct err *err)
{
	static const char *const words[] = {[IAM_ELASTICACHE] = "elasticache",
	                                    [IAM_ELASTICACHE_SERVERLESS] = "elasticache-serverless",
	                                    [IAM_MEMORYDB] = "memorydb"};
	*ret = (struct redis_iam){0};
	struct str rest = str_of(text), kind = str_cut(&rest, ':'), region = str_cut(&rest, ':');
	if (!text || !*text)
		return true;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (str_is(kind, words[i]) && region.len && rest.len) {
			ret->kind = (enum iam_redis)i;
			ret->region = xstrdup(region);
			ret->name = xstrdup(rest);
			for (char *c = ret->name; *c; c++)
				*c = (char)tolower((unsigned char)*c); // as AWS keeps it, and signs
			return true;
		}
	return err_set(err, ERR_CONFIG,
	               "redis.iam: \"%s\": expected elasticache:REGION:NAME, elasticache-serverless:REGION:NAME or "
	               "memorydb:REGION:NAME",
	               text);
}

void redis_iam_copy(struct redis_iam *to, const struct redis_iam *from)
{
	*to = *from;
	to->region = from->region ? xstrdup(str_of(from->region)) : NULL;
	to->name = from->name ? xstrdup(str_of(from->name)) : NULL;
}

void redis_iam_release(struct redis_iam *iam)
{
	free(iam->region);
	free(iam->name);
	*iam = (struct redis_iam){0};
}

bool redis_iam_password(const struct redis_iam *iam, const char *user, struct buf *ret, struct err *err)
{
	struct credentials c = {0};
	bool good = credentials_find(&c, err);
	if (good)
		iam_token_redis(&c, iam->kind, iam->region, iam->name, user, when_now_ms(), ret);
	credentials_release(&c);
	return good || err_prefix(err, "redis.iam");
}
