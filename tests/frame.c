// SPDX-License-Identifier: Apache-2.0
//     frame [FROM]
//
// Prints a session that had, before ids had a key, the id of the victim: "SESSION CREATED", for role
// assumed-role/app of account 111122223333. The victim is session `victim`, created 2026-11-02T05:00:00Z.
// It tries session names, from number FROM on (0), until one has a time of creation that a record can have:
// 20 million of them in three seconds.
#include <stdio.h>
#include <stdlib.h>

#include "base/when.h"
#include "tests/support/unkeyed.h"

#define ACCOUNT "111122223333"

static struct caller caller_of(const char *session, char arn[96])
{
	snprintf(arn, 96, "arn:aws:sts::" ACCOUNT ":assumed-role/app/%s", session);
	return (struct caller){.arn = str_of(arn), .role_arn = STR("arn:aws:iam::" ACCOUNT ":role/app")};
}

int main(int argc, char **argv)
{
	const int64_t last = INT64_C(253402300799999); // of the year 9999
	char arn[96], session[32], when[WHEN_SIZE];
	struct caller victim = caller_of("victim", arn);
	uint64_t id, seed;
	if (!when_parse(STR("2026-11-02T05:00:00Z"), &victim.session_start_ms))
		return 1;
	id = unkeyed_id(&victim, &seed);
	for (long n = argc > 1 ? atol(argv[1]) : 0; n < 1L << 30; n++) {
		snprintf(session, sizeof session, "s-%ld", n);
		struct caller c = caller_of(session, arn);
		unkeyed_id(&c, &seed);
		int64_t start = start_of(id, seed);
		if (start <= 0 || start > last || start % 1000)
			continue;
		printf("%s %s\n", session, when_format(start, when));
		return 0;
	}
	return 1;
}
