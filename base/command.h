// SPDX-License-Identifier: Apache-2.0
// What a subcommand gets: the configuration in force and its own arguments.
//
//     nowcast --redis URL report --by hour --config F
//             ^^^^^^^^^^^ flags of the configuration, anywhere     `report` keeps: --by hour
//
// A subcommand takes out its flags with command_option and command_switch. Then it checks with command_done
// how many arguments are left. Its return value is the exit status.
#ifndef NOWCAST_BASE_COMMAND_H
#define NOWCAST_BASE_COMMAND_H

#include "base/conf.h"
#include "base/err.h"

enum exit_status {
	STATUS_OK = 0,
	STATUS_FAILED = 1,    // it was tried and did not work
	STATUS_USAGE = 2,     // arguments or configuration are wrong: nothing was done
	STATUS_THRESHOLD = 3, // it worked, and what it found crosses a limit that the caller set
};

struct command_flag {
	struct str key;
	const char *value;
};

struct command {
	const char *name;      // of the subcommand; NULL: none was given
	const char *verb;      // that command_verb took; NULL: none
	// its arguments, for people, and what help says of them, which names those of its verbs; NULL: not known.
	// The owner of the subcommands sets them.
	const char *synopsis, *details;
	const char *config;    // path of the configuration, or NULL
	struct conf conf;      // in force
	bool help, version;    // --help, --version were given
	int argc;              // arguments of the subcommand itself, without its name
	char **argv;           // NULL-terminated
	char **words;          // a copy of the arguments; the pointers above and below are into it
	struct command_flag *flags; // of the configuration, kept for command_load
	size_t nflags;
};

// Parses the arguments. ERR_CONFIG on wrong ones. Passwords are overwritten in `argv`: every user of the
// machine can read it in the list of processes.
bool command_init(struct command *c, int argc, char **argv, struct err *err) NC_CHECK;
void command_release(struct command *c);

// Loads the configuration into c->conf and sets the log up. ERR_CONFIG. If errors are collected (base/err.h),
// what is right of it is in c->conf even so.
bool command_configure(struct command *c, struct err *err) NC_CHECK;

// Reads file, environment and flags again into *ret, which the caller releases (also on failure).
bool command_load(const struct command *c, struct conf *ret, struct err *err) NC_CHECK;

// Takes out "--name VALUE" or "--name=VALUE". Without it *ret_value keeps its value. The last one wins.
bool command_option(struct command *c, const char *name, const char **ret_value, struct err *err) NC_CHECK;
// the same, but takes out only the first one: for a flag that may be given more than once
bool command_option_next(struct command *c, const char *name, const char **ret_value,
                         struct err *err) NC_CHECK;
// as command_option, for a moment; a time of day alone is the last one up to now
bool command_time(struct command *c, const char *name, int64_t *ret_ms, struct err *err) NC_CHECK;
// --now: the present for what is read, else that of the clock
bool command_now(struct command *c, int64_t *ret_ms, struct err *err) NC_CHECK;
// Takes out the verb, which only --now T may precede. NULL: it is none of `words` ("list, status or set").
// ERR_CONFIG says which there are, what was given, and what may have been meant.
const char *command_verb(struct command *c, const char *words, struct err *err);
// Takes out the argument behind `at` others; NULL: there is none, or it is a flag, or one is before it.
const char *command_argument(struct command *c, int at);
bool command_switch(struct command *c, const char *name); // takes "--name" out: was it there?

// Whether a flag of the configuration holds a secret: by its name, or as the password of a URL.
bool command_flag_is_secret(struct command_flag f);

// Fails if an unknown flag is left, and unless min to max arguments are left (max -1: any number).
bool command_done(struct command *c, int min, int max, struct err *err) NC_CHECK;

// Prints "nowcast NAME: message" on stderr, without control characters; all errors, if they were collected.
// Returns the exit status for the kind of error.
int command_fail(const struct command *c, const struct err *err);

#endif
