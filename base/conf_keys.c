// SPDX-License-Identifier: Apache-2.0
// Every key there is, in the order in which the sample file and the manual show them. A new key is one row here and one
// field in struct conf.
#include "base/conf.h"

#define AT(member) offsetof(struct conf, member)
#define MS(days) ((int64_t)(days)*86400000)

const struct conf_key conf_keys[] = {
	{"brokers", CONF_STRING, AT(brokers), 0, 0, "", false, NULL,
	 "Kafka brokers to start from, host:port, comma-separated."},
	{"topics", CONF_LIST, AT(topics), 0, 0, "", false, NULL,
	 "Topics to read, comma-separated; one that begins with ^ is a regular expression. Any record may come on any topic."},
	{"group", CONF_STRING, AT(group), 0, 0, "nowcast", false, NULL,
	 "Consumer group. All workers of one installation share it."},
	{"queue.bytes", CONF_BYTES, AT(queue_bytes), 1 << 20, 1 << 30, "32MiB", false, NULL,
	 "How much a worker fetches ahead of its work. It bounds the memory of the worker, beside batch.bytes."},

	{"redis", CONF_STRING, AT(redis), 0, 0, "redis://127.0.0.1:6379", false, NULL,
	 "Where the figures are kept: redis://[user[:password]@]host[:port][/db], rediss:// for TLS, or unix:/path."},
	{"redis.ca", CONF_STRING, AT(redis_ca), 0, 0, "", false, NULL,
	 "File of CA certificates for rediss://; empty: the system's."},
	{"redis.prefix", CONF_STRING, AT(redis_prefix), 0, 0, "nowcast", false, NULL,
	 "Begins every key in Redis, so that several installations may share one server."},

	{"workers", CONF_INTEGER, AT(workers), 1, 64, "1", false, NULL,
	 "Workers of this process. Each is a member of the group with its own connections; more than there are partitions idle."},
	{"batch.records", CONF_INTEGER, AT(batch_records), 1, 1000000, "20000", false, NULL,
	 "Records applied to Redis together, at most."},
	{"batch.interval", CONF_DURATION, AT(batch_interval_ms), 1, 60000, "500ms", false, NULL,
	 "How long a batch waits to fill."},
	{"batch.bytes", CONF_BYTES, AT(batch_bytes), 1 << 20, 1 << 30, "32MiB", false, NULL,
	 "Memory a batch may take; reaching it applies the batch early."},
	{"message.bytes", CONF_BYTES, AT(message_bytes), 1 << 10, 512 << 20, "64MiB", false, NULL,
	 "Largest message, before and after it is inflated. What is larger is a dead letter."},

	{"window", CONF_DURATION, AT(window_ms), 3600000, MS(31), "24h", false, NULL,
	 "How long the calls of an hour are kept to be joined with late records. It decides the memory of Redis."},
	{"retention", CONF_DURATION, AT(retention_ms), MS(1), MS(3650), "400d", false, NULL,
	 "How long the figures of an hour are kept."},
	{"settle.interval", CONF_DURATION, AT(settle_interval_ms), 100, 3600000, "1s", false, NULL,
	 "Least time between two computations of the same hour."},
	{"future", CONF_DURATION, AT(future_ms), 60000, MS(31), "1d", false, NULL,
	 "A record further ahead of the clock than this is refused."},
	{"lookback", CONF_DURATION, AT(lookback_ms), 0, 3600000, "5m", false, NULL,
	 "How long a call waits for its metric: that of a stream lands when the stream ends. Whole minutes."},
	{"learn.hours", CONF_INTEGER, AT(learn_hours), 0, 168, "24", false, NULL,
	 "How many hours before an hour teach it what a call usually takes."},
	{"sessions.max", CONF_INTEGER, AT(sessions_max), 1, 1000000, "1000", false, NULL,
	 "Sessions of a role that keep their names on a day (UTC, in an account and region): those that called first. The rest is `(other sessions)`."},
	{"team.tag", CONF_STRING, AT(team_tag), 0, 0, "team", true, NULL,
	 "The tag that names a caller's team, for reports by team."},

	{"prices", CONF_LIST, AT(prices), 0, 0, "user,bill,pricelist,litellm,builtin", true, NULL,
	 "Where rates come from: the first of these that has one is believed. `nowcast price list` shows what each holds."},
	{"prices.file", CONF_LIST, AT(prices_file), 0, 0, "", true, NULL,
	 "Price files of your own (CSV, comma-separated names): the source `user`. `nowcast price check FILE` checks one."},
	{"prices.dir", CONF_STRING, AT(prices_dir), 0, 0, "/var/lib/nowcast/prices", true, NULL,
	 "Folder of the price files that `nowcast price import` and `update` write, and of those learned from the bill."},
	{"prices.change_max", CONF_INTEGER, AT(prices_change_max), 1, 1000, "3", true, NULL,
	 "An imported rate that rises or falls by more than this factor is refused without --yes."},

	{"watermark", CONF_DURATION, AT(watermark_ms), 0, MS(60), "72h", false, NULL,
	 "How old an hour must be, when a bill is delivered, for the bill to replace the estimate."},
	{"reconcile.source", CONF_STRING, AT(reconcile_source), 0, 0, "", false, NULL,
	 "The CUR 2.0 export that `nowcast run` reads on a schedule: a folder, or s3://BUCKET/PREFIX/EXPORT."},
	{"reconcile.every", CONF_DURATION, AT(reconcile_every_ms), 60000, MS(31), "6h", false, NULL,
	 "How often it does."},
	{"reconcile.memory", CONF_BYTES, AT(reconcile_memory), 64 << 20, (int64_t)64 << 30, "1GiB", false, NULL,
	 "Memory that adding up a bill may take; beyond it, it uses the disk."},
	{"reconcile.cache", CONF_STRING, AT(reconcile_cache), 0, 0, "", false, NULL,
	 "Folder for files fetched from S3; empty: nowcast/cur in the user's cache folder."},

	{"reconcile.cache.max", CONF_BYTES, AT(reconcile_cache_max), 0, (int64_t)1 << 40, "4GiB", false, NULL,
	 "How large that folder may grow: what was not used for longest is deleted."},
	{"scoreboard.keep", CONF_DURATION, AT(scoreboard_keep_ms), 0, MS(3650), "14d", false, NULL,
	 "How long it is remembered what the estimate said 5 minutes, 1 hour and 24 hours after each hour, to be compared with the bill; 0s: never."},

	{"dead_letter.topic", CONF_STRING, AT(dead_letter_topic), 0, 0, "", false, NULL,
	 "Where to send what cannot be decoded; headers say why and whence. Not one of `topics`."},
	{"dead_letter.file", CONF_STRING, AT(dead_letter_file), 0, 0, "", false, NULL,
	 "Where to append it instead, or when the topic refuses its size. `nowcast replay` reads this file again."},

	{"listen", CONF_STRING, AT(listen), 0, 0, "", false, NULL,
	 "Address of the dashboard, the API and /metrics: host:port. Empty: `run` has none, `serve` takes 127.0.0.1:8321."},
	{"listen.tls.cert", CONF_STRING, AT(listen_tls_cert), 0, 0, "", false, NULL,
	 "File with the certificate (PEM, with its chain) for HTTPS; empty: plain HTTP."},
	{"listen.tls.key", CONF_STRING, AT(listen_tls_key), 0, 0, "", false, NULL, "File with its private key."},
	{"listen.connections", CONF_INTEGER, AT(listen_connections), 8, 10000, "512", false, NULL,
	 "Connections at once, from all clients; a viewer of the page holds one or two."},
	{"listen.rate", CONF_INTEGER, AT(listen_rate), 1, 100000, "50", false, NULL,
	 "Requests a second that one client address may make for long; bursts of four times as many pass. Beyond: 429."},
	{"listen.memory", CONF_BYTES, AT(listen_memory), 16 << 20, (int64_t)64 << 30, "256MiB", false, NULL,
	 "Memory the dashboard and the API may take to keep what they have read and summed; a day of 5,000 callers takes 25 MiB."},
	{"listen.read_only", CONF_BOOL, AT(listen_read_only), 0, 0, "true", false, NULL,
	 "Refuse every request that would change something."},
	{"auth.tokens.file", CONF_STRING, AT(auth_tokens_file), 0, 0, "", false, NULL,
	 "File of bearer tokens, a line each: `NAME TOKEN`, 16 characters or more. Read again when it changes."},
	{"auth.open", CONF_BOOL, AT(auth_open), 0, 0, "false", false, NULL,
	 "Serve without tokens on an address that others can reach: only behind a proxy that asks who they are."},
	{"metrics.top", CONF_INTEGER, AT(metrics_top), 1, 1000, "20", false, NULL,
	 "Principals, and models, that /metrics tells apart; the rest is \"other\". It bounds what Prometheus must keep."},

	{"alerts", CONF_BOOL, AT(alerts), 0, 0, "true", false, NULL, "Whether `run` looks after the alert rules; of several workers one does at a time."},
	{"alerts.file", CONF_STRING, AT(alerts_file), 0, 0, "", false, NULL,
	 "File of alert rules and receivers; empty: built-in rules (spikes, new callers and models, unpriced use, silence)."},
	{"alerts.interval", CONF_DURATION, AT(alerts_interval_ms), 1000, 3600000, "1m", false, NULL, "How often the rules are evaluated."},
	{"alerts.link", CONF_STRING, AT(alerts_link), 0, 0, "", false, NULL,
	 "Where people reach the dashboard (https://nowcast.example.com), for links in messages."},

	{"log.level", CONF_ENUM, AT(log_level), 0, 0, "info", true, "error|warn|info|debug", "How much is said on stderr."},
	{"log.format", CONF_ENUM, AT(log_format), 0, 0, "logfmt", true, "logfmt|json", "How it is said."},
	{"log.time", CONF_BOOL, AT(log_time), 0, 0, "true", true, NULL,
	 "Begin each line with the time; false where the journal does it."},
	{"stats.interval", CONF_DURATION, AT(stats_interval_ms), 1000, 3600000, "1m", true, NULL,
	 "How often the daemon logs its figures; SIGUSR1 does so at once."},
};

const size_t conf_nkeys = sizeof conf_keys / sizeof conf_keys[0];

_Static_assert(sizeof conf_keys / sizeof conf_keys[0] <= CONF_KEYS_MAX, "raise CONF_KEYS_MAX");
