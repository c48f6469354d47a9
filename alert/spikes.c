// SPDX-License-Identifier: Apache-2.0
#include "alert/spikes.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "alert/keys.h"
#include "base/when.h"

static void add_spike(struct spikes *s, const struct spike_event *e, int64_t from, int64_t to)
{
	if (e->since_ms / MS_PER_HOUR >= to || e->until_ms / MS_PER_HOUR < from)
		return;
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(s->list[i].caller, e->caller)) {
			if (e->since_ms < s->list[i].since_ms)
				s->list[i].since_ms = e->since_ms;
			return;
		}
	s->list = xrealloc(s->list, s->n + 1, sizeof *s->list);
	s->list[s->n++] = (struct spike){arena_str(&s->arena, e->caller), e->since_ms};
}

// `text`: an alert that is up, or an event of one. `seen`: when it was last known to be up, and `at`, when
// the event was. False if it is no spike.
static bool parse_alert(struct str text, struct arena *arena, struct spike_event *ret)
{
	if (!memmem(text.p, text.len, "\"spike\"", strlen("\"spike\""))) // few are, so the others are not parsed
		return false;
	json_t *alert = json_loadb(text.p, text.len, 0, NULL);
	const char *kind = json_string_value(json_object_get(alert, "kind")),
			   *group = json_string_value(json_object_get(alert, "group"));
	int64_t since_ms = json_integer_value(json_object_get(alert, "since")),
			seen_ms = json_integer_value(json_object_get(alert, "seen")),
			at_ms = json_integer_value(json_object_get(alert, "at"));
	bool good = kind && group && strcmp(kind, "spike") == 0 && since_ms > 0;
	if (good)
		*ret = (struct spike_event){arena_str(arena, str_of(group)), since_ms,
		                            at_ms > seen_ms ? at_ms : seen_ms}; // not before since_ms
	json_decref(alert);
	return good;
}

// `newest`: the newest event that there is, of `nevents`.
static bool read_events(struct spikes_kept *k, struct str newest, int64_t nevents, struct redis *r,
                        const char *prefix, struct err *err)
{
	struct buf key = BUF_INIT;
	struct spike_event event;
	if (k->newest && str_is(newest, k->newest) && nevents == k->nevents)
		return true;
	spikes_kept_release(k);
	redis_cmd(r, 4, (struct str[]){STR("LRANGE"), alert_key(&key, prefix, ALERT_KEY_HISTORY), STR("0"),
	                               STR("-1")});
	buf_release(&key);
	if (!redis_exec(r, err))
		return false;
	for (size_t i = 0; i < redis_len(r, 0); i++)
		if (parse_alert(redis_elem(r, 0, i), &k->arena, &event)) {
			k->list = xrealloc(k->list, k->n + 1, sizeof *k->list);
			k->list[k->n++] = event;
		}
	if (redis_len(r, 0))
		k->newest = xstrdup(redis_elem(r, 0, 0));
	k->nevents = (int64_t)redis_len(r, 0);
	return true;
}

bool spikes_read(struct spikes *ret, struct spikes_kept *kept, struct redis *r, const char *prefix,
                 int64_t from, int64_t to, struct err *err)
{
	struct buf key = BUF_INIT;
	struct spikes_kept own = {.n = 0}, *k = kept ? kept : &own;
	struct spike_event up;
	redis_cmd(r, 2, (struct str[]){STR("HVALS"), alert_key(&key, prefix, ALERT_KEY_UP)});
	redis_cmd(r, 3, (struct str[]){STR("LINDEX"), alert_key(&key, prefix, ALERT_KEY_HISTORY), STR("0")});
	redis_cmd(r, 2, (struct str[]){STR("LLEN"), str_of(key.data)});
	buf_release(&key);
	if (!redis_exec(r, err))
		return false;
	for (size_t i = 0; i < redis_len(r, 0); i++)
		if (parse_alert(redis_elem(r, 0, i), &ret->arena, &up))
			add_spike(ret, &up, from, to);
	bool good = read_events(k, redis_str(r, 1), redis_int(r, 2), r, prefix, err);
	for (size_t i = 0; good && i < k->n; i++)
		add_spike(ret, &k->list[i], from, to);
	spikes_kept_release(&own);
	return good;
}

void spikes_kept_release(struct spikes_kept *k)
{
	arena_release(&k->arena);
	free(k->newest);
	free(k->list);
	*k = (struct spikes_kept){.n = 0};
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
