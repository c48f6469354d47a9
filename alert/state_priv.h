// SPDX-License-Identifier: Apache-2.0
// What one evaluation changes: collected while findings are compared with the alerts that are up
// (alert/state.c) and while receivers are notified (alert/notify.c), written at once by alert/commit.lua.
//
// An alert and an event are JSON objects, as Redis, webhooks and `nowcast alert list` have them.
#ifndef NOWCAST_ALERT_STATE_PRIV_H
#define NOWCAST_ALERT_STATE_PRIV_H

#include <jansson.h>

#include "alert/check.h"
#include "base/conf.h"

struct alert_change {
	struct alert_check *check;
	const struct conf *conf;
	int64_t clock_ms;    // wall clock; check->now_ms may be another time
	// of the ids of new messages: clock_ms, or later than all that wait if the clock was set back
	int64_t message_ms;
	int explained;       // alerts whose contributors were summed, which is costly: EXPLAINED_MAX at most
	json_t *up;          // "rule|group|period" -> alert, as they were before
	json_t *silences;    // id -> silence
	json_t *set, *del;   // "rule|group|period" -> alert; array of such fields
	json_t *history, *events;
	json_t *messages;    // id -> message
	json_t *over;        // ids of silences that have ended
};

// Compares the findings of a check with the alerts that are up and writes what changed. *ret_events: an array
// of events (firing, updated, resolved), which the caller releases. ERR_RETRY: Redis, or `token` has lost the
// lease; nothing is written.
bool alert_state_update(struct alert_check *c, const struct conf *conf, const char *token,
                        json_t **ret_events, struct err *err) NC_CHECK;

// Whether a silence matches its rule and group now.
bool alert_is_silenced(const struct alert_change *s, const json_t *alert);

// Notes an event of an alert ("firing", "updated", "resolved") and adds it to the messages of its receivers.
// `rule`: NULL if it is not in the configuration any more.
void alert_notify(struct alert_change *s, const struct alert_rule *rule, json_t *alert, const char *event);

// Repeats to Alertmanagers that it is still up, if that is due.
void alert_notify_again(struct alert_change *s, const struct alert_rule *rule, json_t *alert);

// ---- reading and writing JSON -------------------------------------------------------------------

static inline json_t *alert_json(struct str s)
{
	json_t *j = json_stringn(s.p ? s.p : "", s.len);
	return j ? j : json_string("(not UTF-8)");
}

static inline const char *alert_string(const json_t *alert, const char *key)
{
	const char *z = json_string_value(json_object_get(alert, key));
	return z ? z : "";
}

// Times, levels and counts. Redis may hold any number, and no sum of two of these overflows.
static inline int64_t alert_number(const json_t *alert, const char *key)
{
	const int64_t most = INT64_C(1) << 53;
	int64_t v = json_integer_value(json_object_get(alert, key));
	return v < 0 ? 0 : v > most ? most : v;
}

#endif
