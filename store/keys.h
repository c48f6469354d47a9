// SPDX-License-Identifier: Apache-2.0
// Every key in Redis but those of the alerts (alert/keys.h). No other file spells one: C calls these
// constructors, Lua scripts use the same names from store/prelude.lua.
//
// Each constructor empties `b`, writes the key into it and returns it; the text is valid until `b` changes.
// `prefix` is redis.prefix ("nowcast" below). A/R is "account/region": its braces make it the hash tag of a
// Redis Cluster, so a script may touch all keys of one A/R at once. HOUR is 2026-11-02T05 in the keys of
// figures, and the number of the hour since 1970 in the keys of facts; BUCKET is the number of a span of
// BUCKET_HOURS hours, DAY that of a day. MODEL is a model key (pricing/model_id.h), MODELID its id in 16
// hex digits (store/name_id.h).
//
// Above each constructor: the key and its type, what it holds, who writes it, how long it is kept.
// docs/redis-keys.md says what the fields hold; `make check` compares the two lists.
#ifndef NOWCAST_STORE_KEYS_H
#define NOWCAST_STORE_KEYS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

// The member of an index of figures, "2026-11-02T05:MODEL". Its first MEMBER_HOUR bytes are the hour.
enum { MEMBER_HOUR = 13, MEMBER_MODEL = MEMBER_HOUR + 1 };
enum { MODELID_DIGITS = 16 };
struct str key_member(struct buf *b, int64_t hour, struct str model);

// ---- of the whole Redis -------------------------------------------------------------------------

// nowcast:schema  string
//     version of the form of keys and values. Written by schema.c; kept for ever.
struct str key_schema(struct buf *b, const char *prefix);

// nowcast:migrating  string
//     the version that a migration goes to. Written by migrate.c; kept until it has ended.
struct str key_migrating(struct buf *b, const char *prefix);

// nowcast:acct_regions  set
//     each A/R that has facts, figures or a bill. Written by store.c, publish.c; kept until nothing of it
//     is left.
struct str key_acct_regions(struct buf *b, const char *prefix);

// nowcast:epoch  string
//     a random number, another one after Redis lost its data. Written by store.c; kept for ever.
struct str key_epoch(struct buf *b, const char *prefix);

// nowcast:names  string
//     mark of the hash that names go through. Written by names_check.c; kept for ever.
struct str key_names_mark(struct buf *b, const char *prefix);

// nowcast:name_key  string
//     secret key of the ids of names (store/name_id.h), 32 hex digits. Written by name_id.c; kept for ever.
struct str key_name_key(struct buf *b, const char *prefix);

// nowcast:signals  sorted set
//     kind of record -> newest event time (ms), KIND:arrived -> last arrival. Written by store.c; kept for
//     ever.
struct str key_signals(struct buf *b, const char *prefix);

// nowcast:cross_account  sorted set
//     "ACCOUNT A/R", sessions of the account called there. Written by store.c; kept for `window` and a
//     day.
struct str key_cross_account(struct buf *b, const char *prefix);

// nowcast:session:KEY  string
//     a session's principal and tags, KEY an access key or ARN@START. Written by keep_longest.lua; kept
//     for `window` and what store_keep_ms adds, and with tags for `reopen.keep`.
struct str key_session(struct buf *b, const char *prefix, struct str session);

// nowcast:tagsets  hash
//     TAGSET -> tags as JSON. Written by store_settle.c; kept for `retention` and a day since an hour used
//     it.
// nowcast:tagsets:seen  sorted set
//     TAGSET, by when an hour used it last (ms). Written by store_settle.c; kept as long.
struct str key_tagsets(struct buf *b, const char *prefix);
struct str key_tagsets_seen(struct buf *b, const char *prefix);

// nowcast:unpriced  hash
//     MODEL -> why it has no price. Written by store_settle.c; kept until it has one, else as tagsets.
// nowcast:unpriced:seen  sorted set
//     MODEL, by when an hour used it last (ms). Written by store_settle.c; kept as long.
struct str key_unpriced(struct buf *b, const char *prefix);
struct str key_unpriced_seen(struct buf *b, const char *prefix);

// nowcast:dead_letters  hash
//     kind of fault -> dead letters of that kind so far. Written by dead_letter_counts.c; kept for ever.
// nowcast:dead_letters:seen  sorted set
//     kind of fault, by when the last one came (ms). Written by dead_letter_counts.c; kept for ever.
struct str key_dead_letters(struct buf *b, const char *prefix);
struct str key_dead_letters_seen(struct buf *b, const char *prefix);

// nowcast:telemetry  hash
//     why telemetry was not used -> how often (store/telemetry_counts.h). Written by telemetry_counts.c; kept
//     for ever.
struct str key_telemetry(struct buf *b, const char *prefix);

// nowcast:positions:CLUSTER:GROUP:TOPIC  hash
//     PARTITION -> "NEXT READING MS": how far the group has read, and Redis has the facts of it. Written by
//     position.lua; kept for `retention` after the last message.
// nowcast:missing  hash
//     "TOPIC PARTITION FROM CLUSTER GROUP" -> "SEEN_MS TO FROM_MS TO_MS CAUSE", messages that Kafka no longer
//     had, or an API of AWS gave no more. Written by gap.lua; kept until there are 1,000 newer ones.
// nowcast:lag  hash
//     "TOPIC PARTITION CLUSTER GROUP" -> "SEEN_MS MESSAGES ENDANGERED": messages that are not read, and those
//     of them that Kafka soon deletes. Written by topic_lag.c; kept for five minutes.
// nowcast:lost  sorted set
//     "seen" -> when a reader found last that Redis had lost what was written to it (ms), "held" -> up to when
//     it still had messages, at the worst (ms; 0: none). Written by positions.c; kept for 30 days.
struct str key_positions(struct buf *b, const char *prefix, const char *cluster, const char *group,
                         const char *topic);
// nowcast:{SPAN}:positions:CLUSTER:GROUP:TOPIC  hash
//     the same, on a Redis Cluster of several masters (store/positions.h): SPAN is the tag of a span of
//     slots. Written by position.lua; kept as long.
struct str key_positions_copy(struct buf *b, const char *prefix, int span_tag, const char *cluster,
                              const char *group, const char *topic);
struct str key_missing(struct buf *b, const char *prefix);
struct str key_lag(struct buf *b, const char *prefix);
struct str key_lost(struct buf *b, const char *prefix);

// nowcast:tags:OWNER  hash
//     "MS EVENT" -> change of the tags of a role, user or account, OWNER is ACCOUNT:role/NAME or
//     ACCOUNT:account. Written by tags.lua and tag_import.c; kept for `retention` and a day after its
//     deletion.
struct str key_tags(struct buf *b, const char *prefix, struct str owner);

// nowcast:profiles  set
//     ids of the inference profiles that were imported. Written by cli/profiles.c; kept for ever.
// nowcast:profile:ID  hash
//     MS since when -> the profile as JSON. Written by cli/profiles.c; kept for ever.
struct str key_profiles(struct buf *b, const char *prefix);
struct str key_profile(struct buf *b, const char *prefix, struct str id);

// nowcast:sources  hash
//     "SOURCE ACCOUNT/REGION", "firehose ACCOUNT/REGION/STREAM" -> how far it is read, and what hinders it
//     (store/source_status.h). Written by source_status.c; kept until 100 days after it was removed from the
//     configuration.
// nowcast:sources:written  hash
//     the same fields -> when each was written (ms). Written by source_status.c; kept as long.
// nowcast:source_lease:ACCOUNT  string
//     which process reads it. Written by source_status.c; kept for ten seconds.
struct str key_sources(struct buf *b, const char *prefix);
// nowcast:{SPAN}:sources  hash
//     the fields of AWS's APIs -> POSITION, on a Redis Cluster of several masters: SPAN as of
//     key_positions_copy.
//     Written by source_status.c; kept as long.
struct str key_sources_copy(struct buf *b, const char *prefix, int span_tag);
struct str key_sources_written(struct buf *b, const char *prefix);
struct str key_source_lease(struct buf *b, const char *prefix, struct str account);

// nowcast:observed:DAY  string
//     bitmap of the minutes of a day up to whose end all that Kafka and the queue of a trail held was read
//     (store/observed.h). Written by observed.c; kept for `retention` after the day.
// nowcast:observed_since  string
//     when minutes began to be noted, of a Redis that had figures before (ms). Written by migrate.c; kept for
//     ever.
struct str key_read_minutes(struct buf *b, const char *prefix, int64_t day);
struct str key_observed_since(struct buf *b, const char *prefix);

// nowcast:reconcile  hash
//     the last run. Written by status.lua; kept for ever.
// nowcast:reconcile:PERIOD  hash
//     the last run over a billing period. Written by status.lua; kept for ever.
// nowcast:reconcile:periods  set
//     billing periods that were reconciled. Written by publish.c; kept for ever.
// nowcast:reconcile:run  string
//     counter of runs. Written by publish.c; kept for ever.
struct str key_reconcile(struct buf *b, const char *prefix);
struct str key_reconcile_period(struct buf *b, const char *prefix, struct str period);
struct str key_reconcile_periods(struct buf *b, const char *prefix);
struct str key_reconcile_run(struct buf *b, const char *prefix);

// nowcast:scores:PERIOD  hash
//     "DAY HORIZON" -> how good the estimate was. Written by scores.lua; kept for `retention`.
struct str key_scores(struct buf *b, const char *prefix, struct str period);

// nowcast:band  string
//     factor of the error bands, in thousandths. Written by run_band.c; kept for ever.
struct str key_band(struct buf *b, const char *prefix);

// nowcast:asof:HOUR  hash
//     HORIZON -> when the snapshot was taken. Written by query/snapshot.c; kept for scoreboard.keep.
// nowcast:{A/R}:asof:HOUR  hash
//     HORIZON -> dollars by caller at that time. Written by query/snapshot.c; kept for scoreboard.keep.
struct str key_asof(struct buf *b, const char *prefix, int64_t hour);
struct str key_acct_region_asof(struct buf *b, const char *prefix, struct str acct_region, int64_t hour);

// What schema 1 had instead of acct_regions and cross_account (store/migrate.h).
struct str key_schema1_acct_regions(struct buf *b, const char *prefix);
struct str key_schema1_cross_account(struct buf *b, const char *prefix);

// ---- figures of one account and Region ----------------------------------------------------------

// The start of the keys of all A/R, "nowcast:{"; and of those of one, "nowcast:{A/R}": KEYS[1] of the
// scripts.
struct str key_acct_region_start(struct buf *b, const char *prefix);
struct str key_acct_region(struct buf *b, const char *prefix, struct str acct_region);

// nowcast:{A/R}:usage  sorted set
//     HOUR:MODEL, by hours since 1970, the index of the next. Written by settle.lua; kept as long as its
//     entries.
// nowcast:{A/R}:usage:HOUR:MODEL  hash
//     the estimated figures (store/usage_rows.h). Written by settle.lua, reprice.c; kept for `retention`.
// nowcast:{A/R}:usage_meta:HOUR:MODEL  hash
//     what of that hour and model is no usage: calls, weights, metrics, names, the digest. Written by
//     settle.lua, reprice.c; kept for `retention`.
struct str key_usage_index(struct buf *b, const char *prefix, struct str acct_region);
struct str key_usage(struct buf *b, const char *prefix, struct str acct_region, struct str member);
struct str key_usage_meta(struct buf *b, const char *prefix, struct str acct_region, struct str member);

// nowcast:{A/R}:actual  sorted set
//     HOUR:MODEL, by hours since 1970, the index of the next. Written by swap.lua; kept as long as its
//     entries.
// nowcast:{A/R}:actual:HOUR:MODEL  hash
//     the billed figures. Written by publish.c, swap.lua; kept for `retention`.
// nowcast:{A/R}:actual:models  set
//     models that were ever billed there. Written by swap.lua; kept until nothing else is left of A/R.
// nowcast:{A/R}:actual:called  hash
//     MODEL -> the ARN by which an application inference profile was called. Written by swap.lua; kept as
//     the models.
struct str key_actual_index(struct buf *b, const char *prefix, struct str acct_region);
struct str key_actual(struct buf *b, const char *prefix, struct str acct_region, struct str member);
struct str key_actual_models(struct buf *b, const char *prefix, struct str acct_region);
struct str key_actual_called(struct buf *b, const char *prefix, struct str acct_region);

// nowcast:{A/R}:billed  hash
//     since, watermark, PERIOD -> run. Written by swap.lua; kept until nothing else is left of A/R.
struct str key_billed(struct buf *b, const char *prefix, struct str acct_region);

// nowcast:{A/R}:staged:RUN  sorted set
//     as actual, of a run under way. Written by publish.c; kept for an hour.
// nowcast:{A/R}:staged:RUN:HOUR:MODEL  hash
//     as actual. Written by publish.c; kept for an hour, until swap.lua renames it.
struct str key_staged_index(struct buf *b, const char *prefix, struct str acct_region, int64_t run);
struct str key_staged(struct buf *b, const char *prefix, struct str acct_region, int64_t run,
                      struct str member);

// nowcast:{A/R}:observed:DAY:SIGNAL  string
//     bitmap of the minutes of a day that were observed, SIGNAL of observed_words (store/observed.h). Written
//     by apply.lua, observed.c; kept for `retention` after the day.
struct str key_observed(struct buf *b, const char *prefix, struct str acct_region, int64_t day,
                        const char *signal);

// ---- facts of one account and Region ------------------------------------------------------------

// An A/R may have shards (store/shards.h), which have the keys open, reopen, pack, due, late, telemetry,
// calls, packed, cells, names and model_hours as well: of the second one, those of "A/R~02fc".

// nowcast:{A/R}:shards  string
//     over how many shards the calls of A/R are spread; without it they are under the keys of A/R itself. In
//     a shard "~" and the number. Written by apply.lua; kept until nothing is left of A/R, or of the shard.
struct str key_shards(struct buf *b, const char *prefix, struct str acct_region);

// nowcast:{A/R}:promoted  hash
//     number of a shard -> how many times its changes have reached A/R; in a shard: 0 -> as it knows. Written
//     by apply.lua, in a shard by promoted.lua; kept until nothing is left of A/R.
struct str key_promoted(struct buf *b, const char *prefix, struct str acct_region);

// nowcast:{A/R}:open  sorted set
//     BUCKET, by when it closes (ms). Written by apply.lua; kept for `retention` after that.
struct str key_open(struct buf *b, const char *prefix, struct str acct_region);

// nowcast:{A/R}:reopen  sorted set
//     BUCKET, by until when its facts are kept (ms). Written by apply.lua; kept until then.
// nowcast:{A/R}:pack  sorted set
//     BUCKET, by when its calls are to be packed (ms). Written by apply.lua, unpack.lua; kept until
//     claim.lua has packed them.

// nowcast:{A/R}:due  sorted set
//     "HOUR:MODELID" to be computed, by when (ms). Written by apply.lua, hour_stats.lua, billed_means.lua,
//     relabel.lua and settle.lua (mark_due of prelude.lua), and by claim.lua (its lease); kept until
//     settle.lua takes the hour out; of a shard, promoted.lua.
struct str key_due(struct buf *b, const char *prefix, struct str acct_region);

// nowcast:{A/R}:late  hash
//     BUCKET -> records that came too late. Written by apply.lua; kept as the bucket in open.
struct str key_late(struct buf *b, const char *prefix, struct str acct_region);

// nowcast:{A/R}:lost_calls  hash
//     BUCKET -> how many calls it had when its `pairs` were found to be lost. Written by apply.lua and
//     claim.lua (short_evidence.lua); kept as the bucket in open.
struct str key_lost_calls(struct buf *b, const char *prefix, struct str acct_region);

// nowcast:{A/R}:telemetry  hash
//     BUCKET -> telemetry of calls that have not come. Written by apply.lua; kept as the bucket in open.
struct str key_telemetry_waiting(struct buf *b, const char *prefix, struct str acct_region);

// nowcast:{A/R}:cells:HOUR:MODELID  hash
//     calls and metrics by minute, versions v and w. Written by apply.lua; kept for `window`, `reopen.keep`
//     and what store_keep_ms adds.
struct str key_cells(struct buf *b, const char *prefix, struct str acct_region, int64_t hour,
                     struct str model_hex);

// nowcast:{A/R}:names:BUCKET  hash
//     ids of models and callers -> their names. Written by apply.lua; kept as long as the cells.
struct str key_names(struct buf *b, const char *prefix, struct str acct_region, int64_t bucket);

// nowcast:{A/R}:kept:DAY:GROUP  sorted set
//     members of a group that keep their names, by the minute of their first record; 2^40 later if only calls
//     that cost nothing are known. Written by apply.lua; kept as long as the cells.
struct str key_kept(struct buf *b, const char *prefix, struct str acct_region, int64_t day, struct str group);

// nowcast:{A/R}:overflowed:DAY  set
//     groups with more members than keep their names. Written by apply.lua; kept as long as the cells.
struct str key_overflowed(struct buf *b, const char *prefix, struct str acct_region, int64_t day);

// nowcast:{A/R}:overflow:DAY:GROUP  HyperLogLog
//     members of the group that did not keep their names. Written by apply.lua; kept as long as the cells.
struct str key_overflow(struct buf *b, const char *prefix, struct str acct_region, int64_t day,
                        struct str group);

// nowcast:{A/R}:hour_stats:HOUR:MODELID  string
//     statistics of the hour (estimator/hour_stats.h). Written by hour_stats.lua; kept as long as the
//     cells, and as long again as store_keep_ms.
struct str key_hour_stats(struct buf *b, const char *prefix, struct str acct_region, int64_t hour,
                          struct str model_hex);

// nowcast:{A/R}:billed_means:MODELID  hash
//     ARN -> calls and billed tokens of the last billed days; MODELID `all`: those of all models, ARN `all`.
//     Written by billed_means.lua; kept for `retention`.
struct str key_billed_means(struct buf *b, const char *prefix, struct str acct_region, struct str model_hex);

// nowcast:{A/R}:part:HOUR:MODELID  hash
//     what this model added to the usage hash of `(other models)`. Written by settle.lua; kept as long as
//     that, for reprice.c, if it is usage; else as long as the cells.
// nowcast:{A/R}:part_meta:HOUR:MODELID  hash
//     what this model added to the meta hash of `(other models)`. Written by settle.lua; kept as long.
struct str key_part(struct buf *b, const char *prefix, struct str acct_region, struct str model_hour);
struct str key_part_meta(struct buf *b, const char *prefix, struct str acct_region, struct str model_hour);

// Lua scripts alone use these:
// nowcast:{A/R}:calls:BUCKET  hash
//     request id -> what is known of the call (store/evidence.h). Written by apply.lua; kept for `window`,
//     then packed.
// nowcast:{A/R}:pairs:BUCKET  string
//     pairs of a model and a caller, 16 bytes each, whose places are their numbers in the values of `calls`.
//     Written by apply.lua; kept as long as the calls.
// nowcast:{A/R}:packed:BUCKET  list
//     the same of many calls in a text (store/pack.lua). Written by claim.lua; kept for `reopen.keep`.
// nowcast:{A/R}:sessions:BUCKET  set
//     sessions that called. Written by apply.lua; kept for `window` and `reopen.keep`.
// nowcast:{A/R}:model_hours:BUCKET  set
//     "HOUR:MODELID" that have cells. Written by apply.lua; kept for `window` and `reopen.keep`.

#endif
