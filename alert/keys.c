// SPDX-License-Identifier: Apache-2.0
#include "alert/keys.h"

#include <assert.h>

#include "store/migrate.h"

struct str alert_key(struct buf *b, const char *prefix, enum alert_key key)
{
	static const char *const names[ALERT_KEYS] = {
		[ALERT_KEY_LEASE] = "lease",       [ALERT_KEY_HISTORY] = "history",
		[ALERT_KEY_SILENCES] = "silences", [ALERT_KEY_OUTBOX] = "outbox",
		[ALERT_KEY_MESSAGES] = "messages", [ALERT_KEY_DEAD] = "dead",
	};
	assert(key < ALERT_KEYS);
	buf_clear(b);
	if (key == ALERT_KEY_UP)
		buf_addf(b, "%s:alerts", prefix);
	else
		buf_addf(b, "{%s:alerts}:%s", prefix, names[key]);
	return buf_str(b);
}

static struct str rule_key(struct buf *b, const char *prefix, const char *what, struct str rule)
{
	rule.len = rule.len < RULE_NAME_IN_KEY ? rule.len : RULE_NAME_IN_KEY;
	buf_clear(b);
	buf_addf(b, "{%s:alerts}:%s:%.*s", prefix, what, STR_ARG(rule));
	return buf_str(b);
}

struct str alert_key_bill(struct buf *b, const char *prefix, struct str rule)
{
	return rule_key(b, prefix, "bill", rule);
}

struct str alert_key_rate_monitor(struct buf *b, const char *prefix, struct str rule)
{
	return rule_key(b, prefix, "rate_monitor", rule);
}

// ---- schema 1 -----------------------------------------------------------------------------------

// Keys that begin with `start`, behind which is the name of a rule.
struct key_rename {
	const char *prefix;
	struct buf start, to;
};

static bool rename_page(struct redis *r, const struct str *keys, size_t n, void *user, struct err *err)
{
	struct key_rename *x = user;
	for (size_t i = 0; i < n; i++) {
		struct str rule = {keys[i].p + x->start.len, keys[i].len - x->start.len};
		migrate_queue_rename(r, keys[i], alert_key_rate_monitor(&x->to, x->prefix, rule));
	}
	return redis_exec(r, err);
}

bool alert_keys_migrate(struct redis *r, const char *prefix, struct err *err)
{
	struct key_rename x = {.prefix = prefix};
	rule_key(&x.start, prefix, "pace", STR_NONE);
	bool good = migrate_each_page(r, buf_str(&x.start), rename_page, &x, err);
	buf_release(&x.start);
	buf_release(&x.to);
	return good;
}
