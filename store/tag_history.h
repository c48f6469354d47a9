// SPDX-License-Identifier: Apache-2.0
// The tags of callers at a moment: the tags of sessions, and the changes of the tags of roles, users and
// accounts, read from Redis once (docs/redis-keys.md) and looked up often.
//
//     the tags of a session  >  those that its role or user had at that moment  >  those of its account
//
// Users that are counted together (store/cardinality.h) have none of their account: some have tags of their
// own in their place.
//
// IAM keeps the case of a tag's key but treats Team and team as one: a caller has one of them, and either
// word finds it. Changes of the same moment (CloudTrail has whole seconds) count in the order delete,
// create, untag, tag.
#ifndef NOWCAST_STORE_TAG_HISTORY_H
#define NOWCAST_STORE_TAG_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "store/redis.h"

struct tag_history;

struct tag_history *tag_history_new(void);
void tag_history_free(struct tag_history *b);
void tag_history_clear(struct tag_history *b); // forgets all it has read

// Reads the tags of all sessions that have figures.
bool tag_history_read_sessions(struct tag_history *b, struct redis *r, const char *prefix,
                               struct err *err) NC_CHECK;

// Asks for the tags of the role or user of a caller, and of its account, unless they are known: adds commands
// to the pipeline, or nothing. After redis_exec of a pipeline that held nothing else, tag_history_take reads
// the replies.
void tag_history_ask(struct tag_history *b, struct redis *r, const char *prefix, struct str arn,
                     struct str tagset);
void tag_history_take(struct tag_history *b, struct redis *r);

// Changes when a tag changes of a role, user or account that was asked for. The tags of a session never
// change.
uint64_t tag_history_digest(const struct tag_history *b);

// Whose tag a value is, the most specific one first.
enum tag_carrier { TAG_OF_SESSION, TAG_OF_OWNER, TAG_OF_ACCOUNT }; // of the owner: of the role or user

struct tag_value {
	struct str value; // STR_NONE: the caller had no such tag
	enum tag_carrier of;
};

// A tag before moment `ms`. `tagset`: id of the session's tags, "-" without. Lives until tag_history_clear.
struct tag_value tag_history_find(struct tag_history *b, struct str arn, struct str tagset, int64_t ms,
                                  struct str key);
static inline struct str tag_history_value(struct tag_history *b, struct str arn, struct str tagset,
                                           int64_t ms, struct str key)
{
	return tag_history_find(b, arn, tagset, ms, key).value;
}

// A tag that a caller had, and where it is from.
struct tag_held {
	struct str key, value;
	bool of_session, of_account; // neither: of the role or user. If not of a session:
	int64_t since_ms;  //   when it was set,
	struct str event;  //   and by which event of CloudTrail
	int64_t until_ms;  //   (tag_history_changes) when it was taken, or another value set; INT64_MAX: it holds
};

// "session", "role", "user" or "account": whose tag it is, of a caller.
const char *tag_held_of(const struct tag_held *t, struct str arn);

// All tags of the caller before moment `ms`, sorted by key.
void tag_history_each(struct tag_history *b, struct str arn, struct str tagset, int64_t ms,
                      void (*fn)(void *user, const struct tag_held *t), void *user);

// Every tag that the role or user of the caller ever had, with its span, sorted by key and time; then those
// of its account, likewise. Session tags are not among them.
void tag_history_changes(struct tag_history *b, struct str arn, struct str tagset,
                         void (*fn)(void *user, const struct tag_held *t), void *user);

// "ACCOUNT:role/NAME" or "ACCOUNT:user/NAME": whose tags count for an ARN beneath those of its session;
// "ACCOUNT:account" of an account (arn:aws:organizations::MANAGEMENT:account/o-ID/ACCOUNT); empty if it can
// have none. In `buf`, which is cleared first.
struct str tag_owner(struct str arn, struct buf *buf);

// "ACCOUNT:account", whose tags count beneath those of the role or user of an ARN; empty likewise.
struct str tag_account_owner(struct str arn, struct buf *buf);

#endif
