// SPDX-License-Identifier: Apache-2.0
// The configuration: one struct, one table of keys (conf_keys.c), five sources.
//
//     --flag  >  NOWCAST_ENVIRONMENT  >  secrets.file  >  file (key = value)  >  default
//
// The key `batch.records` is the flag --batch-records and the variable NOWCAST_BATCH_RECORDS. Keys `kafka.*`
// are passed to librdkafka unchanged (--kafka.client.id X, NOWCAST_KAFKA_CLIENT_ID);
// `kafka.bootstrap.servers` is the same as `brokers`, and `kafka.group.id` the same as `group`. Keys
// `trust.*` are rules of who may say what (ingest/trust.h); the environment cannot spell their names. Units
// are required: durations end in ms, s, m, h or d, sizes in B, KiB, MiB or GiB.
#ifndef NOWCAST_BASE_CONF_H
#define NOWCAST_BASE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/str.h"

// in the order of precedence; CONF_SECRETS: secrets.file
enum conf_source { CONF_DEFAULT, CONF_FILE, CONF_SECRETS, CONF_ENV, CONF_FLAG };

struct conf_origin {
	enum conf_source source;
	int line; // of the file, from 1
};

struct conf_list {
	char **items;
	size_t n;
};

bool conf_list_has(const struct conf_list *l, struct str word);

struct conf_pair {
	char *key, *value; // without the "kafka." or "trust." in front
	struct conf_origin origin;
};

enum { CONF_KEYS_MAX = 96 };

struct conf {
	char *file; // that was read, or NULL
	char *secrets_file;       // "" : none

	// where records come from: kafka, AWS itself (run/streams.h), or Firehose (run/receiver.h)
	struct conf_list sources;         // none: kafka
	struct conf_list regions;         // none: those in which Bedrock is used
	struct conf_list accounts;        // ARNs of roles, or "own"; none: that of the credentials
	char *accounts_external_id;       // "" : none
	int64_t aws_every_ms;
	int64_t aws_since_ms;
	struct conf_list aws_event_sources;
	char *aws_cost_max;               // USD a day
	char *trail_files;                // s3://BUCKET/PREFIX; "": none
	char *trail_queue;                // URL; "" : none
	char *firehose_keys_file;         // "" : none
	int64_t firehose_memory;          // bytes

	// Kafka
	char *brokers;            // "" : not set
	struct conf_list topics;
	char *group;
	struct conf_pair *kafka;  // passed to librdkafka, in the order given
	size_t nkafka;
	struct conf_pair *trust;  // rules of who may say what (ingest/trust.h), in the order given
	size_t ntrust;
	struct conf_list accounts_allowed;
	char *accounts_file;      // "" : none
	char *telemetry_account, *telemetry_region; // of telemetry that does not say; "": unknown
	struct conf_list telemetry_without_cloudtrail; // accounts
	struct conf_list telemetry_roles; // patterns
	int64_t queue_bytes;      // fetched ahead, a worker

	// Redis
	char *redis;
	char *redis_ca;           // "" : the system's
	char *redis_iam;          // "" : no IAM
	char *redis_prefix;

	// the workers
	int64_t workers;
	int64_t batch_records;
	int64_t batch_interval_ms;
	int64_t batch_bytes;
	int64_t message_bytes;
	int64_t unwrap_depth;
	int64_t unwrap_work;         // bytes

	// the estimate
	int64_t window_ms;
	int64_t retention_ms;
	int64_t settle_interval_ms;
	int64_t reopen_ms;
	int64_t future_ms;
	int64_t lookback_ms;
	int64_t learn_hours;
	int64_t sessions_max;
	int64_t users_max;
	int64_t models_max;
	int64_t acct_regions_max;
	struct conf_list shards;  // base/shard_counts.h; none: 1 each
	struct conf_list meta_keys; // patterns (ingest/labels.h); none: all
	int64_t meta_keys_max;
	int64_t meta_values_max;
	// sessions, users, tag:KEY, meta:KEY, identity:KEY: kept as keyed hashes (ingest/pseudonym.h)
	struct conf_list names_hash;
	char *names_hash_key;     // file
	char *team_tag;           // key of the tag that names the team
	// sources of a caller's team and user, the first that says something; "": team_tag, and none
	char *team_from, *user_from;
	char *map_file;           // store/mapping.h; "": none
	char *cache_ttl;          // of cache writes whose TTL no record names (base/cache_ttl.h); "": unknown
	char *cache_ttl_tag;      // key of the tag that declares it; "": none

	// prices (pricing/prices.h)
	struct conf_list prices;      // sources, in the order in which they are asked
	struct conf_list prices_file; // of the source `user`
	char *prices_dir;             // of the imported sources; "": none
	int64_t prices_change_max;    // factor
	bool prices_nearest_region;
	int64_t prices_update;        // 0 off, 1 daily
	char *prices_url;             // of AWS's price lists
	char *discounts_file;         // pricing/discounts.h; "": none

	// the bill
	int64_t watermark_ms;
	char *reconcile_source;   // "" : not on a schedule
	int64_t reconcile_every_ms;
	int64_t reconcile_memory;
	char *reconcile_cache;    // "" : the user's cache folder
	int64_t reconcile_cache_max; // bytes
	int64_t scoreboard_keep_ms; // 0: no snapshots

	// records that cannot be decoded
	char *dead_letter_topic;  // "" : none
	char *dead_letter_file;   // "" : none
	int64_t dead_letter_file_max; // bytes

	// the dashboard, the API, /metrics
	char *listen;             // "" : none (serve: SERVE_LISTEN)
	char *listen_tls_cert, *listen_tls_key; // "" : no TLS
	int64_t listen_connections;
	int64_t listen_rate;      // requests a second, one client
	int64_t listen_memory;    // bytes
	bool listen_read_only;
	char *auth_tokens_file;   // "" : no tokens
	bool auth_open;
	int64_t metrics_top;

	// alerts
	bool alerts;
	char *alerts_file;        // "" : the built-in rules
	int64_t alerts_interval_ms;
	int64_t alerts_memory;    // bytes
	char *alerts_link;        // "" : none

	// the log
	int64_t log_level;        // enum log_level
	int64_t log_format;       // enum log_format
	bool log_time;
	int64_t stats_interval_ms;

	struct conf_origin origin[CONF_KEYS_MAX]; // by position in conf_keys
};

enum conf_type { CONF_STRING, CONF_INTEGER, CONF_DURATION, CONF_BYTES, CONF_BOOL, CONF_ENUM, CONF_LIST };

struct conf_key {
	const char *name;
	enum conf_type type;
	size_t offset;           // of its field in struct conf
	int64_t min, max;        // of INTEGER, DURATION (ms), BYTES; both inclusive
	const char *init;        // the default, as text of the file
	bool reloadable;         // SIGHUP takes a new value
	const char *words;       // ENUM: "error|warn|info"
	const char *sentence;    // for the sample file and the manual
};

extern const struct conf_key conf_keys[];
extern const size_t conf_nkeys;

// Writes the flag of a key, "--batch-records" of batch.records, into `ret`; returns `ret`.
enum { CONF_FLAG_SIZE = 64 };
char *conf_key_flag(const struct conf_key *k, char ret[CONF_FLAG_SIZE]);

void conf_init(struct conf *c); // all defaults
void conf_release(struct conf *c);

// Sets one key, unless a stronger source has set it already. ERR_CONFIG names the key, the value and what is
// allowed.
bool conf_set(struct conf *c, struct str key, struct str value, struct conf_origin origin,
              struct err *err) NC_CHECK;
// These go on behind a wrong line, if all errors are collected (base/err.h).
bool conf_read_text(struct conf *c, struct str text, const char *file, struct err *err) NC_CHECK;
bool conf_read_file(struct conf *c, const char *file, struct err *err) NC_CHECK;
// The file that secrets.file names: the same form, stronger than the file of the configuration. "": nothing.
bool conf_read_secrets(struct conf *c, struct err *err) NC_CHECK;
bool conf_read_env(struct conf *c, char *const *env, struct err *err) NC_CHECK;

// The key of a flag ("batch-records", "batch.records", "kafka.client.id", "trust.raw"); false: the flag is
// no key.
bool conf_flag_key(struct str flag, struct str *ret_key);

// Checks the keys that depend on each other, and those whose values have a form of their own. ERR_CONFIG.
bool conf_check(const struct conf *c, struct err *err) NC_CHECK;

// Puts before an error where the key was set, if that is a line of a file: "nowcast.conf:3". Returns false.
bool conf_blame(const struct conf *c, const char *key, struct err *err);
bool conf_blame_origin(const struct conf *c, struct conf_origin origin, struct err *err);

// Where the team and the user of a caller come from: team.from (else the tag of team.tag) and user.from. A
// source is tag:KEY, meta:KEY, identity:KEY, map:KEY, `map` (map:team or map:user), or `session`: the name of
// the session or user. Slices of the configuration.
struct caller_sources {
	struct str team_tag;   // the tag that names the team where `team` is empty
	struct str team, user;
	bool mapped;           // there is a mapping file
};
struct caller_sources conf_sources(const struct conf *c);

// Whether a source is read: one of the words of `sources`, where "aws" stands for all of AWS's APIs.
bool conf_has_source(const struct conf *c, const char *word);
bool conf_has_aws(const struct conf *c); // any of AWS's APIs

// Copies the reloadable keys of `fresh`. *ret_restart: the first changed key that needs a restart, or NULL.
void conf_reload(struct conf *c, const struct conf *fresh, const char **ret_restart);

void conf_print_sample(FILE *f);                            // the commented sample file
void conf_print_man(FILE *f);                               // the manual page nowcast.conf(5), in mdoc
// every value with its origin; secrets are masked
void conf_print_effective(const struct conf *c, FILE *f);

// Whether a librdkafka property holds a secret, by its name.
bool conf_is_secret(struct str key);

#endif
