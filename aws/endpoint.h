// SPDX-License-Identifier: Apache-2.0
// What the environment says about calls to AWS, as the AWS SDKs read it: servers, Region, certificate
// authorities.
#ifndef NOWCAST_AWS_ENDPOINT_H
#define NOWCAST_AWS_ENDPOINT_H

#include "base/buf.h"
#include "base/str.h"

const char *aws_env(const char *name); // NULL: not set, or empty

// Another server for a service ("S3", "STS", "SSO"): AWS_ENDPOINT_URL_<service>, or AWS_ENDPOINT_URL. NULL:
// AWS' own.
const char *aws_endpoint(const char *service);

// Appends the Region to call: AWS_REGION, AWS_DEFAULT_REGION, the profile's (may be STR_NONE), or us-east-1.
void aws_add_region(struct buf *b, struct str profile_region);

// The domain of AWS' servers in a Region: "amazonaws.com", or "amazonaws.com.cn" in China.
const char *aws_domain(const char *region);

// The file that AWS_CA_BUNDLE names; STR_NONE: not set.
struct str aws_ca_file(void);

#endif
