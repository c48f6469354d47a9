// SPDX-License-Identifier: Apache-2.0
// Keys are made one at a time into a buffer that the caller reuses: the view makes one a model hour.
#include "store/keys.h"

#include <inttypes.h>

#include "base/when.h"
#include "store/keys_priv.h"

#define TEXT_OF(name, text) {text, sizeof text - 1},
const struct str acct_region_keys[ACCT_REGION_KEY_COUNT] = {ACCT_REGION_KEYS(TEXT_OF)};

static struct str global_key(struct buf *b, const char *prefix, const char *name, struct str rest)
{
	buf_clear(b);
	buf_adds(b, prefix);
	buf_adds(b, name);
	buf_addstr(b, rest);
	return buf_str(b);
}

struct str key_schema(struct buf *b, const char *prefix)
{
	return global_key(b, prefix, ":schema", STR_NONE);
}

struct str key_migrating(struct buf *b, const char *prefix)
{
	return global_key(b, prefix, ":migrating", STR_NONE);
}

struct str key_acct_regions(struct buf *b, const char *prefix)
{
	return global_key(b, prefix, ":acct_regions", STR_NONE);
}

struct str key_epoch(struct buf *b, const char *prefix)
{
	return global_key(b, prefix, ":epoch", STR_NONE);
}

struct str key_names_mark(struct buf *b, const char *prefix)
{
	return global_key(b, prefix, ":names", STR_NONE);
}

struct str key_name_key(struct buf *b, const char *prefix)
{
	return global_key(b, prefix, ":name_key", STR_NONE);
}

struct str key_signals(struct buf *b, const char *prefix)
{
	return global_key(b, prefix, ":signals", STR_NONE);
}

struct str key_cross_account(struct buf *b, const char *prefix)
{
	return global_key(b, prefix, ":cross_account", STR_NONE);
}

struct str key_session(struct buf *b, const char *prefix, struct str session)
{
	return global_key(b, prefix, ":session:", session);
}

struct str key_tagsets(struct buf *b, const char *prefix)
{
	return global_key(b, prefix, ":tagsets", STR_NONE);
}

struct str key_tagsets_seen(struct buf *b, const char *prefix)
{
	return global_key(b, prefix, ":tagsets:seen", STR_NONE);
}

struct str key_unpriced(struct buf *b, const char *prefix)
{
	return global_key(b, prefix, ":unpriced", STR_NONE);
}

struct str key_unpriced_seen(struct buf *b, const char *prefix)
{
	return global_key(b, prefix, ":unpriced:seen", STR_NONE);
}

struct str key_dead_letters(struct buf *b, const char *prefix)
{
	return global_key(b, prefix, ":dead_letters", STR_NONE);
}

struct str key_telemetry(struct buf *b, const char *prefix)
{
	return global_key(b, prefix, ":telemetry", STR_NONE);
}

struct str key_dead_letters_seen(struct buf *b, const char *prefix)
{
	return global_key(b, prefix, ":dead_letters:seen", STR_NONE);
}

// Neither the id of a cluster nor the name of a topic can contain a colon.
struct str key_positions(struct buf *b, const char *prefix, const char *cluster, const char *group,
                         const char *topic)
{
	global_key(b, prefix, ":positions:", str_of(cluster));
	buf_addf(b, ":%s:%s", group, topic);
	return buf_str(b);
}

struct str key_positions_copy(struct buf *b, const char *prefix, int span_tag, const char *cluster,
                              const char *group, const char *topic)
{
	buf_clear(b);
	buf_addf(b, "%s:{%d}:positions:%s:%s:%s", prefix, span_tag, cluster, group, topic);
	return buf_str(b);
}

struct str key_missing(struct buf *b, const char *prefix)
{
	return global_key(b, prefix, ":missing", STR_NONE);
}

struct str key_lag(struct buf *b, const char *prefix)
{
	return global_key(b, prefix, ":lag", STR_NONE);
}

struct str key_lost(struct buf *b, const char *prefix)
{
	return global_key(b, prefix, ":lost", STR_NONE);
}

struct str key_tags(struct buf *b, const char *prefix, struct str owner)
{
	return global_key(b, prefix, ":tags:", owner);
}

struct str key_profiles(struct buf *b, const char *prefix)
{
	return global_key(b, prefix, ":profiles", STR_NONE);
}

struct str key_profile(struct buf *b, const char *prefix, struct str id)
{
	return global_key(b, prefix, ":profile:", id);
}

struct str key_sources(struct buf *b, const char *prefix)
{
	return global_key(b, prefix, ":sources", STR_NONE);
}

struct str key_sources_copy(struct buf *b, const char *prefix, int span_tag)
{
	buf_clear(b);
	buf_addf(b, "%s:{%d}:sources", prefix, span_tag);
	return buf_str(b);
}

struct str key_sources_written(struct buf *b, const char *prefix)
{
	return global_key(b, prefix, ":sources:written", STR_NONE);
}

struct str key_source_lease(struct buf *b, const char *prefix, struct str account)
{
	return global_key(b, prefix, ":source_lease:", account);
}

struct str key_read_minutes(struct buf *b, const char *prefix, int64_t day)
{
	global_key(b, prefix, ":observed:", STR_NONE);
	buf_addf(b, "%" PRId64, day);
	return buf_str(b);
}

struct str key_observed_since(struct buf *b, const char *prefix)
{
	return global_key(b, prefix, ":observed_since", STR_NONE);
}

struct str key_reconcile(struct buf *b, const char *prefix)
{
	return global_key(b, prefix, ":reconcile", STR_NONE);
}

struct str key_reconcile_period(struct buf *b, const char *prefix, struct str period)
{
	return global_key(b, prefix, ":reconcile:", period);
}

struct str key_reconcile_periods(struct buf *b, const char *prefix)
{
	return global_key(b, prefix, ":reconcile:periods", STR_NONE);
}

struct str key_reconcile_run(struct buf *b, const char *prefix)
{
	return global_key(b, prefix, ":reconcile:run", STR_NONE);
}

struct str key_scores(struct buf *b, const char *prefix, struct str period)
{
	return global_key(b, prefix, ":scores:", period);
}

struct str key_band(struct buf *b, const char *prefix)
{
	return global_key(b, prefix, ":band", STR_NONE);
}

struct str key_schema1_acct_regions(struct buf *b, const char *prefix)
{
	return global_key(b, prefix, ":slots", STR_NONE);
}

struct str key_schema1_cross_account(struct buf *b, const char *prefix)
{
	return global_key(b, prefix, ":guests:seen", STR_NONE);
}

// ---- of one account and Region ------------------------------------------------------------------

// Appends "2026-11-02T05".
static void add_hour(struct buf *b, int64_t hour)
{
	char text[WHEN_SIZE];
	when_format(hour * MS_PER_HOUR, text);
	buf_add(b, text, MEMBER_HOUR);
}

struct str key_member(struct buf *b, int64_t hour, struct str model)
{
	buf_clear(b);
	add_hour(b, hour);
	buf_addc(b, ':');
	buf_addstr(b, model);
	return buf_str(b);
}

struct str key_acct_region_start(struct buf *b, const char *prefix)
{
	return global_key(b, prefix, ":{", STR_NONE);
}

struct str key_acct_region(struct buf *b, const char *prefix, struct str acct_region)
{
	key_acct_region_start(b, prefix);
	buf_addstr(b, acct_region);
	buf_addc(b, '}');
	return buf_str(b);
}

static struct str local_key(struct buf *b, const char *prefix, struct str acct_region,
                            enum acct_region_key name, struct str rest)
{
	key_acct_region(b, prefix, acct_region);
	buf_addstr(b, acct_region_keys[name]);
	buf_addstr(b, rest);
	return buf_str(b);
}

// "...:NUMBER", and ":REST" unless there is none.
static struct str numbered_key(struct buf *b, const char *prefix, struct str acct_region,
                               enum acct_region_key name, int64_t number, struct str rest)
{
	local_key(b, prefix, acct_region, name, STR_NONE);
	buf_addf(b, "%" PRId64, number);
	if (rest.len) {
		buf_addc(b, ':');
		buf_addstr(b, rest);
	}
	return buf_str(b);
}

// An entry of an index: the index's key, a colon, the member.
static struct str entry_key(struct buf *b, const char *prefix, struct str acct_region,
                            enum acct_region_key index, struct str member)
{
	local_key(b, prefix, acct_region, index, STR(":"));
	buf_addstr(b, member);
	return buf_str(b);
}

struct str key_usage_index(struct buf *b, const char *prefix, struct str acct_region)
{
	return local_key(b, prefix, acct_region, KEY_USAGE, STR_NONE);
}

struct str key_usage(struct buf *b, const char *prefix, struct str acct_region, struct str member)
{
	return entry_key(b, prefix, acct_region, KEY_USAGE, member);
}

struct str key_usage_meta(struct buf *b, const char *prefix, struct str acct_region, struct str member)
{
	return local_key(b, prefix, acct_region, KEY_USAGE_META, member);
}

struct str key_actual_index(struct buf *b, const char *prefix, struct str acct_region)
{
	return local_key(b, prefix, acct_region, KEY_ACTUAL, STR_NONE);
}

struct str key_actual(struct buf *b, const char *prefix, struct str acct_region, struct str member)
{
	return entry_key(b, prefix, acct_region, KEY_ACTUAL, member);
}

struct str key_actual_models(struct buf *b, const char *prefix, struct str acct_region)
{
	return local_key(b, prefix, acct_region, KEY_ACTUAL_MODELS, STR_NONE);
}

struct str key_actual_called(struct buf *b, const char *prefix, struct str acct_region)
{
	return local_key(b, prefix, acct_region, KEY_ACTUAL_CALLED, STR_NONE);
}

struct str key_billed(struct buf *b, const char *prefix, struct str acct_region)
{
	return local_key(b, prefix, acct_region, KEY_BILLED, STR_NONE);
}

struct str key_staged_index(struct buf *b, const char *prefix, struct str acct_region, int64_t run)
{
	return numbered_key(b, prefix, acct_region, KEY_STAGED, run, STR_NONE);
}

struct str key_staged(struct buf *b, const char *prefix, struct str acct_region, int64_t run,
                      struct str member)
{
	return numbered_key(b, prefix, acct_region, KEY_STAGED, run, member);
}

struct str key_asof(struct buf *b, const char *prefix, int64_t hour)
{
	global_key(b, prefix, ":asof:", STR_NONE);
	add_hour(b, hour);
	return buf_str(b);
}

struct str key_acct_region_asof(struct buf *b, const char *prefix, struct str acct_region, int64_t hour)
{
	local_key(b, prefix, acct_region, KEY_ASOF, STR_NONE);
	add_hour(b, hour);
	return buf_str(b);
}

struct str key_observed(struct buf *b, const char *prefix, struct str acct_region, int64_t day,
                        const char *signal)
{
	return numbered_key(b, prefix, acct_region, KEY_OBSERVED, day, str_of(signal));
}

struct str key_shards(struct buf *b, const char *prefix, struct str acct_region)
{
	return local_key(b, prefix, acct_region, KEY_SHARDS, STR_NONE);
}

struct str key_promoted(struct buf *b, const char *prefix, struct str acct_region)
{
	return local_key(b, prefix, acct_region, KEY_PROMOTED, STR_NONE);
}

struct str key_open(struct buf *b, const char *prefix, struct str acct_region)
{
	return local_key(b, prefix, acct_region, KEY_OPEN, STR_NONE);
}

struct str key_due(struct buf *b, const char *prefix, struct str acct_region)
{
	return local_key(b, prefix, acct_region, KEY_DUE, STR_NONE);
}

struct str key_late(struct buf *b, const char *prefix, struct str acct_region)
{
	return local_key(b, prefix, acct_region, KEY_LATE, STR_NONE);
}

struct str key_lost_calls(struct buf *b, const char *prefix, struct str acct_region)
{
	return local_key(b, prefix, acct_region, KEY_LOST_CALLS, STR_NONE);
}

struct str key_telemetry_waiting(struct buf *b, const char *prefix, struct str acct_region)
{
	return local_key(b, prefix, acct_region, KEY_TELEMETRY, STR_NONE);
}

struct str key_cells(struct buf *b, const char *prefix, struct str acct_region, int64_t hour,
                     struct str model_hex)
{
	return numbered_key(b, prefix, acct_region, KEY_CELLS, hour, model_hex);
}

struct str key_names(struct buf *b, const char *prefix, struct str acct_region, int64_t bucket)
{
	return numbered_key(b, prefix, acct_region, KEY_NAMES, bucket, STR_NONE);
}

struct str key_kept(struct buf *b, const char *prefix, struct str acct_region, int64_t day, struct str group)
{
	return numbered_key(b, prefix, acct_region, KEY_KEPT, day, group);
}

struct str key_overflowed(struct buf *b, const char *prefix, struct str acct_region, int64_t day)
{
	return numbered_key(b, prefix, acct_region, KEY_OVERFLOWED, day, STR_NONE);
}

struct str key_overflow(struct buf *b, const char *prefix, struct str acct_region, int64_t day,
                        struct str group)
{
	return numbered_key(b, prefix, acct_region, KEY_OVERFLOW, day, group);
}

struct str key_hour_stats(struct buf *b, const char *prefix, struct str acct_region, int64_t hour,
                          struct str model_hex)
{
	return numbered_key(b, prefix, acct_region, KEY_HOUR_STATS, hour, model_hex);
}

struct str key_billed_means(struct buf *b, const char *prefix, struct str acct_region, struct str model_hex)
{
	return local_key(b, prefix, acct_region, KEY_BILLED_MEANS, model_hex);
}

struct str key_part(struct buf *b, const char *prefix, struct str acct_region, struct str model_hour)
{
	return local_key(b, prefix, acct_region, KEY_PART, model_hour);
}

struct str key_part_meta(struct buf *b, const char *prefix, struct str acct_region, struct str model_hour)
{
	return local_key(b, prefix, acct_region, KEY_PART_META, model_hour);
}
