// SPDX-License-Identifier: Apache-2.0
#include "run/profile_flag.h"

#include <stdlib.h>

static void use_profile(const char *profile)
{
	setenv("AWS_PROFILE", profile, 1);
	unsetenv("AWS_ACCESS_KEY_ID");
	unsetenv("AWS_SECRET_ACCESS_KEY");
	unsetenv("AWS_SESSION_TOKEN");
	unsetenv("AWS_WEB_IDENTITY_TOKEN_FILE");
}

bool profile_flags(struct command *c, struct err *err)
{
	const char *profile = NULL, *region = NULL;
	if (!command_option(c, "--profile", &profile, err) || !command_option(c, "--region", &region, err))
		return false;
	if (profile)
		use_profile(profile);
	return !region ||
	       conf_set(&c->conf, STR("regions"), str_of(region), (struct conf_origin){CONF_FLAG, 0}, err);
}
