// SPDX-License-Identifier: Apache-2.0
#include "aws/endpoint.h"

#include <stdio.h>
#include <stdlib.h>

const char *aws_env(const char *name)
{
	const char *v = getenv(name);
	return v && *v ? v : NULL;
}

const char *aws_endpoint(const char *service)
{
	char name[64];
	snprintf(name, sizeof name, "AWS_ENDPOINT_URL_%s", service);
	const char *url = aws_env(name);
	return url ? url : aws_env("AWS_ENDPOINT_URL");
}

void aws_add_region(struct buf *b, struct str profile_region)
{
	const char *set = aws_env("AWS_REGION");
	if (!set)
		set = aws_env("AWS_DEFAULT_REGION");
	buf_addstr(b, set ? str_of(set) : profile_region.len ? profile_region : STR("us-east-1"));
}

const char *aws_domain(const char *region)
{
	return strncmp(region, "cn-", 3) == 0 ? "amazonaws.com.cn" : "amazonaws.com";
}

struct str aws_ca_file(void)
{
	return str_of(aws_env("AWS_CA_BUNDLE"));
}
