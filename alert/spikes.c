// SPDX-License-Identifier: Apache-2.0
#include "alert/spikes.h"

#include <jansson.h>
#include <string.h>

#include "alert/keys.h"
#include "base/when.h"

static void add_spike(struct spikes *s, struct str caller, int64_t since_ms)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(s->list[i].caller, caller)) {
			if (since_ms < s->list[i].since_ms)
				s->list[i].since_ms = since_ms;
			return;
		}
	s->list = xrealloc(s->list, s->n + 1, sizeof *s->list);
	s->list[s->n++] = (struct spike){arena_str(&s->arena, caller), since_ms};
}

// `text`: an alert that is up, or an event of one. `seen`: when it was last known to be up, and `at`, when
// the event was.
static void add_alert(struct spikes *s, struct str text, int64_t from, int64_t to)
{
	if (!memmem(text.p, text.len, "\"spike\"", strlen("\"spike\""))) // few are, so the others are not parsed
		return;
	json_t *alert = json_loadb(text.p, text.len, 0, NULL);
	const char *kind = json_string_value(json_object_get(alert, "kind")),
			   *group = json_string_value(json_object_get(alert, "group"));
	int64_t since_ms = json_integer_value(json_object_get(alert, "since")),
			seen_ms = json_integer_value(json_object_get(alert, "seen")),
			at_ms = json_integer_value(json_object_get(alert, "at")),
			until_ms = at_ms > seen_ms ? at_ms : seen_ms; // not before since_ms
	if (kind && group && strcmp(kind, "spike") == 0 && since_ms > 0 && since_ms / MS_PER_HOUR < to &&
	    until_ms / MS_PER_HOUR >= from)
		add_spike(s, str_of(group), since_ms);
	json_decref(alert);
}

bool spikes_read(struct spikes *ret, struct redis *r, const char *prefix, int64_t from, int64_t to,
                 struct err *err)
{
	struct buf key = BUF_INIT;
	redis_cmd(r, 2, (struct str[]){STR("HVALS"), alert_key(&key, prefix, ALERT_KEY_UP)});
	redis_cmd(r, 4, (struct str[]){STR("LRANGE"), alert_key(&key, prefix, ALERT_KEY_HISTORY), STR("0"),
	                               STR("-1")});
	buf_release(&key);
	if (!redis_exec(r, err))
		return false;
	for (size_t reply = 0; reply < 2; reply++)
		for (size_t i = 0; i < redis_len(r, reply); i++)
			add_alert(ret, redis_elem(r, reply, i), from, to);
	return true;
}

void spikes_release(struct spikes *s)
{
	arena_release(&s->arena);
	free(s->list);
	*s = (struct spikes){.n = 0};
}

int64_t spikes_since(const struct spikes *s, const struct grouping *by, const struct group *g)
{
	int key = grouping_find(by, BY_PRINCIPAL);
	if (key < 0 || (!g->allocated && !g->provisional))
		return 0;
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(s->list[i].caller, g->keys[key]))
			return s->list[i].since_ms;
	return 0;
}
