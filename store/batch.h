// SPDX-License-Identifier: Apache-2.0
// Records collected in memory, sorted by where in Redis they belong, until one round trip writes them all.
//
//     record -> account and Region
//            -> section: a bucket, and the bucket beyond its edge in which records of its calls may be
//            -> evidence, metrics, names, sessions, candidates for a kept name
#ifndef NOWCAST_STORE_BATCH_H
#define NOWCAST_STORE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/map.h"
#include "ingest/record.h"
#include "store/cell_codec.h"
#include "store/evidence.h"
#include "store/name_id.h"
#include "store/observed.h"

enum {
	BUCKET_HOURS = 6,
	BUCKETS_A_DAY = 24 / BUCKET_HOURS,
	CALL_HOURS_MAX = 1 // no call lasts longer: how far apart two records of one call may be
};

struct batch_name {
	uint64_t id;
	uint64_t model; // of 'f' and 'a': the model whose figures contain the name; else 0
	// 'm' model key, 'f' its foundation model, 'a' its ARN, 'c' caller: arn TAB access key TAB start TAB role
	// arn TAB project [TAB identity], 't' metadata. Identity and metadata: {"key":"value",...}, keys sorted
	struct str text;
};

// Ids of further names of a model: its foundation model, its ARN.
static inline uint64_t batch_foundation_id(uint64_t model_id) { return ~model_id; }
static inline uint64_t batch_called_id(uint64_t model_id) { return model_id ^ 0x6172636e00000000u; }

// What a caller says of a call, to be joined by the second.
struct batch_telling {
	uint64_t model_id;
	int64_t minute;
	char digest[CELL_DIGEST_SIZE];
	struct str value; // store/cell_codec.h
};

struct batch_metric {
	uint64_t model_id;
	int64_t minute, sum, samples, larger; // as in struct metric
	int rank;
	char name[CELL_METRIC_NAME_SIZE]; // of the token kind, and of tiers (store/cell_codec.h)
};

// A caller, a model, a label or its key, and the minute of its first record, by which it competes for a
// place: a later one, by CARDINALITY_FREE, if its records are of calls that cost nothing
// (store/cardinality.h).
struct batch_candidate {
	struct str group, name; // what follows the group's name, or the model's
	int64_t minute;
};

struct section {
	int64_t bucket;
	int other; // -1, 0 or 1: the neighbouring bucket that may hold a record of the same call
	// how many records of the same call the batch held before: no call occurs twice in a section
	int turn;
	bool reopens; // its records count although their bucket has closed, as long as its facts are kept
	struct evidence *calls;
	struct batch_metric *metrics;
	struct batch_name *names;
	struct str *sessions;
	struct batch_candidate *candidates;
	struct batch_telling *tellings;
	int32_t ncandidates, capcandidates, ntellings, captellings;
	// minutes of the hours of the bucket of which it has records, a bit each (store/observed.h)
	uint64_t observed[OBSERVED_SIGNALS][BUCKET_HOURS];
	int32_t ncalls, capcalls, nmetrics, capmetrics, nnames, capnames, nsessions, capsessions;
};

struct batch_acct_region {
	struct str name; // "111122223333/us-east-1"
	struct section *sections;
	int32_t nsections, capsections;
	int32_t recent; // the section last used
	struct str *cross_account; // accounts of callers from other accounts, each once
	int32_t ncross_account, capcross_account;
};

// Tags of a session, in the form of key_session (docs/redis-keys.md).
struct batch_session {
	struct str account;
	struct str access_key, arn_at_start;
	struct str json; // {"arn":..., "role":..., "tags":{...}}, keys sorted
	bool tagged;     // it has tags: without any, no figure misses it
};

struct batch_tag_change {
	struct str key;   // account:role/NAME or account:user/NAME
	struct str field; // time and event id
	struct str json;  // {"op":"set","tags":{...}}
};

struct batch {
	struct siphash_key name_key; // of the ids of names; the same as long as the batch is not empty
	struct arena arena;
	struct buf identity, meta;   // text of the labels of the record in hand
	struct buf caller;           // the name of its caller
	struct batch_acct_region *acct_regions;
	int32_t nacct_regions, capacct_regions;
	struct map known_places; // hashes of the accounts and Regions that Redis has, and of new ones
	int64_t places_max;      // so many at most; 0: any number
	// names of roles, as patterns, whose sessions telemetry is joined with by the second; NULL: none
	const struct conf_list *told_roles;
	struct map acct_region_index, section_index, name_index, call_index;
	struct batch_session *session_tags;
	struct batch_tag_change *tag_changes;
	int32_t nsession_tags, capsession_tags, ntag_changes, captag_changes;
	int64_t newest_ms[RECORD_KINDS]; // event time of the newest record of each kind, 0: none
	size_t records;
	size_t list_bytes; // that all lists have grown by
	bool reopening; // the records added from now on are of sections that reopen; never cleared
	bool reopens;   // some record of the batch is
	uint64_t future; // records refused because their time is ahead of the clock; never cleared
};

void batch_init(struct batch *b); // name_key: all zero; no limits

// What Redis has: the batch admits other accounts and Regions only as long as there are less than places_max.
void batch_set_places(struct batch *b, const struct str *acct_regions, size_t n);
void batch_release(struct batch *b);
void batch_clear(struct batch *b); // empties, keeps some of the memory

// Adds a record; copies what it needs. ERR_SKIP: its values make no sense, or its time is after `latest_ms`.
bool batch_add(struct batch *b, const struct record *r, int64_t latest_ms, struct err *err) NC_CHECK;

// Gives all names the ids of another key.
void batch_rekey(struct batch *b, const struct siphash_key *key);

// Sorts the calls of every section by their evidence, so that equal evidence is sent once.
void batch_sort(struct batch *b);

size_t batch_bytes(const struct batch *b); // memory that its records take; costs nothing to ask

#endif
