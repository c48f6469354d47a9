// SPDX-License-Identifier: Apache-2.0
// What the files that read facts share: store_read.c (cells, and the whole), store_read_shards.c (the cells
// of shards), store_callers.c (names of models and callers, tags, labels).
#ifndef NOWCAST_STORE_STORE_READ_PRIV_H
#define NOWCAST_STORE_STORE_READ_PRIV_H

#include "base/map.h"
#include "store/store.h"

// A caller as its name record tells (batch.h).
struct named_caller {
	uint64_t id;
	struct str arn, access_key, role_arn, project, identity;
	int64_t start_ms;
	struct tagset tags; // without labels
};

// The calls of one caller with the same metadata. Which labels keep their names differs from day to day.
struct labelled_caller {
	const struct named_caller *caller;
	struct str meta; // JSON; STR_NONE
	int64_t day;     // 0: it has no labels
	struct tagset tags;
	int32_t number;  // before they are sorted
};

// Orders the calls of one caller and minute by what keeps them apart: rate class, telemetry, second.
static inline int compare_kind_of_calls(const struct calls *x, const struct calls *y)
{
	if (x->rate_class != y->rate_class)
		return x->rate_class - y->rate_class;
	if (x->telemetry != y->telemetry)
		return x->telemetry - y->telemetry;
	if (x->second != y->second)
		return x->second < y->second ? -1 : 1;
	return x->second_is_end - y->second_is_end;
}

struct hour_reader {
	struct store *store;
	struct arena *arena;
	struct series *out;
	struct named_caller *callers;
	int32_t ncallers, capcallers;
	struct map by_id; // caller id -> index into callers
	struct str *metas; // metadata that occurs
	int32_t nmetas, capmetas;
	struct map meta_by_id; // its id -> index into metas
	struct labelled_caller *labelled;
	int32_t nlabelled, caplabelled;
};

static inline const char *prefix_of(const struct hour_reader *r)
{
	return r->store->options->redis.prefix;
}

static inline int64_t day_of(int64_t hour)
{
	return hour / 24;
}

// Adds the calls of the shards to those hours that have facts in the account and Region; one round trip if it
// has shards. Their changes reach it later (store/shards.h), and the versions of the hours were read before.
bool read_shards(struct hour_reader *r, int shards, struct err *err) NC_CHECK;

// Queue the names of a model in a bucket; read them out of reply i.
void queue_model_names(struct hour_reader *r, int64_t bucket, uint64_t model_id);
void read_model_names(struct hour_reader *r, size_t i, struct further_names *ret);

// Reads the names of all callers and metadata that occur in the hours, then the tags of their sessions.
bool read_callers(struct hour_reader *r, int64_t first_bucket, int64_t last_bucket, struct err *err) NC_CHECK;
bool read_sessions(struct hour_reader *r, struct err *err) NC_CHECK;

// Fills callers, folded and tagsets of the series, and points the calls at them; needs its cardinality.
void resolve_callers(struct hour_reader *r);

void hour_reader_release(struct hour_reader *r);

#endif
