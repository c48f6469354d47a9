// SPDX-License-Identifier: Apache-2.0
// Alerts files. One is refused with its line, or its rules are within their limits, have different names,
// and name receivers that are there. Longest input: 1024 bytes.
#include "alert/rules.h"
#include "tests/fuzz/fuzz.h"

static const struct caller_sources from = {.team_tag = STR("team"),
                                           .team = STR("tag:team, meta:team, map"),
                                           .user = STR("session"),
                                           .mapped = true};

static void check_rule(const struct alert_rules *rules, const struct alert_rule *r)
{
	assert(r->name.len && r->kind < ALERT_KINDS && r->by.n >= 0 && r->by.n <= 1);
	assert(r->nat >= 0 && r->nat <= ALERT_LEVELS_MAX && r->clear_ms >= 0 && r->severity.len);
	for (int i = 0; i < r->nat; i++)
		assert(r->at[i] > 0 && (i == 0 || r->at[i] > r->at[i - 1]));
	assert(r->floor.pico >= 0 && r->amount.pico >= 0);
	assert(alert_rule_find(rules, r->name) == r);
	struct str names = r->receivers;
	while (names.len) {
		struct str name = str_trim(str_cut(&names, ','));
		assert(!name.len || alert_receiver_find(rules, name));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct alert_rules rules = {0};
	struct err err = ERR_INIT;
	struct str text = {(const char *)data, size};
	if (alert_rules_parse(&rules, text, "alerts.conf", from, &err)) {
		for (int i = 0; i < rules.nrules; i++)
			check_rule(&rules, &rules.rules[i]);
		for (int i = 0; i < rules.nreceivers; i++)
			assert(alert_receiver_find(&rules, rules.receivers[i].name) == &rules.receivers[i]);
	} else {
		struct alert_rules again = {0};
		struct err_list list = {0};
		struct err all = {.list = &list};
		check_refusal(&err);
		assert(err.kind == ERR_CONFIG);
		check_collected(&err, alert_rules_parse(&again, text, "alerts.conf", from, &all), &all);
		alert_rules_release(&again);
	}
	alert_rules_release(&rules);
	return 0;
}
