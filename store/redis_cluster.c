// SPDX-License-Identifier: Apache-2.0
#include "store/redis_cluster.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "store/redis_priv.h"

enum {
	WAIT_MS = 50,   // between two tries of what a slot on its way refuses
	WAITS_MAX = 40, // of a pipeline, before the caller hears of it
	MOVES_MAX = 8,  // times that slots of a pipeline were elsewhere
	LOSSES_MAX = 2, // times that a master did not answer
};

struct node {
	char *place; // "host:port"
	struct redis *redis;
	bool has_slots;
	// of the try in hand
	bool failed;
	size_t taken; // replies
};

struct redis_cluster {
	struct node **nodes;
	size_t n;
	struct node *slots[REDIS_SLOTS]; // NULL: no master has it
	int tags[REDIS_SPANS]; // once has_tags
	bool has_tags;
	char **places; // of all nodes that were ever known
	size_t nplaces;
	uint64_t left; // nodes that had slots, and have none any more
};

struct command {
	struct str text;    // in the protocol's form
	int slot;           // -1: it goes to every master
	bool is_script, done;
	struct node *asked; // where its slot is going, this time; NULL
	redisReply *reply;
};

// A pipeline on its way.
struct dealing {
	struct redis_cluster *cluster;
	struct command *v;
	size_t n;
	size_t nnodes; // that the last try was sent to
	int waits, moves, losses;
	bool is_whole; // redis_keep_whole
	bool is_silent; // a master has not answered in time
	bool again[REDIS_SLOTS]; // commands of these slots are sent again
	bool is_lost, is_moved, has_to_wait; // of the last try, why
	struct node *informed;   // who said where a slot is
	struct err err;          // of a master that did not answer, or what a slot on its way said
};

// ---- slots and nodes ----------------------------------------------------------------------------

int redis_slot(struct str key)
{
	struct str rest = key;
	str_cut(&rest, '{');
	struct str end = rest, tag = str_cut(&end, '}');
	if (rest.p && end.p && tag.len)
		key = tag;
	unsigned crc = 0;
	for (size_t i = 0; i < key.len; i++) {
		crc ^= (unsigned)(unsigned char)key.p[i] << 8;
		for (int bit = 0; bit < 8; bit++)
			crc = (crc << 1 ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
	}
	return (int)(crc % REDIS_SLOTS);
}

static void find_tags(int tags[REDIS_SPANS])
{
	size_t found = 0;
	bool has[REDIS_SPANS] = {false};
	for (int tag = 0; found < REDIS_SPANS; tag++) {
		char text[16];
		size_t len = (size_t)snprintf(text, sizeof text, "%d", tag);
		int span = redis_slot((struct str){text, len}) / (REDIS_SLOTS / REDIS_SPANS);
		if (has[span])
			continue;
		has[span] = true;
		tags[span] = tag;
		found++;
	}
}

int redis_cluster_tag(struct redis_cluster *c, size_t span)
{
	assert(span < REDIS_SPANS);
	if (!c->has_tags)
		find_tags(c->tags);
	c->has_tags = true;
	return c->tags[span];
}

static void free_node(struct node *n)
{
	redis_close(n->redis);
	free(n->place);
	free(n);
}

void redis_cluster_free(struct redis_cluster *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++)
		free_node(c->nodes[i]);
	for (size_t i = 0; i < c->nplaces; i++)
		free(c->places[i]);
	free(c->places);
	free(c->nodes);
	free(c);
}

const char *redis_cluster_place(const struct redis_cluster *c, size_t i)
{
	return i < c->nplaces ? c->places[i] : NULL;
}

static void remember_place(struct redis_cluster *c, const char *place)
{
	for (size_t i = 0; i < c->nplaces; i++)
		if (strcmp(c->places[i], place) == 0)
			return;
	c->places = xrealloc(c->places, c->nplaces + 1, sizeof *c->places);
	c->places[c->nplaces++] = xstrdup(str_of(place));
}

void redis_cluster_disconnect(struct redis_cluster *c)
{
	for (size_t i = 0; i < c->n; i++)
		redis_disconnect(c->nodes[i]->redis);
}

// An empty host: the one that says so.
static struct node *find_node(struct redis_cluster *c, const struct redis *like, struct str host,
                              struct str port)
{
	struct buf place = BUF_INIT;
	const char *same = like->wire.at_host ? like->wire.at_host : like->wire.host;
	if (!host.len)
		host = str_of(same ? same : "127.0.0.1");
	buf_addf(&place, "%.*s:%.*s", STR_ARG(host), STR_ARG(port));
	struct node *found = NULL;
	for (size_t i = 0; i < c->n && !found; i++)
		if (str_is(buf_str(&place), c->nodes[i]->place))
			found = c->nodes[i];
	if (!found) {
		found = xcalloc(1, sizeof *found);
		found->place = xstrdup(buf_str(&place));
		found->redis = redis_open_node(like, host, port);
		c->nodes = xrealloc(c->nodes, c->n + 1, sizeof *c->nodes);
		c->nodes[c->n++] = found;
		remember_place(c, found->place);
	}
	buf_release(&place);
	return found;
}

static bool is_number(const redisReply *p, long long least, long long most)
{
	return p->type == REDIS_REPLY_INTEGER && p->integer >= least && p->integer <= most;
}

// Whether it is [first, last, [host, port, ...], replicas...], as CLUSTER SLOTS has them.
static bool is_range(const redisReply *range)
{
	if (range->type != REDIS_REPLY_ARRAY || range->elements < 3)
		return false;
	const redisReply *first = range->element[0], *last = range->element[1], *master = range->element[2];
	return is_number(first, 0, REDIS_SLOTS - 1) && is_number(last, first->integer, REDIS_SLOTS - 1) &&
	       master->type == REDIS_REPLY_ARRAY && master->elements >= 2 &&
	       is_number(master->element[1], 1, 65535);
}

static void take_range(struct redis_cluster *c, const struct redis *like, const redisReply *range)
{
	const redisReply *first = range->element[0], *last = range->element[1], *master = range->element[2];
	char port[24];
	struct str text = {port, (size_t)snprintf(port, sizeof port, "%lld", master->element[1]->integer)};
	struct node *n = find_node(c, like, redis_reply_str(master->element[0]), text);
	n->has_slots = true;
	for (long long slot = first->integer; slot <= last->integer; slot++)
		c->slots[slot] = n;
}

// What is wrong with an answer to CLUSTER SLOTS; NULL: nothing.
static const char *find_fault(const redisReply *answer)
{
	if (answer->type != REDIS_REPLY_ARRAY)
		return answer->str ? answer->str : "expected a list of ranges";
	for (size_t i = 0; i < answer->elements; i++)
		if (!is_range(answer->element[i]))
			return "a range is not [FIRST, LAST, [HOST, PORT, ...], ...] with slots up to 16383";
	return answer->elements ? NULL
	                        : "no master has a slot: the cluster is not made yet, or has lost all of them";
}

// Asks one node for the slots. Nodes that have none any more are let go. False: it does not answer, or says
// what cannot be, and all is as before.
static bool ask_for_slots(struct redis_cluster *c, struct redis *node, struct err *err)
{
	bool keeps_errors = node->keeps_errors;
	redis_cmdz(node, "CLUSTER", "SLOTS", NULL);
	node->keeps_errors = true;
	bool good = redis_exec(node, err);
	node->keeps_errors = keeps_errors;
	if (!good)
		return false;
	const redisReply *answer = node->replies[0];
	const char *fault = find_fault(answer);
	if (fault) {
		struct err why = ERR_INIT;
		if (answer->type == REDIS_REPLY_ERROR)
			redis_fail_by_reply(node, redis_reply_str(answer), &why);
		return err_set(err, why.kind == ERR_CONFIG && !node->runs_on ? ERR_CONFIG : ERR_RETRY,
		               "redis %s: CLUSTER SLOTS: %s", redis_where(node), fault);
	}
	for (size_t i = 0; i < c->n; i++)
		c->nodes[i]->has_slots = false;
	memset(c->slots, 0, sizeof c->slots);
	for (size_t i = 0; i < answer->elements; i++)
		take_range(c, node, answer->element[i]);
	redis_drop_replies(node);
	size_t kept = 0;
	for (size_t i = 0; i < c->n; i++)
		if (c->nodes[i]->has_slots)
			c->nodes[kept++] = c->nodes[i];
		else
			free_node(c->nodes[i]);
	c->left += c->n - kept;
	c->n = kept;
	return true;
}

// Asks the node that knows, then those that did not fail, then the others.
static bool find_slots(struct redis_cluster *c, struct node *informed, struct err *err)
{
	struct err last = ERR_INIT;
	bool refused = c->n > 0; // by all of them
	if (informed && ask_for_slots(c, informed->redis, &last))
		return true;
	refused &= !informed || last.kind == ERR_CONFIG;
	for (int failed = 0; failed < 2; failed++)
		for (size_t i = 0; i < c->n; i++) {
			struct node *n = c->nodes[i];
			if (n == informed || n->failed != failed)
				continue;
			err_clear(&last);
			if (ask_for_slots(c, n->redis, &last))
				return true;
			refused &= last.kind == ERR_CONFIG;
		}
	return err_set(err, refused ? ERR_CONFIG : ERR_RETRY,
	               "no node of the Redis Cluster says who has which slots: %s", last.msg);
}

bool redis_cluster_find(struct redis *r, struct err *err)
{
	struct err why = ERR_INIT;
	struct redis_cluster *c = xcalloc(1, sizeof *c);
	bool asked = ask_for_slots(c, r, &why);
	// a user who may not ask: if there is one master, it works without
	bool refused = !asked && r->reader && r->nreplies && r->replies[0]->type == REDIS_REPLY_ERROR;
	r->slots_refused = refused;
	if (asked && c->n > 1)
		r->cluster = c;
	else
		redis_cluster_free(c); // one master leads to itself (move_on, redis.c)
	return asked || refused || err_set(err, why.kind, "%s", why.msg);
}

bool redis_cluster_find_again(struct redis *r, struct err *err)
{
	return find_slots(r->cluster, NULL, err);
}

// ---- a pipeline ---------------------------------------------------------------------------------

// What follows the next line break; *ret: the number before it, behind its mark.
static struct str cut_length(struct str rest, size_t *ret)
{
	*ret = strtoul(rest.p + 1, NULL, 10);
	const char *end = memchr(rest.p, '\n', rest.len);
	return (struct str){end + 1, rest.len - (size_t)(end + 1 - rest.p)};
}

static struct str cut_arg(struct str rest, struct str *ret)
{
	rest = cut_length(rest, &ret->len);
	ret->p = rest.p;
	return (struct str){rest.p + ret->len + 2, rest.len - ret->len - 2};
}

static bool has_no_key(struct str name)
{
	return str_is(name, "PING") || str_is(name, "INFO") || str_is(name, "TIME") || str_is(name, "SCRIPT");
}

// The first command of `rest`, as redis_begin and redis_arg have written it. Returns what follows.
static struct str cut_command(struct str rest, struct command *ret, struct err *err)
{
	const char *start = rest.p;
	size_t argc;
	struct str arg = STR_NONE, key = STR_NONE, nkeys = STR("1");
	*ret = (struct command){.slot = -1};
	rest = cut_length(rest, &argc);
	for (size_t i = 0, at = 1; i < argc; i++) {
		rest = cut_arg(rest, &arg);
		if (i == 0) {
			ret->is_script = str_is(arg, "EVAL") || str_is(arg, "EVALSHA");
			at = has_no_key(arg) ? argc : ret->is_script ? 3 : 1;
		} else if (i == 2 && ret->is_script) {
			nkeys = arg;
		}
		if (i == at)
			key = arg;
	}
	ret->text = (struct str){start, (size_t)(rest.p - start)};
	if (str_is(nkeys, "0"))
		err_set(err, ERR_FATAL, "redis: this cannot be done on a Redis Cluster of several masters");
	else if (key.p)
		ret->slot = redis_slot(key);
	return rest;
}

static bool split_pipeline(struct redis *r, struct dealing *d, struct err *err)
{
	struct str rest = buf_str(&r->out);
	d->v = xcalloc(r->commands + 1, sizeof *d->v);
	while (d->n < r->commands && err->kind == ERR_NONE)
		rest = cut_command(rest, &d->v[d->n++], err);
	return err->kind == ERR_NONE;
}

static void queue_raw(struct redis *r, struct str text)
{
	buf_addstr(&r->out, text);
	r->commands++;
}

static struct node *node_of(const struct dealing *d, const struct command *x)
{
	return x->asked ? x->asked : d->cluster->slots[x->slot];
}

static void note_answer(struct dealing *d, struct node *n, bool good)
{
	n->failed = !good;
	d->is_silent |= n->failed && n->redis->wire.timed_out;
}

// Sends the pipelines of the masters to all of them, then reads the answers of each. Who has waited for one
// as long as redis_limit allows has waited for all: they work at the same time.
static bool exchange_all(struct dealing *d, struct err *err)
{
	struct redis_cluster *c = d->cluster;
	for (size_t i = 0; i < c->n && !d->is_silent; i++)
		note_answer(d, c->nodes[i], redis_send(c->nodes[i]->redis, &d->err));
	for (size_t i = 0; i < c->n && !d->is_silent; i++)
		if (!c->nodes[i]->failed)
			note_answer(d, c->nodes[i], redis_exec(c->nodes[i]->redis, &d->err));
	return !d->is_silent || err_set(err, d->err.kind, "%s", d->err.msg);
}

// Sends what is not done of v[first..end) to its masters, and reads what they say.
static bool send_all(struct dealing *d, size_t first, size_t end, struct err *err)
{
	struct redis_cluster *c = d->cluster;
	d->nnodes = c->n;
	for (size_t i = 0; i < c->n; i++) {
		c->nodes[i]->failed = false;
		c->nodes[i]->taken = 0;
	}
	for (size_t i = first; i < end; i++) {
		struct command *x = &d->v[i];
		if (x->done)
			continue;
		for (size_t k = 0; x->slot < 0 && k < c->n; k++)
			queue_raw(c->nodes[k]->redis, x->text);
		if (x->slot < 0)
			continue;
		if (!node_of(d, x))
			return err_set(err, ERR_RETRY, "redis: no master of the Redis Cluster has slot %d now", x->slot);
		if (x->asked)
			redis_cmdz(x->asked->redis, "ASKING", NULL);
		queue_raw(node_of(d, x)->redis, x->text);
	}
	return exchange_all(d, err);
}

static redisReply *take_reply(struct node *n)
{
	redisReply *reply = n->redis->replies[n->taken];
	n->redis->replies[n->taken++] = NULL;
	return reply;
}

// "MOVED SLOT HOST:PORT", "ASK SLOT HOST:PORT"
static struct node *find_named(struct dealing *d, struct node *from, struct str reply)
{
	str_cut(&reply, ' ');
	str_cut(&reply, ' ');
	struct str port = str_after_last(reply, ':');
	if (port.len == reply.len) // no address: the next answer to CLUSTER SLOTS has one
		return NULL;
	return find_node(d->cluster, from->redis, (struct str){reply.p, reply.len - port.len - 1}, port);
}

// What a master said to a command. False: the pipeline ends here.
static bool judge(struct dealing *d, struct command *x, struct node *from, redisReply *reply, struct err *err)
{
	struct str text = reply->type == REDIS_REPLY_ERROR ? redis_reply_str(reply) : STR_NONE;
	bool moved = str_starts(text, STR("MOVED ")), asked = str_starts(text, STR("ASK "));
	bool waits = (asked && x->is_script) || str_starts(text, STR("TRYAGAIN"));
	if (text.p && (x->slot < 0 || (!moved && !asked && !waits))) {
		redis_fail_by_reply(from->redis, text, err);
		freeReplyObject(reply);
		return false;
	}
	freeReplyObject(x->reply); // of another master, to a command without a key
	x->reply = text.p ? NULL : reply;
	x->done = !text.p;
	x->asked = asked && !waits ? find_named(d, from, text) : NULL;
	if (!text.p)
		return true;
	if (moved)
		d->informed = from;
	d->is_moved |= moved;
	if (waits && d->err.kind == ERR_NONE)
		err_set(&d->err, ERR_RETRY,
		        "redis %s: slot %d is on its way to another master: scripts wait until it is there",
		        redis_where(from->redis), x->slot);
	d->has_to_wait |= waits;
	d->again[x->slot] = true;
	freeReplyObject(reply);
	return true;
}

// Takes the replies in the order in which the commands were sent.
static bool read_all(struct dealing *d, size_t first, size_t end, struct err *err)
{
	bool good = true;
	memset(d->again, 0, sizeof d->again);
	d->is_lost = d->is_moved = d->has_to_wait = false;
	d->informed = NULL;
	for (size_t i = first; i < end && good; i++) {
		struct command *x = &d->v[i];
		if (x->done)
			continue;
		if (x->slot < 0) {
			for (size_t k = 0; k < d->nnodes && good; k++) {
				struct node *n = d->cluster->nodes[k];
				d->is_lost |= n->failed;
				good = n->failed || judge(d, x, n, take_reply(n), err);
			}
			x->done = !d->is_lost;
			continue;
		}
		struct node *n = node_of(d, x);
		d->is_lost |= n->failed;
		if (n->failed) {
			d->again[x->slot] = true;
			x->asked = NULL;
			continue;
		}
		n->taken += x->asked != NULL; // the reply to ASKING
		good = judge(d, x, n, take_reply(n), err);
	}
	return good;
}

// Commands of a slot are carried out in their order: behind one that is sent again, all are.
static bool mark_again(struct dealing *d, size_t first, size_t end)
{
	bool some = false;
	bool behind[REDIS_SLOTS] = {false};
	for (size_t i = first; i < end; i++) {
		struct command *x = &d->v[i];
		if (x->slot < 0) {
			some |= !x->done;
			continue;
		}
		behind[x->slot] |= d->again[x->slot] && !x->done;
		x->done &= !behind[x->slot];
		some |= !x->done;
	}
	return some;
}

// Before the next try: what has become of the slots. False: there is none.
static bool prepare_to_retry(struct dealing *d, struct err *err)
{
	uint64_t left = d->cluster->left;
	d->waits += d->has_to_wait;
	d->moves += d->is_moved;
	d->losses += d->is_lost;
	if (d->waits > WAITS_MAX || d->moves > MOVES_MAX || d->losses >= LOSSES_MAX)
		return err_set(err, d->err.kind == ERR_NONE ? ERR_RETRY : d->err.kind, "%s",
		               d->err.kind == ERR_NONE ? "redis: slots of the Redis Cluster move to and fro"
		                                       : d->err.msg);
	err_clear(&d->err);
	for (size_t i = 0; i < d->n && (d->is_moved || d->is_lost); i++)
		d->v[i].asked = NULL;
	if ((d->is_moved || d->is_lost) && !find_slots(d->cluster, d->informed, err))
		return false;
	if (d->is_whole && (d->is_lost || d->cluster->left != left))
		return err_set(err, ERR_RETRY,
		               "redis: a master of the Redis Cluster has gone, and perhaps some of what it had "
		               "taken: all of the batch is sent again");
	if (d->has_to_wait)
		nanosleep(&(struct timespec){.tv_nsec = WAIT_MS * 1000000L}, NULL);
	return true;
}

static bool carry_out(struct dealing *d, size_t first, size_t end, struct err *err)
{
	for (;;) {
		if (!send_all(d, first, end, err) || !read_all(d, first, end, err))
			return false;
		if (!mark_again(d, first, end))
			return true;
		if (!prepare_to_retry(d, err))
			return false;
	}
}

bool redis_cluster_round_trip(struct redis *r, struct err *err)
{
	struct dealing *d = xcalloc(1, sizeof *d);
	d->cluster = r->cluster;
	d->is_whole = r->is_whole;
	bool good = split_pipeline(r, d, err);
	size_t first = 0;
	for (int i = 0; good && i <= r->nbarriers; i++) {
		size_t end = i < r->nbarriers ? r->barriers[i] : d->n;
		r->round_trips += end > first;
		good = carry_out(d, first, end, err);
		first = end;
	}
	redis_reserve_replies(r, r->nreplies + d->n);
	for (size_t i = 0; i < d->n; i++)
		if (good)
			r->replies[r->nreplies++] = d->v[i].reply;
		else
			freeReplyObject(d->v[i].reply);
	free(d->v);
	free(d);
	return good;
}

bool redis_cluster_each(struct redis *r, redis_master_fn *fn, void *user, struct err *err)
{
	bool good = true;
	for (size_t i = 0; good && i < r->cluster->n; i++) {
		struct redis *node = r->cluster->nodes[i]->redis;
		node->keeps_errors = false;
		good = fn(node, user, err);
		node->keeps_errors = true;
	}
	return good;
}
