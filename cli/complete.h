// SPDX-License-Identifier: Apache-2.0
// `nowcast complete -- WORD...`: what the last word may become, for the completion of shells
// (deploy/completion). It knows what the help says: subcommands, the flags and words of their synopsis, and
// the keys of the configuration.
#ifndef NOWCAST_CLI_COMPLETE_H
#define NOWCAST_CLI_COMPLETE_H

#include <stddef.h>

#include "base/command.h"

struct subcommand {
	const char *name;
	const char *synopsis;  // the arguments behind the name
	const char *sentence;  // one line for the list
	const char *help;      // the rest
	int (*run)(struct command *c);
};

// Prints a candidate a line: the word and, behind a tab, what it is, where that is known. Nothing: a file, or
// any text. Returns the exit status.
int complete_words(struct command *c, const struct subcommand *all, size_t n);

#endif
