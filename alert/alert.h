// SPDX-License-Identifier: Apache-2.0
// Alerts: what is watched (rules), what was found (findings), what is up (alerts in Redis), and who is told
// (receivers).
//
//     rules + figures --check--> findings --state--> events --commit, one script--> alerts, history, outbox --send--> receivers
//
// One process at a time evaluates: it holds a lease in Redis, and the script that writes refuses whoever lost
// it. So an event is written exactly once, however many workers run and whenever one dies. A message is sent
// at least once: who dies between sending and noting it sends it again under the same id.
#ifndef NOWCAST_ALERT_ALERT_H
#define NOWCAST_ALERT_ALERT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/usd.h"
#include "query/rollups.h"
#include "store/redis.h"

enum alert_kind {
	ALERT_BUDGET,
	ALERT_FORECAST,
	ALERT_SPIKE,
	ALERT_BURN,
	ALERT_NEW,
	ALERT_UNPRICED,
	ALERT_SILENT,
	ALERT_BILL,
	ALERT_KINDS
};
enum alert_period { PERIOD_HOUR, PERIOD_DAY, PERIOD_WEEK, PERIOD_MONTH };
enum receiver_kind { TO_SLACK, TO_WEBHOOK, TO_ALERTMANAGER, TO_EMAIL, TO_COMMAND };

enum { ALERT_LEVELS_MAX = 8 };

struct alert_rule {
	struct str name;
	enum alert_kind kind;
	struct grouping by;        // one key, or none: everything together
	struct str only;           // this group alone; STR_NONE: each one
	enum alert_period period;
	struct usd amount;         // budget of a period
	int64_t at[ALERT_LEVELS_MAX]; // per cent of it, rising; BILL: of what is billed
	int nat;
	struct usd floor;          // what is smaller does not ring
	int64_t factor_tenths;     // SPIKE: times what busy minutes usually take, in tenths
	int64_t quiet_ms;          // SILENT: for so long
	int64_t clear_ms;          // an alert ends when its condition was gone for so long
	struct str severity, receivers; // receivers: names, comma-separated; STR_NONE: all
};

struct alert_receiver {
	struct str name;
	enum receiver_kind kind;
	struct str url, secret, from, to, user, password, command;
	struct str ca; // file of the authorities that its TLS certificate may come from; STR_NONE: the system's
};

struct alert_rules {
	struct arena arena;
	struct alert_rule *rules;
	int nrules;
	struct alert_receiver *receivers;
	int nreceivers;
};

// end with NULL
extern const char *const alert_kind_names[], *const alert_period_names[], *const receiver_kind_names[];

// Reads `alerts.file`; without one, the rules that need no figure of yours: spike, new, unpriced, silent,
// bill. ERR_CONFIG names file, line, key, value and what is allowed.
bool alert_rules_load(struct alert_rules *ret, const struct conf *conf, struct err *err) NC_CHECK;
bool alert_rules_parse(struct alert_rules *ret, struct str text, const char *file, struct str team_tag,
                       struct err *err) NC_CHECK;
void alert_rules_release(struct alert_rules *r);
const struct alert_rule *alert_rule_find(const struct alert_rules *r, struct str name);

// A condition that holds now. Strings live in the arena of the check.
struct alert_finding {
	const struct alert_rule *rule;
	struct str group, period;  // the period it belongs to ("2026-11-02"), or ""
	int64_t level;             // rises as it gets worse: per cent of a budget; 1
	bool latched;              // stays up until the period is over
	struct usd usd, low, high, against; // the figure, its band, and what it is compared to
	struct str text;           // one sentence: what, how much, against what
	struct str basis;          // how sure: "exact 31% allocated 69%"
	int64_t from, to;          // hours of the figures, for contributors and the link
};

struct alert_check {
	const struct alert_rules *rules;
	struct rollups *rollups;
	struct redis *redis;
	const char *prefix;
	int64_t now_ms;
	bool hourly;               // over stored hours: no paces are read or written, an hour counts as even
	const struct alert_rule *only_rule; // NULL: all
	struct arena *arena;
	struct alert_finding *findings;
	int n, cap;
};

// Looks at every rule; the dearest findings of each come first. The paces of groups (spikes, burn rates) are
// read from Redis and written back.
bool alert_check(struct alert_check *c, struct err *err) NC_CHECK;

// One kind of rule each.
bool alert_check_budget(struct alert_check *c, const struct alert_rule *rule, struct err *err) NC_CHECK;
bool alert_check_forecast(struct alert_check *c, const struct alert_rule *rule, struct err *err) NC_CHECK;
bool alert_check_burn(struct alert_check *c, const struct alert_rule *rule, struct err *err) NC_CHECK;
bool alert_check_spikes(struct alert_check *c, const struct alert_rule *rule, struct err *err) NC_CHECK;
bool alert_check_bill(struct alert_check *c, const struct alert_rule *rule, struct err *err) NC_CHECK;

// What they stand on: a finding, for the group or for everything; is the group one that the rule is about;
// its sums over [from, to); the same group in another sum, or NULL; a text that lives as long as the check,
// its control characters as '?'; "$12.34", "$0.001234".
struct alert_finding *alert_check_add(struct alert_check *c, const struct alert_rule *rule,
                                      const struct group *g);
bool alert_wanted(const struct alert_rule *rule, const struct group *g);
bool alert_sum(struct alert_check *c, const struct alert_rule *rule, int64_t from, int64_t to,
               struct groups *ret, struct err *err) NC_CHECK;
const struct group *alert_same(const struct groups *in, const struct group *g);
struct str alert_say(struct alert_check *c, const char *fmt, ...) NC_PRINTF(2, 3);
struct alert_money { char text[USD_SIZE + 1]; } alert_money(struct usd u);

// The first hour of the period that `hour` is in, the first one after it, and its name in `buf` of WHEN_SIZE.
void alert_period_of(enum alert_period p, int64_t hour, int64_t *ret_from, int64_t *ret_to, char *buf);

// The dearest callers or models behind a finding, in words; appended.
bool alert_contributors(struct alert_check *c, const struct alert_finding *f, struct buf *out,
                        struct err *err) NC_CHECK;

// Compares findings with the alerts that are up and writes what changed. *ret_events: an array of events
// (fire, update, resolve), the caller's. Writes nothing and fails with ERR_RETRY if `token` lost the lease.
bool alert_state(struct alert_check *c, const struct conf *conf, const char *token, json_t **ret_events,
                 struct err *err) NC_CHECK;


// One message of events for a receiver, in its language. ret_title: one line.
void alert_message(const struct alert_receiver *to, const json_t *events, const char *id,
                   struct buf *ret_body, struct buf *ret_title);

// Messages on their way, all at the same time.
struct alert_sender;
struct alert_sending;
struct alert_sender *alert_sender_new(void);
void alert_sender_free(struct alert_sender *s);             // after what it sends. NULL: nothing
// they go on, until something happens or so much time has passed
void alert_sender_wait(struct alert_sender *s, int64_t ms);

// Begins to hand over a message; takes what is in `body`.
struct alert_sending *alert_send(struct alert_sender *s, const struct alert_receiver *to, struct str id,
                                 struct buf *body);
// Has it ended? *ret_why: NULL if it was taken; ERR_RETRY: try later; ERR_CONFIG: trying again will not help.
bool alert_sending_over(struct alert_sending *x, const struct err **ret_why);
void alert_sending_free(struct alert_sending *x);           // one that has not ended is broken off

// The messages that wait in Redis: one at a time to each receiver, in the order of their events, and all
// receivers at the same time. What failed too often goes to {..}:dead.
struct alert_sent { int sent, failed, dead; };
struct alert_outbox;
struct alert_outbox *alert_outbox_new(struct redis *r, const char *prefix);
// what is on its way is broken off, and sent again in a minute
void alert_outbox_free(struct alert_outbox *o);
// Notes what has ended and, unless `rules` is NULL, begins to send what is due. Adds to *ret. Does not wait.
bool alert_outbox_step(struct alert_outbox *o, const struct alert_rules *rules, struct alert_sent *ret,
                       struct err *err) NC_CHECK;
void alert_outbox_wait(struct alert_outbox *o, int64_t ms);
bool alert_outbox_busy(const struct alert_outbox *o);       // something is on its way
// Sends until nothing is due, for up to `budget_ms`.
bool alert_deliver(struct alert_outbox *o, const struct alert_rules *rules, int64_t budget_ms,
                   struct alert_sent *ret, struct err *err) NC_CHECK;

// One turn: take or keep the lease (else `mine` is false), check, write.
struct alert_turn { bool mine; int findings, events; };
bool alert_turn(const struct alert_rules *rules, struct rollups *f, const struct conf *conf,
                const char *token, int64_t now_ms, struct alert_turn *ret, struct err *err) NC_CHECK;
// so that nobody has to wait for it to lapse
void alert_lease_end(struct redis *r, const struct conf *conf, const char *token);

// The daemon's thread: a turn every alerts.interval.
struct alert_watch;
bool alert_watch_start(struct alert_watch **ret, const struct conf *conf, struct err *err) NC_CHECK;
// reads alerts.file again at its next turn; a bad one is told, and those in force stay. NULL: nothing
void alert_watch_reload(struct alert_watch *w);
void alert_watch_quit(struct alert_watch *w); // asks it to end; returns at once. NULL: nothing
void alert_watch_stop(struct alert_watch *w); // waits until it has ended, and frees it

#endif
