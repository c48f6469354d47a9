// SPDX-License-Identifier: Apache-2.0
#include "aws/call_priv.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "aws/endpoint.h"
#include "aws/xml.h"
#include "base/when.h"

enum { CONNECT_MS = 5000, TOTAL_MS = 20000, SKEW_NOTED_S = 60, WORDS_MAX = 300, WAIT_S_MAX = 86400 };

// Services of which there is one for each partition of AWS; their requests are signed for one Region of it.
static bool is_global(const struct aws_service *s)
{
	return strcmp(s->host, "iam") == 0 || strcmp(s->host, "ce") == 0 ||
	       strcmp(s->host, "bcm-data-exports") == 0 || strcmp(s->host, "organizations") == 0;
}

static const char *signed_region(const struct aws_request *r)
{
	if (!is_global(r->service))
		return r->at->region;
	const char *china = strcmp(r->service->host, "organizations") == 0 ? "cn-northwest-1" : "cn-north-1";
	return strncmp(r->at->region, "cn-", 3) == 0       ? china
	       : strncmp(r->at->region, "us-gov-", 7) == 0 ? "us-gov-west-1"
	                                                   : "us-east-1";
}

static void add_url(const struct aws_request *r, struct buf *b)
{
	const char *other = aws_endpoint(r->service->endpoint), *region = signed_region(r),
			   *host = r->service->host;
	if (other)
		buf_addf(b, "%s", other);
	else if (strcmp(host, "iam") == 0 && strcmp(region, "cn-north-1") != 0)
		buf_addf(b, "https://iam.%samazonaws.com", strcmp(region, "us-gov-west-1") == 0 ? "us-gov." : "");
	else if (strcmp(host, "bcm-data-exports") == 0)
		buf_addf(b, "https://%s.%s.api.aws", host, region);
	else
		buf_addf(b, "https://%s.%s.%s", host, region, aws_domain(region));
	buf_adds(b, r->path ? r->path : "/");
}

// ---- what a refusal means -----------------------------------------------------------------------

struct refusal {
	char code[80];         // "ThrottlingException"
	char words[WORDS_MAX]; // AWS's own
};

static void copy_text(char *to, size_t size, struct str s)
{
	snprintf(to, size, "%.*s", STR_ARG(s));
}

// The code in any of the three forms: {"__type": "com.amazonaws.x#Code"}, the header x-amzn-ErrorType (behind
// which a colon and a URL may follow), <Code>.
static void read_refusal(const struct http_client_answer *a, struct refusal *ret)
{
	struct str body = buf_str(&a->body), code = http_client_header(a, "x-amzn-ErrorType"),
			   words = xml_element(body, "Message", NULL);
	json_t *root = body.len && body.p[0] == '{' ? json_loadb(body.p, body.len, 0, NULL) : NULL;
	const char *type = json_string_value(json_object_get(root, "__type")),
			   *message = json_string_value(json_object_get(root, "message"));
	if (!message)
		message = json_string_value(json_object_get(root, "Message"));
	if (type)
		code = str_of(type);
	else if (!code.len)
		code = xml_element(body, "Code", NULL);
	code = str_after_last(code, '#');
	copy_text(ret->code, sizeof ret->code, str_cut(&code, ':'));
	copy_text(ret->words, sizeof ret->words, message ? str_of(message) : words);
	json_decref(root);
}

static bool is_one_of(const char *code, const char *const *list)
{
	while (*list && strcmp(*list, code) != 0)
		list++;
	return *list != NULL;
}

// The codes are those of the common errors of AWS, and of the services here (their API references).
static enum aws_fault classify(long status, const struct refusal *f)
{
	static const char *const throttled[] = {
		"Throttling",           "ThrottlingException",      "ThrottledException",      "RequestLimitExceeded",
		"RequestThrottled",     "TooManyRequestsException", "LimitExceededException",  "SlowDown",
		"BandwidthLimitExceeded", "PriorRequestNotComplete", "RequestThrottledException", "KmsThrottled",
		"KMS.ThrottlingException", NULL};
	static const char *const expired[] = {"ExpiredToken", "ExpiredTokenException", "RequestExpired",
	                                      "TokenRefreshRequired", NULL};
	static const char *const denied[] = {"AccessDenied",        "AccessDeniedException",
	                                     "NotAuthorized",       "UnauthorizedOperation",
	                                     "UnauthorizedException", "AuthorizationError",
	                                     "KmsAccessDenied",     "KMS.AccessDeniedException", NULL};
	static const char *const no_region[] = {"UnrecognizedClientException", "InvalidClientTokenId",
	                                        "OptInRequired", "SubscriptionRequiredException", "AuthFailure",
	                                        NULL};
	static const char *const token[] = {"InvalidNextTokenException", "InvalidNextToken",
	                                    "InvalidPaginationTokenException", NULL};
	bool skewed = strcmp(f->code, "RequestTimeTooSkewed") == 0 ||
	              strstr(f->words, "Signature expired") || strstr(f->words, "Signature not yet current");
	if (is_one_of(f->code, throttled) || status == 429)
		return AWS_THROTTLED;
	if (skewed)
		return AWS_SKEWED;
	if (is_one_of(f->code, expired))
		return AWS_EXPIRED;
	if (is_one_of(f->code, denied))
		return AWS_DENIED;
	if (is_one_of(f->code, no_region))
		return AWS_REGION_OFF;
	if (is_one_of(f->code, token))
		return AWS_TOKEN;
	return status >= 500 || status == 408 ? AWS_UNREACHABLE : AWS_REFUSED;
}

// How far the clock of this machine is ahead of the server's, in seconds; 0: the answer does not say.
static long long clock_ahead_s(const struct http_client_answer *a)
{
	struct str date = http_client_header(a, "Date");
	char text[40];
	struct tm tm = {0};
	copy_text(text, sizeof text, date);
	if (!date.len || !strptime(text, "%a, %d %b %Y %H:%M:%S", &tm))
		return 0;
	return when_now_ms() / 1000 - (long long)timegm(&tm);
}

// "120", or a time (RFC 9110, 10.2.3).
static int64_t asked_wait_ms(const struct http_client_answer *a)
{
	char text[40];
	struct tm tm = {0};
	copy_text(text, sizeof text, http_client_header(a, "Retry-After"));
	long long s = strptime(text, "%a, %d %b %Y %H:%M:%S", &tm) ? (long long)timegm(&tm) - when_now_ms() / 1000
	                                                            : strtoll(text, NULL, 10);
	return s <= 0 ? 0 : s < WAIT_S_MAX ? (int64_t)s * 1000 : WAIT_S_MAX * 1000LL;
}

static const char *shown_account(const struct aws_place *at)
{
	return *at->account ? at->account : "the credentials' account";
}

// Of what is encrypted with a key of KMS, that of the key may be the one that is missing.
static const char *missing_permission(const struct aws_request *r, const struct refusal *f)
{
	return strncasecmp(f->code, "kms", 3) == 0 || strstr(f->words, "kms:Decrypt")
	           ? "kms:Decrypt (of the key that it is encrypted with)"
	           : r->permission;
}

static void describe(const struct aws_request *r, enum aws_fault fault, const struct refusal *f,
                     const struct http_client_answer *a, struct err *err)
{
	const struct aws_place *at = r->at;
	const char *account = shown_account(at), *code = *f->code ? f->code : "an error without a code";
	long long ahead = clock_ahead_s(a);
	switch (fault) {
	case AWS_THROTTLED:
		err_set(err, ERR_RETRY,
		        "AWS throttles %s in %s, %s (%s): something else uses the same limit, or much is to be read",
		        r->operation, account, at->region, code);
		break;
	case AWS_SKEWED:
		err_set(
			err, ERR_RETRY,
			"AWS refuses the time of the signature (%s): the clock of this machine is %lld s %s AWS's; run NTP",
			code, ahead < 0 ? -ahead : ahead, ahead < 0 ? "behind" : "ahead of");
		break;
	case AWS_EXPIRED:
		err_set(
			err, ERR_RETRY,
			"the credentials (from the %s) have expired (%s): renew them, by `aws sso login` for one, or give the machine a role",
			at->credentials->origin, code);
		break;
	case AWS_DENIED:
		err_set(
			err, ERR_CONFIG,
			"%s, %s: the permission %s is missing (%s: %s); credentials are from the %s; docs/aws.md has the policy",
			account, at->region, missing_permission(r, f), code, f->words, at->credentials->origin);
		break;
	case AWS_REGION_OFF:
		err_set(
			err, ERR_CONFIG,
			"%s does not take the credentials (from the %s) in %s (%s: %s): is the Region enabled in the account, are they valid?",
			account, at->credentials->origin, at->region, code, f->words);
		break;
	case AWS_TOKEN:
		err_set(err, ERR_RETRY, "%s, %s: the next page of %s is no longer there (%s): reading the span again",
		        account, at->region, r->operation, code);
		break;
	default:
		err_set(err, fault == AWS_UNREACHABLE ? ERR_RETRY : ERR_CONFIG, "%s, %s: %s answers %ld (%s: %s)%s",
		        account, at->region, r->operation, a->status, code, f->words,
		        ahead > SKEW_NOTED_S || ahead < -SKEW_NOTED_S
		            ? "; the clock of this machine is wrong: run NTP"
		            : "");
	}
}

// ---- the request --------------------------------------------------------------------------------

enum aws_fault aws_call(const struct aws_request *r, struct aws_answer *ret, struct err *err)
{
	const struct aws_service *s = r->service;
	struct buf url = BUF_INIT, target = BUF_INIT, type = BUF_INIT;
	struct http_client_answer a;
	enum aws_fault fault = AWS_NONE;
	ret->wait_ms = 0;
	ret->code[0] = '\0';
	buf_clear(&ret->body);
	add_url(r, &url);
	buf_addf(&target, "X-Amz-Target: %s.%s", s->target ? s->target : "", r->operation);
	buf_addf(&type, "Content-Type: application/x-amz-json-%s", s->json ? s->json : "");
	struct http_client_request request = {.url = url.data,
	                                      .body = r->body,
	                                      .sign = r->at->credentials,
	                                      .service = s->host,
	                                      .region = signed_region(r),
	                                      .ca_file = aws_ca_file(),
	                                      .connect_ms = CONNECT_MS,
	                                      .total_ms = TOTAL_MS};
	if (s->target) {
		request.headers[0] = type.data;
		request.headers[1] = target.data;
	}
	if (!http_client_do(&request, &a, err)) {
		fault = AWS_UNREACHABLE;
	} else {
		if (a.status == 200) {
			buf_addstr(&ret->body, buf_str(&a.body));
		} else {
			struct refusal f = {0};
			read_refusal(&a, &f);
			fault = classify(a.status, &f);
			ret->wait_ms = asked_wait_ms(&a);
			copy_text(ret->code, sizeof ret->code, str_of(f.code));
			describe(r, fault, &f, &a, err);
		}
		http_client_answer_release(&a);
	}
	buf_release(&url);
	buf_release(&target);
	buf_release(&type);
	return fault;
}

enum aws_fault aws_call_json(const struct aws_request *r, const char *list, struct aws_answer *ret,
                             struct json_t **ret_root, struct err *err)
{
	*ret_root = NULL;
	enum aws_fault fault = aws_call(r, ret, err);
	if (fault != AWS_NONE)
		return fault;
	json_t *root = json_loadb(ret->body.data ? ret->body.data : "", ret->body.len, 0, NULL);
	if (root && (!list || json_is_array(json_object_get(root, list)))) {
		*ret_root = root;
		return AWS_NONE;
	}
	json_decref(root);
	err_set(err, ERR_RETRY, "%s, %s: the answer to %s is cut off%s%s", r->at->account, r->at->region,
	        r->operation, list ? ", or has no " : "", list ? list : "");
	return AWS_UNREACHABLE;
}

void aws_copy_text(const struct json_t *object, const char *member, struct buf *ret)
{
	const char *text = json_string_value(json_object_get(object, member));
	buf_clear(ret);
	buf_adds(ret, text ? text : "");
}

void aws_call_library(struct buf *out)
{
	buf_addf(out, "jansson %s", jansson_version_str());
}
