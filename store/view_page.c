// SPDX-License-Identifier: Apache-2.0
// Reads some model hours in one round trip; a second one fetches the tags of principals not met before. A
// view that keeps model hours first asks for the digests of the page, then for those model hours whose digest
// is another, and takes the others from its cache.
#include <stdlib.h>

#include "base/arn.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/when.h"
#include "store/actual.h"
#include "store/cardinality.h"
#include "store/usage_rows.h"
#include "store/view_priv.h"

enum { TORN_TRIES = 20, ROWS_AT_ONCE = 10000 };

// ---- model hours --------------------------------------------------------------------------------

static struct str role_name(struct str arn)
{
	struct str rest = arn;
	arn_cut_account(&rest);
	struct str kind = str_cut(&rest, '/');
	return str_is(kind, "assumed-role") ? str_cut(&rest, '/') : str_is(kind, "role") ? rest : STR("");
}

static int by_row(const void *a, const void *b)
{
	return row_cmp(a, b);
}

static void sort_rows(struct view_row *rows, int n)
{
	if (n > 1)
		qsort(rows, (size_t)n, sizeof *rows, by_row);
}

static void add_estimate_row(struct view *v, struct str field, struct str value, struct view_row *rows,
                             struct model_hour *model_hour)
{
	struct view_row *row = &rows[model_hour->nestimate];
	if (!row_read(field, value, row))
		return;
	row->principal = cardinality_shown(&v->arena, row->principal);
	row->role = role_name(row->principal);
	model_hour->nestimate++;
}

static struct telemetry_calls read_telemetry(struct str value)
{
	struct telemetry_calls t = {.used = str_cut_count(&value)};
	t.refused = str_cut_count(&value);
	t.unjoined = str_cut_count(&value);
	return t;
}

// Replies: the meta hash, the usage hash, then the digest once more (is_torn). *ret_model: the name to show,
// or none. Returns the digest, or 0.
static uint64_t read_estimate(struct view *v, size_t reply, struct model_hour *model_hour,
                              struct str *ret_model)
{
	uint64_t digest = 0;
	size_t nmeta = redis_len(v->redis, reply) / 2, nusage = redis_len(v->redis, reply + 1) / 2;
	struct view_row *rows = arena_alloc(&v->arena, (nmeta + nusage + 1) * sizeof *rows);
	for (size_t i = 0; i < nmeta; i++) {
		struct str field = arena_str(&v->arena, redis_elem(v->redis, reply, 2 * i)),
				   value = redis_elem(v->redis, reply, 2 * i + 1);
		if (str_is(field, META_MODEL))
			*ret_model = arena_str(&v->arena, value);
		else if (str_is(field, META_FOUNDATION))
			model_hour->foundation = arena_str(&v->arena, value);
		else if (str_is(field, META_TELEMETRY))
			model_hour->telemetry = read_telemetry(value);
		else if (str_is(field, META_DIGEST))
			digest = row_digest_parse(value);
		else
			add_estimate_row(v, field, value, rows, model_hour);
	}
	for (size_t i = 0; i < nusage; i++)
		add_estimate_row(v, arena_str(&v->arena, redis_elem(v->redis, reply + 1, 2 * i)),
		                 redis_elem(v->redis, reply + 1, 2 * i + 1), rows, model_hour);
	sort_rows(rows, model_hour->nestimate);
	model_hour->estimate = rows;
	return digest;
}

static void read_actual(struct view *v, size_t reply, struct model_hour *model_hour)
{
	size_t n = redis_len(v->redis, reply) / 2;
	struct view_row *rows = arena_alloc(&v->arena, (n + 1) * sizeof *rows);
	for (size_t i = 0; i < n; i++) {
		struct str field = arena_str(&v->arena, redis_elem(v->redis, reply, 2 * i)),
				   value = arena_str(&v->arena, redis_elem(v->redis, reply, 2 * i + 1)); // with a set of tags
		struct view_row *row = &rows[model_hour->nactual];
		if (!actual_read(field, value, row))
			continue;
		row->principal = cardinality_shown(&v->arena, row->principal);
		row->role = role_name(row->principal);
		model_hour->nactual++;
	}
	sort_rows(rows, model_hour->nactual);
	model_hour->actual = rows;
}

// Which of the two sides counts: of a final hour the bill's, also of a model that it does not have.
static void choose_rows(struct view *v, struct model_hour *model_hour, struct arena *arena)
{
	const struct actual_sides sides = {model_hour->actual, model_hour->estimate, model_hour->nactual,
	                                   model_hour->nestimate};
	struct actual_rows over;
	model_hour->billed = v->basis == VIEW_BEST && model_hour->is_final;
	if (!model_hour->billed) {
		model_hour->rows = model_hour->estimate;
		model_hour->nrows = model_hour->nestimate;
		return;
	}
	actual_over(&sides, arena, &over);
	model_hour->rows = over.rows;
	model_hour->nrows = over.nrows;
	model_hour->unbilled = over.unbilled;
	model_hour->nunbilled = over.nunbilled;
}

// ---- pages --------------------------------------------------------------------------------------

// One side of a model hour, the estimate's or the bill's, on its way from Redis or from the cache.
struct side {
	uint64_t key, mark; // of the cache; mark 0: not kept
	size_t reply;       // of HGETALL; of the estimate the first of three
	bool kept;          // on the cache already
};

// A model hour of a page.
struct item {
	struct model_hour model_hour;
	struct str member;
	bool ever_billed;
	struct str estimated_as, billed_as; // the name to show, as either side has it; none
	struct side sides[2]; // estimate, actual
};

static struct item item_of(const struct acct_region_index *x, struct str member)
{
	struct str rest = member, account = x->acct_region, when = str_cut(&rest, ':'), region = account;
	int64_t ms = 0;
	account = str_cut(&region, '/');
	when_parse(when, &ms);
	struct item it = {
		.model_hour = {.hour = ms / MS_PER_HOUR, .account = account, .region = region, .model = rest},
		.member = member};
	it.model_hour.is_final = view_index_is_final(x, member, it.model_hour.hour);
	it.ever_billed = view_index_billed(x, rest);
	it.billed_as = view_index_called(x, rest);
	return it;
}

// Which sides are in the cache as Redis has them. Those of the bill change only by a run, which leaves
// its number.
static bool find_kept(struct view *v, const struct acct_region_index *x, struct item *items, int n,
                      struct err *err)
{
	struct buf key = BUF_INIT;
	if (!v->model_hour_cache)
		return true;
	model_hour_cache_trim(v->model_hour_cache);
	if (model_hour_cache_callers(v->model_hour_cache) < v->nasked)
		v->nasked = 0;
	for (int i = 0; i < n; i++)
		redis_cmd(v->redis, 3,
		          (struct str[]){STR("HGET"), view_meta_key(v, x, items[i].member, &key), STR(META_DIGEST)});
	bool good = redis_exec(v->redis, err);
	for (int i = 0; good && i < n; i++) {
		struct item *it = &items[i];
		it->sides[SIDE_ESTIMATE].mark = row_digest_parse(redis_str(v->redis, (size_t)i));
		it->sides[SIDE_ACTUAL].mark = view_index_run(x, it->member);
		for (int k = 0; k < 2; k++) {
			struct side *side = &it->sides[k];
			struct str name = view_key(v, x, it->member, k, &key);
			side->key = hash64(name.p, name.len);
			side->kept = side->mark && model_hour_cache_has(v->model_hour_cache, side->key, side->mark);
		}
	}
	buf_release(&key);
	return good;
}

// Asks for the hashes of the sides that are not on the cache.
static void queue_others(struct view *v, const struct acct_region_index *x, struct item *items, int n)
{
	struct buf key = BUF_INIT;
	size_t asked = 0;
	for (int i = 0; i < n; i++)
		for (int k = 0; k < (items[i].ever_billed ? 2 : 1); k++) {
			struct str member = items[i].member;
			if (items[i].sides[k].kept)
				continue;
			items[i].sides[k].reply = asked++;
			if (k == SIDE_ESTIMATE) {
				redis_cmd(v->redis, 2, (struct str[]){STR("HGETALL"), view_meta_key(v, x, member, &key)});
				asked += 2;
			}
			redis_cmd(v->redis, 2, (struct str[]){STR("HGETALL"), view_key(v, x, member, k, &key)});
			if (k == SIDE_ESTIMATE)
				redis_cmd(v->redis, 3,
				          (struct str[]){STR("HGET"), view_meta_key(v, x, member, &key), STR(META_DIGEST)});
		}
	buf_release(&key);
}

// Whether an hour was settled while its two hashes were read, so that they do not belong together: Redis does
// not answer a long pipeline all at once.
static bool is_torn(struct view *v, size_t reply)
{
	struct str before = STR_NONE, after = redis_str(v->redis, reply + 2);
	for (size_t k = 0; k + 1 < redis_len(v->redis, reply); k += 2)
		if (str_is(redis_elem(v->redis, reply, k), META_DIGEST))
			before = redis_elem(v->redis, reply, k + 1);
	return !str_eq(before, after);
}

// Asks again while some hour is torn. An hour is settled once in settle.interval at most, so it is next to
// impossible that one is torn each time; then an error is better than such figures.
static bool ask_others(struct view *v, const struct acct_region_index *x, struct item *items, int n,
                       struct err *err)
{
	for (int tries = 0; tries < TORN_TRIES; tries++) {
		bool torn = false;
		queue_others(v, x, items, n);
		if (!redis_exec(v->redis, err))
			return false;
		for (int i = 0; i < n; i++)
			torn |= !items[i].sides[SIDE_ESTIMATE].kept && is_torn(v, items[i].sides[SIDE_ESTIMATE].reply);
		if (!torn)
			return true;
	}
	return err_set(err, ERR_RETRY, "figures change faster than they can be read: try again");
}

// Reads these sides, and keeps them. *ret_rows: how many rows they had.
static bool read_others(struct view *v, const struct acct_region_index *x, struct item *items, int n,
                        int *ret_rows, struct err *err)
{
	*ret_rows = 0;
	if (!ask_others(v, x, items, n, err))
		return false;
	for (int i = 0; i < n; i++) {
		struct model_hour *s = &items[i].model_hour;
		struct side *e = &items[i].sides[SIDE_ESTIMATE], *a = &items[i].sides[SIDE_ACTUAL];
		if (!e->kept) {
			e->mark = read_estimate(v, e->reply, s, &items[i].estimated_as);
			if (v->model_hour_cache && e->mark)
				model_hour_cache_put(v->model_hour_cache, e->key, e->mark,
				                     &(struct model_hour_rows){items[i].estimated_as, s->foundation,
				                                               s->telemetry, s->estimate, s->nestimate});
		}
		if (items[i].ever_billed && !a->kept) {
			read_actual(v, a->reply, s);
			if (v->model_hour_cache && a->mark)
				model_hour_cache_put(v->model_hour_cache, a->key, a->mark,
				                     &(struct model_hour_rows){.rows = s->actual, .nrows = s->nactual});
		}
		*ret_rows += s->nestimate + s->nactual;
	}
	return true;
}

// What was on the cache joins what was read.
static void take_kept(struct view *v, struct item *it)
{
	struct model_hour *s = &it->model_hour;
	struct side *e = &it->sides[SIDE_ESTIMATE], *a = &it->sides[SIDE_ACTUAL];
	struct model_hour_rows rows;
	arena_reset(&v->model_hour);
	if (e->kept && model_hour_cache_get(v->model_hour_cache, e->key, e->mark, &v->model_hour, &rows)) {
		it->estimated_as = rows.model;
		s->foundation = rows.foundation;
		s->telemetry = rows.telemetry;
		s->estimate = rows.rows;
		s->nestimate = rows.nrows;
	}
	if (it->ever_billed && a->kept &&
	    model_hour_cache_get(v->model_hour_cache, a->key, a->mark, &v->model_hour, &rows)) {
		s->actual = rows.rows;
		s->nactual = rows.nrows;
	}
	if (s->nactual && it->billed_as.p)
		s->model = it->billed_as;
	else if (it->estimated_as.p)
		s->model = it->estimated_as;
	view_apply_ttl(v, s, &v->model_hour);
	choose_rows(v, s, &v->model_hour);
}

static void ask_tags(struct view *v, const struct view_row *rows, int n)
{
	for (int i = 0; i < n; i++)
		tag_history_ask(v->tags, v->redis, v->prefix, rows[i].principal, rows[i].tagset);
}

bool view_read_principals(struct view *v, struct err *err)
{
	for (int32_t all = v->model_hour_cache ? model_hour_cache_callers(v->model_hour_cache) : 0;
	     v->nasked < all; v->nasked++) {
		struct str principal, tagset;
		model_hour_cache_caller(v->model_hour_cache, v->nasked, &principal, &tagset);
		tag_history_ask(v->tags, v->redis, v->prefix, principal, tagset);
	}
	if (!redis_exec(v->redis, err))
		return false;
	tag_history_take(v->tags, v->redis);
	return true;
}

// Asks for the tags of the principals of the page. Model hours that are kept change seldom, and so do tags:
// these are read again with a model hour that changed, and every few seconds.
static bool read_page_tags(struct view *v, const struct item *items, int n, bool any_read, struct err *err)
{
	if (v->model_hour_cache && any_read && !v->tags_are_new) {
		if (!view_read_tags(v, err))
			return false;
		v->tags_are_new = true;
	}
	for (int i = 0; i < n; i++) { // rows that are on the cache are asked for by their callers
		const struct item *it = &items[i];
		if (!v->model_hour_cache || !it->sides[SIDE_ESTIMATE].mark)
			ask_tags(v, it->model_hour.estimate, it->model_hour.nestimate);
		if (it->ever_billed && !(v->model_hour_cache && it->sides[SIDE_ACTUAL].mark))
			ask_tags(v, it->model_hour.actual, it->model_hour.nactual);
	}
	return view_read_principals(v, err);
}

static int sides_to_read(const struct item *it)
{
	return !it->sides[SIDE_ESTIMATE].kept + (it->ever_billed && !it->sides[SIDE_ACTUAL].kept);
}

// The sides of the next page: as many as make ROWS_AT_ONCE rows, if they are like those that were just read.
static int next_page_max(int page_max, int sides, int rows)
{
	int most = page_max < VIEW_MODEL_HOURS_AT_ONCE / 2 ? 2 * page_max : VIEW_MODEL_HOURS_AT_ONCE;
	int64_t fit = rows ? (int64_t)ROWS_AT_ONCE * sides / rows : most;
	return sides == 0 ? page_max : fit < 1 ? 1 : fit < most ? (int)fit : most;
}

bool view_page_read(struct view *v, const struct acct_region_index *x, size_t *at, struct view_visit *visit,
                    struct err *err)
{
	struct item items[VIEW_MODEL_HOURS_AT_ONCE];
	int most = v->model_hour_cache ? VIEW_MODEL_HOURS_AT_ONCE : visit->page_max, n = 0, rows, sides = 0;
	for (; n < most && *at + (size_t)n < x->n; n++)
		items[n] = item_of(x, x->members[*at + (size_t)n]);
	arena_reset(&v->arena);
	if (!find_kept(v, x, items, n, err))
		return false;
	int found = n;
	for (n = 0; n < found && (n == 0 || sides + sides_to_read(&items[n]) <= visit->page_max); n++)
		sides += sides_to_read(&items[n]);
	if (!read_others(v, x, items, n, &rows, err) || !read_page_tags(v, items, n, rows > 0, err))
		return false;
	for (int i = 0; i < n && !visit->stopped; i++) {
		take_kept(v, &items[i]);
		visit->stopped = !visit->fn(visit->user, v, &items[i].model_hour);
	}
	*at += (size_t)n;
	visit->page_max = next_page_max(visit->page_max, sides, rows);
	return true;
}
