// SPDX-License-Identifier: Apache-2.0
// A connection to Redis: pipelines out, replies back. hiredis parses the protocol (this module's .c is the
// only file that includes it); the transport is ours, so that rediss:// works with the hiredis of every
// distribution.
//
//     redis_cmd(...) x n -> redis_exec: one write, n replies -> redis_str(i), redis_int(i), ...
//
// The next redis_cmd clears the replies.
//
// A connection that broke is opened again by the next redis_exec. Not for use by two threads.
#ifndef NOWCAST_STORE_REDIS_H
#define NOWCAST_STORE_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/str.h"

struct redis;
struct redisReply;

// Where a Redis is, and what the keys in it begin with.
struct redis_target {
	const char *url;    // see redis_open
	const char *ca;     // file of CA certificates for rediss://; NULL or "": the system's
	const char *prefix; // "nowcast"
	const char *iam;    // "elasticache:us-east-1:NAME": the URL's user logs in by IAM; NULL or "": no
};

static inline struct redis_target redis_target_of(const struct conf *c)
{
	return (struct redis_target){c->redis, c->redis_ca, c->redis_prefix, c->redis_iam};
}

// Connects at the first redis_exec, not here. `target.url`: redis://[user[:password]@]host[:port][/db],
// rediss:// the same over TLS, unix:/path[?db=N]. redis+sentinel:// or rediss+sentinel://, and
// [user[:password]@]host[:port],host[:port]/MASTER[/db]: each connection first asks these Redis Sentinels
// where the master of that name is. Any node of a Redis Cluster leads to all of its masters.
// ERR_CONFIG says what is wrong with the URL. Programs open Redis by schema_open (store/schema.h).
bool redis_open(struct redis **ret, struct redis_target target, struct err *err) NC_CHECK;
void redis_close(struct redis *r);

// How long Redis may be silent before a redis_exec gives up; a minute without this. For new connections.
void redis_limit(struct redis *r, int ms);

// For a daemon: a login that is refused after it was accepted, or a Redis Cluster that does not say who has
// which slots, is ERR_RETRY, since somebody mends that in Redis while it runs. Else they are ERR_CONFIG.
void redis_run_on(struct redis *r);

// Has `fn` called on every new connection before the first pipeline goes out; what it returns is what the
// connecting returns. It may send commands of its own. `target.prefix` must live as long as `r`.
typedef bool redis_connect_fn(struct redis *r, const char *prefix, struct err *err);
void redis_on_connect(struct redis *r, redis_connect_fn *fn);

// Registers a Lua script; it is loaded on every new connection. Returns its number for redis_eval. `source`
// must live.
int redis_script(struct redis *r, struct str source);

// Adds a command to the pipeline. `argv` is copied.
void redis_cmd(struct redis *r, int argc, const struct str *argv);
void redis_cmdz(struct redis *r, ...) __attribute__((sentinel)); // const char * arguments up to NULL

// The same piecemeal, for long commands: begin says how many arguments follow.
void redis_begin(struct redis *r, int argc);
void redis_begin_eval(struct redis *r, int script, int nkeys, int argc); // argc: keys and arguments
void redis_arg(struct redis *r, struct str arg);
void redis_argz(struct redis *r, const char *arg);
void redis_argi(struct redis *r, int64_t arg);   // in decimal
void redis_arg64(struct redis *r, uint64_t arg); // as eight bytes, the highest first

// Sends the pipeline and reads a reply a command. On false nothing is known of what the server did, the
// connection is closed and the pipeline is gone: ERR_RETRY (away, loading, out of memory, a script it has
// forgotten), ERR_CONFIG (credentials, permissions), ERR_FATAL (it refuses a command: a bug, or not the Redis
// we need).
bool redis_exec(struct redis *r, struct err *err) NC_CHECK;

// Sends the pipeline and does not wait: Redis works on it while more is queued. The replies are
// those of the next redis_exec, before its own. On false as redis_exec.
bool redis_send(struct redis *r, struct err *err) NC_CHECK;

// A Redis Cluster of several masters carries commands of several keys out in any order. What is queued from
// here on is sent there once all before it is done. One Redis has the order anyway: then this does nothing.
void redis_barrier(struct redis *r);

// Whether what follows is one thing to its writer, several pipelines of it: until it is off again, one in
// which a master of a cluster is found gone fails (ERR_RETRY), and is not sent again to the node in its
// place. That one may be older than what the earlier pipelines have written. One Redis fails then in any
// case.
void redis_keep_whole(struct redis *r, bool on);

// How many pipelines have failed. If there are more, what an earlier one wrote may be lost.
uint64_t redis_failures(const struct redis *r);

// How many spans of slots such a cluster has, each with a hash tag, a number: every master with 255 slots in
// a row has one of them. 0: it is one Redis. Known once the first redis_exec has returned true.
size_t redis_spans(const struct redis *r);
int redis_span_tag(const struct redis *r, size_t span);

// Calls `fn` with a connection to each of its masters; of one Redis, with `r`. `fn` may send commands that
// need no key.
typedef bool redis_master_fn(struct redis *master, void *user, struct err *err);
bool redis_each_master(struct redis *r, redis_master_fn *fn, void *user, struct err *err) NC_CHECK;

// What reply i of the last redis_exec holds. A nil is STR_NONE, a number its digits. Valid until the next
// command.
size_t redis_count(const struct redis *r);
struct str redis_str(const struct redis *r, size_t i);
int64_t redis_int(const struct redis *r, size_t i);
bool redis_nil(const struct redis *r, size_t i);
size_t redis_len(const struct redis *r, size_t i);                     // of an array; 0 for anything else
// element k of the array that is reply i
struct str redis_elem(const struct redis *r, size_t i, size_t k);

// The elements of the array that is reply i, in a list that outlives it.
struct str *redis_copy_list(const struct redis *r, size_t i, struct arena *arena, size_t *ret_n);

// Sorts reply i: the fields of a HGETALL, with their values, or the members of a SMEMBERS. Redis returns
// those of a large hash or set in an order that differs from server to server: what is printed or written
// in that order is sorted first.
void redis_sort_fields(struct redis *r, size_t i);
void redis_sort_members(struct redis *r, size_t i);

uint64_t redis_round_trips(const struct redis *r);
const char *redis_where(const struct redis *r); // "host:port", for messages: never holds a password
const char *redis_place(const struct redis *r, size_t i); // that messages may name; NULL: no more

// Appends the library and its version, as it was built with: "hiredis 0.14.1".
void redis_library(struct buf *out);

#endif
