// SPDX-License-Identifier: Apache-2.0
// What the reading of a mapping file (mapping_read.c) and the look-up (mapping.c) share.
#ifndef NOWCAST_STORE_MAPPING_PRIV_H
#define NOWCAST_STORE_MAPPING_PRIV_H

#include "base/arena.h"
#include "base/map.h"
#include "store/mapping.h"

enum { MAPPING_LINES_MAX = 20000, MAPPING_BYTES_MAX = 4 << 20 };

// The lines of one kind, name and account, by time.
struct mapping_subject {
	const struct mapping_line *lines;
	int n;
};

// The subjects that may map a caller, the most specific first.
struct mapping_match {
	const struct mapping_subject *subject;
	bool maybe; // of callers that were counted together: it may map some of them
};

struct mapping_matches {
	struct mapping_match *list;
	int n;
};

struct mapping {
	uint64_t digest;
	uint64_t refused; // hash of why the file was not taken since; 0: it was
	struct arena arena;              // all strings
	struct str keys[MAPPING_KEYS_MAX];
	int nkeys;
	struct mapping_line *lines;      // sorted by subject and time
	int nlines;
	struct mapping_subject *subjects; // the most specific first
	int nsubjects;
	struct map plain;                // of subjects without *, by mapping_hash, -> the subject
	int *patterns, npatterns;        // the others
	bool has[MAPPING_KINDS];         // lines of that kind

	struct arena found;              // the matches of the callers that were asked for
	struct map callers;              // hash of a caller -> matches
	struct mapping_matches *matches;
	int nmatches, capmatches;
};

// What a subject without * is found by. Letters in either case.
uint64_t mapping_hash(enum mapping_kind kind, struct str account, struct str role, struct str name);

// Same subject: 0; else the order in which lines of subjects are kept.
int mapping_subject_cmp(const struct mapping_line *a, const struct mapping_line *b);

// After m->lines were read, in the order of the file: sorts them into subjects.
void mapping_index(struct mapping *m);

#endif
