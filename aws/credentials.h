// SPDX-License-Identifier: Apache-2.0
// AWS credentials by the usual chain. The first place that is set up is used. If it does not work, that is an
// error that says what to do: the next place would read the bill as another principal, or hide the cause.
//
//   1. environment   AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
//   2. web identity  AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN (EKS service accounts), exchanged at STS
//   3. profile       AWS_PROFILE (or "default") in ~/.aws/credentials and ~/.aws/config: a role assumed by
//                    another profile, single sign-on, keys, or a process (aws/credentials_profile.c)
//   4. container     AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI (ECS, EKS pod identity)
//   5. machine       the instance's role, by IMDSv2 (AWS_EC2_METADATA_DISABLED=true forbids it)
//
// AWS_ENDPOINT_URL_STS and AWS_ENDPOINT_URL_SSO name other servers, as they do for the AWS SDKs.
#ifndef NOWCAST_AWS_CREDENTIALS_H
#define NOWCAST_AWS_CREDENTIALS_H

#include "aws/http_client.h"

// ERR_CONFIG says which places were tried, or what is wrong with the one that is set up. *ret is released by
// the caller, on failure too.
bool credentials_find(struct credentials *ret, struct err *err) NC_CHECK;
void credentials_release(struct credentials *c);

// The account that they belong to (STS GetCallerIdentity, which needs no permission): 12 digits.
bool credentials_account(const struct credentials *c, char ret[13], struct err *err) NC_CHECK;

#endif
