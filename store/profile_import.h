// SPDX-License-Identifier: Apache-2.0
// Reads what the AWS command line prints of inference profiles, or a map of one's own, as the models behind
// application inference profiles. A text may hold many JSON values, each in one of these forms:
//
//     aws bedrock list-inference-profiles --type-equals APPLICATION
//         {"inferenceProfileSummaries": [{...}, ...]}
//     aws bedrock get-inference-profile
//         {"inferenceProfileArn": ..., "models": [{"modelArn": ...}]}
//
// or a map: the line profile,model, then a line a profile: ARN or id, and the model.
//
// A profile of which one model has an ARN without a Region was made of a global profile. AWS's own profiles
// (SYSTEM_DEFINED) name their model and are skipped. A text is taken whole or refused whole, unless `skips`.
#ifndef NOWCAST_STORE_PROFILE_IMPORT_H
#define NOWCAST_STORE_PROFILE_IMPORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "store/redis.h"

struct profile_import {
	struct imported_profile {
		char *id;        // last segment of its ARN
		char *json;      // {"arn":...,"model":...,"name":...}, as it is kept
		int64_t from_ms; // when it was created; 0: unknown
		char *model;
	} *items;
	size_t n, cap;
	size_t own;          // AWS's own
	bool skips;          // an entry of a list that is refused is passed over, and counted
	size_t skipped;
	struct err why;      // the first of them
};

#define PROFILE_LIST_INIT {0}

void profile_import_release(struct profile_import *l);

// Appends what `text` lists. `file` is for messages. ERR_CONFIG.
bool profile_import_read(struct profile_import *l, struct str text, const char *file,
                         struct err *err) NC_CHECK;

// Writes them: each applies from its creation on, or from `from_ms` if that is not -1.
bool profile_import_store(const struct profile_import *l, struct redis *r, const char *prefix,
                          int64_t from_ms, struct err *err) NC_CHECK;

// Both, of what a program has asked AWS for: a profile that is refused does not keep the others out. True
// with a message in `err`: so many were, and why.
bool profile_import_text(struct redis *r, const char *prefix, struct str text, struct err *err) NC_CHECK;

#endif
