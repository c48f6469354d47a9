// SPDX-License-Identifier: Apache-2.0
// arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE ("Amazon Resource Names (ARNs)" in the AWS General
// Reference).
#ifndef NOWCAST_BASE_ARN_H
#define NOWCAST_BASE_ARN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

// Whether it is the number of an account: 12 digits.
static inline bool arn_is_account(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.len == 12;
}

// Returns the account of an ARN; *arn is then the resource, such as user/NAME. Both are empty if the ARN has
// fewer parts.
static inline struct str arn_cut_account(struct str *arn)
{
	for (int i = 0; i < 4; i++)
		str_cut(arn, ':');
	return str_cut(arn, ':');
}

// "arn:aws:sts::ACCOUNT:assumed-role/ROLE" of a session; the ARN itself of others.
static inline struct str arn_without_session(struct str arn)
{
	for (size_t i = 0, slashes = 0; i < arn.len; i++)
		if (arn.p[i] == '/' && ++slashes == 2)
			return (struct str){arn.p, i};
	return arn;
}

#endif
