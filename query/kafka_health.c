// SPDX-License-Identifier: Apache-2.0
#include "query/health.h"

#include "base/text.h"
#include "base/when.h"
#include "ingest/kafka_probe.h"
#include "store/positions.h"

enum { KAFKA_TIMEOUT_MS = 5000, BEHIND_NOTE = 100000 };

// Messages that are committed and that Redis does not have: an older Redis came back, and no worker has seen
// it yet. A worker writes to Redis before it commits, and Kafka was asked first.
static int64_t count_lost(struct health *h, const struct kafka_topic *t)
{
	struct err err = ERR_INIT;
	int64_t lost = 0, held;
	for (int i = 0; t->cluster && i < t->nby_us; i++) {
		const struct kafka_committed *c = &t->by_us[i];
		const struct partition_of x = {t->cluster, h->conf->group, t->name, c->partition};
		if (!positions_held(h->redis, view_prefix(h->view), &x, &held, &err))
			return 0; // the check of Redis says it
		if (held == POSITION_NONE)
			held = c->start;
		lost += c->next > held ? c->next - held : 0;
	}
	return lost;
}

static void check_topic(void *user, const struct kafka_topic *t)
{
	struct health *h = user;
	char age[WHEN_LENGTH_SIZE];
	int64_t lost = count_lost(h, t);
	if (lost)
		health_add(
			h, HEALTH_WARN, "kafka",
			"topic %s: Redis has lost %lld message%s that group %s has read: figures are too small. A running worker "
			"notices within seconds and reads them again; what was replayed, imported or reconciled since, bring in again",
			t->name, (long long)lost, text_s(lost), h->conf->group);
	if (t->deleted)
		health_add(
			h, HEALTH_WARN, "missing",
			"topic %s: Kafka has deleted %lld message%s that group %s has not read: figures are too small. A "
			"running worker soon says what time they are of; bring them in with `nowcast replay` of the files of that time",
			t->name, (long long)t->deleted, text_s(t->deleted), h->conf->group);
	if (t->dead_letters)
		health_add(h, t->fault ? HEALTH_WARN : HEALTH_OK, "dead", "dead_letter.topic %s %s", t->name,
		            t->fault ? t->fault : "is there");
	else if (t->fault)
		health_add(h, HEALTH_WARN, "kafka", "topic %s: %s", t->name, t->fault);
	else if (t->messages == 0)
		health_add(h, HEALTH_WARN, "kafka", "topic %s is empty: is anything written to it?", t->name);
	else if (!t->committed)
		health_add(
			h, HEALTH_NOTE, "kafka",
			"topic %s: %lld message%s in %d partition%s, none read yet by group %s (nowcast run reads them)",
			t->name, (long long)t->messages, text_s(t->messages), t->partitions, text_s(t->partitions),
			h->conf->group);
	else if (t->endangered)
		health_add(
			h, HEALTH_WARN, "kafka",
			"topic %s: Kafka soon deletes %lld of %lld messages that group %s has not read (the topic keeps them for %s): start "
			"more workers, or lengthen its retention.ms now",
			t->name, (long long)t->endangered, (long long)t->behind, h->conf->group,
			t->retention_ms > 0 ? when_format_age(t->retention_ms, age) : "so many bytes");
	else
		health_add(h, t->behind > BEHIND_NOTE ? HEALTH_NOTE : HEALTH_OK, "kafka",
		            "topic %s: group %s is %lld message%s behind in %d partition%s%s", t->name,
		            h->conf->group, (long long)t->behind, text_s(t->behind), t->partitions,
		            text_s(t->partitions),
		            t->behind > BEHIND_NOTE ? " (more workers read more partitions)" : "");
}

void health_check_kafka(const struct conf *conf, struct view *view, health_fn *report, void *user)
{
	struct health h = {
		.conf = conf, .view = view, .redis = view_redis(view), .report = report, .user = user};
	struct err err = ERR_INIT;
	if (!conf_has_source(conf, "kafka"))
		return;
	if (!*h.conf->brokers) {
		health_add(&h, HEALTH_NOTE, "kafka",
		            "not configured (brokers, topics): replay works, run does not, unless sources = aws, firehose");
		return;
	}
	if (!kafka_probe(h.conf, KAFKA_TIMEOUT_MS, check_topic, &h, &err))
		health_add(&h, HEALTH_FAIL, "kafka", "%s", err.msg);
}
