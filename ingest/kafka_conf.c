// SPDX-License-Identifier: Apache-2.0
// Three layers: our defaults; over them the user's kafka.* properties; over those the properties that the
// promise "no message is lost" depends on, which the user may not set.
#include "ingest/kafka_priv.h"

#include <stdio.h>

#define RESET "auto.offset.reset"

struct property {
	const char *name, *value;
};

static const struct property consumer_defaults[] = {
	// spreads the partitions of several small topics, unlike range
	{"partition.assignment.strategy", "roundrobin"},
	{"enable.partition.eof", "false"},
	// with queue.bytes, these bound the memory of a worker
	{"fetch.max.bytes", "4194304"},
	{"max.partition.fetch.bytes", "1048576"},
	{"fetch.wait.max.ms", "100"},
	{"queued.min.messages", "50000"},
	{0},
};

// Those that librdkafka does not know in every version.
static const struct property consumer_newer[] = {
	{"fetch.queue.backoff.ms", "5"},                    // from 2.2 on; before: kafka_refill.c
	{0},
};

static const struct property shared_defaults[] = {
	{"client.id", "nowcast"},
	{"log.connection.close", "false"},                  // brokers close idle connections: not worth a line
	{"reconnect.backoff.max.ms", "5000"},
	{"topic.metadata.refresh.interval.ms", "30000"},    // how soon new topics and partitions are found
	{0},
};

static const struct property consumer_fixed[] = {
	// offsets are committed after Redis has the records, never before
	{"enable.auto.commit", "false"},
	{"enable.auto.offset.store", "false"},
	{"isolation.level", "read_committed"},
	// Of an offset that Kafka no longer has: else what it still has would be skipped. A group without offsets
	// begins where the user wants it to (kafka_conf_from_end).
	{RESET, "earliest"},
	{0},
};

static const struct property producer_defaults[] = {
	{"compression.type", "zstd"},
	{"linger.ms", "5"},
	{0},
};

static const struct property producer_fixed[] = {
	{"enable.idempotence", "true"},                     // a retry of the producer makes no second letter
	{0},
};

static bool set_property(rd_kafka_conf_t *k, const char *name, const char *value, struct err *err)
{
	char why[256];
	if (rd_kafka_conf_set(k, name, value, why, sizeof why) == RD_KAFKA_CONF_OK)
		return true;
	if (conf_is_secret(str_of(name)))
		return err_set(err, ERR_CONFIG, "kafka.%s: librdkafka does not take this value", name);
	return err_set(err, ERR_CONFIG, "kafka.%s: %s", name, why);
}

static bool set_number(rd_kafka_conf_t *k, const char *name, int64_t value, struct err *err)
{
	char text[24];
	snprintf(text, sizeof text, "%lld", (long long)value);
	return set_property(k, name, text, err);
}

static bool set_properties(rd_kafka_conf_t *k, const struct property *p, struct err *err)
{
	for (; p->name; p++)
		if (!set_property(k, p->name, p->value, err))
			return false;
	return true;
}

static void set_known_properties(rd_kafka_conf_t *k, const struct property *p)
{
	for (; p->name; p++)
		rd_kafka_conf_set(k, p->name, p->value, NULL, 0);
}

static bool is_fixed(const char *name)
{
	for (const struct property *p = consumer_fixed; p->name; p++)
		if (strcmp(p->name, name) == 0 && strcmp(name, RESET) != 0)
			return true;
	return strcmp(name, "enable.idempotence") == 0;
}

bool kafka_conf_from_end(const struct conf *conf)
{
	bool end = false; // the last one counts, as in librdkafka
	for (size_t i = 0; i < conf->nkafka; i++)
		if (strcmp(conf->kafka[i].key, RESET) == 0)
			end = strcmp(conf->kafka[i].value, "latest") == 0 || strcmp(conf->kafka[i].value, "end") == 0 ||
			      strcmp(conf->kafka[i].value, "largest") == 0;
	return end;
}

static bool set_from_user(rd_kafka_conf_t *k, const struct conf *conf, struct err *err)
{
	enum kafka_login login = kafka_login_of(conf);
	size_t before = err_listed(err);
	if (login == KAFKA_LOGIN_MSK && !set_property(k, "security.protocol", "SASL_SSL", err))
		return false; // MSK knows no other one; the user may say otherwise of a broker elsewhere
	for (size_t i = 0; i < conf->nkafka; i++) {
		const struct conf_pair *p = &conf->kafka[i];
		if (kafka_login_owns(login, p->key))
			continue;
		bool good = is_fixed(p->key)
		                ? err_set(err, ERR_CONFIG,
		                          "kafka.%s cannot be set: nowcast sets it so that no message is lost", p->key)
		                : set_property(k, p->key, p->value, err);
		if (!good && (conf_blame_origin(conf, p->origin, err), !err_collect(err)))
			return false;
	}
	return kafka_login_set(k, conf, err) &&
	       (!*conf->brokers || set_property(k, "bootstrap.servers", conf->brokers, err)) &&
	       err_check(err, before);
}

// Before 2.6.1, librdkafka sends a nonce that Kafka takes up to 3.9 only
// (https://github.com/confluentinc/librdkafka/pull/4895).
static const char *explain_scram(const char *text)
{
	enum { MENDED = 0x020601ff };
	return rd_kafka_version() < MENDED && strstr(text, "SCRAM") && strstr(text, "uthentication failed")
	           ? " (if user and password are right: librdkafka before 2.6.1 cannot log in to Kafka 4 by SCRAM; "
	             "docs/kafka.md names other ways)"
	           : "";
}

static void on_log(const rd_kafka_t *rk, int severity, const char *facility, const char *text)
{
	const struct kafka_hooks *hooks = rk ? rd_kafka_opaque(rk) : NULL;
	const char *more = explain_scram(text);
	// CONFWARN: a property is for consumers or producers only. Both read the same file, so that is no
	// mistake.
	if (!hooks || strcmp(facility, "CONFWARN") == 0)
		return;
	struct buf b = BUF_INIT;
	buf_addf(&b, "%s%s", text, more);
	hooks->on_log(hooks->user, strcmp(facility, "FAIL") == 0 ? 4 : severity, b.data); // FAIL: it retries
	buf_release(&b);
}

// A broken connection is in the log already (on_log); here is what it means for nowcast.
void kafka_conf_on_error(rd_kafka_t *rk, int code, const char *text, void *opaque)
{
	const struct kafka_hooks *hooks = opaque;
	(void)rk;
	if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
		hooks->on_log(hooks->user, 3, "no broker can be reached; waiting for them");
	else if (code != RD_KAFKA_RESP_ERR__TRANSPORT && code != RD_KAFKA_RESP_ERR__RESOLVE)
		hooks->on_log(hooks->user, code == RD_KAFKA_RESP_ERR__FATAL ? 3 : 4, text);
}

static rd_kafka_conf_t *new_base_conf(const struct kafka_hooks *hooks)
{
	rd_kafka_conf_t *k = rd_kafka_conf_new();
	rd_kafka_conf_set_opaque(k, (void *)hooks);
	rd_kafka_conf_set_log_cb(k, on_log);
	rd_kafka_conf_set_error_cb(k, kafka_conf_on_error);
	return k;
}

bool kafka_conf_is_own_topic(const struct conf *conf, const char *topic)
{
	return (*conf->dead_letter_topic && strcmp(topic, conf->dead_letter_topic) == 0) ||
	       strcmp(topic, "__consumer_offsets") == 0 || strcmp(topic, "__transaction_state") == 0;
}

// A regular expression in `topics` must not match the topic of dead letters: they would be read, fail again,
// and become dead letters again, for ever. Nor the topics in which Kafka keeps what is committed, by this
// group too. librdkafka ignores the topics of this list of expressions.
static bool ignore_own_topics(rd_kafka_conf_t *k, const struct conf *conf, struct err *err)
{
	struct buf list = BUF_INIT;
	char users[512];
	size_t size = sizeof users;
	if (rd_kafka_conf_get(k, "topic.blacklist", users, &size) == RD_KAFKA_CONF_OK && *users)
		buf_addf(&list, "%s,", users);
	buf_adds(&list, "^__consumer_offsets$,^__transaction_state$");
	if (*conf->dead_letter_topic) {
		buf_adds(&list, ",^");
		for (const char *p = conf->dead_letter_topic; *p; p++)
			buf_addf(&list, *p == '.' ? "\\%c" : "%c", *p);
		buf_addc(&list, '$');
	}
	bool good = set_property(k, "topic.blacklist", list.data, err);
	buf_release(&list);
	return good;
}

static bool fill_consumer(rd_kafka_conf_t *k, const struct conf *conf, struct err *err)
{
	// fetch.max.bytes and its framing; a single larger message comes alone
	const int64_t fetch_most = 17 << 20;
	set_known_properties(k, consumer_newer);
	return set_properties(k, shared_defaults, err) && set_properties(k, consumer_defaults, err) &&
	       set_number(k, "queued.max.messages.kbytes", conf->queue_bytes >> 10, err) &&
	       set_number(k, "receive.message.max.bytes", conf->message_bytes + fetch_most, err) &&
	       set_from_user(k, conf, err) && set_property(k, "group.id", conf->group, err) &&
	       set_properties(k, consumer_fixed, err) && ignore_own_topics(k, conf, err);
}

static bool fill_producer(rd_kafka_conf_t *k, const struct conf *conf, struct err *err)
{
	// The broker's limit decides which letter is too large, not the client's.
	return set_properties(k, shared_defaults, err) && set_properties(k, producer_defaults, err) &&
	       set_number(k, "message.max.bytes", conf->message_bytes + (1 << 20), err) &&
	       set_from_user(k, conf, err) && set_properties(k, producer_fixed, err);
}

typedef bool fill_fn(rd_kafka_conf_t *k, const struct conf *conf, struct err *err);

static rd_kafka_conf_t *build_conf(const struct conf *conf, const struct kafka_hooks *hooks, fill_fn *fill,
                                   struct err *err)
{
	rd_kafka_conf_t *k = new_base_conf(hooks);
	if (fill(k, conf, err))
		return k;
	rd_kafka_conf_destroy(k);
	return NULL;
}

rd_kafka_conf_t *kafka_conf_consumer(const struct conf *conf, const struct kafka_hooks *hooks,
                                     struct err *err)
{
	return build_conf(conf, hooks, fill_consumer, err);
}

rd_kafka_conf_t *kafka_conf_producer(const struct conf *conf, const struct kafka_hooks *hooks,
                                     struct err *err)
{
	return build_conf(conf, hooks, fill_producer, err);
}

rd_kafka_t *kafka_client_new(rd_kafka_type_t type, rd_kafka_conf_t *k, struct err *err)
{
	char why[256];
	rd_kafka_t *rk = k ? rd_kafka_new(type, k, why, sizeof why) : NULL;
	if (k && !rk) {
		rd_kafka_conf_destroy(k);
		err_set(err, ERR_CONFIG, "cannot make the Kafka %s: %s",
		        type == RD_KAFKA_CONSUMER ? "consumer" : "producer", why);
	}
	if (rk)
		kafka_login_begin(rk);
	return rk;
}

bool kafka_check(const struct conf *conf, struct err *err)
{
	static const struct kafka_hooks none = {0};
	rd_kafka_conf_t *consumer = kafka_conf_consumer(conf, &none, err);
	rd_kafka_conf_t *producer = consumer ? kafka_conf_producer(conf, &none, err) : NULL;
	if (consumer)
		rd_kafka_conf_destroy(consumer);
	if (producer)
		rd_kafka_conf_destroy(producer);
	return producer != NULL;
}

void kafka_library(struct buf *out)
{
	buf_addf(out, "librdkafka %s", rd_kafka_version_str());
}
