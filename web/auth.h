// SPDX-License-Identifier: Apache-2.0
// Who may ask, and how often.
//
// Tokens are kept as SHA-256 digests and every one is compared in constant time, so neither the time of an
// answer nor a memory dump tells a token. Wrong tokens of one address are counted, and soon answered 429. All
// but auth_refresh runs on the http thread.
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
	AUTH_SLOWER,  // too many requests, or too many wrong tokens, from that address
};

// `tokens_file` empty: everybody may. ERR_CONFIG names the file, the line, and what is expected.
bool auth_open(struct auth **ret, const char *tokens_file, int64_t requests_per_s, struct err *err) NC_CHECK;
void auth_close(struct auth *a);

// Counts a request of `peer`; false: it must wait a little.
bool auth_rate(struct auth *a, struct str peer, int64_t ticks_ms);

// Judges the value of the header Authorization.
enum auth_verdict auth_check(struct auth *a, struct str peer, struct str authorization, int64_t ticks_ms);

bool auth_wants_tokens(const struct auth *a);

// Reads the file again if it changed. False: the tokens in force stay, and err says why. Any thread.
bool auth_refresh(struct auth *a, struct err *err) NC_CHECK;

#endif
