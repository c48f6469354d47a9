// SPDX-License-Identifier: Apache-2.0
// Reads what the AWS command line prints of roles, users and accounts and their tags, as changes of tags:
// each of the list has exactly these tags from one moment on. A text may hold many JSON values, each
// in one of these forms:
//
//     aws iam get-account-authorization-details
//         {"RoleDetailList": [{"Arn": ..., "Tags": [...]}], "UserDetailList": [...]}
//     aws iam get-role, get-user
//         {"Role": {"Arn": ..., "Tags": [...]}}, {"User": {...}}
//     aws resourcegroupstaggingapi get-resources
//         {"ResourceTagMappingList": [{"ResourceARN": ..., "Tags": [...]}]}
//     aws iam list-role-tags, list-user-tags; aws organizations list-tags-for-resource
//         {"Tags": [...]}: names no principal or account; the caller must
//     anything else that has both
//         {"Arn": ..., "Tags": ...}, or a list of such
//
// Tags are [{"Key": ..., "Value": ...}], in lower case too, or {"key": "value"}. An entry with an ARN and no
// Tags (list-roles and list-users leave them out) changes nothing.
// A text is taken whole or refused whole, unless `skips`.
#ifndef NOWCAST_STORE_TAG_IMPORT_H
#define NOWCAST_STORE_TAG_IMPORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "ingest/pseudonym.h"
#include "store/redis.h"

struct tag_import {
	struct imported_tags {
		char *owner;  // "ACCOUNT:role/NAME", as tag_owner has it
		char *change; // {"op":"create","tags":{...}}, as it is kept
		size_t tags;
	} *items;
	size_t n, cap;
	size_t unknown;    // that had no Tags
	bool skips;        // an entry of a list that is refused is passed over, and counted
	size_t skipped;
	struct err why;    // the first of them
};

#define TAG_LIST_INIT {0}

void tag_import_release(struct tag_import *l);

// Appends what `text` lists, names hashed by `p` (NULL: as they are). `arn`: whose tags a list without a name
// holds, or STR_NONE. `file` is for messages. ERR_CONFIG.
bool tag_import_read(struct tag_import *l, struct str text, const char *file, struct str arn,
                     struct pseudonyms *p, struct err *err) NC_CHECK;

// Writes them, where they are not what is known: each of these roles, users and accounts has exactly its tags
// from `from_ms` on. `p` is that of tag_import_read. False: Redis, or it has names of another hash.
bool tag_import_store(const struct tag_import *l, struct redis *r, const char *prefix, int64_t from_ms,
                      struct pseudonyms *p, struct err *err) NC_CHECK;

// Both, of what a program has asked AWS for: a role that is refused does not keep the others out. True with a
// message in `err`: so many were, and why.
bool tag_import_text(struct redis *r, const char *prefix, struct str text, int64_t from_ms,
                     struct pseudonyms *p, struct err *err) NC_CHECK;

#endif
