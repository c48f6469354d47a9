// SPDX-License-Identifier: Apache-2.0
// The set of tags under which calls are counted: the tags of the caller's session, and what its records say
// of it that is no tag. Keys that AWS reserves for itself tell the two apart (store/store.h):
//
//     {"aws:identity:source":"ann","aws:meta:team":"search","aws:project":"p-1","env":"prod"}
//
// Labels (ingest/labels.h) are bounded (store/cardinality.h). A value beyond the limit becomes
// OTHER_VALUES. A key beyond it is left out, and TAG_LABELS says so: of a label that is not listed the
// value is unknown then, and not absent.
#ifndef NOWCAST_STORE_TAGSET_H
#define NOWCAST_STORE_TAGSET_H

#include "store/store.h"

// No tags; and those of a JSON object with sorted keys.
struct tagset tagset_none(void);
struct tagset tagset_of(struct str json, struct arena *arena);

// Whose labels they are, on which day, and which of them keep their names.
struct tagset_limits {
	const struct cardinality *cardinality;
	struct str owner;
	int64_t day;
};

// `base` and the labels of a caller and of a call: JSON objects of strings, or STR_NONE.
struct tagset tagset_with_labels(const struct tagset *base, struct str identity, struct str meta,
                                 const struct tagset_limits *limits, struct arena *arena);

// The same tags without labels, and with TAG_LABELS if there were some.
struct tagset tagset_fold(const struct tagset *t, struct arena *arena);

// Whether the key of an entry is that of a label; and the entry's key as people see it, "meta:KEY".
bool tagset_is_label(const char *key);
static inline struct str tagset_shown_key(struct str key)
{
	bool label = str_starts(key, STR(TAG_META)) || str_starts(key, STR(TAG_IDENTITY));
	return label ? (struct str){key.p + 4, key.len - 4} : key; // without "aws:"
}

#endif
