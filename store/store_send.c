// SPDX-License-Identifier: Apache-2.0
// The sections of a batch as arguments of apply.lua, a few thousand calls an invocation, so that Redis never
// blocks for long.
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "store/keys.h"
#include "store/shards.h"
#include "store/store_priv.h"

enum { CALLS_PER_EVAL = 4000, PARTS_PER_EVAL = 64 }; // calls: at most 65535, so many may be in one run
enum { PAIR_CALLS = 8 }; // from so many on a number for their pair takes less memory than it saves

// ---- how many shards ------------------------------------------------------------------------------

static uint64_t place_key(struct str acct_region)
{
	return hash64(acct_region.p, acct_region.len);
}

// 0: Redis was asked, and has none; yet there may be no facts either, so that it is not settled.
static const int32_t *find_shards(const struct store *s, struct str acct_region)
{
	return map_find(&s->shards, place_key(acct_region));
}

int store_shards(const struct store *s, struct str acct_region)
{
	const int32_t *known = find_shards(s, acct_region);
	return known && *known ? *known : shard_counts_of(s->options->shards, acct_region);
}

int store_shards_held(const struct store *s, struct str acct_region, bool *ret_asked)
{
	const int32_t *known = find_shards(s, acct_region);
	*ret_asked = known != NULL;
	return known && *known > 1 ? *known : 1;
}

bool store_learn_shards(struct store *s, struct str acct_region, int n, bool fixed)
{
	bool added;
	int configured = shard_counts_of(s->options->shards, acct_region);
	int32_t *known = map_add(&s->shards, place_key(acct_region), 0, &added), was = *known;
	if (n > 1 || fixed)
		*known = n;
	if (*known && *known != was && n != configured && s->options->on_shards)
		s->options->on_shards(s->options->user, acct_region, n, configured);
	return n != (was > 1 ? was : 1);
}

void store_forget_shards(struct store *s, struct str acct_region)
{
	bool added;
	*map_add(&s->shards, place_key(acct_region), 0, &added) = 0;
}

// ---- sections -------------------------------------------------------------------------------------

// What of a section goes into one invocation.
struct eval_part {
	const struct section *section;
	int32_t first, ncalls;
	bool rest;   // metrics, sessions, candidates, tellings and observed minutes too
	bool counted; // the calls are only counted here: shards have them
	bool closed; // to a shard: the bucket beyond the edge takes no more records
	const struct batch_name *names;
	int32_t nnames;
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
	return 13 + 3 * p->nnames +
	       (p->rest ? 7 * s->nmetrics + s->nsessions + 3 * s->ncandidates + 4 * s->ntellings +
	                      3 * count_observed(s)
	                : 0);
}

static void write_run(struct buf *text, const uint8_t *bytes, size_t len, int32_t n)
{
	buf_addc(text, (char)len);
	buf_add(text, bytes, len);
	buf_addc(text, (char)(n >> 8));
	buf_addc(text, (char)n);
}

// The runs of equal evidence. Where a pair of a model and a caller has some calls, it comes first, as a run
// of no call, and then the short forms. Returns whether there is such a pair.
static bool write_runs(const struct section *s, int32_t first, int32_t end, struct buf *text)
{
	bool numbered = false, some = false;
	int64_t first_minute = (s->bucket - 1) * BUCKET_HOURS * 60;
	uint8_t form[EVIDENCE_HEAD - EVIDENCE_NUMBER];
	for (int32_t i = first, same = first, n; i < end; i += n) {
		const struct evidence *e = &s->calls[i];
		if (i == same) { // the first of its pair
			while (same < end && memcmp(s->calls[same].bytes, e->bytes, EVIDENCE_AT_TIME) == 0)
				same++;
			if (same - i >= PAIR_CALLS)
				write_run(text, e->bytes, EVIDENCE_AT_TIME, 0);
			numbered = same - i >= PAIR_CALLS;
			some |= numbered;
		}
		n = run_length(s, i, end);
		size_t len = numbered ? evidence_shorten(e, first_minute, form) : 0;
		write_run(text, len ? form : e->bytes, len ? len : e->len, n);
	}
	return some;
}

// The ids of calls, their runs and their sums, each in one argument: an argument a call costs Redis more than
// to cut them out. The sums are left out where most cells have one call, which costs as much to count, unless
// there are short forms, which would have to be expanded for that; and of records of calls that are in the
// batch already, for they would not be used.
static void send_calls(struct store *to, const struct eval_part *p)
{
	struct redis *r = to->redis;
	struct buf *text = &to->key;
	const struct section *s = p->section;
	int32_t end = p->counted ? p->first : p->first + p->ncalls;
	call_sums_clear(&to->sums);
	buf_clear(text);
	for (int32_t i = p->first; i < end; i++)
		buf_add(text, s->calls[i].id, EVIDENCE_ID);
	redis_arg(r, buf_str(text));
	buf_clear(text);
	bool some_short = write_runs(s, p->first, end, text);
	redis_arg(r, buf_str(text));
	for (int32_t i = p->first, n; s->turn == 0 && i < end; i += n) {
		n = run_length(s, i, end);
		call_sums_add(&to->sums, &s->calls[i], n);
	}
	buf_clear(text);
	if (s->turn == 0 && (some_short || 2 * to->sums.n <= p->ncalls))
		call_sums_write(&to->sums, text);
	redis_arg(r, buf_str(text));
}

static void send_part(struct store *to, const struct eval_part *p)
{
	struct redis *r = to->redis;
	const struct section *s = p->section;
	int32_t nmetrics = p->rest ? s->nmetrics : 0, nsessions = p->rest ? s->nsessions : 0,
			ncandidates = p->rest ? s->ncandidates : 0, ntellings = p->rest ? s->ntellings : 0;
	redis_argi(r, s->bucket);
	if (s->other && p->closed)
		redis_argz(r, "closed");
	else if (s->other)
		redis_argi(r, s->bucket + s->other);
	else
		redis_arg(r, STR(""));
	redis_argz(r, s->reopens ? "1" : "0");
	redis_argi(r, p->ncalls);
	redis_argi(r, nmetrics);
	redis_argi(r, p->nnames);
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
		redis_argi(r, m->larger);
	}
	for (int32_t i = 0; i < p->nnames; i++) {
		redis_arg64(r, p->names[i].id);
		redis_arg(r, p->names[i].text);
		if (p->names[i].model)
			redis_arg64(r, p->names[i].model);
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

// One invocation after the other.
struct evals {
	struct store *to;
	struct str place;   // account and Region, or shard
	int shards;
	bool in_shard;      // `place` is one of them
	struct eval_part parts[PARTS_PER_EVAL];
	int nparts;
	int32_t ncalls;
	size_t n;           // invocations so far
};

// An invocation of apply.lua up to its sections; `argc` arguments follow. What changes in a shard is due
// there at once: settle_ms is waited for where the hour is computed.
static void begin_apply(struct store *s, struct str place, const char *shards, int argc)
{
	const struct engine_options *o = s->options;
	redis_begin_eval(s->redis, s->apply, 1, 1 + 12 + argc);
	redis_arg(s->redis, key_acct_region(&s->key, o->redis.prefix, place));
	redis_argi(s->redis, o->window_ms);
	redis_argi(s->redis, store_keep_ms(s));
	redis_argi(s->redis, shards[0] == '~' ? 0 : o->settle_ms);
	redis_argi(s->redis, o->lookback_minutes);
	redis_argi(s->redis, o->sessions_max);
	redis_argi(s->redis, o->users_max);
	redis_argi(s->redis, o->models_max);
	redis_argi(s->redis, o->label_keys_max);
	redis_argi(s->redis, o->label_values_max);
	redis_argi(s->redis, o->reopen_ms);
	redis_argi(s->redis, o->retention_ms);
	redis_argz(s->redis, shards);
}

static void send_eval(struct evals *x)
{
	char shards[8];
	int argc = 0;
	if (x->nparts == 0)
		return;
	for (int i = 0; i < x->nparts; i++)
		argc += count_args(&x->parts[i]);
	snprintf(shards, sizeof shards, "%s%d", x->in_shard ? "~" : "", x->shards);
	begin_apply(x->to, x->place, shards, argc);
	for (int i = 0; i < x->nparts; i++)
		send_part(x->to, &x->parts[i]);
	x->nparts = 0;
	x->ncalls = 0;
	x->n++;
}

static void add_part(struct evals *x, const struct eval_part *p)
{
	x->parts[x->nparts++] = *p;
	x->ncalls += p->counted ? 0 : p->ncalls;
	if (x->ncalls == CALLS_PER_EVAL || x->nparts == PARTS_PER_EVAL)
		send_eval(x);
}

// How many calls from `first` on, up to `end`, the invocation in hand has room for.
static int32_t take_calls(const struct evals *x, int32_t first, int32_t end)
{
	int32_t room = CALLS_PER_EVAL - x->ncalls;
	return end - first < room ? end - first : room;
}

size_t store_send_place(struct store *s, const struct batch_acct_region *place)
{
	struct evals x = {.to = s, .place = place->name, .shards = store_shards(s, place->name)};
	bool spread = x.shards > 1;
	for (int32_t i = 0; i < place->nsections; i++) {
		const struct section *section = &place->sections[i];
		int32_t first = 0;
		do {
			struct eval_part p = {.section = section, .first = first, .counted = spread};
			p.ncalls = spread ? section->ncalls : take_calls(&x, first, section->ncalls);
			p.rest = first == 0;
			p.names = section->names;
			p.nnames = p.rest ? section->nnames : 0;
			add_part(&x, &p);
			first += p.ncalls;
		} while (first < section->ncalls);
	}
	send_eval(&x);
	return x.n;
}

// ---- shards -------------------------------------------------------------------------------------

// Puts the calls of a section into the order of their shards, those of each as they were: so equal evidence
// stays side by side. Those of shard k are [ends[k - 1], ends[k]) then.
static const int32_t *spread_calls(const struct section *section, int shards, struct arena *arena)
{
	int32_t *ends = arena_alloc(arena, ((size_t)shards + 1) * sizeof *ends), at[SHARDS_MAX + 1] = {0};
	size_t n = (size_t)section->ncalls;
	uint8_t *of = xcalloc(n + 1, sizeof *of);
	struct evidence *calls = xcalloc(n + 1, sizeof *calls);
	memset(ends, 0, ((size_t)shards + 1) * sizeof *ends);
	for (size_t i = 0; i < n; i++) {
		of[i] = (uint8_t)shard_of_call(section->calls[i].id, shards);
		ends[of[i]]++;
	}
	for (int k = 1; k <= shards; k++) {
		at[k] = ends[k - 1];
		ends[k] += ends[k - 1];
	}
	for (size_t i = 0; i < n; i++)
		calls[at[of[i]]++] = section->calls[i];
	if (n)
		memcpy(section->calls, calls, n * sizeof *calls);
	free(calls);
	free(of);
	return ends;
}

static void add_used(struct map *used, const uint8_t *id)
{
	bool added;
	map_add(used, bytes_get64(id), 0, &added);
}

// The names of the models, callers and metadata of some calls: records of one call that contradict each other
// are joined by them. Figures take names from the account and Region.
static void list_names(struct eval_part *p, struct arena *arena)
{
	const struct section *s = p->section;
	struct map used = MAP_INIT;
	struct batch_name *names = arena_alloc(arena, ((size_t)s->nnames + 1) * sizeof *names);
	int32_t end = p->first + p->ncalls;
	for (int32_t i = p->first; i < end; i += run_length(s, i, end)) {
		const struct evidence *e = &s->calls[i];
		add_used(&used, e->bytes + EVIDENCE_AT_MODEL);
		add_used(&used, e->bytes + EVIDENCE_AT_CALLER);
		if ((e->len - EVIDENCE_HEAD) % EVIDENCE_TOKENS)
			add_used(&used, e->bytes + e->len - sizeof(uint64_t));
	}
	for (int32_t i = 0; i < s->nnames; i++)
		if (!s->names[i].model && map_find(&used, s->names[i].id))
			names[p->nnames++] = s->names[i];
	p->names = names;
	map_release(&used);
}

size_t store_send_shards(struct store *s, const struct batch_acct_region *place, struct str answers,
                         struct arena *arena)
{
	int shards = store_shards(s, place->name);
	struct buf name = BUF_INIT;
	struct evals x = {.to = s, .shards = shards, .in_shard = true};
	const int32_t **ends = arena_alloc(arena, ((size_t)place->nsections + 1) * sizeof *ends);
	assert(answers.len == (size_t)place->nsections);
	for (int32_t i = 0; i < place->nsections; i++)
		ends[i] = spread_calls(&place->sections[i], shards, arena);
	for (int k = 1; k <= shards; k++) {
		x.place = shard_place(&name, place->name, k);
		for (int32_t i = 0; i < place->nsections; i++) {
			int32_t first = ends[i][k - 1];
			while (answers.p[i] != '0' && first < ends[i][k]) {
				struct eval_part p = {.section = &place->sections[i], .first = first};
				p.closed = answers.p[i] == '2';
				p.ncalls = take_calls(&x, first, ends[i][k]);
				list_names(&p, arena);
				add_part(&x, &p);
				first += p.ncalls;
			}
		}
		send_eval(&x);
	}
	buf_release(&name);
	return x.n;
}

void store_queue_promoted(struct store *s, struct str acct_region, int shard, struct str promoted,
                          const struct str *members, size_t n)
{
	begin_apply(s, acct_region, "due", 2 + (int)n);
	redis_argi(s->redis, shard);
	redis_arg(s->redis, promoted);
	for (size_t i = 0; i < n; i++)
		redis_arg(s->redis, members[i]);
}
