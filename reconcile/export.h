// SPDX-License-Identifier: Apache-2.0
// Finds the files of a CUR 2.0 export on disk, in the layout of AWS Data Exports:
//
//     <export>/metadata/BILLING_PERIOD=2026-11/[<time>-<execution>/]<export>-Manifest.json
//     <export>/data/BILLING_PERIOD=2026-11/[<time>-<execution>/]<export>-00001.snappy.parquet
//                                          |
//                                          `-- a folder for each delivery ("create new"), or overwritten
//
// The manifest's list of files is used, not the folder's: AWS writes the manifest after all files. Of several
// executions only the newest complete one is read.
#ifndef NOWCAST_RECONCILE_EXPORT_H
#define NOWCAST_RECONCILE_EXPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct export_period {
	struct str name;             // "2026-11"
	int64_t first, end;          // hours since the epoch: [first, end)
	struct str manifest;         // path
	struct str execution;        // folder of the execution, or none
	struct str *files;           // paths
	int nfiles;
	bool parquet;                // else CSV
	int64_t bytes;
	int64_t delivered_ms;        // time of the execution, else of the manifest's file
};

// Called for every data file before it is read, where files must be fetched first.
typedef bool export_fetch(void *user, struct str path, struct err *err);

struct export {
	struct arena arena;          // everything lives here
	struct str root;             // folder that holds metadata/ and data/
	struct str name;             // last segment of root
	struct export_period *periods; // sorted
	int nperiods;
	struct buf notes;            // a line each: what was skipped, and why
	export_fetch *fetch;
	void *user;
};

// `path`: the export's folder, or one above it. `fetch` may be NULL. `only`: one period ("2026-11"), or none
// for all. ERR_CONFIG: there is no export there, or several; ERR_SKIP: its delivery is incomplete (a file of
// the manifest is missing), wait for the next.
bool export_find(struct export *ret, const char *path, struct str only, export_fetch *fetch, void *user,
                 struct err *err) NC_CHECK;
void export_release(struct export *x);

// The hours of "2026-11". False: no period.
bool export_period_hours(struct str period, int64_t *ret_first, int64_t *ret_end);

#endif
