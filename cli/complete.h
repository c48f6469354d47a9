// SPDX-License-Identifier: Apache-2.0
// `nowcast complete bash|zsh|fish`: the script for a shell. `nowcast complete -- WORD...`: what the last word
// may become, which that script asks (deploy/completion). It knows what the help
// says: subcommands, the flags and words of their synopsis and of their verbs, and the keys of the
// configuration.
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

// Prints the script that makes a shell ask (deploy/completion): "bash", "zsh" or "fish". False: another one.
bool complete_print_script(struct str shell);

// Prints a candidate a line: the word and, behind a tab, what it is, where that is known. Nothing: a file, or
// any text. Returns the exit status.
int complete_words(struct command *c, const struct subcommand *all, size_t n);

#endif
