// SPDX-License-Identifier: Apache-2.0
// arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE, as the AWS General Reference has it.
#ifndef NOWCAST_BASE_ARN_H
#define NOWCAST_BASE_ARN_H

#include "base/str.h"

// The account of an ARN; *arn is then what follows: the resource, such as user/NAME. Empty, both, of what has
// fewer parts.
static inline struct str arn_cut_account(struct str *arn)
{
	for (int i = 0; i < 4; i++)
		str_cut(arn, ':');
	return str_cut(arn, ':');
}

#endif
