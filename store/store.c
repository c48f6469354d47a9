// SPDX-License-Identifier: Apache-2.0
// Writes facts: they are sent as arguments of apply.lua (store_send.c). All invocations of a batch go out in
// one pipeline, those of shards in a second one. store_read.c reads facts, store_settle.c writes figures.
#include "store/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/when.h"
#include "store/keys.h"
#include "store/name_id.h"
#include "store/names_check.h"
#include "store/schema.h"
#include "store/script.h"
#include "store/shards.h"
#include "store/store_priv.h"
#include "store/topic_lag.h"

EMBED_SCRIPTS3(apply_lua, "store/short_evidence.lua", "store/calls.lua", "store/apply.lua")
EMBED_SCRIPT(hour_stats_lua, "store/hour_stats.lua")
EMBED_SCRIPTS(settle_lua, "store/figures.lua", "store/settle.lua")
EMBED_SCRIPTS3(claim_lua, "store/short_evidence.lua", "store/pack.lua", "store/claim.lua")
EMBED_SCRIPT(promoted_lua, "store/promoted.lua")
EMBED_SCRIPT(promote_again_lua, "store/promote_again.lua")
EMBED_SCRIPTS(unpack_lua, "store/pack.lua", "store/unpack.lua")
EMBED_SCRIPT(relabel_lua, "store/relabel.lua")
EMBED_SCRIPT(keep_longest_lua, "store/keep_longest.lua")
EMBED_SCRIPT(tags_lua, "store/tags.lua")

enum { SHARDS_AGAIN = 3 }; // times that a batch is spread anew

bool store_open(struct store *s, const struct engine_options *o, struct err *err)
{
	*s = (struct store){.options = o};
	if (!schema_open(&s->redis, o->redis, SCHEMA_WRITE, err))
		return false;
	s->apply = redis_script(s->redis, apply_lua());
	s->hour_stats = redis_script(s->redis, hour_stats_lua());
	s->settle = redis_script(s->redis, settle_lua());
	s->claim = redis_script(s->redis, claim_lua());
	s->promoted = redis_script(s->redis, promoted_lua());
	s->promote_again = redis_script(s->redis, promote_again_lua());
	s->unpack = redis_script(s->redis, unpack_lua());
	s->relabel = redis_script(s->redis, relabel_lua());
	s->keep_longest = redis_script(s->redis, keep_longest_lua());
	s->tags = redis_script(s->redis, tags_lua());
	s->at = positions_scripts_of(s->redis);
	return true;
}

void store_close(struct store *s)
{
	redis_close(s->redis);
	buf_release(&s->key);
	call_sums_release(&s->sums);
	map_release(&s->shards);
	for (size_t i = 0; i < s->ngaps; i++)
		free((char *)s->gaps[i].topic);
	free(s->gaps);
	s->gaps = NULL;
	s->ngaps = 0;
	s->redis = NULL;
}

int64_t store_keep_ms(const struct store *s)
{
	return (int64_t)(24 + s->options->learn_hours) * MS_PER_HOUR;
}

// A session without tags is kept for `nowcast who` only: organisations make very many, of which few call.
static void send_session(struct store *s, struct str key, const struct batch_session *t)
{
	int64_t reopen_ms = t->tagged ? s->options->reopen_ms : 0;
	redis_begin_eval(s->redis, s->keep_longest, 1, 3);
	redis_arg(s->redis, key_session(&s->key, s->options->redis.prefix, key));
	redis_arg(s->redis, t->json);
	redis_argi(s->redis, s->options->window_ms + reopen_ms + store_keep_ms(s));
}

static void send_tags(struct store *s, const struct batch *b)
{
	for (int32_t i = 0; i < b->nsession_tags; i++) {
		const struct batch_session *t = &b->session_tags[i];
		send_session(s, t->access_key, t);
		if (t->arn_at_start.len)
			send_session(s, t->arn_at_start, t);
	}
	for (int32_t i = 0; i < b->ntag_changes; i++) {
		redis_begin_eval(s->redis, s->tags, 1, 4);
		redis_arg(s->redis, key_tags(&s->key, s->options->redis.prefix, b->tag_changes[i].key));
		redis_arg(s->redis, b->tag_changes[i].field);
		redis_arg(s->redis, b->tag_changes[i].json);
		redis_argi(s->redis, s->options->retention_ms + STORE_GRACE_MS);
	}
}

static void send_signals(struct store *s, const struct batch *b)
{
	static const char *const names[RECORD_KINDS] = {"call",   "call_tokens",  "amendment",
	                                                "metric", "session_tags", "principal_tags",
	                                                "telemetry"};
	struct buf now = BUF_INIT, event = BUF_INIT, member = BUF_INIT;
	struct str key = key_signals(&s->key, s->options->redis.prefix);
	buf_addf(&now, "%lld", (long long)when_now_ms());
	for (int kind = 0; kind < RECORD_KINDS; kind++) {
		if (!b->newest_ms[kind])
			continue;
		buf_clear(&event);
		buf_clear(&member);
		buf_addf(&event, "%lld", (long long)b->newest_ms[kind]);
		buf_addf(&member, "%s:arrived", names[kind]);
		redis_cmdz(s->redis, "ZADD", key.p, "GT", event.data, names[kind], now.data, member.data, NULL);
	}
	buf_release(&now);
	buf_release(&event);
	buf_release(&member);
}

// Where calls may have been counted before the tags of their sessions arrived: the accounts and Regions of
// the session's account, and those of other accounts where sessions of that account were seen.
struct relabel_scope {
	struct str *acct_regions;
	size_t nacct_regions;
	struct map cross_account; // account, and the account and Region where it called, by cross_account_key
};

static uint64_t cross_account_key(struct str account, struct str acct_region)
{
	return hash64_seeded(acct_region.p, acct_region.len, hash64(account.p, account.len));
}

static bool is_in_scope(const struct relabel_scope *p, struct str acct_region, const struct batch_session *t)
{
	struct str rest = acct_region, account = str_cut(&rest, '/');
	return !t->account.len || str_eq(t->account, account) ||
	       map_find(&p->cross_account, cross_account_key(t->account, acct_region));
}

static void queue_relabel(struct store *s, const struct batch *b, const struct relabel_scope *p)
{
	for (size_t i = 0; i < p->nacct_regions; i++) {
		int n = 0;
		for (int32_t k = 0; k < b->nsession_tags; k++)
			if (is_in_scope(p, p->acct_regions[i], &b->session_tags[k]))
				n += 1 + (b->session_tags[k].arn_at_start.len > 0);
		if (n == 0)
			continue;
		redis_begin_eval(s->redis, s->relabel, 1, 3 + n);
		redis_arg(s->redis, key_acct_region(&s->key, s->options->redis.prefix, p->acct_regions[i]));
		redis_argi(s->redis, s->options->settle_ms);
		redis_argz(s->redis, b->reopens ? "1" : "0");
		for (int32_t k = 0; k < b->nsession_tags; k++) {
			const struct batch_session *t = &b->session_tags[k];
			if (!is_in_scope(p, p->acct_regions[i], t))
				continue;
			redis_arg(s->redis, t->access_key);
			if (t->arn_at_start.len)
				redis_arg(s->redis, t->arn_at_start);
		}
	}
}

// Replies: the accounts and Regions, and the members of key_cross_account, "ACCOUNT A/R".
static void read_relabel_scope(struct redis *r, size_t acct_regions, size_t cross_account,
                               struct arena *arena, struct relabel_scope *ret)
{
	bool added;
	*ret = (struct relabel_scope){.nacct_regions = redis_len(r, acct_regions)};
	ret->acct_regions = arena_alloc(arena, (ret->nacct_regions + 1) * sizeof *ret->acct_regions);
	for (size_t i = 0; i < ret->nacct_regions; i++)
		ret->acct_regions[i] = arena_str(arena, redis_elem(r, acct_regions, i));
	for (size_t i = 0; i < redis_len(r, cross_account); i++) {
		struct str acct_region = redis_elem(r, cross_account, i), account = str_cut(&acct_region, ' ');
		map_add(&ret->cross_account, cross_account_key(account, acct_region), 0, &added);
	}
}

// A writer that finds no epoch offers one. An epoch other than the one known means that Redis has lost
// what was written before.
static bool send_epoch(struct store *s, struct arena *arena, struct err *err)
{
	if (getrandom(&s->offered, sizeof s->offered, 0) != sizeof s->offered)
		return err_set(err, ERR_RETRY, "getrandom: %s", strerror(errno));
	s->offered |= 1; // 0 is none
	redis_cmd(s->redis, 5,
	          (struct str[]){STR("SET"), key_epoch(&s->key, s->options->redis.prefix),
	                         arena_text(arena, "%016" PRIx64, s->offered), STR("NX"), STR("GET")});
	return true;
}

// The first reply is the epoch, none if it is the one offered.
static void detect_loss(struct store *s)
{
	uint64_t epoch = redis_nil(s->redis, 0) ? s->offered : strtoull(redis_str(s->redis, 0).p, NULL, 16);
	bool forgotten = s->epoch && s->epoch != epoch;
	s->epoch = epoch;
	s->marks_checked &= !forgotten;
	if (forgotten && s->positions != &s->own.all && s->options->on_forgotten) // else read_positions tells
		s->options->on_forgotten(s->options->user);
}

static void send_cross_account(struct store *s, const struct batch *b)
{
	struct str key = key_cross_account(&s->key, s->options->redis.prefix);
	struct buf now = BUF_INIT, member = BUF_INIT;
	buf_addf(&now, "%lld", (long long)when_now_ms());
	for (int32_t i = 0; i < b->nacct_regions; i++) {
		for (int32_t k = 0; k < b->acct_regions[i].ncross_account; k++) {
			buf_clear(&member);
			buf_addf(&member, "%.*s %.*s", STR_ARG(b->acct_regions[i].cross_account[k]),
			         STR_ARG(b->acct_regions[i].name));
			redis_cmd(s->redis, 5,
			          (struct str[]){STR("ZADD"), key, STR("GT"), buf_str(&now), buf_str(&member)});
		}
	}
	buf_release(&now);
	buf_release(&member);
}

enum { APPLIED = 5 }; // elements of what an invocation answers, the last one of its sections

// Replies first..first + n - 1 count what became of the records of each invocation.
static void add_counts(struct redis *r, size_t first, size_t n, struct engine_counts *counts)
{
	for (size_t i = first; i < first + n; i++) {
		uint64_t *into[] = {&counts->calls_new, &counts->calls_known, &counts->metrics, &counts->late};
		for (size_t k = 0; k < redis_len(r, i) && k < 4; k++)
			*into[k] += strtoull(redis_elem(r, i, k).p, NULL, 10);
	}
}

// The marks of the schema and of hashed names, at first and after Redis has lost them.
static bool check_marks(struct store *s, struct err *err)
{
	const struct engine_options *o = s->options;
	if (!s->marks_checked)
		s->marks_checked = schema_check(s->redis, o->redis.prefix, SCHEMA_WRITE, err) &&
		                   names_check(s->redis, o->redis.prefix, o->pseudonyms, err);
	return s->marks_checked;
}

// ---- positions

void store_add_gap(struct store *s, const struct gap *gap)
{
	if (s->ngaps == GAPS_MAX)
		return;
	s->gaps = xrealloc(s->gaps, s->ngaps + 1, sizeof *s->gaps);
	s->gaps[s->ngaps] = *gap;
	s->gaps[s->ngaps++].topic = xstrdup(str_of(gap->topic));
}

void store_note_read(struct store *s, int64_t from_minute, int64_t to_minute)
{
	if (!s->read_from || from_minute < s->read_from)
		s->read_from = from_minute;
	s->read_to = to_minute;
}

void store_note_loss(struct store *s, const struct loss *loss)
{
	s->loss = *loss;
}

static bool count_batch(struct store *s, struct err *err)
{
	if (!s->positions) {
		if (!batch_position_begin(&s->own, err))
			return false;
		s->positions = &s->own.all;
	}
	if (s->positions == &s->own.all)
		batch_position_next(&s->own);
	return true;
}

void store_check_loss(struct store *s)
{
	s->own.batches.check = s->positions == &s->own.all;
}

void store_end_batches(struct store *s)
{
	struct err ignored = ERR_INIT;
	if (s->positions != &s->own.all)
		return;
	positions_queue_end(s->redis, &s->key, s->options->redis.prefix, &s->own.all);
	(void)!redis_exec(s->redis, &ignored);
	s->positions = NULL;
	s->own = (struct batch_position){0};
}

bool store_has_more(const struct store *s)
{
	return s->positions && (s->ngaps > 0 || s->read_from > 0 || s->loss.seen_ms ||
	                        positions_are_due(s->positions));
}

// The last commands of a batch. Returns how many replies they will have.
static size_t send_positions(struct store *s)
{
	const char *prefix = s->options->redis.prefix;
	const struct observed_span read = {STR_NONE, OBSERVED_CALLS, s->read_from, s->read_to};
	if (!s->positions)
		return 0;
	redis_barrier(s->redis);
	s->note_replies = s->read_from ? observed_queue(s->redis, prefix, &read, s->options->retention_ms) : 0;
	if (s->loss.seen_ms)
		s->note_replies += positions_queue_loss(s->redis, &s->key, prefix, &s->loss);
	for (size_t i = 0; i < s->ngaps; i++)
		positions_queue_gap(s->redis, s->at, &s->key, prefix, s->positions, &s->gaps[i], when_now_ms());
	s->note_replies += s->ngaps + topic_lag_queue(s->redis, &s->key, prefix, s->positions, when_now_ms());
	int64_t keep_ms =
		s->positions == &s->own.all ? BATCH_POSITION_KEPT_MS : s->options->retention_ms;
	return s->note_replies + positions_queue(s->redis, s->at, &s->key, prefix, keep_ms, s->positions);
}

// `n` replies at the end are those of send_positions.
static void read_positions(struct store *s, size_t n)
{
	if (!s->positions)
		return;
	positions_read(s->redis, redis_count(s->redis) - n + s->note_replies, s->positions);
	for (size_t i = 0; i < s->positions->n; i++)
		s->positions->v[i].tell_lag = false;
	s->read_from = 0;
	s->loss = (struct loss){0};
	for (size_t i = 0; i < s->ngaps; i++)
		free((char *)s->gaps[i].topic);
	s->ngaps = 0;
	struct loss loss;
	if (s->positions != &s->own.all || !batch_position_is_behind(&s->own, &loss))
		return;
	if (!s->own_loss_unnoted)
		s->loss = loss;
	if (s->options->on_forgotten)
		s->options->on_forgotten(s->options->user);
}

bool store_learn_name_key(struct store *s, struct err *err)
{
	if (s->name_key_known)
		return true;
	s->name_key_known =
		check_marks(s, err) && name_key_take(s->redis, s->options->redis.prefix, &s->name_key, err);
	return s->name_key_known;
}

bool store_read_places(struct store *s, struct batch *b, struct err *err)
{
	struct arena arena = ARENA_INIT;
	redis_cmd(s->redis, 2,
	          (struct str[]){STR("SMEMBERS"), key_acct_regions(&s->key, s->options->redis.prefix)});
	bool good = redis_exec(s->redis, err);
	size_t n = good ? redis_len(s->redis, 0) : 0;
	struct str *list = arena_alloc(&arena, (n + 1) * sizeof *list);
	for (size_t i = 0; i < n; i++)
		list[i] = redis_elem(s->redis, 0, i);
	if (good)
		batch_set_places(b, list, n);
	arena_release(&arena);
	return good;
}

// Redis may have been emptied since the last batch. Then it is given the key again, unless another program
// has begun to fill it: then the batch gets that program's.
static bool agree_on_name_key(struct store *s, struct batch *b, struct err *err)
{
	if (!store_learn_name_key(s, err) ||
	    !name_key_take(s->redis, s->options->redis.prefix, &s->name_key, err))
		return false;
	batch_rekey(b, &s->name_key);
	return true;
}

// What is known of a batch that is being written.
struct writing {
	struct store *s;
	struct batch *b;
	struct arena arena;
	size_t *evals;         // of each account and Region
	struct str *answers;   // what apply.lua said of the sections of each
	bool spread;           // some have shards
	bool refused;          // some were spread over another number of shards than they have
	struct engine_counts counts;
};

// Queues all that is written before the facts, and those of accounts and Regions.
static bool send_facts(struct writing *w, struct err *err)
{
	struct store *s = w->s;
	struct batch *b = w->b;
	w->spread = false;
	w->evals = arena_alloc(&w->arena, ((size_t)b->nacct_regions + 1) * sizeof *w->evals);
	w->answers = arena_alloc(&w->arena, ((size_t)b->nacct_regions + 1) * sizeof *w->answers);
	w->counts = (struct engine_counts){0};
	if (!send_epoch(s, &w->arena, err))
		return false;
	batch_sort(b);
	send_signals(s, b);
	send_tags(s, b);
	send_cross_account(s, b);
	redis_barrier(s->redis); // who sees the facts sees all this, and who finds no facts writes tags after it
	for (int32_t i = 0; i < b->nacct_regions; i++) {
		w->spread |= store_shards(s, b->acct_regions[i].name) > 1;
		w->evals[i] = store_send_place(s, &b->acct_regions[i]);
	}
	return true;
}

// `end`: the reply behind those of the facts.
static void read_facts(struct writing *w, size_t end)
{
	struct redis *r = w->s->redis;
	struct buf answers = BUF_INIT;
	size_t n = 0;
	for (int32_t i = 0; i < w->b->nacct_regions; i++)
		n += w->evals[i];
	add_counts(r, end - n, n, &w->counts);
	for (int32_t i = 0; i < w->b->nacct_regions; i++) {
		struct str name = w->b->acct_regions[i].name;
		int shards = store_shards(w->s, name);
		buf_clear(&answers);
		for (size_t k = end - n; k < end - n + w->evals[i]; k++) {
			if (redis_len(r, k) == APPLIED) {
				buf_addstr(&answers, redis_elem(r, k, APPLIED - 1));
			} else if (redis_len(r, k) == 1) {
				shards = (int)strtol(redis_elem(r, k, 0).p, NULL, 10);
				w->refused = true;
			}
		}
		n -= w->evals[i];
		w->answers[i] = arena_str(&w->arena, buf_str(&answers));
		if (shards > 1 || w->refused)
			store_learn_shards(w->s, name, shards, true);
	}
	buf_release(&answers);
	detect_loss(w->s);
}

// The calls of accounts and Regions with shards, once these have taken the rest. Returns how many invocations
// there are.
static bool send_shards(struct writing *w, size_t *ret_evals, struct err *err)
{
	*ret_evals = 0;
	if (!w->spread)
		return true;
	if (!redis_exec(w->s->redis, err))
		return false;
	read_facts(w, redis_count(w->s->redis));
	for (int32_t i = 0; !w->refused && i < w->b->nacct_regions; i++)
		if (store_shards(w->s, w->b->acct_regions[i].name) > 1)
			*ret_evals += store_send_shards(w->s, &w->b->acct_regions[i], w->answers[i], &w->arena);
	return true;
}

// Whether the shards took the calls: one that was written as one of another number refuses them. That is so
// if the account and Region was lost, and is configured otherwise than before.
static bool shards_agree(const struct redis *r, size_t first, size_t n, struct err *err)
{
	for (size_t i = first; i < first + n; i++)
		if (redis_len(r, i) == 1)
			return err_set(
				err, ERR_RETRY,
				"redis %s: a shard has calls that were spread over %.*s, another number than `shards` says now: "
				"set it to that, or see docs/operations.md, Shards",
				redis_where(r), STR_ARG(str_after_last(redis_elem(r, i, 0), '~')));
	return true;
}

// False, without an error, if the batch was spread over another number of shards than Redis has.
static bool write_batch(struct writing *w, struct err *err)
{
	struct store *s = w->s;
	struct batch *b = w->b;
	const char *prefix = s->options->redis.prefix;
	bool tagged = b->nsession_tags > 0;
	size_t evals, more = 0;
	w->refused = false;
	if ((b->reopens && !store_unpack(s, b, err)) || !send_facts(w, err) || !send_shards(w, &evals, err) ||
	    w->refused)
		return false;
	// After the facts: drop_empty (store_settle.c) relies on it.
	redis_barrier(s->redis);
	for (int32_t i = 0; i < b->nacct_regions; i++)
		redis_cmd(s->redis, 3,
		          (struct str[]){STR("SADD"), key_acct_regions(&s->key, prefix), b->acct_regions[i].name});
	if (tagged) {
		redis_cmd(s->redis, 2, (struct str[]){STR("SMEMBERS"), key_acct_regions(&s->key, prefix)});
		redis_cmd(s->redis, 4,
		          (struct str[]){STR("ZRANGE"), key_cross_account(&s->key, prefix), STR("0"), STR("-1")});
	}
	if (!tagged)
		more = send_positions(s);
	if (!redis_exec(s->redis, err))
		return false;
	size_t end = redis_count(s->redis) - (tagged ? 2 : 0) - (size_t)b->nacct_regions - more;
	if (w->spread && !shards_agree(s->redis, end - evals, evals, err))
		return false;
	if (w->spread)
		add_counts(s->redis, end - evals, evals, &w->counts);
	else
		read_facts(w, end);
	if (w->refused)
		return false;
	if (tagged) {
		struct relabel_scope p;
		size_t last = redis_count(s->redis);
		read_relabel_scope(s->redis, last - 2, last - 1, &w->arena, &p);
		queue_relabel(s, b, &p);
		more = send_positions(s); // Redis has the batch once this is done, too
		bool good = redis_exec(s->redis, err);
		map_release(&p.cross_account);
		if (!good)
			return false;
	}
	read_positions(s, more);
	return true;
}

static bool apply(struct store *s, struct batch *b, struct engine_counts *counts, struct err *err)
{
	struct writing w = {.s = s, .b = b};
	if (!check_marks(s, err) || !agree_on_name_key(s, b, err) || !count_batch(s, err))
		return false;
	bool good = write_batch(&w, err);
	for (int again = 0; !good && w.refused && again < SHARDS_AGAIN; again++)
		good = write_batch(&w, err);
	if (!good && w.refused)
		err_set(err, ERR_RETRY, "redis %s: the number of shards of an account and Region keeps changing",
		        redis_where(s->redis));
	if (good) {
		counts->calls_new += w.counts.calls_new;
		counts->calls_known += w.counts.calls_known;
		counts->metrics += w.counts.metrics;
		counts->late += w.counts.late;
		counts->tags += (uint64_t)b->nsession_tags + (uint64_t)b->ntag_changes;
	}
	arena_release(&w.arena);
	return good;
}

// A master that goes between the facts and the positions may have taken facts with it: then all is sent
// again.
bool store_apply(struct store *s, struct batch *b, struct engine_counts *counts, struct err *err)
{
	redis_keep_whole(s->redis, true);
	bool good = apply(s, b, counts, err);
	redis_keep_whole(s->redis, false);
	return good;
}
