// SPDX-License-Identifier: Apache-2.0
// One error. Its message says what happened, where, and what to do; its kind says what the caller does next.
//
// A function that can fail returns bool, is marked NC_CHECK, and takes a caller-allocated `struct err *` as
// its last parameter, which it sets only if it returns false. Setting an error that is already set changes
// nothing, so a failing clean-up does not hide the cause.
#ifndef NOWCAST_BASE_ERR_H
#define NOWCAST_BASE_ERR_H

#include <stdbool.h>

#define NC_CHECK __attribute__((warn_unused_result))
#define NC_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

enum err_kind {
	ERR_NONE = 0,
	ERR_SKIP,   // this input is wrong: count it, make it a dead letter, go on with the next
	ERR_RETRY,  // the other side does not answer: wait and try again; nothing is lost
	ERR_CONFIG, // the user must change something: the message names the key or the argument
	ERR_FATAL,  // the program cannot go on
};

struct err {
	enum err_kind kind;
	char msg[480]; // one line, no newline at its end, without the passwords of URLs
};

#define ERR_INIT {0}

// Sets kind and message unless an error is set already. Always returns false, for `return err_set(...)`.
bool err_set(struct err *err, enum err_kind kind, const char *fmt, ...) NC_PRINTF(3, 4);
#ifdef __clang_analyzer__ // it sees one file at a time, and would assume that err_set may return true
#define err_set(...) ((bool)(err_set(__VA_ARGS__) && false))
#endif

// Puts "prefix: " before the message of an error that is set; returns false.
bool err_prefix(struct err *err, const char *fmt, ...) NC_PRINTF(2, 3);

void err_clear(struct err *err);

#endif
