// SPDX-License-Identifier: Apache-2.0
// The HTTP side of deliveries by Amazon Data Firehose: who may deliver, what is refused before it is read,
// and answers in Firehose's form. What becomes of the records is the matter of whoever takes them
// (run/receiver.h).
//
//     POST /firehose --key, size--> deliveries_route --> take --> deliveries_answer
//
// A delivery is allowed by a key of firehose.keys.file, which allows nothing else; a key that is also a token
// of a viewer allows nothing here. Anything but 200 makes Firehose try again, for as long as its retry
// duration, and then write the records to the stream's bucket: so a refusal loses nothing. The exception is
// 413, after which Firehose gives up at once, and by its documentation keeps nothing: it is never answered.
// ("Understand HTTP endpoint delivery request and response specifications" in the Amazon Data Firehose
// Developer Guide.)
#ifndef NOWCAST_WEB_DELIVERIES_H
#define NOWCAST_WEB_DELIVERIES_H

#include "base/conf.h"
#include "web/auth.h"
#include "web/http.h"

#define DELIVERIES_PATH "/firehose"

struct deliveries;

// Takes a delivery whose key and headers are right: HTTP_LATER, and then http_finish when its records are
// safe; or HTTP_DONE, answered. On the http thread; must not block.
typedef enum http_route deliveries_take_fn(void *user, struct http_exchange *x);

// ERR_CONFIG: firehose.keys.file.
bool deliveries_open(struct deliveries **ret, const struct conf *conf, deliveries_take_fn *take, void *user,
                     struct err *err) NC_CHECK;
void deliveries_close(struct deliveries *d);
bool deliveries_refresh(struct deliveries *d, struct err *err) NC_CHECK; // as auth_refresh

// On the http thread. deliveries_admit: the bytes of the largest body that is read of such a request.
size_t deliveries_admit(struct deliveries *d, const struct http_request *r);
enum http_route deliveries_route(struct deliveries *d, struct http_exchange *x, struct auth *viewers);

// 200 without `error`; with 503 it says when to try again. The id is that of the header, or what the caller
// has put in its place.
void deliveries_answer(struct http_exchange *x, int status, const char *error);

// Deliveries that were refused for their key, and when the last one was (Unix time; 0: never). Any thread.
uint64_t deliveries_refused_keys(const struct deliveries *d, int64_t *ret_last_ms);

#endif
