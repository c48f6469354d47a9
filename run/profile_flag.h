// SPDX-License-Identifier: Apache-2.0
// --profile P and --region R,... of the commands that ask AWS without a daemon: look and setup.
#ifndef NOWCAST_RUN_PROFILE_FLAG_H
#define NOWCAST_RUN_PROFILE_FLAG_H

#include "base/command.h"

// Takes both out. As with the AWS command line, a profile that is named is taken before keys in the
// environment. Before any thread is made.
bool profile_flags(struct command *c, struct err *err) NC_CHECK;

#endif
