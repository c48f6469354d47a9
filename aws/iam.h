// SPDX-License-Identifier: Apache-2.0
// The tags of all roles and users of an account (IAM GetAccountAuthorizationDetails), as the AWS command line
// would list them: what store/tag_import.h reads.
#ifndef NOWCAST_AWS_IAM_H
#define NOWCAST_AWS_IAM_H

#include "aws/call.h"

// Appends a page to `ret` as one JSON object, {"RoleDetailList": [{"Arn": ..., "Tags": [...]}], ...}.
// ret_token as in cloudtrail_lookup.
enum aws_fault iam_list_tags(const struct aws_place *at, struct str token, struct buf *ret,
                             struct buf *ret_token, struct aws_answer *scratch, struct err *err) NC_CHECK;

#endif
