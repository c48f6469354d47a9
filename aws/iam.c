// SPDX-License-Identifier: Apache-2.0
// IAM answers in XML only. The lists of roles and of users hold lists themselves, of tags, policies and
// instance profiles, whose entries have names and ARNs, too.
#include "aws/iam.h"

#include "aws/xml.h"
#include "base/json_writer.h"

static const struct aws_service service = {.endpoint = "IAM", .host = "iam"};

static void write_tags(struct json_writer *j, struct str list)
{
	struct buf key = BUF_INIT, value = BUF_INIT;
	struct str one;
	jw_array(j, "Tags");
	while ((one = xml_child(list, "member", &list)).p) {
		jw_object(j, NULL);
		jw_str(j, "Key", xml_decode(xml_child(one, "Key", NULL), &key));
		jw_str(j, "Value", xml_decode(xml_child(one, "Value", NULL), &value));
		jw_end(j);
	}
	jw_end(j);
	buf_release(&key);
	buf_release(&value);
}

static void write_principals(struct json_writer *j, const char *name, struct str list)
{
	struct buf arn = BUF_INIT;
	struct str one;
	jw_array(j, name);
	while ((one = xml_child(list, "member", &list)).p) {
		jw_object(j, NULL);
		jw_str(j, "Arn", xml_decode(xml_child(one, "Arn", NULL), &arn));
		write_tags(j, xml_child(one, "Tags", NULL));
		jw_end(j);
	}
	jw_end(j);
	buf_release(&arn);
}

static void add_path(struct buf *path, struct str token)
{
	buf_adds(path, "/?Action=GetAccountAuthorizationDetails&Filter.member.1=Role&Filter.member.2=User");
	if (token.len) {
		buf_adds(path, "&Marker=");
		buf_add_url_part(path, token, false);
	}
	buf_adds(path, "&MaxItems=1000&Version=2010-05-08"); // in the order of names, as the signature requires
}

enum aws_fault iam_list_tags(const struct aws_place *at, struct str token, struct buf *ret,
                             struct buf *ret_token, struct aws_answer *scratch, struct err *err)
{
	struct buf path = BUF_INIT;
	struct json_writer j = JSON_WRITER(ret);
	add_path(&path, token);
	const struct aws_request r = {.service = &service,
	                              .at = at,
	                              .operation = "GetAccountAuthorizationDetails",
	                              .permission = "iam:GetAccountAuthorizationDetails",
	                              .path = path.data};
	enum aws_fault fault = aws_call(&r, scratch, err);
	buf_release(&path);
	if (fault != AWS_NONE)
		return fault;
	struct str result =
		xml_child(xml_child(buf_str(&scratch->body), "GetAccountAuthorizationDetailsResponse", NULL),
	              "GetAccountAuthorizationDetailsResult", NULL);
	if (!result.p) {
		err_set(err, ERR_RETRY, "%s: the answer to GetAccountAuthorizationDetails is cut off", at->account);
		return AWS_UNREACHABLE;
	}
	jw_object(&j, NULL);
	write_principals(&j, "RoleDetailList", xml_child(result, "RoleDetailList", NULL));
	write_principals(&j, "UserDetailList", xml_child(result, "UserDetailList", NULL));
	jw_end(&j);
	buf_clear(ret_token);
	if (str_is(xml_child(result, "IsTruncated", NULL), "true"))
		buf_addstr(ret_token, xml_child(result, "Marker", NULL));
	return AWS_NONE;
}
