// SPDX-License-Identifier: Apache-2.0
// One request to a service of AWS that answers in JSON (CloudTrail, CloudWatch, CloudWatch Logs, Bedrock,
// SQS, Organizations, and what aws/inventory.c asks) or in XML (IAM), and what its refusal means for the
// caller.
//
// A request is made once. Whoever makes many of them (run/streams.h) decides when the next one is due: the
// fault says how, and no request is repeated sooner than AWS asks.
//
// AWS_ENDPOINT_URL_CLOUDTRAIL, _CLOUDWATCH, _CLOUDWATCH_LOGS, _BEDROCK, _SQS, _ORGANIZATIONS and _IAM (or
// AWS_ENDPOINT_URL) name other servers, as they do for the AWS SDKs.
#ifndef NOWCAST_AWS_CALL_H
#define NOWCAST_AWS_CALL_H

#include <stdint.h>

#include "aws/credentials.h"

// A service, by the words that AWS has for it.
struct aws_service {
	const char *endpoint; // in AWS_ENDPOINT_URL_...
	const char *host;     // first part of its host name, and the service of the signature
	const char *target;   // what stands before ".OPERATION" in X-Amz-Target; NULL: the URL says the operation
	const char *json;     // "1.1"
};

// Where a call is made, and by whom.
struct aws_place {
	const struct credentials *credentials;
	const char *region;
	const char *account;  // 12 digits; "": not known
};

enum aws_fault {
	AWS_NONE,
	AWS_THROTTLED,    // too many requests: wait, longer each time
	AWS_UNREACHABLE,  // no answer, a broken one, or a fault of AWS's own: wait
	AWS_EXPIRED,      // of the credentials, or of what signs: find new ones
	AWS_SKEWED,       // the clock of this machine is wrong
	AWS_DENIED,       // the permission is missing: a person has to act
	AWS_REGION_OFF,   // the Region is not enabled in the account, or there is none of this name
	AWS_TOKEN,        // the token of the next page is no longer taken: begin the listing again
	AWS_REFUSED,      // anything else: a person has to act
};

struct aws_request {
	const struct aws_service *service;
	const struct aws_place *at;
	const char *operation;  // "LookupEvents"
	const char *permission; // "cloudtrail:LookupEvents"
	const char *path;       // after the host, "/..."; NULL: "/"
	struct str body;        // STR_NONE: none, and a GET
};

struct aws_answer {
	struct buf body;        // of a success; released by the caller, always
	int64_t wait_ms;        // a fault: AWS asks to wait as long; 0: it does not say
	char code[80];          // a fault: AWS's word for it, "ThrottlingException"; "": it has none
};

// The fault, with a sentence in `err` that names the account, the Region, the permission and what to do. The
// kind of `err` is ERR_RETRY where waiting helps, else ERR_CONFIG.
enum aws_fault aws_call(const struct aws_request *r, struct aws_answer *ret, struct err *err) NC_CHECK;

// Appends the library and its version, as it is loaded: "jansson 2.14".
void aws_call_library(struct buf *out);

#endif
