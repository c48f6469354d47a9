// SPDX-License-Identifier: Apache-2.0
// What one evaluation changes: gathered while findings are weighed (alert_state.c) and told (alert_tell.c),
// written as one.
#ifndef NOWCAST_ALERT_STATE_PRIV_H
#define NOWCAST_ALERT_STATE_PRIV_H

#include "alert/alert.h"

struct alert_change {
	struct alert_check *check;
	const struct conf *conf;
	int64_t clock_ms;    // of the wall
	// the same for the ids of messages: later than all that wait, also when the clock was set back
	int64_t message_ms;
	// alerts of which it was summed up who contributes: in a storm not of every one, or it would never end
	int explained;
	json_t *up;          // field -> alert, as they stood
	json_t *silences;    // id -> silence
	json_t *set, *del;   // field -> alert; fields
	json_t *history, *events;
	json_t *messages;    // id -> message
	json_t *over;        // silences that have ended
};

static inline json_t *alert_json(struct str s)
{
	json_t *j = json_stringn(s.p ? s.p : "", s.len);
	return j ? j : json_string("(not UTF-8)");
}

static inline const char *alert_text(const json_t *alert, const char *key)
{
	const char *z = json_string_value(json_object_get(alert, key));
	return z ? z : "";
}

static inline int64_t alert_number(const json_t *alert, const char *key)
{
	return json_integer_value(json_object_get(alert, key));
}

bool alert_is_silenced(const struct alert_change *s, const json_t *alert);

// Notes an event of an alert ("firing", "updated", "resolved") and addresses it. `rule`: NULL if it is gone.
void alert_tell(struct alert_change *s, const struct alert_rule *rule, json_t *alert, const char *event);
// Tells those that forget that it is still up, if it is time.
void alert_tell_again(struct alert_change *s, const struct alert_rule *rule, json_t *alert);

#endif
