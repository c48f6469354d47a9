// SPDX-License-Identifier: Apache-2.0
// Alerts, silences and messages as Redis holds them: JSON, or anything. To each command that is sent, the
// input says the reply (tests/fuzz/redis.h). Whatever these hold, an evaluation and a delivery end, and what
// is sent to a receiver has the form that it takes. Longest input: 2048 bytes.
#include <jansson.h>

#include "alert/message_priv.h"
#include "alert/outbox.h"
#include "alert/state_priv.h"
#include "tests/fuzz/redis.h"

enum { RECEIVER_KINDS = TO_COMMAND + 1 };

static const struct redis_target target = {"redis://127.0.0.1:1/0", NULL, "n", NULL};

static struct alert_rules rules, no_rules;

static void parse_rules(void)
{
	struct err err = ERR_INIT;
	const struct caller_sources from = {.team_tag = STR("team")};
	bool good = alert_rules_parse(&rules,
	                              STR("[rule a]\nkind = budget\namount = 1\nby = team\n"
	                                  "[rule b]\nkind = silent\nreceivers = am, hook\n"
	                                  "[receiver am]\nkind = alertmanager\nurl = http://h\n"
	                                  "[receiver hook]\nkind = webhook\nurl = http://h\n"
	                                  "[receiver mail]\nkind = email\nurl = smtp://h\nfrom = a@b\nto = c@d\n"),
	                              "alerts.conf", from, &err);
	assert(good);
}

// What comes of alerts that are up, without a finding.
static void evaluate(struct redis *r, int64_t now_ms)
{
	struct conf conf = {.alerts_link = (char[]){"https://n.example.com"}};
	struct arena arena = ARENA_INIT;
	struct alert_check c = {
		.rules = &rules, .redis = r, .prefix = target.prefix, .now_ms = now_ms, .arena = &arena};
	struct err err = ERR_INIT;
	json_t *events, *event;
	size_t i;
	if (alert_state_update(&c, &conf, "token", &events, &err)) {
		json_array_foreach(events, i, event) {
			const char *kind = alert_string(event, "event");
			assert(strcmp(kind, "resolved") == 0 || strcmp(kind, "firing") == 0);
			assert(!json_object_get(event, "told_to"));
		}
		json_decref(events);
	} else {
		check_refusal(&err);
	}
	arena_release(&arena);
}

// Its receivers are gone, so nothing is sent: what cannot be delivered is given up.
static void deliver(struct redis *r)
{
	struct alert_sent sent = {0};
	struct err err = ERR_INIT;
	struct alert_outbox *o = alert_outbox_new(r, target.prefix);
	for (int i = 0; i < 3; i++)
		if (!alert_outbox_step(o, &no_rules, &sent, &err))
			break;
	assert(sent.sent >= 0 && sent.failed == 0);
	alert_outbox_free(o);
}

static void check_mail(struct str mail)
{
	while (mail.len) {
		struct str line = str_cut(&mail, '\n');
		if (line.len <= 1)
			return; // the body begins
		for (size_t i = 0; i + 1 < line.len; i++)
			assert((unsigned char)line.p[i] >= ' ');
	}
}

static void compose(enum receiver_kind kind, struct str text)
{
	const struct alert_receiver to = {
		.name = STR("x"), .kind = kind, .from = STR("a@b"), .to = STR("c@d")};
	struct buf body = BUF_INIT;
	json_t *events = json_loadb(text.p ? text.p : "", text.len, 0, NULL);
	alert_message(&to, events, "1-x", &body);
	if (kind == TO_EMAIL) {
		check_mail(buf_str(&body));
	} else {
		json_t *sent = json_loadb(body.data, body.len, 0, NULL);
		assert(sent);
		json_decref(sent);
	}
	json_decref(events);
	buf_release(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	struct redis *r;
	if (!rules.nrules)
		parse_rules();
	script = (struct input){data, size};
	unsigned which = take_byte(&script);
	int64_t now_ms = INT64_C(1793595967000) + ((int64_t)take_byte(&script) << 20);
	if (which % 3 == 2) {
		compose((enum receiver_kind)(which / 3 % RECEIVER_KINDS), take_rest(&script));
	} else if (schema_open(&r, target, SCHEMA_READ, &err)) {
		if (which % 3)
			deliver(r);
		else
			evaluate(r, now_ms);
		redis_close(r);
	}
	return 0;
}
