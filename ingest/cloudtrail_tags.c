// SPDX-License-Identifier: Apache-2.0
// CloudTrail records that say which tags a caller has: STS, when it hands out the credentials of a session,
// and IAM, when the tags of a role or a user change.
//
// The records of calls do not hold tags. A session is found again by the access key that STS returned, which
// every later call of it carries; so an STS record without credentials (a refusal) is none of our business,
// and one without tags is still handed on, for it says which role the session is of.
#include "ingest/field.h"
#include "ingest/principal.h"
#include "ingest/recognise_priv.h"

// Sets a tag, or replaces the value of one that is set.
static bool put(struct tag *tags, int *n, struct str key, struct str value, struct err *err)
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
static bool tags_of_map(struct json map, const char *name, struct tag *tags, int *n, struct err *err)
{
	struct str key, value;
	struct json item;
	if (!json_missing(map) && json_type(map) != JSON_OBJECT)
		return err_set(err, ERR_SKIP, "%s should be an object, and is %s", name,
		               json_type_name(json_type(map)));
	for (struct json_iter it = json_begin(map); json_next(&it, &key, &item);) {
		if (!json_str(item, &value))
			return err_set(err, ERR_SKIP, "the tag %s in %s should be a string, and is %s", field_show(key).z,
			               name, json_type_name(json_type(item)));
		if (!put(tags, n, key, value, err))
			return false;
	}
	return true;
}

// [{"key": ..., "value": ...}, ...], its members in either order
static bool tags_of_list(struct json list, const char *name, struct tag *tags, int *n, struct err *err)
{
	struct str key, value;
	struct json item;
	if (!json_missing(list) && json_type(list) != JSON_ARRAY)
		return err_set(err, ERR_SKIP, "%s should be an array, and is %s", name,
		               json_type_name(json_type(list)));
	for (struct json_iter it = json_begin(list); json_next(&it, NULL, &item);) {
		struct json v = json_get(item, STR("value"));
		value = STR_NONE;
		if (!json_str(json_get(item, STR("key")), &key) || (!json_missing(v) && !json_str(v, &value)))
			return err_set(err, ERR_SKIP,
			               "%s holds an entry that is not {\"key\": string, \"value\": string}", name);
		if (!put(tags, n, key, value, err))
			return false;
	}
	return true;
}

static bool keys_of_list(struct json list, const char *name, struct tag *tags, int *n, struct err *err)
{
	struct str key;
	struct json item;
	if (!json_missing(list) && json_type(list) != JSON_ARRAY)
		return err_set(err, ERR_SKIP, "%s should be an array, and is %s", name,
		               json_type_name(json_type(list)));
	for (struct json_iter it = json_begin(list); json_next(&it, NULL, &item);) {
		if (!json_str(item, &key))
			return err_set(err, ERR_SKIP, "%s holds an entry that is no string", name);
		if (!put(tags, n, key, STR_NONE, err))
			return false;
	}
	return true;
}

static bool failed(const struct top_fields *t)
{
	struct str code;
	return json_str(t->f[F_errorCode], &code) && code.len;
}

// The ARN of the session: that of the assumed role or of the federated user; a session of a user keeps the
// user's.
static bool session_arn(const struct top_fields *t, struct arena *a, struct str *ret, struct err *err)
{
	struct json answer = t->f[F_responseElements];
	struct json arn = json_get(json_get(answer, STR("assumedRoleUser")), STR("arn"));
	if (json_missing(arn))
		arn = json_get(json_get(answer, STR("federatedUser")), STR("arn"));
	if (json_missing(arn))
		arn = json_get(t->f[F_userIdentity], STR("arn"));
	struct str recorded;
	if (!field_str(arn, "responseElements.assumedRoleUser.arn", &recorded, err))
		return false;
	*ret = principal_canonical(a, recorded);
	return true;
}

enum verdict cloudtrail_session(const struct top_fields *t, struct arena *a, struct record *r, struct err *err)
{
	static const char *const names[] = {"AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity",
	                                    "GetFederationToken", "GetSessionToken"};
	struct str name;
	bool ours = false;
	if (!field_str(t->f[F_eventName], "eventName", &name, err))
		return BROKEN;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		ours |= str_is(name, names[i]);
	struct json key = json_get(json_get(t->f[F_responseElements], STR("credentials")), STR("accessKeyId"));
	if (!ours || failed(t) || json_missing(key))
		return NOT_OURS;
	struct session_tags *s = &r->session_tags;
	struct json params = t->f[F_requestParameters];
	r->kind = RECORD_SESSION_TAGS;
	s->ntags = 0;
	if (!field_str(key, "responseElements.credentials.accessKeyId", &s->access_key, err) ||
	    !field_time(t->f[F_eventTime], "eventTime", &s->time_ms, err) || !session_arn(t, a, &s->arn, err) ||
	    !field_opt_str(json_get(params, STR("roleArn")), "requestParameters.roleArn", &s->role_arn, err) ||
	    // Later ones override earlier ones: what this request sets stands over what the session inherits.
	    !tags_of_map(json_get(params, STR("incomingTransitiveTags")), "incomingTransitiveTags", s->tags,
	                 &s->ntags, err) ||
	    !tags_of_map(json_get(params, STR("principalTags")), "principalTags", s->tags, &s->ntags, err) ||
	    !tags_of_list(json_get(params, STR("tags")), "tags", s->tags, &s->ntags, err))
		return BROKEN;
	return OURS;
}

enum verdict cloudtrail_principal(const struct top_fields *t, struct arena *a, struct record *r, struct err *err)
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
	if (i == n || failed(t))
		return NOT_OURS;
	struct principal_tags *p = &r->principal_tags;
	struct json params = t->f[F_requestParameters];
	r->kind = RECORD_PRINCIPAL_TAGS;
	p->ntags = 0;
	p->is_role = table[i].is_role;
	p->change = table[i].change;
	const char *who = p->is_role ? "requestParameters.roleName" : "requestParameters.userName";
	if (!field_time(t->f[F_eventTime], "eventTime", &p->time_ms, err) ||
	    !field_str(t->f[F_eventID], "eventID", &p->event_id, err) ||
	    !field_str(t->f[F_recipientAccountId], "recipientAccountId", &p->account, err) ||
	    !field_account(p->account, "recipientAccountId", err) ||
	    !field_str(json_get(params, p->is_role ? STR("roleName") : STR("userName")), who, &p->name, err))
		return BROKEN;
	bool good = true;
	if (p->change == TAGS_UNSET)
		good = keys_of_list(json_get(params, STR("tagKeys")), "tagKeys", p->tags, &p->ntags, err);
	else if (p->change != TAGS_DELETED)
		good = tags_of_list(json_get(params, STR("tags")), "tags", p->tags, &p->ntags, err);
	return good ? OURS : BROKEN;
}
