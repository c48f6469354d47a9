// SPDX-License-Identifier: Apache-2.0
// Either list may have an empty page before its last one ("ListAccounts" in the AWS Organizations API
// Reference): only a page without NextToken ends it.
#include "aws/organizations.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "aws/call_priv.h"
#include "base/json_writer.h"

static const struct aws_service service = {
	.endpoint = "ORGANIZATIONS",
	.host = "organizations",
	.target = "AWSOrganizationsV20161128",
	.json = "1.1",
};

struct organization {
	const struct aws_account *only;
	int nonly;
	bool listed;      // all accounts are known
	json_t *accounts; // their ARNs, arn:aws:organizations::MANAGEMENT:account/o-ID/ACCOUNT
	size_t at;        // of them: whose tags are asked for
	json_t *tags;     // of that one, of the pages so far
	struct buf token; // of the next page of the list in hand
};

struct organization *organization_new(const struct aws_account *only, int nonly)
{
	struct organization *o = xcalloc(1, sizeof *o);
	o->only = only;
	o->nonly = nonly;
	o->accounts = json_array();
	o->tags = json_array();
	return o;
}

void organization_free(struct organization *o)
{
	if (!o)
		return;
	json_decref(o->accounts);
	json_decref(o->tags);
	buf_release(&o->token);
	free(o);
}

static void begin_again(struct organization *o)
{
	json_array_clear(o->accounts);
	json_array_clear(o->tags);
	buf_clear(&o->token);
	o->listed = false;
	o->at = 0;
}

// `resource`: NULL: none is named. The members of the page are appended to `to`.
static enum aws_fault read_page(struct organization *o, const struct aws_request *named, const char *resource,
                                const char *list, json_t *to, struct aws_answer *scratch, struct err *err)
{
	struct buf body = BUF_INIT;
	struct json_writer j = JSON_WRITER(&body);
	struct aws_request r = *named;
	json_t *page;
	jw_object(&j, NULL);
	if (resource)
		jw_strz(&j, "ResourceId", resource);
	if (o->token.len)
		jw_str(&j, "NextToken", buf_str(&o->token));
	jw_end(&j);
	r.body = buf_str(&body);
	enum aws_fault fault = aws_call_json(&r, list, scratch, &page, err);
	if (fault == AWS_NONE) {
		json_array_extend(to, json_object_get(page, list));
		aws_copy_text(page, "NextToken", &o->token);
		json_decref(page);
	}
	buf_release(&body);
	return fault;
}

static bool is_wanted(const struct organization *o, const char *arn)
{
	struct str account = str_after_last(str_of(arn), '/');
	for (int i = 0; i < o->nonly; i++)
		if (str_is(account, o->only[i].id))
			return true;
	return o->nonly == 0;
}

static enum aws_fault list_accounts(struct organization *o, const struct aws_place *at,
                                    struct aws_answer *scratch, struct err *err)
{
	const struct aws_request r = {.service = &service,
	                              .at = at,
	                              .operation = "ListAccounts",
	                              .permission = "organizations:ListAccounts"};
	json_t *page = json_array();
	const json_t *account;
	size_t i;
	enum aws_fault fault = read_page(o, &r, NULL, "Accounts", page, scratch, err);
	json_array_foreach(page, i, account)
	{
		json_t *arn = json_object_get(account, "Arn");
		if (json_is_string(arn) && is_wanted(o, json_string_value(arn)))
			json_array_append(o->accounts, arn);
	}
	o->listed = fault == AWS_NONE && o->token.len == 0;
	json_decref(page);
	return fault;
}

static void write_tags(struct buf *ret, const char *arn, json_t *tags)
{
	json_t *all = json_pack("{s:[{s:s,s:O}]}", "ResourceTagMappingList", "ResourceARN", arn, "Tags", tags);
	char *text = json_dumps(all, JSON_COMPACT);
	buf_adds(ret, text ? text : "");
	free(text);
	json_decref(all);
}

static enum aws_fault list_tags(struct organization *o, const struct aws_place *at, struct buf *ret,
                                struct aws_answer *scratch, struct err *err)
{
	const struct aws_request r = {.service = &service,
	                              .at = at,
	                              .operation = "ListTagsForResource",
	                              .permission = "organizations:ListTagsForResource"};
	const char *arn = json_string_value(json_array_get(o->accounts, o->at)), *slash = strrchr(arn, '/');
	enum aws_fault fault = read_page(o, &r, slash ? slash + 1 : arn, "Tags", o->tags, scratch, err);
	bool gone = fault == AWS_REFUSED && strcmp(scratch->code, "TargetNotFoundException") == 0;
	if (gone)
		err_clear(err);
	if ((fault != AWS_NONE && !gone) || (!gone && o->token.len))
		return fault;
	if (!gone)
		write_tags(ret, arn, o->tags);
	json_array_clear(o->tags);
	buf_clear(&o->token);
	o->at++;
	return AWS_NONE;
}

enum aws_fault organization_next(struct organization *o, const struct aws_place *at, struct buf *ret,
                                 bool *ret_more, struct aws_answer *scratch, struct err *err)
{
	assert(!o->listed || o->at < json_array_size(o->accounts));
	enum aws_fault fault =
		o->listed ? list_tags(o, at, ret, scratch, err) : list_accounts(o, at, scratch, err);
	if (fault == AWS_TOKEN)
		begin_again(o);
	*ret_more = !o->listed || o->at < json_array_size(o->accounts);
	return fault;
}
