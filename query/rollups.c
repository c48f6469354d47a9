// SPDX-License-Identifier: Apache-2.0
// How old a rollup may be grows with its distance from now, and with what it cost to read. A rollup that is
// too old is first compared with Redis by its mark: as long as its model hours stand, so does it. What is
// left to read is seldom more than the present hour, and takes a few percent of a core at most.
//
// Of a span of many hours those that are over change seldom: their rollups are merged into one, which is
// merged anew when one of them has become another.
#include "query/rollups.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/when.h"
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
	PORTION_MAX = 64,           // rollups asked for that are looked at together ...
	READ_MAX = 8 * PORTION_MAX, // ... and those read together
	MERGE_MIN = 4,              // fewer are not worth a rollup of their own
	SIBLING_MS = 30000,
};

struct rollups {
	struct view *view;
	struct rollup_cache rollup_cache;
	// hours from there on were read ahead, the last of them then (monotonic); 0: none yet
	int64_t warm_from, warmed_ms;
	bool again, is_warm;         // the second time, of the last day; as far back as it goes
};

struct view *rollups_view(struct rollups *f)
{
	return f->view;
}

static bool is_stale(const struct rollup *b, int64_t now_hour, int64_t ticks)
{
	int64_t age = now_hour - (b->from + b->hours - 1), keep = age < HOT_HOURS    ? HOT_MS
	                                                          : age < WARM_HOURS ? WARM_MS
	                                                                             : COLD_MS;
	if (b->cost_ms * COST_FACTOR > keep)
		keep = b->cost_ms * COST_FACTOR;
	return !b->read_ms || ticks - b->read_ms > keep;
}

// ---- reading ------------------------------------------------------------------------------------

struct page { // stale rollups, read in one go; sorted by nothing, but few
	struct rollup *rollup_cache[READ_MAX];
	int n;
	int64_t from, to;
	uint64_t *marks; // of the hours from..to - 1; 0: not known
};

static bool add_model_hour(void *user, struct view *v, const struct model_hour *model_hour)
{
	const struct page *p = user;
	for (int i = 0; i < p->n; i++) {
		struct rollup *b = p->rollup_cache[i];
		if (model_hour->hour >= b->from && model_hour->hour < b->from + b->hours &&
		    !groups_add(&b->sums, v, model_hour))
			return false;
	}
	return true;
}

// Other sums of the same hours that are stale too: the model hours are at hand, so they are made new along
// with those asked for. What nobody has asked for in a while is left alone.
static void add_siblings(struct rollups *f, struct page *p, int64_t now_hour, int64_t ticks)
{
	for (int32_t i = 0; i < f->rollup_cache.n && p->n < READ_MAX; i++) {
		struct rollup *b = f->rollup_cache.list[i];
		if (b && b->kind == ROLLUP_READ && b->read_ms && b->from >= p->from && b->from + b->hours <= p->to &&
		    ticks - b->used_ms < SIBLING_MS && is_stale(b, now_hour, ticks)) {
			b->read_ms = 0; // not twice
			p->rollup_cache[p->n++] = b;
		}
	}
}

static uint64_t mark_of(const struct page *p, const struct rollup *b)
{
	uint64_t sum = 0;
	for (int64_t h = b->from; h < b->from + b->hours; h++) {
		uint64_t mark = p->marks[h - p->from];
		if (!mark)
			return 0;
		sum = sum * 0x9e3779b97f4a7c15u + mark;
	}
	return sum | 1;
}

// Other sums of the same hours that were made of other model hours are too old whatever their age: else a
// list and its total would differ for as long as one of them is kept.
static void outdate_others(struct rollups *f, const struct page *p)
{
	for (int32_t i = 0; i < f->rollup_cache.n; i++) {
		struct rollup *b = f->rollup_cache.list[i];
		if (!b || b->kind != ROLLUP_READ || !b->read_ms || !b->mark || b->from < p->from ||
		    b->from + b->hours > p->to)
			continue;
		uint64_t mark = mark_of(p, b);
		if (mark && mark != b->mark)
			b->read_ms = 0;
	}
}

// Rollups whose model hours are still the same leave the page as good as new.
static void renew(struct page *p, int64_t now)
{
	int n = 0;
	for (int i = 0; i < p->n; i++) {
		struct rollup *b = p->rollup_cache[i];
		uint64_t mark = mark_of(p, b);
		if (mark && mark == b->mark) {
			b->read_ms = now;
			continue;
		}
		b->mark = mark;
		p->rollup_cache[n++] = b;
	}
	p->n = n;
}

// The hours that rollups of the page still want.
static void narrow(struct page *p)
{
	p->from = p->rollup_cache[0]->from;
	p->to = p->from;
	for (int i = 0; i < p->n; i++) {
		const struct rollup *b = p->rollup_cache[i];
		p->from = b->from < p->from ? b->from : p->from;
		p->to = b->from + b->hours > p->to ? b->from + b->hours : p->to;
	}
}

static bool sum_model_hours(struct rollups *f, struct page *p, struct err *err)
{
	int64_t began = when_ticks_ms();
	narrow(p);
	for (int i = 0; i < p->n; i++)
		rollup_open(&f->rollup_cache, p->rollup_cache[i]);
	if (!view_each(f->view, p->from, p->to, add_model_hour, p, err)) {
		for (int i = 0; i < p->n; i++)
			p->rollup_cache[i]->mark = 0;
		return false;
	}
	int64_t now = when_ticks_ms();
	for (int i = 0; i < p->n; i++) {
		struct rollup *b = p->rollup_cache[i];
		b->read_ms = b->made_ms = now;
		b->cost_ms = (now - began) / p->n;
		rollup_close(&f->rollup_cache, b);
	}
	return true;
}

static bool read_page(struct rollups *f, struct rollup **rollup_cache, int n, int64_t now_hour,
                      struct err *err)
{
	struct page p = {
		.n = n, .from = rollup_cache[0]->from, .to = rollup_cache[n - 1]->from + rollup_cache[n - 1]->hours};
	int64_t began = when_ticks_ms();
	memcpy(p.rollup_cache, rollup_cache, (size_t)n * sizeof *rollup_cache);
	for (int i = 0; i < n; i++)
		rollup_cache[i]->read_ms = 0;
	add_siblings(f, &p, now_hour, began);
	p.marks = xcalloc((size_t)(p.to - p.from), sizeof *p.marks);
	bool good = view_marks(f->view, p.from, p.to, p.marks, err);
	if (good) {
		outdate_others(f, &p);
		renew(&p, began);
		good = p.n == 0 || sum_model_hours(f, &p, err);
	}
	free(p.marks);
	return good;
}

// ---- summing ------------------------------------------------------------------------------------

// The length of the rollup that begins at `hour`.
static int64_t rollup_hours(int64_t hour, int64_t to, int64_t now)
{
	bool whole = hour % HOURS_PER_DAY == 0 && hour + HOURS_PER_DAY <= to &&
	             hour + HOURS_PER_DAY <= now - ROLLUPS_RECENT_HOURS;
	return whole ? HOURS_PER_DAY : 1;
}

// Makes those rollups new that are too old.
static bool freshen(struct rollups *f, struct rollup **rollup_cache, int n, int64_t now, struct err *err)
{
	int64_t ticks = when_ticks_ms();
	int nstale = 0;
	for (int i = 0; i <= n; i++) {
		if (i < n && is_stale(rollup_cache[i], now, ticks)) {
			nstale++;
			continue;
		}
		if (nstale && !read_page(f, rollup_cache + i - nstale, nstale, now, err))
			return false;
		nstale = 0;
	}
	return true;
}

// The sum of rollups that seldom change, kept as one.
static void add_merged(struct rollups *f, struct rollup **rollup_cache, int n, struct groups *ret)
{
	const struct rollup *last = rollup_cache[n - 1];
	int64_t made_ms = 0;
	struct rollup *m =
		rollup_cache_get(&f->rollup_cache, ROLLUP_MERGED, &rollup_cache[0]->by, &rollup_cache[0]->only,
	                     rollup_cache[0]->from, last->from + last->hours - rollup_cache[0]->from);
	for (int i = 0; i < n; i++)
		made_ms = rollup_cache[i]->made_ms > made_ms ? rollup_cache[i]->made_ms : made_ms;
	m->used_ms = when_ticks_ms();
	if (!m->read_ms || made_ms >= m->made_ms) {
		rollup_open(&f->rollup_cache, m);
		for (int i = 0; i < n; i++)
			groups_merge(&m->sums, &rollup_cache[i]->sums);
		rollup_close(&f->rollup_cache, m);
		m->read_ms = m->made_ms = when_ticks_ms();
	}
	groups_merge(ret, &m->sums);
}

static void add_rollups(struct rollups *f, struct rollup **rollup_cache, int n, int64_t now,
                        struct groups *ret)
{
	int old = 0;
	while (old < n && now - (rollup_cache[old]->from + rollup_cache[old]->hours - 1) >= HOT_HOURS)
		old++;
	if (old < MERGE_MIN)
		old = 0;
	if (old)
		add_merged(f, rollup_cache, old, ret);
	for (int i = old; i < n; i++)
		groups_merge(ret, &rollup_cache[i]->sums);
}

// Makes the rollups of a span new where they are too old, and hands them on, some at a time: added to `ret`,
// or to `use` if there is none.
static bool go_through(struct rollups *f, const struct grouping *by, const struct group_filter *only,
                       int64_t from, int64_t to, int64_t now, struct groups *ret, rollups_fn *use, void *user,
                       struct err *err)
{
	struct rollup *page[PORTION_MAX];
	if (only && only->by.n == 0)
		only = NULL;
	for (int64_t at = from; at < to;) {
		int n = 0;
		int64_t ticks = when_ticks_ms(), hours;
		for (; at < to && n < PORTION_MAX; at += hours) {
			hours = rollup_hours(at, to, now);
			page[n] = rollup_cache_get(&f->rollup_cache, ROLLUP_READ, by, only, at, hours);
			page[n++]->used_ms = ticks;
		}
		if (!freshen(f, page, n, now, err))
			return false;
		if (ret)
			add_rollups(f, page, n, now, ret);
		for (int i = 0; !ret && i < n; i++)
			use(user, &page[i]->sums);
		rollup_cache_trim(&f->rollup_cache);
	}
	return true;
}

bool rollups_sum(struct rollups *f, const struct grouping *by, const struct group_filter *only, int64_t from,
                 int64_t to, int64_t now, struct groups *ret, struct err *err)
{
	return go_through(f, by, only, from, to, now, ret, NULL, NULL, err);
}

bool rollups_each(struct rollups *f, const struct grouping *by, const struct group_filter *only, int64_t from,
                  int64_t to, int64_t now, rollups_fn *use, void *user, struct err *err)
{
	return go_through(f, by, only, from, to, now, NULL, use, user, err);
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
		good = rollups_sum(f, &wanted[i], NULL, from, to, now, &sums, err);
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

// Backwards from the present, as far as a page looks; from then on what is new, once a minute. Where there is
// no room for all model hours, the last day is read once more at the end, since that is what is asked most.
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
	if (from <= first || from < now - (f->again ? HOURS_PER_DAY : WARM_HOURS_MAX)) {
		f->is_warm = f->again || !view_is_full(f->view);
		f->again = true;
		f->warm_from = 0;
	}
	*ret_more = !f->is_warm;
	return true;
}

void rollups_limit(struct rollups *f, size_t bytes_max)
{
	f->rollup_cache.bytes_max = bytes_max / 2;
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
	rollups_limit(f, BYTES_MAX);
	*ret = f;
	return true;
}

void rollups_close(struct rollups *f)
{
	if (!f)
		return;
	rollup_cache_release(&f->rollup_cache);
	view_close(f->view);
	free(f);
}
