// SPDX-License-Identifier: Apache-2.0
// How old a rollup may be grows with its distance from now, and with what it cost to read. A rollup that is
// too old is first compared with Redis by its mark: it is still right if its model hours have not changed. So
// little more than the present hour is read again, which takes a few percent of a core at most.
//
// In a long span most hours are past and seldom change: their rollups are merged into one, which is merged
// again when one of them has changed.
#include "query/rollups.h"

#include <assert.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/when.h"
#include "query/observed_cache.h"
#include "query/rollup_cache.h"
#include "store/keys.h"
#include "store/redis.h"

enum {
	BYTES_MAX = 128 << 20,
	HOURS_PER_DAY = 24,
	HOT_HOURS = 2, WARM_HOURS = 30,
	HOT_MS = 1500, WARM_MS = 20000, COLD_MS = 120000,
	COST_FACTOR = 30,
	WARM_STEP_HOURS = 3, WARM_HOURS_MAX = 62 * HOURS_PER_DAY, // this month and the last one
	REWARM_MS = 60000,
	BATCH_MAX = 64,             // rollups of a span that are checked together ...
	READ_MAX = 8 * BATCH_MAX,   // ... and those read together
	BATCH_PART = 4,             // of the memory for rollups, each of the two may take
	FIRST_BATCH = 8,            // as many while the size of none is known
	MERGE_MIN = 4,              // fewer are not worth a rollup of their own
	SIBLING_MS = 30000,
	GIVE_BACK_MS = 20000,
};

struct rollups {
	struct view *view;
	struct observed_cache observed;
	struct rollup_cache cache;
	// The hours from there on were read ahead, the last of them at warmed_ms (monotonic); 0: none yet.
	int64_t warm_from, warmed_ms;
	bool second_pass, is_warm;   // over the last day; nothing is left to read ahead
	int64_t given_back_ms;       // when memory was given back last (monotonic)
	uint64_t mapping;            // digest of the mapping file that the sums were made with
};

struct view *rollups_view(struct rollups *f)
{
	return f->view;
}

static bool is_stale(const struct rollup *x, int64_t now_hour, int64_t ticks)
{
	int64_t age = now_hour - (x->from + x->hours - 1);
	int64_t keep = age < HOT_HOURS ? HOT_MS : age < WARM_HOURS ? WARM_MS : COLD_MS;
	if (x->cost_ms * COST_FACTOR > keep)
		keep = x->cost_ms * COST_FACTOR;
	return !x->read_ms || ticks - x->read_ms > keep;
}

// ---- reading ------------------------------------------------------------------------------------

// Stale rollups that are read together. They are in no order, but few.
struct refresh {
	struct rollup *list[READ_MAX];
	int n;
	int64_t from, to; // hours
	uint64_t *marks;  // of the hours from .. to - 1; 0: not known
};

static bool add_model_hour(void *user, struct view *v, const struct model_hour *model_hour)
{
	const struct refresh *r = user;
	for (int i = 0; i < r->n; i++) {
		struct rollup *x = r->list[i];
		if (model_hour->hour >= x->from && model_hour->hour < x->from + x->hours &&
		    !groups_add(&x->sums, v, model_hour))
			return false;
	}
	return true;
}

static bool is_within(const struct rollup *x, const struct refresh *r)
{
	return x->kind == ROLLUP_READ && x->read_ms && x->from >= r->from && x->from + x->hours <= r->to;
}

// Other sums of the same hours that are stale too: their model hours are at hand, so they are read along with
// those asked for, but only if somebody asked for them lately, and while there is room to read them together.
static void add_siblings(struct rollups *f, struct refresh *r, int64_t now_hour, int64_t ticks)
{
	size_t room = f->cache.bytes_max / BATCH_PART;
	for (struct rollup *x = rollup_newest(&f->cache); x && r->n < READ_MAX; x = rollup_older(x))
		if (is_within(x, r) && x->entry.bytes <= room && ticks - x->used_ms < SIBLING_MS &&
		    is_stale(x, now_hour, ticks)) {
			x->read_ms = 0; // not twice
			r->list[r->n++] = x;
			room -= x->entry.bytes;
		}
}

static uint64_t mark_of_rollup(const struct refresh *r, const struct rollup *x)
{
	uint64_t sum = 0;
	assert(x->from >= r->from && x->from + x->hours <= r->to);
	for (int64_t h = x->from; h < x->from + x->hours; h++) {
		uint64_t mark = r->marks[h - r->from];
		if (!mark)
			return 0;
		sum = sum * 0x9e3779b97f4a7c15u + mark;
	}
	return sum | 1;
}

// Other sums of the same hours that were made of other model hours become stale whatever their age: else a
// list and its total would differ for as long as one of them is kept.
static void outdate_others(struct rollups *f, const struct refresh *r)
{
	for (struct rollup *x = rollup_newest(&f->cache); x; x = rollup_older(x)) {
		uint64_t mark = is_within(x, r) && x->mark ? mark_of_rollup(r, x) : 0;
		if (mark && mark != x->mark)
			x->read_ms = 0;
	}
}

// Another mapping file changes sums of all hours.
static void outdate_mapped(struct rollups *f)
{
	uint64_t digest = mapping_digest(view_mapping(f->view));
	for (struct rollup *x = rollup_newest(&f->cache); x && digest != f->mapping; x = rollup_older(x))
		x->read_ms = 0;
	f->mapping = digest;
}

// Takes those out whose model hours have not changed: they are right as of `now`.
static void renew_unchanged(struct refresh *r, int64_t now)
{
	int n = 0;
	for (int i = 0; i < r->n; i++) {
		struct rollup *x = r->list[i];
		uint64_t mark = mark_of_rollup(r, x);
		if (mark && mark == x->mark) {
			x->read_ms = now;
			continue;
		}
		x->mark = mark;
		r->list[n++] = x;
	}
	r->n = n;
}

// To the hours that the rollups left need.
static void narrow_hours(struct refresh *r)
{
	r->from = r->to = r->list[0]->from;
	for (int i = 0; i < r->n; i++) {
		const struct rollup *x = r->list[i];
		r->from = x->from < r->from ? x->from : r->from;
		r->to = x->from + x->hours > r->to ? x->from + x->hours : r->to;
	}
}

static bool sum_model_hours(struct rollups *f, struct refresh *r, struct err *err)
{
	int64_t began = when_ticks_ms();
	narrow_hours(r);
	for (int i = 0; i < r->n; i++)
		rollup_open(&f->cache, r->list[i]);
	if (!view_each(f->view, r->from, r->to, add_model_hour, r, err)) {
		for (int i = 0; i < r->n; i++)
			r->list[i]->mark = 0;
		return false;
	}
	int64_t now = when_ticks_ms();
	for (int i = 0; i < r->n; i++) {
		struct rollup *x = r->list[i];
		x->read_ms = x->made_ms = now;
		x->cost_ms = (now - began) / r->n;
		rollup_close(&f->cache, x);
	}
	return true;
}

// `list`: stale rollups of hours that follow each other.
static bool refresh_together(struct rollups *f, struct rollup **list, int n, int64_t now_hour,
                             struct err *err)
{
	struct refresh r = {.n = n, .from = list[0]->from, .to = list[n - 1]->from + list[n - 1]->hours};
	int64_t began = when_ticks_ms();
	assert(n > 0 && n <= BATCH_MAX && r.from < r.to);
	memcpy(r.list, list, (size_t)n * sizeof(struct rollup *));
	for (int i = 0; i < n; i++)
		list[i]->read_ms = 0;
	add_siblings(f, &r, now_hour, began);
	r.marks = xcalloc((size_t)(r.to - r.from), sizeof *r.marks);
	bool good = view_marks(f->view, r.from, r.to, r.marks, err);
	if (good) {
		outdate_mapped(f);
		outdate_others(f, &r);
		renew_unchanged(&r, began);
		good = r.n == 0 || sum_model_hours(f, &r, err);
	}
	free(r.marks);
	return good;
}

// ---- summing ------------------------------------------------------------------------------------

// The length of the rollup that begins at `hour`.
static int64_t hours_of_rollup(int64_t hour, int64_t to, int64_t now)
{
	bool whole = hour % HOURS_PER_DAY == 0 && hour + HOURS_PER_DAY <= to &&
	             hour + HOURS_PER_DAY <= now - ROLLUPS_RECENT_HOURS;
	return whole ? HOURS_PER_DAY : 1;
}

// Reads those again that are too old.
static bool refresh_stale(struct rollups *f, struct rollup **list, int n, int64_t now, struct err *err)
{
	int64_t ticks = when_ticks_ms();
	int nstale = 0;
	for (int i = 0; i <= n; i++) {
		if (i < n && is_stale(list[i], now, ticks)) {
			nstale++;
			continue;
		}
		if (nstale && !refresh_together(f, list + i - nstale, nstale, now, err))
			return false;
		nstale = 0;
	}
	return true;
}

// The sum of rollups that seldom change, kept as one.
static void add_merged(struct rollups *f, struct rollup **list, int n, struct groups *ret)
{
	const struct rollup *first = list[0], *last = list[n - 1];
	int64_t made_ms = 0;
	struct rollup *m = rollup_cache_get(&f->cache, ROLLUP_MERGED, &first->by, &first->only, first->from,
	                                    last->from + last->hours - first->from);
	for (int i = 0; i < n; i++)
		made_ms = list[i]->made_ms > made_ms ? list[i]->made_ms : made_ms;
	m->used_ms = when_ticks_ms();
	if (!m->read_ms || made_ms >= m->made_ms) {
		rollup_open(&f->cache, m);
		for (int i = 0; i < n; i++)
			rollup_merge(list[i], &m->sums);
		rollup_close(&f->cache, m);
		m->read_ms = m->made_ms = when_ticks_ms();
	}
	rollup_merge(m, ret);
}

static void add_rollups(struct rollups *f, struct rollup **list, int n, int64_t now, struct groups *ret)
{
	int old = 0;
	while (old < n && now - (list[old]->from + list[old]->hours - 1) >= HOT_HOURS)
		old++;
	if (old < MERGE_MIN)
		old = 0;
	if (old)
		add_merged(f, list, old, ret);
	for (int i = old; i < n; i++)
		rollup_merge(list[i], ret);
}

// A part of a span that is read at once. While its rollups are read they take twice their memory, and none of
// them can be dropped, so there are only as many as a part of the cache holds.
struct batch {
	int64_t at; // the first hour behind it
	size_t largest; // bytes of the largest rollup of the batch before
	struct rollup *list[BATCH_MAX];
	int n;
};

static struct batch begin_batches(const struct rollups *f, const struct rollups_query *q)
{
	return (struct batch){.at = q->from, .largest = f->cache.bytes_max / BATCH_PART / FIRST_BATCH};
}

// The rollups behind the last batch, none of which is stale; at least one.
static bool next_batch(struct rollups *f, const struct rollups_query *q, struct batch *b, struct err *err)
{
	int64_t ticks = when_ticks_ms(), hours;
	const struct group_filter *only = q->only && q->only->by.n ? q->only : NULL;
	size_t room = f->cache.bytes_max / BATCH_PART;
	for (b->n = 0; b->at < q->to && b->n < BATCH_MAX; b->at += hours) {
		hours = hours_of_rollup(b->at, q->to, q->now);
		struct rollup *x = rollup_cache_get(&f->cache, ROLLUP_READ, q->by, only, b->at, hours);
		size_t bytes = x->made_ms ? x->entry.bytes : b->largest;
		if (b->n && bytes > room)
			break;
		room -= bytes < room ? bytes : room;
		x->used_ms = ticks;
		b->list[b->n++] = x;
	}
	if (!refresh_stale(f, b->list, b->n, q->now, err))
		return false;
	size_t largest = 0;
	for (int i = 0; i < b->n; i++)
		largest = b->list[i]->entry.bytes > largest ? b->list[i]->entry.bytes : largest;
	b->largest = largest;
	return true;
}

// What the allocator holds and nobody uses goes back to the system now and then: replies of Redis and pages
// of model hours are large beside what is kept of them, and lie between it.
static void trim(struct rollups *f)
{
	int64_t ticks = when_ticks_ms();
	rollup_cache_trim(&f->cache, ticks);
	if (ticks - f->given_back_ms < GIVE_BACK_MS)
		return;
	malloc_trim(0);
	f->given_back_ms = ticks;
}

bool rollups_sum(struct rollups *f, const struct rollups_query *q, struct groups *ret, struct err *err)
{
	assert(ret->by.n == q->by->n);
	for (struct batch b = begin_batches(f, q); b.at < q->to;) {
		if (!next_batch(f, q, &b, err))
			return false;
		add_rollups(f, b.list, b.n, q->now, ret);
		trim(f);
	}
	groups_set_bands(ret);
	return true;
}

bool rollups_each(struct rollups *f, const struct rollups_query *q, rollups_fn *use, void *user,
                  struct err *err)
{
	for (struct batch b = begin_batches(f, q); b.at < q->to;) {
		if (!next_batch(f, q, &b, err))
			return false;
		for (int i = 0; i < b.n; i++) {
			struct groups sums;
			groups_init(&sums, q->by);
			rollup_merge(b.list[i], &sums);
			groups_set_bands(&sums);
			use(user, &sums);
			groups_release(&sums);
		}
		trim(f);
	}
	return true;
}

// ---- extent -------------------------------------------------------------------------------------

bool rollups_extent(struct rollups *f, int64_t *ret_first, int64_t *ret_last, struct err *err)
{
	struct redis *r = view_redis(f->view);
	struct buf key = BUF_INIT;
	int64_t first = INT64_MAX, last = 0;
	key_acct_regions(&key, view_prefix(f->view));
	redis_cmdz(r, "SMEMBERS", key.data, NULL);
	bool good = redis_exec(r, err);
	size_t n = good ? redis_len(r, 0) : 0;
	char **acct_regions = xcalloc(n + 1, sizeof *acct_regions);
	for (size_t i = 0; i < n; i++)
		acct_regions[i] = xstrdup(redis_elem(r, 0, i));
	for (size_t i = 0; i < n; i++) {
		buf_clear(&key);
		key_usage_index(&key, view_prefix(f->view), str_of(acct_regions[i]));
		redis_cmdz(r, "ZRANGE", key.data, "0", "0", "WITHSCORES", NULL);
		redis_cmdz(r, "ZRANGE", key.data, "-1", "-1", "WITHSCORES", NULL);
		free(acct_regions[i]);
	}
	free(acct_regions);
	buf_release(&key);
	good = good && (n == 0 || redis_exec(r, err));
	for (size_t i = 0; good && i < n; i++) {
		if (redis_len(r, 2 * i) != 2 || redis_len(r, 2 * i + 1) != 2)
			continue;
		int64_t a = strtoll(redis_elem(r, 2 * i, 1).p, NULL, 10),
				b = strtoll(redis_elem(r, 2 * i + 1, 1).p, NULL, 10);
		first = a < first ? a : first;
		last = b > last ? b : last;
	}
	if (!good)
		return false;
	*ret_first = last ? first : 0;
	*ret_last = last;
	return true;
}

// ---- observed minutes ---------------------------------------------------------------------------

const struct observed *rollups_observed(struct rollups *f, const struct group_filter *only, int64_t from,
                                        int64_t to, int64_t now_ms, struct err *err)
{
	return observed_cache_get(&f->observed, f->view, (struct observed_query){only, from, to, now_ms}, err);
}

const struct usd *rollups_minutes(struct rollups *f, const struct group_filter *only, int64_t hour,
                                  int64_t now_ms, struct err *err)
{
	return observed_cache_minutes(&f->observed, f->view, only, hour, now_ms, err);
}

// ---- before anybody asks ------------------------------------------------------------------------

// The sums that every page wants: of everything, and of everything by the hour. Their model hours are kept on
// the way.
static bool sum_ahead(struct rollups *f, int64_t from, int64_t to, int64_t now, struct err *err)
{
	static const struct grouping wanted[] = {{.n = 0}, {.n = 1, .by = {BY_HOUR}, .name = {STR("hour")}}};
	bool good = true;
	for (int i = 0; good && i < 2; i++) {
		struct groups sums;
		groups_init(&sums, &wanted[i]);
		good = rollups_sum(f, &(struct rollups_query){&wanted[i], NULL, from, to, now}, &sums, err);
		groups_release(&sums);
	}
	return good;
}

// Where the step that ends at `to` begins: some hours before, and whole days where rollups are days.
static int64_t step_before(int64_t to, int64_t now)
{
	int64_t of_day = to % HOURS_PER_DAY;
	if (of_day == 0)
		return to - (to <= now - ROLLUPS_RECENT_HOURS ? HOURS_PER_DAY : WARM_STEP_HOURS);
	return to - (of_day < WARM_STEP_HOURS ? of_day : WARM_STEP_HOURS);
}

// Backwards from the present, as far as a page looks; then the newest hours, once a minute. Where there is no
// room for all model hours, the last day, which is asked for most, is read once more at the end.
bool rollups_warm(struct rollups *f, int64_t now, bool *ret_more, struct err *err)
{
	int64_t ticks = when_ticks_ms(), first, last, to = f->is_warm || !f->warm_from ? now + 1 : f->warm_from,
			from = step_before(to, now);
	*ret_more = false;
	if (f->is_warm && ticks - f->warmed_ms < REWARM_MS)
		return true;
	if (!rollups_extent(f, &first, &last, err) || !sum_ahead(f, from, to, now, err))
		return false;
	f->warmed_ms = ticks;
	if (f->is_warm)
		return true;
	f->warm_from = from;
	if (from <= first || from < now - (f->second_pass ? HOURS_PER_DAY : WARM_HOURS_MAX)) {
		f->is_warm = f->second_pass || !view_is_full(f->view);
		f->second_pass = true;
		f->warm_from = 0;
	}
	*ret_more = !f->is_warm;
	return true;
}

void rollups_limit(struct rollups *f, size_t bytes_max)
{
	f->cache.bytes_max = bytes_max / 2;
	view_keep(f->view, bytes_max / 2);
}

// ---- life ---------------------------------------------------------------------------------------

bool rollups_open(struct rollups **ret, struct redis_target target, struct err *err)
{
	struct rollups *f = xcalloc(1, sizeof *f);
	if (!view_open(&f->view, target, err)) {
		free(f);
		return false;
	}
	rollup_cache_init(&f->cache);
	rollups_limit(f, BYTES_MAX);
	*ret = f;
	return true;
}

void rollups_close(struct rollups *f)
{
	if (!f)
		return;
	rollup_cache_release(&f->cache);
	observed_cache_release(&f->observed);
	view_close(f->view);
	free(f);
}
