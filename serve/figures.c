// SPDX-License-Identifier: Apache-2.0
// How old a block may be grows with its distance from now, and with what it cost to read: a block that took a second is not
// read again for half a minute, however fresh somebody wants it. So reading takes a few percent of a core at most.
#include "serve/figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "base/when.h"
#include "estimator/redis.h"

enum {
	BYTES_MAX = 128 << 20,
	HOURS_PER_DAY = 24,
	HOT_HOURS = 2, WARM_HOURS = 30,
	HOT_MS = 1500, WARM_MS = 20000, COLD_MS = 120000,
	COST_FACTOR = 30,
	WARM_STEP_HOURS = 3, WARM_HOURS_MAX = 62 * HOURS_PER_DAY, // this month and the last one
	REWARM_MS = 60000,
	PORTION_MAX = 64,           // blocks asked for that are looked at together ...
	READ_MAX = 8 * PORTION_MAX, // ... and those read together
	SIBLING_MS = 30000,
};

struct block {
	uint64_t key;
	int64_t from, hours;
	struct groups sums;
	struct grouping by;          // sums.only and .by point into these
	struct group_filter only;
	struct buf text;             // that the slices of `by` and `only` point to
	int64_t read_ms, cost_ms, used_ms; // monotonic; read_ms 0: not read, or being read
	size_t bytes;
	struct block *newer, *older; // by last use
};

struct figures {
	struct view *view;
	struct map index;            // key -> number in `blocks`
	struct block **blocks;
	int32_t nblocks, capblocks;
	struct block *newest, *oldest;
	size_t bytes, bytes_max;     // of the blocks
	int64_t warm_from, warmed_ms; // hours from there on were read ahead, the last of them then (monotonic); 0: none yet
	bool is_warm;                // as far back as it goes
};

struct view *figures_view(struct figures *f)
{
	return f->view;
}

// ---- blocks --------------------------------------------------------------------------------------------------------

static void unlink_block(struct figures *f, struct block *b)
{
	*(b->newer ? &b->newer->older : &f->newest) = b->older;
	*(b->older ? &b->older->newer : &f->oldest) = b->newer;
	b->newer = b->older = NULL;
}

static void link_block(struct figures *f, struct block *b)
{
	b->older = f->newest;
	if (f->newest)
		f->newest->newer = b;
	f->newest = b;
	if (!f->oldest)
		f->oldest = b;
}

static void free_block(struct block *b)
{
	groups_release(&b->sums);
	buf_release(&b->text);
	free(b);
}

static struct str copy_text(struct block *b, struct str s)
{
	size_t at = b->text.len;
	buf_addstr(&b->text, s);
	return (struct str){b->text.data + at, s.len};
}

static void copy_grouping(struct block *b, struct grouping *to, const struct grouping *from)
{
	*to = *from;
	for (int i = 0; i < from->n; i++) {
		to->name[i] = copy_text(b, from->name[i]);
		to->tag[i] = copy_text(b, from->tag[i]);
	}
}

// Everything that decides what a block holds, as text.
static void describe(struct buf *b, const struct grouping *by, const struct group_filter *only, int64_t from, int64_t hours)
{
	buf_addf(b, "%lld %lld", (long long)from, (long long)hours);
	for (int i = 0; i < by->n; i++)
		buf_addf(b, " %d:%zu:%.*s", by->by[i], by->tag[i].len, STR_ARG(by->tag[i]));
	for (int i = 0; only && i < only->by.n; i++) {
		buf_addf(b, "|%d:%zu:%.*s=%zu:", only->by.by[i], only->by.tag[i].len, STR_ARG(only->by.tag[i]), only->value[i].len);
		buf_addstr(b, only->value[i]);
	}
}

static struct block *new_block(uint64_t key, const struct grouping *by, const struct group_filter *only, int64_t from, int64_t hours)
{
	struct block *b = xcalloc(1, sizeof *b);
	size_t room = 64;
	for (int i = 0; i < by->n; i++)
		room += by->name[i].len + by->tag[i].len;
	for (int i = 0; only && i < only->by.n; i++)
		room += only->by.name[i].len + only->by.tag[i].len + only->value[i].len;
	buf_reserve(&b->text, room); // slices point into it: it must not move
	b->key = key;
	b->from = from;
	b->hours = hours;
	copy_grouping(b, &b->by, by);
	if (only) {
		copy_grouping(b, &b->only.by, &only->by);
		for (int i = 0; i < only->by.n; i++)
			b->only.value[i] = copy_text(b, only->value[i]);
	}
	return b;
}

static void make_room(struct figures *f)
{
	while (f->bytes > f->bytes_max && f->oldest != f->newest) {
		struct block *b = f->oldest;
		int32_t *at = map_find(&f->index, b->key);
		unlink_block(f, b);
		f->bytes -= b->bytes;
		f->blocks[*at] = NULL;
		free_block(b);
	}
}

// Keys of the map are never taken out of it, so it is made anew when most of them have no block any more.
static void sweep(struct figures *f)
{
	int32_t n = 0;
	bool added;
	map_clear(&f->index);
	for (int32_t i = 0; i < f->nblocks; i++)
		if (f->blocks[i]) {
			f->blocks[n] = f->blocks[i];
			map_add(&f->index, f->blocks[n]->key, n, &added);
			n++;
		}
	f->nblocks = n;
}

static struct block *get_block(struct figures *f, const struct grouping *by, const struct group_filter *only, int64_t from, int64_t hours)
{
	struct buf text = BUF_INIT;
	bool added;
	describe(&text, by, only, from, hours);
	uint64_t key = XXH3_64bits(text.data, text.len);
	buf_release(&text);
	if (f->nblocks == f->capblocks) {
		sweep(f);
		if (f->nblocks * 2 >= f->capblocks)
			f->blocks = xrealloc(f->blocks, (size_t)(f->capblocks = f->capblocks ? f->capblocks * 2 : 256), sizeof(struct block *));
	}
	int32_t *at = map_add(&f->index, key, f->nblocks, &added);
	if (added)
		f->blocks[f->nblocks++] = NULL;
	if (!f->blocks[*at])
		f->blocks[*at] = new_block(key, by, only, from, hours);
	else
		unlink_block(f, f->blocks[*at]);
	link_block(f, f->blocks[*at]);
	return f->blocks[*at];
}

static bool is_stale(const struct block *b, int64_t now_hour, int64_t ticks)
{
	int64_t age = now_hour - (b->from + b->hours - 1), keep = age < HOT_HOURS ? HOT_MS : age < WARM_HOURS ? WARM_MS : COLD_MS;
	if (b->cost_ms * COST_FACTOR > keep)
		keep = b->cost_ms * COST_FACTOR;
	return !b->read_ms || ticks - b->read_ms > keep;
}

// Gives back what only adding needs; from now on the block is read from. Returns the bytes it keeps.
static size_t close_block(struct block *b)
{
	struct groups *g = &b->sums;
	map_release(&g->index);
	free(g->touched);
	g->touched = NULL;
	g->captouched = 0;
	arena_release(&g->sheet);
	if (g->n)
		g->list = xrealloc(g->list, (size_t)(g->cap = g->n), sizeof *g->list);
	return sizeof *b + (size_t)g->cap * sizeof *g->list + g->arena.used + 512;
}

// ---- reading -------------------------------------------------------------------------------------------------------

struct portion { // stale blocks, read in one go; sorted by nothing, but few
	struct block *blocks[READ_MAX];
	int n;
	int64_t from, to;
};

static bool add_sheet(void *user, struct view *v, const struct view_sheet *sheet)
{
	const struct portion *p = user;
	for (int i = 0; i < p->n; i++) {
		struct block *b = p->blocks[i];
		if (sheet->hour >= b->from && sheet->hour < b->from + b->hours && !groups_add(&b->sums, v, sheet))
			return false;
	}
	return true;
}

static void open_block(struct figures *f, struct block *b)
{
	f->bytes -= b->bytes;
	b->bytes = 0;
	b->read_ms = 0;
	groups_release(&b->sums);
	groups_init(&b->sums, &b->by);
	if (b->only.by.n)
		b->sums.only = &b->only;
}

// Other sums of the same hours that are stale too: the sheets are at hand, so they are made new along with those asked for.
// What nobody has asked for in a while is left alone.
static void add_siblings(struct figures *f, struct portion *p, int64_t now_hour, int64_t ticks)
{
	for (int32_t i = 0; i < f->nblocks && p->n < READ_MAX; i++) {
		struct block *b = f->blocks[i];
		if (b && b->read_ms && b->from >= p->from && b->from + b->hours <= p->to && ticks - b->used_ms < SIBLING_MS && is_stale(b, now_hour, ticks)) {
			b->read_ms = 0; // not twice
			p->blocks[p->n++] = b;
		}
	}
}

static bool read_portion(struct figures *f, struct block **blocks, int n, int64_t now_hour, struct err *err)
{
	struct portion p = {.n = n, .from = blocks[0]->from, .to = blocks[n - 1]->from + blocks[n - 1]->hours};
	int64_t began = when_ticks_ms();
	memcpy(p.blocks, blocks, (size_t)n * sizeof *blocks);
	for (int i = 0; i < n; i++)
		blocks[i]->read_ms = 0;
	add_siblings(f, &p, now_hour, began);
	for (int i = 0; i < p.n; i++)
		open_block(f, p.blocks[i]);
	if (!view_each(f->view, p.from, p.to, add_sheet, &p, err))
		return false;
	int64_t now = when_ticks_ms();
	for (int i = 0; i < p.n; i++) {
		p.blocks[i]->read_ms = now;
		p.blocks[i]->cost_ms = (now - began) / n;
		p.blocks[i]->bytes = close_block(p.blocks[i]);
		f->bytes += p.blocks[i]->bytes;
	}
	return true;
}

// The length of the block that begins at `hour`.
static int64_t block_hours(int64_t hour, int64_t to, int64_t now)
{
	bool whole = hour % HOURS_PER_DAY == 0 && hour + HOURS_PER_DAY <= to && hour + HOURS_PER_DAY <= now - FIGURES_RECENT_HOURS;
	return whole ? HOURS_PER_DAY : 1;
}

bool figures_sum(struct figures *f, const struct grouping *by, const struct group_filter *only, int64_t from, int64_t to, int64_t now,
                 struct groups *ret, struct err *err)
{
	struct block *portion[PORTION_MAX];
	if (only && only->by.n == 0)
		only = NULL;
	for (int64_t at = from; at < to;) {
		int n = 0, nstale = 0;
		int64_t ticks = when_ticks_ms(), hours;
		for (; at < to && n < PORTION_MAX; at += hours) {
			hours = block_hours(at, to, now);
			portion[n] = get_block(f, by, only, at, hours);
			portion[n++]->used_ms = ticks;
		}
		for (int i = 0; i <= n; i++) {
			if (i < n && is_stale(portion[i], now, ticks)) {
				nstale++;
				continue;
			}
			if (nstale && !read_portion(f, portion + i - nstale, nstale, now, err))
				return false;
			nstale = 0;
		}
		for (int i = 0; i < n; i++)
			groups_merge(ret, &portion[i]->sums);
		make_room(f);
	}
	return true;
}

// ---- extent --------------------------------------------------------------------------------------------------------

bool figures_extent(struct figures *f, int64_t *ret_first, int64_t *ret_last, struct err *err)
{
	struct redis *r = view_redis(f->view);
	struct buf key = BUF_INIT;
	int64_t first = INT64_MAX, last = 0;
	buf_addf(&key, "%s:slots", view_prefix(f->view));
	redis_cmdz(r, "SMEMBERS", key.data, NULL);
	bool good = redis_exec(r, err);
	size_t n = good ? redis_len(r, 0) : 0;
	char **slots = xcalloc(n + 1, sizeof *slots);
	for (size_t i = 0; i < n; i++)
		slots[i] = xstrdup(redis_elem(r, 0, i));
	for (size_t i = 0; i < n; i++) {
		buf_clear(&key);
		buf_addf(&key, "%s:{%s}:usage", view_prefix(f->view), slots[i]);
		redis_cmdz(r, "ZRANGE", key.data, "0", "0", "WITHSCORES", NULL);
		redis_cmdz(r, "ZRANGE", key.data, "-1", "-1", "WITHSCORES", NULL);
		free(slots[i]);
	}
	free(slots);
	buf_release(&key);
	good = good && (n == 0 || redis_exec(r, err));
	for (size_t i = 0; good && i < n; i++) {
		if (redis_len(r, 2 * i) != 2 || redis_len(r, 2 * i + 1) != 2)
			continue;
		int64_t a = strtoll(redis_elem(r, 2 * i, 1).p, NULL, 10), b = strtoll(redis_elem(r, 2 * i + 1, 1).p, NULL, 10);
		first = a < first ? a : first;
		last = b > last ? b : last;
	}
	if (!good)
		return false;
	*ret_first = last ? first : 0;
	*ret_last = last;
	return true;
}

// ---- before anybody asks -------------------------------------------------------------------------------------------

static bool read_only(void *user, struct view *v, const struct view_sheet *sheet)
{
	(void)user;
	(void)v;
	(void)sheet;
	return true;
}

// Backwards from the present until all is read or the room is full; from then on what is new, once a minute.
bool figures_warm(struct figures *f, int64_t now, bool *ret_more, struct err *err)
{
	int64_t ticks = when_ticks_ms(), first, last, to = f->is_warm || !f->warm_from ? now + 1 : f->warm_from;
	*ret_more = false;
	if (f->is_warm && ticks - f->warmed_ms < REWARM_MS)
		return true;
	if (!figures_extent(f, &first, &last, err) || !view_each(f->view, to - WARM_STEP_HOURS, to, read_only, NULL, err))
		return false;
	f->warmed_ms = ticks;
	if (f->is_warm)
		return true;
	f->warm_from = to - WARM_STEP_HOURS;
	f->is_warm = f->warm_from <= first || f->warm_from < now - WARM_HOURS_MAX || view_is_full(f->view);
	*ret_more = !f->is_warm;
	return true;
}

void figures_limit(struct figures *f, size_t bytes_max)
{
	f->bytes_max = bytes_max / 2;
	view_keep(f->view, bytes_max / 2);
}

// ---- life ----------------------------------------------------------------------------------------------------------

bool figures_open(struct figures **ret, const char *redis_url, const char *redis_ca, const char *prefix, struct err *err)
{
	struct figures *f = xcalloc(1, sizeof *f);
	if (!view_open(&f->view, redis_url, redis_ca, prefix, err)) {
		free(f);
		return false;
	}
	figures_limit(f, BYTES_MAX);
	*ret = f;
	return true;
}

void figures_close(struct figures *f)
{
	if (!f)
		return;
	for (int32_t i = 0; i < f->nblocks; i++)
		if (f->blocks[i])
			free_block(f->blocks[i]);
	free(f->blocks);
	map_release(&f->index);
	view_close(f->view);
	free(f);
}
