// SPDX-License-Identifier: Apache-2.0
#include "aws/account.h"

#include <stdio.h>

#include "aws/credentials_priv.h"
#include "base/when.h"

enum { KEEP_MS = 30 * 60000, FAILED_MS = 10000 };

void aws_account_init(struct aws_account *a, const char *role_arn, const char *external_id)
{
	*a = (struct aws_account){.role_arn = role_arn, .external_id = external_id};
	struct str rest = str_of(role_arn), account = STR_NONE;
	for (int i = 0; role_arn && i < 5; i++) // arn:aws:iam::ACCOUNT:role/NAME
		account = str_cut(&rest, ':');
	if (account.len < sizeof a->id)
		snprintf(a->id, sizeof a->id, "%.*s", STR_ARG(account));
}

void aws_account_release(struct aws_account *a)
{
	credentials_release(&a->credentials);
	a->credentials = (struct credentials){0};
	a->found_ms = 0;
}

void aws_account_forget(struct aws_account *a)
{
	a->found_ms = 0;
}

static bool assume_role(struct aws_account *a, struct err *err)
{
	struct credentials own = a->credentials;
	struct buf region = BUF_INIT;
	a->credentials = (struct credentials){0};
	buf_addstr(&region, buf_str(&own.region));
	bool good = credentials_of_role(&a->credentials, &own, str_of(a->role_arn), str_of(a->external_id),
	                                buf_str(&region), err) == FOUND;
	if (good)
		a->credentials.origin = "assumed role";
	credentials_release(&own);
	buf_release(&region);
	return good;
}

bool aws_account_open(struct aws_account *a, struct err *err)
{
	int64_t now = when_ticks_ms();
	if (a->found_ms && now - a->found_ms < KEEP_MS)
		return true;
	if (a->failed_ms && now - a->failed_ms < FAILED_MS)
		return err_set(err, a->why.kind, "%s", a->why.msg);
	aws_account_release(a);
	bool good = credentials_find(&a->credentials, err) && (!a->role_arn || assume_role(a, err)) &&
	            (*a->id || credentials_account(&a->credentials, a->id, err));
	if (!good)
		aws_account_release(a);
	a->found_ms = good ? now : 0;
	a->failed_ms = good ? 0 : now;
	a->why = *err;
	return good;
}
