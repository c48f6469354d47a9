// SPDX-License-Identifier: Apache-2.0
#include "aws/bedrock.h"

#include <jansson.h>

#include "aws/call_priv.h"

static const struct aws_service service = {.endpoint = "BEDROCK", .host = "bedrock"};

void bedrock_logging_release(struct bedrock_logging *l)
{
	buf_release(&l->group);
	buf_release(&l->bucket);
	buf_release(&l->prefix);
}

enum aws_fault bedrock_logging_get(const struct aws_place *at, struct bedrock_logging *ret,
                                   struct aws_answer *scratch, struct err *err)
{
	const struct aws_request r = {.service = &service,
	                              .at = at,
	                              .operation = "GetModelInvocationLoggingConfiguration",
	                              .permission = "bedrock:GetModelInvocationLoggingConfiguration",
	                              .path = "/logging/modelinvocations"};
	json_t *root; // cut off: it is not known, and not "off"
	enum aws_fault fault = aws_call_json(&r, NULL, scratch, &root, err);
	if (fault != AWS_NONE)
		return fault;
	const json_t *conf = json_object_get(root, "loggingConfig");
	aws_copy_text(json_object_get(conf, "cloudWatchConfig"), "logGroupName", &ret->group);
	aws_copy_text(json_object_get(conf, "s3Config"), "bucketName", &ret->bucket);
	aws_copy_text(json_object_get(conf, "s3Config"), "keyPrefix", &ret->prefix);
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
	json_t *page;
	enum aws_fault fault = aws_call_json(&r, "inferenceProfileSummaries", ret, &page, err);
	if (fault == AWS_NONE) {
		aws_copy_text(page, "nextToken", token);
		json_decref(page);
	}
	buf_release(&path);
	return fault;
}
