// SPDX-License-Identifier: Apache-2.0
// The Test Anything Protocol, for prove(1): ok() a line each, done() last. A failed ok() prints what it is
// told and goes on.
#ifndef NOWCAST_TESTS_TAP_H
#define NOWCAST_TESTS_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tap_count, tap_failed;

__attribute__((format(printf, 2, 3))) static inline bool ok(bool good, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	printf("%sok %d - ", good ? "" : "not ", ++tap_count);
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
	fflush(stdout);
	tap_failed += !good;
	return good;
}

__attribute__((format(printf, 1, 2))) static inline void diag(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	printf("# ");
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
}

static inline bool is_int(long long got, long long want, const char *what)
{
	bool good = ok(got == want, "%s", what);
	if (!good)
		diag("got %lld, want %lld", got, want);
	return good;
}

static inline bool is_str(const char *got, const char *want, const char *what)
{
	bool good = ok(got && want && strcmp(got, want) == 0, "%s", what);
	if (!good)
		diag("got  \"%s\"\n# want \"%s\"", got ? got : "(null)", want ? want : "(null)");
	return good;
}

__attribute__((noreturn)) static inline void skip_all(const char *why)
{
	printf("1..0 # SKIP %s\n", why);
	exit(0);
}

static inline int done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? 1 : 0;
}

#endif
