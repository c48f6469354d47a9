// SPDX-License-Identifier: Apache-2.0
// Writes facts: they are sent as arguments of apply.lua, a few thousand calls an invocation, so that Redis
// never blocks for long. All invocations of a batch go out in one pipeline. store_read.c reads facts,
// store_settle.c writes figures.
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

EMBED_SCRIPTS(apply_lua, "store/calls.lua", "store/apply.lua")
EMBED_SCRIPT(hour_stats_lua, "store/hour_stats.lua")
EMBED_SCRIPTS(settle_lua, "store/figures.lua", "store/settle.lua")
EMBED_SCRIPTS(claim_lua, "store/pack.lua", "store/claim.lua")
EMBED_SCRIPTS(unpack_lua, "store/pack.lua", "store/unpack.lua")
EMBED_SCRIPT(relabel_lua, "store/relabel.lua")
EMBED_SCRIPT(keep_longest_lua, "store/keep_longest.lua")
EMBED_SCRIPT(tags_lua, "store/tags.lua")

enum { CALLS_PER_EVAL = 4000 }; // at most 65535: so many may be in one run

bool store_open(struct store *s, const struct engine_options *o, struct err *err)
{
	*s = (struct store){.options = o};
	if (!schema_open(&s->redis, o->redis, SCHEMA_WRITE, err))
		return false;
	s->apply = redis_script(s->redis, apply_lua());
	s->hour_stats = redis_script(s->redis, hour_stats_lua());
	s->settle = redis_script(s->redis, settle_lua());
	s->claim = redis_script(s->redis, claim_lua());
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

// What of a section goes into one invocation.
struct eval_part {
	const struct section *section;
	int32_t first, ncalls;
	bool rest; // metrics, names, sessions, candidates, tellings and observed minutes too
};

static bool same_evidence(const struct evidence *a, const struct evidence *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

// How many calls from `i` on, up to `end`, have equal evidence; batch_sort has put them side by side.
static int32_t run_length(const struct section *s, int32_t i, int32_t end)
{
	int32_t n = 1;
	while (i + n < end && same_evidence(&s->calls[i], &s->calls[i + n]))
		n++;
	return n;
}

// The runs of minutes that a section has observed: their number, or into the invocation.
static int32_t count_observed(const struct section *s)
{
	struct observed_run run;
	int32_t n = 0;
	for (int signal = 0; signal < OBSERVED_SIGNALS; signal++)
		for (int at = 0; observed_next_run(s->observed[signal], BUCKET_HOURS, &at, &run);)
			n++;
	return n;
}

static void send_observed(struct redis *r, const struct section *s)
{
	struct observed_run run;
	int64_t first = s->bucket % BUCKETS_A_DAY * BUCKET_HOURS * 60;
	for (int signal = 0; signal < OBSERVED_SIGNALS; signal++)
		for (int at = 0; observed_next_run(s->observed[signal], BUCKET_HOURS, &at, &run);) {
			redis_argz(r, observed_words[signal]);
			redis_argi(r, first + run.first);
			redis_argi(r, run.n);
		}
}

static int count_args(const struct eval_part *p)
{
	const struct section *s = p->section;
	return 13 + (p->rest ? 6 * s->nmetrics + 3 * s->nnames + s->nsessions + 3 * s->ncandidates +
	                           4 * s->ntellings + 3 * count_observed(s)
	                     : 0);
}

// The ids of calls, their runs and their sums, each in one argument: an argument a call costs Redis more than
// to cut them out. The sums are left out where most cells have one call, which costs as much to count; and of
// records of calls that are in the batch already, for they would not be used.
static void send_calls(struct store *to, const struct eval_part *p)
{
	struct redis *r = to->redis;
	struct buf *text = &to->key;
	const struct section *s = p->section;
	int32_t end = p->first + p->ncalls;
	call_sums_clear(&to->sums);
	buf_clear(text);
	for (int32_t i = p->first; i < end; i++)
		buf_add(text, s->calls[i].id, EVIDENCE_ID);
	redis_arg(r, buf_str(text));
	buf_clear(text);
	for (int32_t i = p->first, n; i < end; i += n) {
		n = run_length(s, i, end);
		if (s->turn == 0)
			call_sums_add(&to->sums, &s->calls[i], n);
		buf_addc(text, (char)s->calls[i].len);
		buf_add(text, s->calls[i].bytes, s->calls[i].len);
		buf_addc(text, (char)(n >> 8));
		buf_addc(text, (char)n);
	}
	redis_arg(r, buf_str(text));
	buf_clear(text);
	if (s->turn == 0 && 2 * to->sums.n <= p->ncalls)
		call_sums_write(&to->sums, text);
	redis_arg(r, buf_str(text));
}

static void send_part(struct store *to, const struct eval_part *p)
{
	struct redis *r = to->redis;
	const struct section *s = p->section;
	int32_t nmetrics = p->rest ? s->nmetrics : 0, nnames = p->rest ? s->nnames : 0,
			nsessions = p->rest ? s->nsessions : 0, ncandidates = p->rest ? s->ncandidates : 0,
			ntellings = p->rest ? s->ntellings : 0;
	redis_argi(r, s->bucket);
	if (s->other)
		redis_argi(r, s->bucket + s->other);
	else
		redis_arg(r, STR(""));
	redis_argz(r, s->reopens ? "1" : "0");
	redis_argi(r, p->ncalls);
	redis_argi(r, nmetrics);
	redis_argi(r, nnames);
	redis_argi(r, nsessions);
	redis_argi(r, ncandidates);
	redis_argi(r, ntellings);
	redis_argi(r, p->rest ? count_observed(s) : 0);
	send_calls(to, p);
	for (int32_t i = 0; i < nmetrics; i++) {
		const struct batch_metric *m = &s->metrics[i];
		redis_arg64(r, m->model_id);
		redis_argi(r, m->minute);
		redis_argz(r, m->name);
		redis_argi(r, m->rank);
		redis_argi(r, m->sum);
		redis_argi(r, m->samples);
	}
	for (int32_t i = 0; i < nnames; i++) {
		redis_arg64(r, s->names[i].id);
		redis_arg(r, s->names[i].text);
		if (s->names[i].model)
			redis_arg64(r, s->names[i].model);
		else
			redis_arg(r, STR(""));
	}
	for (int32_t i = 0; i < nsessions; i++)
		redis_arg(r, s->sessions[i]);
	for (int32_t i = 0; i < ncandidates; i++) {
		redis_arg(r, s->candidates[i].group);
		redis_arg(r, s->candidates[i].name);
		redis_argi(r, s->candidates[i].minute);
	}
	for (int32_t i = 0; i < ntellings; i++) {
		redis_arg64(r, s->tellings[i].model_id);
		redis_argi(r, s->tellings[i].minute);
		redis_arg(r, (struct str){s->tellings[i].digest, CELL_DIGEST_SIZE});
		redis_arg(r, s->tellings[i].value);
	}
	if (p->rest)
		send_observed(r, s);
}

static void send_parts(struct store *s, struct str acct_region, const struct eval_part *parts, int n)
{
	const struct engine_options *o = s->options;
	int argc = 1 + 11;
	for (int i = 0; i < n; i++)
		argc += count_args(&parts[i]);
	redis_begin_eval(s->redis, s->apply, 1, argc);
	redis_arg(s->redis, key_acct_region(&s->key, o->redis.prefix, acct_region));
	redis_argi(s->redis, o->window_ms);
	redis_argi(s->redis, store_keep_ms(s));
	redis_argi(s->redis, o->settle_ms);
	redis_argi(s->redis, o->lookback_minutes);
	redis_argi(s->redis, o->sessions_max);
	redis_argi(s->redis, o->users_max);
	redis_argi(s->redis, o->models_max);
	redis_argi(s->redis, o->label_keys_max);
	redis_argi(s->redis, o->label_values_max);
	redis_argi(s->redis, o->reopen_ms);
	redis_argi(s->redis, o->retention_ms);
	for (int i = 0; i < n; i++)
		send_part(s, &parts[i]);
}

// Sections are gathered into invocations of at most CALLS_PER_EVAL calls. Returns how many invocations there
// are.
static size_t send_acct_region(struct store *s, const struct batch_acct_region *acct_region)
{
	struct eval_part parts[64];
	int n = 0;
	int32_t calls = 0;
	size_t evals = 0;
	for (int32_t i = 0; i < acct_region->nsections; i++) {
		const struct section *x = &acct_region->sections[i];
		int32_t first = 0;
		do {
			int32_t take = x->ncalls - first, room = CALLS_PER_EVAL - calls;
			take = take > room ? room : take;
			parts[n++] = (struct eval_part){x, first, take, first == 0};
			first += take;
			calls += take;
			if (calls == CALLS_PER_EVAL || n == 64) {
				send_parts(s, acct_region->name, parts, n);
				evals++;
				n = 0;
				calls = 0;
			}
		} while (first < x->ncalls);
	}
	if (n > 0) {
		send_parts(s, acct_region->name, parts, n);
		evals++;
	}
	return evals;
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
	if (forgotten && s->options->on_forgotten)
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
	if (!s->positions && redis_spans(s->redis)) {
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
	s->note_replies += s->ngaps + positions_queue_endangered(s->redis, &s->key, prefix, s->positions,
	                                                         when_now_ms());
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
		s->positions->v[i].tell_endangered = false;
	s->read_from = 0;
	s->loss = (struct loss){0};
	for (size_t i = 0; i < s->ngaps; i++)
		free((char *)s->gaps[i].topic);
	s->ngaps = 0;
	bool own = s->positions == &s->own.all;
	if (own && batch_position_is_behind(&s->own, &s->loss) && s->options->on_forgotten)
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

static bool apply_batch(struct store *s, struct batch *b, struct engine_counts *counts, struct err *err)
{
	struct arena arena = ARENA_INIT;
	const char *prefix = s->options->redis.prefix;
	bool tagged = b->nsession_tags > 0;
	size_t evals = 0, more = 0;
	if (!check_marks(s, err) || !agree_on_name_key(s, b, err) || (b->reopens && !store_unpack(s, b, err)) ||
	    !count_batch(s, err) || !send_epoch(s, &arena, err)) {
		arena_release(&arena);
		return false;
	}
	batch_sort(b);
	send_signals(s, b);
	send_tags(s, b);
	send_cross_account(s, b);
	redis_barrier(s->redis); // who sees the facts sees all this, and who finds no facts writes tags after it
	for (int32_t i = 0; i < b->nacct_regions; i++)
		evals += send_acct_region(s, &b->acct_regions[i]);
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
	bool good = redis_exec(s->redis, err);
	if (good) {
		size_t end = redis_count(s->redis) - (tagged ? 2 : 0) - (size_t)b->nacct_regions - more;
		add_counts(s->redis, end - evals, evals, counts);
		detect_loss(s);
	}
	if (good && tagged) {
		struct relabel_scope p;
		size_t last = redis_count(s->redis);
		read_relabel_scope(s->redis, last - 2, last - 1, &arena, &p);
		queue_relabel(s, b, &p);
		more = send_positions(s); // Redis has the batch once this is done, too
		good = redis_exec(s->redis, err);
		map_release(&p.cross_account);
	}
	if (good)
		read_positions(s, more);
	if (good)
		counts->tags += (uint64_t)b->nsession_tags + (uint64_t)b->ntag_changes;
	arena_release(&arena);
	return good;
}

// The positions say that Redis has the batch, so that what one master has taken of it has to be there still
// when they are written.
bool store_apply(struct store *s, struct batch *b, struct engine_counts *counts, struct err *err)
{
	redis_keep_whole(s->redis, true);
	bool good = apply_batch(s, b, counts, err);
	redis_keep_whole(s->redis, false);
	return good;
}
