// SPDX-License-Identifier: Apache-2.0
// The built-in catalogue: pricing/builtin.csv, embedded in the program and read once by the code that reads
// users' files.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "pricing/price.h"

__asm__(".pushsection .rodata\n"
        "nowcast_builtin_csv: .incbin \"pricing/builtin.csv\"\n"
        "nowcast_builtin_csv_end: .byte 0\n"
        ".popsection\n");

extern const char builtin_csv[] __asm__("nowcast_builtin_csv");
extern const char builtin_csv_end[] __asm__("nowcast_builtin_csv_end");

static struct catalogue *builtin;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load_builtin(void)
{
	struct err err = ERR_INIT;
	struct str text = {builtin_csv, (size_t)(builtin_csv_end - builtin_csv)};
	if (!catalogue_parse(&builtin, text, "built in", &err)) {
		fprintf(stderr, "nowcast: bug: built with a bad price catalogue: %s\n", err.msg);
		abort();
	}
}

const struct catalogue *catalogue_builtin(void)
{
	pthread_once(&once, load_builtin);
	return builtin;
}
