// SPDX-License-Identifier: Apache-2.0
// Which clients may ask, and how often.
//
// Tokens are kept as SHA-256 digests, and each is compared in constant time, so neither the time of an
// answer nor a memory dump reveals a token. Wrong tokens are counted by address and soon answered with 429; a
// known token is never refused for them.
// All but auth_refresh runs on the HTTP thread.
#ifndef NOWCAST_WEB_AUTH_H
#define NOWCAST_WEB_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct auth;

enum auth_verdict {
	AUTH_YES,
	AUTH_MISSING, // no token came
	AUTH_WRONG,
	AUTH_SLOWER,  // too many wrong tokens from that address
};

enum { AUTH_NAME_SIZE = 64 }; // of a token; a longer one is cut

// `file` empty: no token is needed. `key`: of the configuration, that names the file. ERR_CONFIG names both,
// the line, and what is expected.
bool auth_open(struct auth **ret, const char *key, const char *file, int64_t requests_per_s,
               struct err *err) NC_CHECK;
void auth_close(struct auth *a);

// Counts a request: of its token if that is known, else of the address `peer`, so that nobody at the same
// address can use up what a token may ask. False: it is over its rate.
bool auth_rate(struct auth *a, struct str peer, struct str authorization, int64_t ticks_ms);

// `authorization`: the value of that header.
enum auth_verdict auth_check(struct auth *a, struct str peer, struct str authorization, int64_t ticks_ms);

// The same of a token that came in another way.
enum auth_verdict auth_check_token(struct auth *a, struct str peer, struct str token, int64_t ticks_ms);

// Whether the file has the token, and by which name. `ret_name` NULL: it does not matter.
bool auth_knows(struct auth *a, struct str token, char ret_name[AUTH_NAME_SIZE]);

bool auth_wants_tokens(const struct auth *a);

// Reads the file again if it changed. False: the tokens stay as they were, and err says why. Any thread.
bool auth_refresh(struct auth *a, struct err *err) NC_CHECK;

#endif
