// SPDX-License-Identifier: Apache-2.0
#include "aws/bedrock.h"

#include <jansson.h>

static const struct aws_service service = {.endpoint = "BEDROCK", .host = "bedrock"};

void bedrock_logging_release(struct bedrock_logging *l)
{
	buf_release(&l->group);
	buf_release(&l->bucket);
}

static void copy_member(struct buf *to, const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	buf_clear(to);
	buf_adds(to, text ? text : "");
}

enum aws_fault bedrock_logging_get(const struct aws_place *at, struct bedrock_logging *ret,
                                   struct aws_answer *scratch, struct err *err)
{
	const struct aws_request r = {.service = &service,
	                              .at = at,
	                              .operation = "GetModelInvocationLoggingConfiguration",
	                              .permission = "bedrock:GetModelInvocationLoggingConfiguration",
	                              .path = "/logging/modelinvocations"};
	enum aws_fault fault = aws_call(&r, scratch, err);
	if (fault != AWS_NONE)
		return fault;
	json_t *root = json_loadb(scratch->body.data ? scratch->body.data : "", scratch->body.len, 0, NULL),
		   *conf = json_object_get(root, "loggingConfig");
	if (!root) { // it is not known: not "off"
		err_set(err, ERR_RETRY, "%s, %s: the answer to %s is cut off", at->account, at->region, r.operation);
		return AWS_UNREACHABLE;
	}
	copy_member(&ret->group, json_object_get(conf, "cloudWatchConfig"), "logGroupName");
	copy_member(&ret->bucket, json_object_get(conf, "s3Config"), "bucketName");
	json_decref(root);
	return AWS_NONE;
}

enum aws_fault bedrock_list_profiles(const struct aws_place *at, struct buf *token, struct aws_answer *ret,
                                     struct err *err)
{
	struct buf path = BUF_INIT;
	buf_adds(&path,
	         "/inference-profiles?maxResults=1000"); // in the order of names, as the signature requires
	if (token->len) {
		buf_adds(&path, "&nextToken=");
		buf_add_url_part(&path, buf_str(token), false);
	}
	buf_adds(&path, "&type=APPLICATION");
	const struct aws_request r = {.service = &service,
	                              .at = at,
	                              .operation = "ListInferenceProfiles",
	                              .permission = "bedrock:ListInferenceProfiles",
	                              .path = path.data};
	enum aws_fault fault = aws_call(&r, ret, err);
	if (fault == AWS_NONE) {
		json_t *page = json_loadb(ret->body.data ? ret->body.data : "", ret->body.len, 0, NULL);
		if (json_is_array(json_object_get(page, "inferenceProfileSummaries"))) {
			copy_member(token, page, "nextToken");
		} else {
			fault = AWS_UNREACHABLE;
			err_set(err, ERR_RETRY, "%s, %s: the answer to ListInferenceProfiles is cut off", at->account,
			        at->region);
		}
		json_decref(page);
	}
	buf_release(&path);
	return fault;
}
