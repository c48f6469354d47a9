// SPDX-License-Identifier: Apache-2.0
#include "base/version.h"

#include <assert.h>

static struct version program = {"unknown", "unknown", "unknown"};

void version_set(struct version v)
{
	assert(v.number && v.commit && v.date);
	program = v;
}

struct version version_get(void)
{
	return program;
}
