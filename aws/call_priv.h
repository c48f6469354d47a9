// SPDX-License-Identifier: Apache-2.0
// aws_call for the services that answer in JSON.
#ifndef NOWCAST_AWS_CALL_PRIV_H
#define NOWCAST_AWS_CALL_PRIV_H

#include "aws/call.h"

struct json_t; // jansson.h

// aws_call, and its answer as JSON. `list`: the member that must be an array; NULL: any JSON will do.
// AWS_NONE: *ret_root is the caller's, for json_decref. Else it is NULL; an answer that is cut off, or has no
// such list, is AWS_UNREACHABLE with ERR_RETRY.
enum aws_fault aws_call_json(const struct aws_request *r, const char *list, struct aws_answer *ret,
                             struct json_t **ret_root, struct err *err) NC_CHECK;

// The text of a member takes the place of what *ret held: nothing, if there is none.
void aws_copy_text(const struct json_t *object, const char *member, struct buf *ret);

#endif
