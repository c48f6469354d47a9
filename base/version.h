// SPDX-License-Identifier: Apache-2.0
// Which nowcast this is: what `nowcast --version`, the log and /metrics say.
#ifndef NOWCAST_BASE_VERSION_H
#define NOWCAST_BASE_VERSION_H

// Static strings, never NULL.
struct version {
	const char *number; // of the file VERSION: "0.1.0"
	// 12 hex digits, "-modified" behind them if the sources differ from it; "unknown" without git
	const char *commit;
	const char *date; // "2026-11-30", UTC: of the commit, or of SOURCE_DATE_EPOCH
};

// nowcast.c alone knows it, so that a commit compiles one file and links one program. Before any thread
// starts.
void version_set(struct version v);
struct version version_get(void); // "unknown" three times until it is set, as in the tests

#endif
