// SPDX-License-Identifier: Apache-2.0
// The one HTTP client: requests to AWS, signed (Signature Version 4) or not, to web servers, and the messages
// of alerts. Only this module includes curl.
//
//     http_client_do                                   one request; returns when its answer is complete
//     http_transfers_new, http_transfer_begin, _wait   several at the same time; none waits for another one
//
// Only http and https are spoken, by mails smtp and smtps. Certificates are always verified.
#ifndef NOWCAST_AWS_HTTP_CLIENT_H
#define NOWCAST_AWS_HTTP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

// What a request is signed with (aws/credentials.h finds it).
struct credentials {
	struct buf access_key, secret_key, session_token; // session_token may be empty
	struct buf region;    // of the profile, may be empty
	const char *origin;   // where they were found, for messages: "environment", "profile", ...
};

struct http_client_answer {
	long status;          // 0: none has come yet
	struct buf head;      // header lines of the last answer, after redirects
	struct buf body;      // at most 64 MiB
};

// A piece of the body of an answer whose head is complete. False breaks the transfer off.
typedef bool http_client_body_fn(void *user, const struct http_client_answer *head, struct str piece);

enum { HTTP_CLIENT_HEADERS_MAX = 8 };

struct http_client_request {
	const char *method;              // NULL: GET, or POST if there is a body
	const char *url;
	const char *headers[HTTP_CLIENT_HEADERS_MAX]; // "Name: value", up to NULL
	struct str body;                 // STR_NONE: none. Is not copied
	const struct credentials *sign;  // NULL: not signed
	const char *service, *region;    // of the signature; service NULL: S3
	int64_t from;                    // first byte wanted
	int redirects_max;               // how many redirects are followed, on the same host and scheme; 0: none
	int connect_ms;                  // 0: 10 seconds
	int total_ms;                    // 0: as long as at least 1 KiB/s comes
	// authorities that the server's certificate may come from; STR_NONE: the system's
	struct str ca_file;
	// takes the body if the status is 200 or 206; NULL: it goes into the answer
	http_client_body_fn *on_body;
	void *user;
};

// False: there is no answer, or it is not complete. ERR_RETRY: the server or the network; ERR_CONFIG: the
// URL. The message names the URL without its parameters. Any status is an answer. *ret is released by the
// caller if true is returned.
bool http_client_do(const struct http_client_request *r, struct http_client_answer *ret,
                    struct err *err) NC_CHECK;
void http_client_answer_release(struct http_client_answer *a);

// The value of a header, in any case of letters; STR_NONE if it is not there.
struct str http_client_header(const struct http_client_answer *a, const char *name);

// Appends `s` percent-encoded as AWS wants it: all but letters, digits and -._~ (and '/', if it is kept).
void buf_add_url_part(struct buf *b, struct str s, bool keep_slash);

// ---- several at the same time -------------------------------------------------------------------

struct http_transfers; // one thread at a time
struct http_transfer;

struct http_transfers *http_transfers_new(void);
void http_transfers_free(struct http_transfers *all);             // after its transfers. NULL: nothing
// all go on until one ends, at most for so long
void http_transfers_wait(struct http_transfers *all, int64_t ms);

// Each has a connection of its own. What comes back is dropped, but for the status. The body of the request,
// or the text of the mail, outlives the transfer.
struct http_transfer *http_transfer_begin(struct http_transfers *all, const struct http_client_request *r);

struct mail_request {
	struct str url;                  // smtp://HOST:PORT or smtps://
	struct str from, to;             // addresses; `to`: one or several, comma-separated
	struct str user, password;       // STR_NONE: no login. With a login the connection must be encrypted
	struct str text;                 // with its headers, lines ending in CRLF
	struct str ca_file;
	int connect_ms, total_ms;
};
struct http_transfer *http_transfer_begin_mail(struct http_transfers *all, const struct mail_request *m);

// Has it ended? *ret_why: NULL if there was an answer, of which *ret_status is the status. ERR_RETRY: try
// later; ERR_CONFIG: the URL or the login is wrong. The message does not hold the URL, which may be a secret.
bool http_transfer_over(const struct http_transfer *t, long *ret_status, const struct err **ret_why);
void http_transfer_free(struct http_transfer *t); // one that has not ended is broken off. NULL: nothing

// Appends the library and its version, as it is loaded: "libcurl 7.88.1".
void http_client_library(struct buf *out);

#endif
