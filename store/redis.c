// SPDX-License-Identifier: Apache-2.0
// Commands are written into one buffer in the protocol's own form (arrays of bulk strings), sent in one go,
// and the replies are fed to hiredis' reader. Redis buffers what it answers, so writing all before reading
// any cannot deadlock.
#include "store/redis.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/when.h"
#include "store/redis_cluster.h"
#include "store/redis_info.h"
#include "store/redis_priv.h"
#include "store/redis_sentinel.h"

enum {
	SILENT_MS = 60000,
	MOVES_MAX = 2, // to other nodes of a cluster, one after the other
};

static bool check_iam(const struct redis *r, struct err *err)
{
	if (r->iam.name && !(r->wire.user || r->wire.password))
		return err_set(err, ERR_CONFIG, "redis.iam: expected the user in the URL: rediss://USER@HOST:PORT");
	if (r->iam.name && !r->wire.tls)
		return err_set(err, ERR_CONFIG, "redis.iam needs rediss://: the token must not be sent in the clear");
	return true;
}

bool redis_open(struct redis **ret, struct redis_target target, struct err *err)
{
	struct redis *r = xcalloc(1, sizeof *r);
	r->wire.fd = -1;
	if (!redis_iam_parse(&r->iam, target.iam, err) || !wire_init(&r->wire, target.url, target.ca, err) ||
	    !check_iam(r, err)) {
		redis_close(r);
		return false;
	}
	r->prefix = target.prefix;
	r->silent_ms = SILENT_MS;
	*ret = r;
	return true;
}

struct redis *redis_open_node(const struct redis *r, struct str host, struct str port)
{
	struct redis *node = xcalloc(1, sizeof *node);
	wire_init_like(&node->wire, &r->wire, host, port);
	redis_iam_copy(&node->iam, &r->iam);
	memcpy(node->scripts, r->scripts, sizeof r->scripts);
	memcpy(node->sha, r->sha, sizeof r->sha);
	node->nscripts = r->nscripts;
	node->silent_ms = r->silent_ms;
	node->let_in = r->let_in;
	node->runs_on = r->runs_on;
	node->is_node = node->keeps_errors = true;
	return node;
}

void redis_limit(struct redis *r, int ms)
{
	assert(ms > 0);
	r->silent_ms = ms;
}

void redis_run_on(struct redis *r)
{
	r->runs_on = true;
}

void redis_on_connect(struct redis *r, redis_connect_fn *fn)
{
	assert(!r->reader && r->prefix);
	r->on_connect = fn;
}

void redis_drop_replies(struct redis *r)
{
	for (size_t i = 0; i < r->nreplies; i++)
		freeReplyObject(r->replies[i]);
	r->nreplies = 0;
}

static void disconnect(struct redis *r)
{
	wire_disconnect(&r->wire);
	if (r->reader)
		redisReaderFree(r->reader);
	r->reader = NULL;
}

void redis_close(struct redis *r)
{
	if (!r)
		return;
	redis_drop_replies(r);
	disconnect(r);
	redis_cluster_free(r->cluster);
	wire_release(&r->wire);
	redis_iam_release(&r->iam);
	buf_release(&r->moved);
	free(r->replies);
	buf_release(&r->out);
	free(r);
}

// ---- the pipeline -------------------------------------------------------------------------------

static bool read_more(struct redis *r, struct err *err)
{
	char chunk[64 * 1024];
	size_t got;
	if (!wire_read(&r->wire, chunk, sizeof chunk, &got, err))
		return false;
	if (redisReaderFeed(r->reader, chunk, got) != REDIS_OK)
		return err_set(err, ERR_RETRY, "redis %s: %s", r->wire.where, r->reader->errstr);
	return true;
}

static bool read_reply(struct redis *r, redisReply **ret, struct err *err)
{
	for (;;) {
		void *reply = NULL;
		if (redisReaderGetReply(r->reader, &reply) != REDIS_OK)
			return err_set(err, ERR_RETRY, "redis %s: not the Redis protocol: %s", r->wire.where,
			               r->reader->errstr);
		if (reply) {
			*ret = reply;
			return true;
		}
		if (!read_more(r, err))
			return false;
	}
}

// What is wrong with a login that was right: the password is changed, or lost by a Redis that came back.
static enum err_kind kind_of_lockout(const struct redis *r)
{
	return r->runs_on && r->let_in ? ERR_RETRY : ERR_CONFIG;
}

bool redis_fail_by_reply(const struct redis *r, struct str reply, struct err *err)
{
	const struct {
		struct str prefix;
		enum err_kind kind;
		const char *hint;
	} known[] = {
		{STR("LOADING"), ERR_RETRY, ""},
		{STR("BUSY"), ERR_RETRY, ""},
		{STR("TRYAGAIN"), ERR_RETRY, ""},
		{STR("CLUSTERDOWN"), ERR_RETRY, ""},
		{STR("MOVED"), r->slots_refused && !r->runs_on ? ERR_CONFIG : ERR_RETRY,
	     " (a failover of a Redis Cluster; or one of several masters, where the ACL user needs +cluster|slots, too)"},
		{STR("MASTERDOWN"), ERR_RETRY, ""},
		{STR("READONLY"), ERR_RETRY, " (a replica; connecting again, in case a failover has made another one the master)"},
		{STR("NOREPLICAS"), ERR_RETRY, ""},
		{STR("MISCONF"), ERR_RETRY, ""},
		{STR("NOSCRIPT"), ERR_RETRY, ""},
		{STR("OOM"), ERR_RETRY,
	     " (raise maxmemory, or shorten window and retention; nothing is lost meanwhile)"},
		{STR("NOAUTH"), kind_of_lockout(r), " (put user and password into the redis URL)"},
		{STR("WRONGPASS"), kind_of_lockout(r), " (check user and password in the redis URL; with redis.iam, the user and the name in redis.iam, and the credentials of AWS)"},
		{STR("NOPERM"), ERR_CONFIG,
	     " (with redis.prefix nowcast the ACL user needs: ~nowcast:* ~{nowcast:alerts}:* +@read +@write +@scripting +@connection +info +time) and, on a Redis Cluster, +cluster|slots"},
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (str_starts(reply, known[i].prefix))
			return err_set(err, known[i].kind, "redis %s: %.*s%s", r->wire.where, STR_ARG(reply),
			               known[i].hint);
	return err_set(err, ERR_FATAL, "redis %s: %.*s", r->wire.where, STR_ARG(reply));
}

// "MOVED SLOT HOST:PORT": a replica of a cluster, or the master of other slots, says who has this one.
static void note_move(struct redis *r, struct str reply)
{
	if (!str_starts(reply, STR("MOVED ")))
		return;
	str_cut(&reply, ' ');
	str_cut(&reply, ' ');
	buf_clear(&r->moved);
	buf_addstr(&r->moved, str_cut(&reply, ' '));
}

void redis_reserve_replies(struct redis *r, size_t n)
{
	if (r->capreplies >= n)
		return;
	r->capreplies = n;
	r->replies = xrealloc(r->replies, r->capreplies, sizeof *r->replies);
}

// Sends `out` and puts every reply into r->replies.
static bool exchange(struct redis *r, struct err *err)
{
	redis_drop_replies(r);
	r->round_trips++;
	if (!wire_send(&r->wire, r->out.data, r->out.len, err))
		return false;
	redis_reserve_replies(r, r->commands);
	for (size_t i = 0; i < r->commands; i++) {
		if (!read_reply(r, &r->replies[i], err))
			return false;
		r->nreplies++;
	}
	return true;
}

static bool round_trip(struct redis *r, struct err *err)
{
	if (!exchange(r, err))
		return false;
	for (size_t i = 0; i < r->nreplies && !r->keeps_errors; i++)
		if (r->replies[i]->type == REDIS_REPLY_ERROR) {
			note_move(r, redis_reply_str(r->replies[i]));
			return redis_fail_by_reply(r, redis_reply_str(r->replies[i]), err);
		}
	return true;
}

static void clear_pipeline(struct redis *r)
{
	buf_clear(&r->out);
	r->commands = 0;
	r->nbarriers = 0;
	r->sent = false;
}

// In a URL, what has no colon is a password; with IAM it is the user.
static bool queue_iam_login(struct redis *r, struct err *err)
{
	const char *user = r->wire.user ? r->wire.user : r->wire.password;
	struct buf token = BUF_INIT;
	bool good = redis_iam_password(&r->iam, user, &token, err);
	if (good) {
		redis_cmdz(r, "AUTH", user, token.data, NULL);
		r->renew_ticks = when_ticks_ms() + REDIS_IAM_RENEW_MS;
	}
	buf_release(&token);
	return good;
}

// Whether reply i, of HELLO, is that of a node of a Redis Cluster. What does not know HELLO is none.
static bool says_cluster(const struct redis *r, size_t i)
{
	for (size_t k = 0; k + 1 < redis_len(r, i); k += 2)
		if (str_is(redis_elem(r, i, k), "mode"))
			return str_is(redis_elem(r, i, k + 1), "cluster");
	return false;
}

// Logs in, selects the database, asks what it is and loads the scripts.
static bool set_up_connection(struct redis *r, struct err *err)
{
	clear_pipeline(r);
	if (r->iam.name && !queue_iam_login(r, err))
		return false;
	if (r->iam.name)
		; // logged in
	else if (r->wire.password && r->wire.user)
		redis_cmdz(r, "AUTH", r->wire.user, r->wire.password, NULL);
	else if (r->wire.password)
		redis_cmdz(r, "AUTH", r->wire.password, NULL);
	if (r->wire.db)
		redis_cmdz(r, "SELECT", r->wire.db, NULL);
	size_t hello = r->commands;
	redis_cmdz(r, "HELLO", NULL);
	for (int i = 0; i < r->nscripts; i++)
		redis_cmd(r, 3, (struct str[]){STR("SCRIPT"), STR("LOAD"), r->scripts[i]});
	bool good = exchange(r, err);
	for (size_t i = 0; good && i < r->nreplies; i++)
		if (r->replies[i]->type == REDIS_REPLY_ERROR && i != hello)
			good = redis_fail_by_reply(r, redis_reply_str(r->replies[i]), err);
	for (int i = 0; good && i < r->nscripts; i++)
		if (!str_is(redis_str(r, hello + 1 + (size_t)i), r->sha[i]))
			good = err_set(err, ERR_FATAL, "redis %s: loaded a script under another name than it has",
			               r->wire.where);
	bool is_cluster = good && !r->is_node && !r->wire.master && says_cluster(r, hello);
	clear_pipeline(r);
	return good && (!is_cluster || redis_cluster_find(r, err));
}

// A sentinel may still name the master of before a failover, which has become a replica.
static bool check_is_master(struct redis *r, struct err *err)
{
	redis_cmdz(r, "INFO", "replication", NULL);
	if (!round_trip(r, err))
		return false;
	if (str_is(redis_info_field(redis_str(r, 0), "role"), "master"))
		return true;
	return err_set(err, ERR_RETRY, "redis %s: it is no master any more, or not yet: a failover is under way",
	               r->wire.where);
}

// By the URL, or where the last pipeline was sent away to.
static bool connect_wire(struct redis *r, struct err *err)
{
	r->reader = redisReaderCreate();
	if (!r->reader)
		return err_set(err, ERR_FATAL, "redis: out of memory");
	r->reader->maxbuf = 0; // keep its buffer between replies
	if (!r->moving)
		wire_point_back(&r->wire);
	struct err why = ERR_INIT;
	bool good = r->moving || !r->wire.master || sentinel_find_master(&r->wire, &why);
	if (!good)
		err_set(err, why.kind == ERR_CONFIG ? kind_of_lockout(r) : why.kind, "%s", why.msg);
	r->moving = false;
	good = good && wire_connect(&r->wire, err);
	if (good && r->silent_ms < WIRE_HANDSHAKE_MS)
		wire_limit(&r->wire, r->silent_ms);
	good = good && set_up_connection(r, err);
	clear_pipeline(r);
	good = good && (!r->wire.master || check_is_master(r, err));
	clear_pipeline(r);
	if (good && r->cluster)
		disconnect(r); // each master has a connection of its own
	return good;
}

// A cluster is first looked for at the nodes that are known: the one of the URL may be gone.
static bool connect_cluster(struct redis *r)
{
	struct err ignored = ERR_INIT;
	if (!r->cluster)
		return false;
	if (redis_cluster_find_again(r, &ignored))
		return true;
	redis_cluster_free(r->cluster);
	r->cluster = NULL;
	return false;
}

static bool connect_now(struct redis *r, struct err *err)
{
	struct redis waiting = *r; // its pipeline
	r->out = (struct buf)BUF_INIT;
	r->commands = 0;
	r->nbarriers = 0;
	r->connecting = true;
	bool good = connect_cluster(r) || connect_wire(r, err);
	r->away = false;
	good = good && (!r->on_connect || r->on_connect(r, r->prefix, err));
	if (good && r->reader)
		wire_limit(&r->wire, r->silent_ms);
	r->away = !good;
	buf_release(&r->out);
	r->out = waiting.out;
	r->commands = waiting.commands;
	memcpy(r->barriers, waiting.barriers, sizeof r->barriers);
	r->nbarriers = waiting.nbarriers;
	r->connecting = waiting.connecting;
	return good;
}

void redis_disconnect(struct redis *r)
{
	clear_pipeline(r);
	redis_drop_replies(r);
	disconnect(r);
	if (r->cluster)
		redis_cluster_disconnect(r->cluster);
	r->away = true;
}

static bool is_connected(const struct redis *r)
{
	return r->reader || (r->cluster && !r->away);
}

static bool drop_connection(struct redis *r)
{
	r->failures++;
	redis_disconnect(r);
	return false;
}

// Before AWS ends a connection of IAM, and between two pipelines.
static void leave_old_login(struct redis *r)
{
	if (r->reader && r->renew_ticks && !r->sent && when_ticks_ms() >= r->renew_ticks)
		disconnect(r);
}

// Goes where the last pipeline was sent away to, with all of it: a command that was carried out may be so
// again. A URL may well name any node of a cluster, and its master changes.
static bool move_on(struct redis *r)
{
	struct str to = buf_str(&r->moved), port = str_after_last(to, ':');
	if (r->sent || !to.len || port.len == to.len || r->moves == MOVES_MAX)
		return false;
	r->moves++;
	disconnect(r);
	wire_point(&r->wire, (struct str){to.p, to.len - port.len - 1}, port);
	r->moving = true;
	return true;
}

// A cluster has answered already what was sent.
static bool carry_out(struct redis *r, struct err *err)
{
	if (!r->cluster)
		return round_trip(r, err);
	if (!r->sent)
		redis_drop_replies(r);
	return redis_cluster_round_trip(r, err);
}

bool redis_exec(struct redis *r, struct err *err)
{
	assert(r->missing == 0); // else Redis would wait for the rest of the last command
	if (r->commands == 0 && !r->sent) {
		r->nbarriers = 0;
		redis_drop_replies(r);
		return true;
	}
	leave_old_login(r);
	if (!r->connecting) // what the connecting itself sends is part of a pipeline that waits for it
		r->moves = 0;
	for (;;) {
		struct err why = ERR_INIT;
		buf_clear(&r->moved);
		if ((is_connected(r) || connect_now(r, &why)) && carry_out(r, &why))
			break;
		if (!move_on(r)) {
			err_set(err, why.kind, "%s", why.msg);
			return drop_connection(r);
		}
	}
	clear_pipeline(r);
	r->let_in = true;
	return true;
}

bool redis_send(struct redis *r, struct err *err)
{
	assert(r->missing == 0);
	if (r->commands == 0)
		return true;
	leave_old_login(r);
	if (!is_connected(r) && !connect_now(r, err))
		return drop_connection(r);
	if (r->cluster ? !carry_out(r, err) : !wire_send(&r->wire, r->out.data, r->out.len, err))
		return drop_connection(r);
	if (r->cluster)
		clear_pipeline(r);
	buf_clear(&r->out);
	r->sent = true;
	return true;
}

void redis_barrier(struct redis *r)
{
	assert(r->missing == 0 && r->nbarriers < REDIS_BARRIERS_MAX);
	r->barriers[r->nbarriers++] = r->commands;
}

void redis_keep_whole(struct redis *r, bool on)
{
	r->is_whole = on;
}

uint64_t redis_failures(const struct redis *r)
{
	return r->failures;
}

size_t redis_spans(const struct redis *r)
{
	return r->cluster ? REDIS_SPANS : 0;
}

int redis_span_tag(const struct redis *r, size_t span)
{
	return redis_cluster_tag(r->cluster, span);
}

bool redis_each_master(struct redis *r, redis_master_fn *fn, void *user, struct err *err)
{
	assert(r->commands == 0);
	if (!is_connected(r)) {
		redis_cmdz(r, "PING", NULL);
		if (!redis_exec(r, err))
			return false;
	}
	return r->cluster ? redis_cluster_each(r, fn, user, err) : fn(r, user, err);
}

// ---- commands -----------------------------------------------------------------------------------

int redis_script(struct redis *r, struct str source)
{
	assert(r->nscripts < REDIS_SCRIPTS_MAX);
	r->scripts[r->nscripts] = source;
	sha1_hex(source, r->sha[r->nscripts]);
	return r->nscripts++;
}

static void add_number(struct buf *b, char mark, uint64_t v)
{
	char text[24], *p = text + sizeof text;
	*--p = '\n';
	*--p = '\r';
	do
		*--p = (char)('0' + v % 10);
	while (v /= 10);
	*--p = mark;
	buf_add(b, p, (size_t)(text + sizeof text - p));
}

void redis_begin(struct redis *r, int argc)
{
	assert(argc > 0 && r->missing == 0);
	add_number(&r->out, '*', (uint64_t)argc);
	r->commands++;
	r->missing = (size_t)argc;
}

void redis_arg(struct redis *r, struct str arg)
{
	r->missing--;
	add_number(&r->out, '$', arg.len);
	buf_add(&r->out, arg.p, arg.len);
	buf_add(&r->out, "\r\n", 2);
}

void redis_argz(struct redis *r, const char *arg)
{
	redis_arg(r, str_of(arg));
}

void redis_argi(struct redis *r, int64_t arg)
{
	char text[24];
	int n = snprintf(text, sizeof text, "%lld", (long long)arg);
	redis_arg(r, (struct str){text, (size_t)n});
}

void redis_arg64(struct redis *r, uint64_t arg)
{
	uint8_t bytes[8];
	bytes_put64(bytes, arg);
	redis_arg(r, (struct str){(const char *)bytes, sizeof bytes});
}

void redis_begin_eval(struct redis *r, int script, int nkeys, int argc)
{
	redis_begin(r, 3 + argc);
	redis_argz(r, "EVALSHA");
	redis_argz(r, r->sha[script]);
	redis_argi(r, nkeys);
}

void redis_cmd(struct redis *r, int argc, const struct str *argv)
{
	redis_begin(r, argc);
	for (int i = 0; i < argc; i++)
		redis_arg(r, argv[i]);
}

void redis_cmdz(struct redis *r, ...)
{
	va_list ap;
	int n = 0;
	va_start(ap, r);
	while (va_arg(ap, const char *))
		n++;
	va_end(ap);
	redis_begin(r, n);
	va_start(ap, r);
	for (const char *arg; (arg = va_arg(ap, const char *));)
		redis_argz(r, arg);
	va_end(ap);
}

// ---- replies ------------------------------------------------------------------------------------

size_t redis_count(const struct redis *r)
{
	return r->nreplies;
}

static const redisReply *reply_at(const struct redis *r, size_t i)
{
	assert(i < r->nreplies);
	return r->replies[i];
}

struct str redis_str(const struct redis *r, size_t i)
{
	return redis_reply_str(reply_at(r, i));
}

int64_t redis_int(const struct redis *r, size_t i)
{
	const redisReply *p = reply_at(r, i);
	return p->type == REDIS_REPLY_INTEGER ? p->integer : p->str ? strtoll(p->str, NULL, 10) : 0;
}

bool redis_nil(const struct redis *r, size_t i)
{
	return reply_at(r, i)->type == REDIS_REPLY_NIL;
}

size_t redis_len(const struct redis *r, size_t i)
{
	const redisReply *p = reply_at(r, i);
	return p->type == REDIS_REPLY_ARRAY ? p->elements : 0;
}

struct str redis_elem(const struct redis *r, size_t i, size_t k)
{
	const redisReply *p = reply_at(r, i);
	assert(p->type == REDIS_REPLY_ARRAY && k < p->elements);
	return redis_reply_str(p->element[k]);
}

struct str *redis_copy_list(const struct redis *r, size_t i, struct arena *arena, size_t *ret_n)
{
	*ret_n = redis_len(r, i);
	struct str *list = arena_alloc(arena, (*ret_n + 1) * sizeof *list);
	for (size_t k = 0; k < *ret_n; k++)
		list[k] = arena_str(arena, redis_elem(r, i, k));
	return list;
}

static int compare_elements(const void *a, const void *b)
{
	return str_cmp(redis_reply_str(*(redisReply *const *)a), redis_reply_str(*(redisReply *const *)b));
}

// Sorts the elements of a reply by the first of each `width`.
static void sort_elements(struct redis *r, size_t i, size_t width)
{
	const redisReply *p = reply_at(r, i);
	if (p->type == REDIS_REPLY_ARRAY && p->elements > width)
		qsort(p->element, p->elements / width, width * sizeof *p->element, compare_elements);
}

void redis_sort_fields(struct redis *r, size_t i)
{
	sort_elements(r, i, 2);
}

void redis_sort_members(struct redis *r, size_t i)
{
	sort_elements(r, i, 1);
}

uint64_t redis_round_trips(const struct redis *r)
{
	return r->round_trips;
}

const char *redis_where(const struct redis *r)
{
	return r->wire.where;
}

const char *redis_place(const struct redis *r, size_t i)
{
	return i == 0 ? r->wire.where : r->cluster ? redis_cluster_place(r->cluster, i - 1) : NULL;
}

void redis_library(struct buf *out)
{
	buf_addf(out, "hiredis %d.%d.%d", HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH);
}
