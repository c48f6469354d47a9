// SPDX-License-Identifier: Apache-2.0
// HTTP requests to AWS, signed (Signature Version 4) or not. This module's .c is the only file of reconcile/
// that includes curl.
#ifndef NOWCAST_AWS_HTTP_CLIENT_H
#define NOWCAST_AWS_HTTP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"

struct credentials {
	struct buf access_key, secret_key, session_token; // session_token may be empty
	struct buf region;    // of the profile, may be empty
	const char *origin;   // where they came from, for messages: "environment", "profile", ...
};

struct http_request {
	const char *method;              // NULL: GET
	const char *url;
	const char *headers[8];          // "Name: value", up to NULL
	const struct credentials *sign;  // NULL: not signed
	const char *service, *region;    // of the signature; service NULL: S3
	int64_t from;                    // first byte wanted
	FILE *file;                      // where the body goes if the status is 200 or 206; NULL: into the answer
	void (*tell)(void *user, int64_t bytes); // how long `file` is by now; may be NULL
	void *user;
	int connect_ms;                  // 0: 10 seconds
};

struct http_answer {
	long status;
	struct buf body;
	int64_t modified_ms;             // Last-Modified; 0: not said
	char region[32];                 // x-amz-bucket-region
};

// False: no answer (ERR_RETRY), or it broke off. Any status is an answer.
bool http_do(const struct http_request *r, struct http_answer *ret, struct err *err) NC_CHECK;
void http_answer_release(struct http_answer *a);

// Appends `s` percent-encoded as AWS wants it: all but letters, digits and -._~ (and '/', if it is kept).
void buf_add_url_part(struct buf *b, struct str s, bool keep_slash);

#endif
