// SPDX-License-Identifier: Apache-2.0
// A queue of SQS that tells which objects of S3 are new.
#ifndef NOWCAST_AWS_SQS_H
#define NOWCAST_AWS_SQS_H

#include "aws/call.h"
#include "aws/s3.h"
#include "base/arena.h"

// The longest that a queue keeps a message ("Amazon SQS message quotas"); by default, 4 days.
#define SQS_KEPT_MS ((int64_t)14 * 86400000)

enum { SQS_MESSAGES_MAX = 10, SQS_HIDDEN_S = 300 }; // of one request; how long others do not get them

struct sqs_message {
	struct str receipt, body;
};

struct sqs_batch {
	struct arena arena;       // holds the texts
	struct sqs_message v[SQS_MESSAGES_MAX];
	int n;
};

// The Region of a queue by its URL, https://sqs.REGION.amazonaws.com/ACCOUNT/NAME. ERR_CONFIG: it is no such
// URL.
bool sqs_region(struct str url, char *ret, size_t size, struct err *err) NC_CHECK;

// Replaces `ret` by what the queue has now; none is no fault.
enum aws_fault sqs_receive(const struct aws_place *at, const char *url, struct sqs_batch *ret,
                           struct aws_answer *scratch, struct err *err) NC_CHECK;

// Deletes those that have a receipt. Those that could not be deleted come again: *ret_failed of them, where
// the request was taken; `err` then has the reason of the first.
enum aws_fault sqs_delete(const struct aws_place *at, const char *url, const struct sqs_batch *batch,
                          int *ret_failed, struct aws_answer *scratch, struct err *err) NC_CHECK;

void sqs_batch_release(struct sqs_batch *b);

// ---- objects in a message -----------------------------------------------------------------------

// Calls `fn` for each object that a message tells of: a notification of S3, an event of EventBridge, or
// CloudTrail's own notification, each by itself (SNS: raw delivery) or wrapped by SNS. Texts live in `arena`.
// Returns their number; -1: it is no such message.
typedef void sqs_object_fn(void *user, struct s3_name object);
int sqs_objects(struct str body, struct arena *arena, sqs_object_fn *fn, void *user);

#endif
