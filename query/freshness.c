// SPDX-License-Identifier: Apache-2.0
#include "query/freshness.h"

#include "base/buf.h"
#include "base/when.h"
#include "store/keys.h"

static const struct {
	const char *name, *label;
	int64_t quiet_ms;
	bool needed;
} known[SIGNALS] = {
	[SIGNAL_CALL] = {"call", "CloudTrail calls", MS_PER_HOUR, true},
	[SIGNAL_METRIC] = {"metric", "CloudWatch metrics", 30 * MS_PER_MINUTE, true},
	[SIGNAL_CALL_TOKENS] = {"call_tokens", "Tokens of calls", 0, false},
	[SIGNAL_SESSION_TAGS] = {"session_tags", "Session tags (STS)", 0, false},
	[SIGNAL_PRINCIPAL_TAGS] = {"principal_tags", "Role and user tags (IAM)", 0, false},
};

static enum signal_state state_of(const struct signal *s, bool needed, int64_t now_ms, int64_t clock_ms)
{
	if (!s->event_ms)
		return needed ? SIGNAL_MISSING : SIGNAL_ABSENT;
	if (s->quiet_ms && clock_ms - s->arrived_ms > s->quiet_ms)
		return SIGNAL_SILENT;
	return s->quiet_ms && now_ms - s->event_ms > s->quiet_ms ? SIGNAL_STALE : SIGNAL_OK;
}

static int64_t stale_since(const struct signal *s)
{
	int64_t newest = 0;
	for (int i = SIGNAL_CALL; i <= SIGNAL_METRIC; i++) {
		if (s[i].state == SIGNAL_OK)
			return 0;
		if (s[i].event_ms > newest)
			newest = s[i].event_ms;
	}
	return newest;
}

bool freshness_read(struct freshness *ret, struct redis *r, const char *prefix, int64_t now_ms,
                    struct err *err)
{
	struct buf key = BUF_INIT, member = BUF_INIT;
	int64_t clock_ms = when_now_ms();
	key_signals(&key, prefix);
	for (size_t i = 0; i < SIGNALS; i++) {
		buf_clear(&member);
		buf_addf(&member, "%s:arrived", known[i].name);
		redis_cmdz(r, "ZSCORE", key.data, known[i].name, NULL);
		redis_cmdz(r, "ZSCORE", key.data, member.data, NULL);
	}
	buf_release(&key);
	buf_release(&member);
	if (!redis_exec(r, err))
		return false;
	for (size_t i = 0; i < SIGNALS; i++) {
		struct signal *s = &ret->signals[i];
		*s = (struct signal){known[i].name, known[i].label, known[i].quiet_ms, SIGNAL_ABSENT, 0, 0};
		if (!redis_nil(r, 2 * i)) {
			s->event_ms = redis_int(r, 2 * i);
			s->arrived_ms = redis_int(r, 2 * i + 1);
		}
		s->state = state_of(s, known[i].needed, now_ms, clock_ms);
	}
	ret->stale_since_ms = stale_since(ret->signals);
	return true;
}

const char *signal_state_name(enum signal_state state)
{
	static const char *const names[] = {"absent", "missing", "ok", "stale", "silent"};
	return names[state];
}
