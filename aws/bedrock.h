// SPDX-License-Identifier: Apache-2.0
// Where Bedrock sends the invocation logs of an account and Region (GetModelInvocationLoggingConfiguration),
// and its application inference profiles (ListInferenceProfiles).
#ifndef NOWCAST_AWS_BEDROCK_H
#define NOWCAST_AWS_BEDROCK_H

#include "aws/call.h"

struct bedrock_logging {
	struct buf group;  // of CloudWatch Logs; empty: none
	struct buf bucket; // of S3; empty: none
	struct buf prefix; // of the keys in it; may be empty
};

void bedrock_logging_release(struct bedrock_logging *l);

// Both are empty if invocation logging is off.
enum aws_fault bedrock_logging_get(const struct aws_place *at, struct bedrock_logging *ret,
                                   struct aws_answer *scratch, struct err *err) NC_CHECK;

// ret->body: a page, as AWS wrote it: what store/profile_import.h reads. `token`: of this page, empty for the
// first; then of the next one, or empty at the last.
enum aws_fault bedrock_list_profiles(const struct aws_place *at, struct buf *token, struct aws_answer *ret,
                                     struct err *err) NC_CHECK;

#endif
