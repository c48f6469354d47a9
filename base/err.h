// SPDX-License-Identifier: Apache-2.0
// One error. Its message says what happened, where, and what to do; its kind says what the caller does next.
//
// A function that can fail returns bool, is marked NC_CHECK, and takes a caller-allocated `struct err *` as
// its last parameter, which it sets only if it returns false. Setting an error that is already set changes
// nothing, so a failing clean-up does not hide the cause.
//
// The first error ends the reading of a file, unless its caller wants all of them (`list`): a reader that can
// go on behind a mistake asks err_collect whether it shall, and ends with err_check.
#ifndef NOWCAST_BASE_ERR_H
#define NOWCAST_BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>

#define NC_CHECK __attribute__((warn_unused_result))
#define NC_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

enum err_kind {
	ERR_NONE = 0,
	ERR_SKIP,   // this input is wrong: count it, make it a dead letter, go on with the next
	ERR_RETRY,  // the other side does not answer: wait and try again; nothing is lost
	ERR_CONFIG, // the user must change something: the message names the key or the argument
	ERR_FATAL,  // the program cannot go on
};

struct err_list {
	struct err *items;
	size_t n;
};

struct err {
	enum err_kind kind;
	char msg[480]; // one line, no newline at its end, without the passwords of URLs
	struct err_list *list; // where all errors are collected; NULL: nowhere
	size_t listed; // how many of the list, its last ones, this error stands for; 0: it is not among them
};

#define ERR_INIT {0}

// Sets kind and message unless an error is set already. Always returns false, for `return err_set(...)`.
bool err_set(struct err *err, enum err_kind kind, const char *fmt, ...) NC_PRINTF(3, 4);
#ifdef __clang_analyzer__ // it sees one file at a time, and would assume that err_set may return true
#define err_set(...) ((bool)(err_set(__VA_ARGS__) && false))
#endif

// Puts "prefix: " before the message of an error that is set; returns false.
bool err_prefix(struct err *err, const char *fmt, ...) NC_PRINTF(2, 3);

void err_clear(struct err *err); // keeps the list

// Behind an error from which the reading can go on: adds it to the list, clears it and returns true. Without
// a list, or with a full one, it returns false: the error is to be returned.
bool err_collect(struct err *err) NC_CHECK;

// At the end of such a reading, which began when the list had `before` errors (err_listed): true if it has no
// more. Else false, and the error is set again: it stands for all that were added.
bool err_check(struct err *err, size_t before) NC_CHECK;
size_t err_listed(const struct err *err);

void err_list_release(struct err_list *list);

#endif
