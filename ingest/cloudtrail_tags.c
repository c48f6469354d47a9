// SPDX-License-Identifier: Apache-2.0
// CloudTrail records that say which tags a caller has: STS, when it returns the credentials of a session, and
// IAM, when the tags of a role or a user change. The fields are those of the AWS STS and AWS IAM API
// references ("Logging IAM and AWS STS API calls with AWS CloudTrail").
//
// The records of calls have no tags. The access key that STS returned joins a session with its calls, for
// every later call carries it. So an STS record without credentials (a refusal) does not concern this
// program. One without tags does: it says which role the session is of.
#include <assert.h>

#include "ingest/field.h"
#include "ingest/principal.h"
#include "ingest/recognise_priv.h"

// Adds a tag, or replaces the value of a tag with the same key.
static bool set_tag(struct tag *tags, int *n, struct str key, struct str value, struct err *err)
{
	if (key.len > FIELD_STRING_MAX || value.len > FIELD_STRING_MAX)
		return err_set(err, ERR_SKIP, "a tag is longer than %d bytes: %s", FIELD_STRING_MAX,
		               field_show(key).z);
	int i = 0;
	while (i < *n && !str_eq(tags[i].key, key))
		i++;
	if (i == TAGS_MAX)
		return err_set(err, ERR_SKIP, "more than %d tags", TAGS_MAX);
	if (i == *n)
		++*n;
	tags[i] = (struct tag){key, value};
	return true;
}

// {"key": "value", ...}
static bool read_tag_map(struct json map, const char *name, struct tag *tags, int *n, struct err *err)
{
	struct str key, value;
	struct json item;
	if (!field_opt_type(map, JSON_OBJECT, name, err))
		return false;
	for (struct json_iter it = json_begin(map); json_next(&it, &key, &item);) {
		if (!json_str(item, &value))
			return err_set(err, ERR_SKIP, "the tag %s in %s should be a string, and is %s", field_show(key).z,
			               name, json_type_name(json_type(item)));
		if (!set_tag(tags, n, key, value, err))
			return false;
	}
	return true;
}

// [{"key": ..., "value": ...}, ...], its members in either order
static bool read_tag_list(struct json list, const char *name, struct tag *tags, int *n, struct err *err)
{
	struct str key, value;
	struct json item;
	if (!field_opt_type(list, JSON_ARRAY, name, err))
		return false;
	for (struct json_iter it = json_begin(list); json_next(&it, NULL, &item);) {
		struct json v = json_get(item, STR("value"));
		value = STR_NONE;
		if (!json_str(json_get(item, STR("key")), &key) || (!json_missing(v) && !json_str(v, &value)))
			return err_set(err, ERR_SKIP,
			               "%s holds an entry that is not {\"key\": string, \"value\": string}", name);
		if (!set_tag(tags, n, key, value, err))
			return false;
	}
	return true;
}

static bool read_tag_keys(struct json list, const char *name, struct tag *tags, int *n, struct err *err)
{
	struct str key;
	struct json item;
	if (!field_opt_type(list, JSON_ARRAY, name, err))
		return false;
	for (struct json_iter it = json_begin(list); json_next(&it, NULL, &item);) {
		if (!json_str(item, &key))
			return err_set(err, ERR_SKIP, "%s holds an entry that is no string", name);
		if (!set_tag(tags, n, key, STR_NONE, err))
			return false;
	}
	return true;
}

static bool is_failed(const struct top_fields *t)
{
	struct str code;
	return json_str(t->f[F_errorCode], &code) && code.len;
}

// The ARN of the session: of the assumed role or of the federated user. A session of a user has the user's
// ARN.
static bool read_session_arn(const struct top_fields *t, struct arena *a, struct str *ret, struct err *err)
{
	struct json answer = t->f[F_responseElements];
	struct json arn = json_get(json_get(answer, STR("assumedRoleUser")), STR("arn"));
	arn = json_present(arn, json_get(json_get(answer, STR("federatedUser")), STR("arn")));
	arn = json_present(arn, json_get(t->f[F_userIdentity], STR("arn")));
	struct str recorded;
	if (!field_str(arn, "responseElements.assumedRoleUser.arn", &recorded, err))
		return false;
	*ret = principal_canonical(a, recorded);
	return true;
}

enum verdict cloudtrail_session(const struct top_fields *t, struct arena *a, struct record *r,
                                struct err *err)
{
	static const char *const names[] = {"AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity",
	                                    "GetFederationToken", "GetSessionToken"};
	struct str name;
	bool known = false;
	if (!field_str(t->f[F_eventName], "eventName", &name, err))
		return BROKEN;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		known |= str_is(name, names[i]);
	struct json key = json_get(json_get(t->f[F_responseElements], STR("credentials")), STR("accessKeyId"));
	if (!known || is_failed(t) || json_missing(key))
		return NOT_OURS;
	struct session_tags *s = &r->session_tags;
	struct json params = t->f[F_requestParameters];
	r->kind = RECORD_SESSION_TAGS;
	s->ntags = 0;
	if (!field_str(key, "responseElements.credentials.accessKeyId", &s->access_key, err) ||
	    !field_time(t->f[F_eventTime], "eventTime", &s->time_ms, err) ||
	    !read_session_arn(t, a, &s->arn, err) ||
	    !field_opt_str(json_get(params, STR("roleArn")), "requestParameters.roleArn", &s->role_arn, err) ||
	    // Later tags replace earlier ones: what the request sets wins over what the session inherits.
	    !read_tag_map(json_get(params, STR("incomingTransitiveTags")), "incomingTransitiveTags", s->tags,
	                  &s->ntags, err) ||
	    !read_tag_map(json_get(params, STR("principalTags")), "principalTags", s->tags, &s->ntags, err) ||
	    !read_tag_list(json_get(params, STR("tags")), "tags", s->tags, &s->ntags, err))
		return BROKEN;
	return OURS;
}

enum verdict cloudtrail_principal(const struct top_fields *t, struct arena *a, struct record *r,
                                  struct err *err)
{
	static const struct {
		const char *name;
		bool is_role;
		enum tag_change change;
	} table[] = {
		{"TagRole", true, TAGS_SET},        {"TagUser", false, TAGS_SET},
		{"UntagRole", true, TAGS_UNSET},    {"UntagUser", false, TAGS_UNSET},
		{"CreateRole", true, TAGS_CREATED}, {"CreateUser", false, TAGS_CREATED},
		{"DeleteRole", true, TAGS_DELETED}, {"DeleteUser", false, TAGS_DELETED},
	};
	struct str name;
	size_t i = 0, n = sizeof table / sizeof *table;
	(void)a;
	if (!field_str(t->f[F_eventName], "eventName", &name, err))
		return BROKEN;
	while (i < n && !str_is(name, table[i].name))
		i++;
	if (i == n || is_failed(t))
		return NOT_OURS;
	struct principal_tags *p = &r->principal_tags;
	struct json params = t->f[F_requestParameters];
	r->kind = RECORD_PRINCIPAL_TAGS;
	p->ntags = 0;
	p->is_role = table[i].is_role;
	p->change = table[i].change;
	const char *name_field = p->is_role ? "requestParameters.roleName" : "requestParameters.userName";
	if (!field_time(t->f[F_eventTime], "eventTime", &p->time_ms, err) ||
	    !field_str(t->f[F_eventID], "eventID", &p->event_id, err) ||
	    !field_str(t->f[F_recipientAccountId], "recipientAccountId", &p->account, err) ||
	    !field_account(p->account, "recipientAccountId", err) ||
	    !field_str(json_get(params, p->is_role ? STR("roleName") : STR("userName")),
	               name_field, &p->name, err))
		return BROKEN;
	bool good = true;
	if (p->change == TAGS_UNSET)
		good = read_tag_keys(json_get(params, STR("tagKeys")), "tagKeys", p->tags, &p->ntags, err);
	else if (p->change != TAGS_DELETED)
		good = read_tag_list(json_get(params, STR("tags")), "tags", p->tags, &p->ntags, err);
	assert(p->ntags >= 0 && p->ntags <= TAGS_MAX);
	return good ? OURS : BROKEN;
}
