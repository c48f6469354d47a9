// SPDX-License-Identifier: Apache-2.0
// The links of the chain of aws/credentials.h, and what its files share.
#ifndef NOWCAST_AWS_CREDENTIALS_PRIV_H
#define NOWCAST_AWS_CREDENTIALS_PRIV_H

#include "aws/credentials.h"

enum found {
	FOUND_NOTHING, // not set up: the next link is tried
	FOUND,
	// set up, and does not work: the error says why (ERR_CONFIG, or ERR_RETRY without an answer)
	FOUND_BROKEN,
};

enum { CREDENTIALS_FILE_MAX = 1 << 20 };

enum found credentials_environment(struct credentials *c, struct err *err);
enum found credentials_profile(struct credentials *c, struct err *err);
enum found credentials_container(struct credentials *c, struct err *err);
enum found credentials_machine(struct credentials *c, struct err *err);

// From STS, for a role: by the token in a file, or by credentials that may assume it. `region`: of the
// profile, or STR_NONE.
enum found credentials_of_token(struct credentials *c, const char *token_file, struct str role_arn,
                                struct str region, struct err *err);
enum found credentials_of_role(struct credentials *c, const struct credentials *by, struct str role_arn,
                               struct str external_id, struct str region, struct err *err);

// ---- what the links share -----------------------------------------------------------------------

void credentials_set(struct credentials *c, struct str key, struct str secret, struct str token,
                     const char *origin);

// The value of a key in a section of an INI file, whose header is "[NAME]" or "[KIND NAME]"; STR_NONE if it
// is not there. Without a key: the section itself, if there is one.
struct str aws_ini_get(struct str text, const char *kind, struct str section, const char *key);

// Takes a JSON object with members of these names (access key, secret key, session token), as processes,
// containers, machines and single sign-on answer. `object`: its name inside the answer, or NULL. False: a key
// is missing.
bool credentials_take_json(struct credentials *c, struct str json, const char *object,
                           const char *const names[3], const char *origin);

#endif
