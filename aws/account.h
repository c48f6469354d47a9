// SPDX-License-Identifier: Apache-2.0
// An account of AWS that is read, with the credentials for it: those of the chain (aws/credentials.h), or of
// a role that these assume (STS AssumeRole, with the external id that its trust policy asks for).
#ifndef NOWCAST_AWS_ACCOUNT_H
#define NOWCAST_AWS_ACCOUNT_H

#include <stdint.h>

#include "aws/credentials.h"

enum { ACCOUNT_ID_SIZE = 13 };

struct aws_account {
	const char *role_arn;    // outlives this; NULL: the account of the chain's credentials itself
	const char *external_id; // "": none
	char id[ACCOUNT_ID_SIZE]; // of a role from its ARN, else of GetCallerIdentity; "": not known yet
	struct credentials credentials;
	int64_t found_ms;        // monotonic; 0: there are none
	int64_t failed_ms;       // monotonic: when the last try failed; 0: it did not
	struct err why;
};

// `role_arn` NULL: as above.
void aws_account_init(struct aws_account *a, const char *role_arn, const char *external_id);
void aws_account_release(struct aws_account *a);

// Finds credentials unless there are some from the last half hour, so that those which expire in an hour are
// replaced in time. A failure is not tried again for ten seconds. ERR_RETRY: no answer from STS; ERR_CONFIG:
// says what to set up.
bool aws_account_open(struct aws_account *a, struct err *err) NC_CHECK;
void aws_account_forget(struct aws_account *a); // the next aws_account_open finds new ones

#endif
