// SPDX-License-Identifier: Apache-2.0
// The access key is kept only if it is of a session (ASIA...): it is the key by which session tags are found.
// A long-term key (AKIA...) has no session.
#include "ingest/principal.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/when.h"
#include "ingest/field.h"
#include "ingest/labels.h"

// Where the last `n` segments of a path begin; 0 if it has no more than `n`.
static size_t last_segments_at(struct str path, int n)
{
	const char *slash = path.p + path.len;
	for (; n > 0; n--)
		if (!(slash = memrchr(path.p, '/', (size_t)(slash - path.p))))
			return 0;
	return (size_t)(slash + 1 - path.p);
}

struct str principal_canonical(struct arena *a, struct str arn)
{
	struct str rest = arn;
	for (int i = 0; i < 5; i++) // arn : partition : service : region : account :
		str_cut(&rest, ':');
	struct str path = rest, kind = str_cut(&path, '/');
	int keep = str_is(kind, "user") || str_is(kind, "role") ? 1 : str_is(kind, "assumed-role") ? 2 : 0;
	while (path.len && path.p[path.len - 1] == '/')
		path.len--;
	if (!keep || !path.len)
		return arn;
	size_t drop = last_segments_at(path, keep), head = (size_t)(path.p - arn.p);
	path = (struct str){path.p + drop, path.len - drop};
	if (head + path.len == arn.len)
		return arn;
	char *p = arena_alloc(a, head + path.len + 1);
	memcpy(p, arn.p, head);
	memcpy(p + head, path.p, path.len);
	p[head + path.len] = '\0';
	return (struct str){p, head + path.len};
}

// "aws", "aws-cn" or "aws-us-gov", by the region's name.
static const char *partition_of(struct str region)
{
	return str_starts(region, STR("cn-"))       ? "aws-cn"
	       : str_starts(region, STR("us-gov-")) ? "aws-us-gov"
	                                            : "aws";
}

// Blanks become '_' ("AWS Internal" is a caller): the store separates names by blanks.
static struct str make_arn(struct arena *a, const char *fmt, ...) NC_PRINTF(2, 3);

static struct str make_arn(struct arena *a, const char *fmt, ...)
{
	char z[FIELD_STRING_MAX + 128];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(z, sizeof z, fmt, ap);
	va_end(ap);
	for (char *p = z; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			*p = '_';
	return arena_str(a, (struct str){z, n < 0 ? 0 : (size_t)n < sizeof z ? (size_t)n : sizeof z - 1});
}

// ---- userIdentity -------------------------------------------------------------------------------

// Every key of a userIdentity and of its sessionContext that is read: each object is walked once, for this is
// on the way of every call. X(name)
#define IDENTITY_FIELDS(X)                                                                              \
	X(type) X(arn) X(accountId) X(principalId) X(accessKeyId) X(invokedBy) X(onBehalfOf) X(inScopeOf)   \
	X(sessionContext) X(sourceIdentity) X(webIdFederationData)
#define SESSION_FIELDS(X) X(sessionIssuer) X(attributes) X(sourceIdentity) X(webIdFederationData)

#define NAME(key) {#key, sizeof #key - 1},
#define IDENTITY_ENUM(key) IDENTITY_##key,
#define SESSION_ENUM(key) SESSION_##key,
static const struct str identity_names[] = {IDENTITY_FIELDS(NAME)}, session_names[] = {SESSION_FIELDS(NAME)};
enum { IDENTITY_FIELDS(IDENTITY_ENUM) IDENTITY_COUNT };
enum { SESSION_FIELDS(SESSION_ENUM) SESSION_COUNT };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct json_keys identity_keys, session_keys; // set once, then only read

static void init_keys(void)
{
	json_keys_init(&identity_keys, identity_names, IDENTITY_COUNT);
	json_keys_init(&session_keys, session_names, SESSION_COUNT);
}

struct identity {
	struct json f[IDENTITY_COUNT], session[SESSION_COUNT]; // absent where there is no such key
};

static void pick_fields(struct json object, struct identity *ret)
{
	pthread_once(&once, init_keys);
	json_pick(object, &identity_keys, ret->f);
	json_pick(ret->f[IDENTITY_sessionContext], &session_keys, ret->session);
}

// The name of a caller whose identity has no ARN.
static bool make_arn_without_arn(struct arena *a, const struct identity *id, struct str account,
                                 struct str region, struct str *ret, struct err *err)
{
	const char *part = partition_of(region);
	const struct json *f = id->f;
	struct str type, by, user, owner, principal;
	if (!field_opt_str(f[IDENTITY_type], "userIdentity.type", &type, err) ||
	    !field_opt_str(f[IDENTITY_invokedBy], "userIdentity.invokedBy", &by, err) ||
	    !field_opt_str(json_get(f[IDENTITY_onBehalfOf], STR("userId")), "userIdentity.onBehalfOf.userId",
	                   &user, err) ||
	    !field_opt_str(f[IDENTITY_accountId], "userIdentity.accountId", &owner, err) ||
	    !field_opt_str(f[IDENTITY_principalId], "userIdentity.principalId", &principal, err))
		return false;
	if (by.len && (!type.len || str_is(type, "AWSService")))
		*ret = make_arn(a, "arn:%s:iam::%.*s:service/%.*s", part, STR_ARG(account), STR_ARG(by));
	else if (user.len)
		*ret = make_arn(a, "arn:%s:identitystore:::user/%.*s", part, STR_ARG(user));
	else if (owner.len && (str_is(type, "AWSAccount") || str_is(type, "Root"))) {
		if (!field_account(owner, "userIdentity.accountId", err))
			return false;
		*ret = make_arn(a, "arn:%s:iam::%.*s:root", part, STR_ARG(owner));
	} else if (principal.len || type.len)
		*ret = make_arn(a, "arn:%s:iam::%.*s:unknown/%.*s", part, STR_ARG(account),
		            STR_ARG(principal.len ? principal : type));
	else
		return err_set(err, ERR_SKIP,
		               "userIdentity has neither arn nor type: the cost cannot be attributed to a caller");
	return true;
}

// Whom a provider of web identities named: "sub" of OpenID Connect, user_id of Login with Amazon.
static struct str subject_of(struct json attributes)
{
	struct str key, value, found = STR_NONE;
	struct json item;
	for (struct json_iter it = json_begin(attributes); json_next(&it, &key, &item);)
		if ((str_is(key, "sub") || str_ends(key, STR(":sub")) || str_ends(key, STR(":user_id"))) &&
		    json_str(item, &value) && str_cmp(value, found) > 0)
			found = value;
	return found;
}

static struct str text_of(struct json v)
{
	struct str s;
	return json_str(v, &s) ? s : STR_NONE;
}

static struct str first_of(struct str a, struct str b)
{
	return a.len ? a : b;
}

// What ingest/labels.h lists. CloudTrail writes the session's into the session; records that programs have
// converted have them beside it.
static struct labels labels_of(const struct identity *id, struct arena *a)
{
	struct tag room[LABELS_MAX];
	int n = 0;
	struct json scope = id->f[IDENTITY_inScopeOf];
	struct json web =
		json_present(id->session[SESSION_webIdFederationData], id->f[IDENTITY_webIdFederationData]);
	struct json source = id->session[SESSION_sourceIdentity], beside = id->f[IDENTITY_sourceIdentity];
	if (!source.doc && !beside.doc && !scope.doc && !web.doc && !id->f[IDENTITY_onBehalfOf].doc)
		return LABELS_NONE; // of most callers
	labels_add(room, &n, STR("source"), first_of(text_of(source), text_of(beside)));
	if (!json_missing(scope))
		labels_add(room, &n, STR("workload"),
		           first_of(text_of(json_get(scope, STR("credentialsIssuedTo"))),
		                    text_of(json_get(scope, STR("sourceArn")))));
	if (!json_missing(web)) {
		labels_add(room, &n, STR("provider"), text_of(json_get(web, STR("federatedProvider"))));
		labels_add(room, &n, STR("subject"), subject_of(json_get(web, STR("attributes"))));
	}
	labels_add(room, &n, STR("on_behalf_of"),
	           text_of(json_get(id->f[IDENTITY_onBehalfOf], STR("userId"))));
	return labels_copy(room, n, a);
}

bool principal_from_identity(struct arena *a, struct json object, struct str account, struct str region,
                             struct caller *ret, struct err *err)
{
	struct caller c = {.arn = STR_NONE};
	struct identity id;
	struct str arn, key;
	if (json_type(object) != JSON_OBJECT)
		return err_set(err, ERR_SKIP, "userIdentity should be an object, and is %s",
		               json_type_name(json_type(object)));
	pick_fields(object, &id);
	if (!field_opt_str(id.f[IDENTITY_arn], "userIdentity.arn", &arn, err) ||
	    !field_opt_str(id.f[IDENTITY_accessKeyId], "userIdentity.accessKeyId", &key, err))
		return false;
	if (arn.len)
		c.arn = principal_canonical(a, arn);
	else if (!make_arn_without_arn(a, &id, account, region, &c.arn, err))
		return false;
	if (str_starts(key, STR("ASIA")))
		c.access_key = key;
	if (!field_opt_str(json_get(id.session[SESSION_sessionIssuer], STR("arn")),
	                   "userIdentity.sessionContext.sessionIssuer.arn", &c.role_arn, err))
		return false;
	struct json created = json_get(id.session[SESSION_attributes], STR("creationDate"));
	if (!json_missing(created) &&
	    !field_time(created, "userIdentity.sessionContext.attributes.creationDate", &c.session_start_ms, err))
		return false;
	c.identity = labels_of(&id, a);
	*ret = c;
	return true;
}
