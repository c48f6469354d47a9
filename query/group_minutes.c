// SPDX-License-Identifier: Apache-2.0
// A few round trips: the cells of each model of the hour, then the names of the callers in them.
#include "query/group_minutes.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "store/batch.h"
#include "store/cardinality.h"
#include "store/cell_codec.h"
#include "store/keys.h"
#include "store/name_id.h"
#include "store/redis.h"
#include "store/shards.h"

enum { PARTS_FIRST = 64 };
static const int64_t PICO_PER_MICRO = 1000000;

// What one principal has of one model, and the group it counts in.
struct part {
	struct str principal;
	int32_t group;
	int64_t micro, calls;
};

// The calls of one caller of one model in one minute.
struct timed_calls {
	uint64_t caller_id;
	int minute;
	int64_t n;
};

struct model_parts {
	struct str acct_region, model; // model key
	int32_t first_part, nparts;    // sorted by principal
	int32_t first_call, ncalls;
};

struct reading {
	struct group_minutes *out;
	struct arena arena;
	struct model_parts *models;
	int32_t nmodels, capmodels;
	struct part *parts;
	int32_t nparts, capparts;
	struct timed_calls *calls;
	int32_t ncalls, capcalls;
	struct map arn_of;             // caller id -> index into arns
	struct str *arns;              // as rows of figures name it; STR_NONE: not known
	int32_t narns;
};

static void *grown(void *list, int32_t n, int32_t *cap, size_t size)
{
	if (n < *cap)
		return list;
	*cap = *cap ? *cap * 2 : PARTS_FIRST;
	return xrealloc(list, (size_t)*cap, size);
}

// ---- the figures of the hour --------------------------------------------------------------------

static int32_t group_number(struct groups *g, struct str key)
{
	struct str keys[GROUP_KEYS_MAX] = {key};
	const struct group *x = groups_get(g, keys);
	return (int32_t)(x - g->list);
}

static void add_part(struct reading *r, struct model_parts *m, const struct view_row *row, int32_t group)
{
	struct part *last = m->nparts ? &r->parts[r->nparts - 1] : NULL;
	if (!last || last->group != group || !str_eq(last->principal, row->principal)) {
		r->parts = grown(r->parts, r->nparts, &r->capparts, sizeof *r->parts);
		last = &r->parts[r->nparts++];
		*last = (struct part){.principal = arena_str(&r->arena, row->principal), .group = group};
		m->nparts++;
	}
	last->calls += row->calls.charged;
	if (row->figure.priced)
		last->micro += (int64_t)(row->figure.usd.pico / PICO_PER_MICRO);
}

static int by_principal_of_part(const void *a, const void *b)
{
	const struct part *x = a, *y = b;
	int c = str_cmp(x->principal, y->principal);
	return c ? c : (x->group > y->group) - (x->group < y->group);
}

static bool add_model_hour(void *user, struct view *v, const struct model_hour *h)
{
	struct reading *r = user;
	const struct grouping *by = &r->out->groups.by;
	struct model_hour_names names = model_hour_names_of(h);
	r->models = grown(r->models, r->nmodels, &r->capmodels, sizeof *r->models);
	struct model_parts *m = &r->models[r->nmodels++];
	*m = (struct model_parts){
		.acct_region = arena_text(&r->arena, "%.*s/%.*s", STR_ARG(h->account), STR_ARG(h->region)),
		.model = arena_str(&r->arena, model_id_key(h->model)),
		.first_part = r->nparts};
	for (int k = 0; k < h->nrows; k++) {
		const struct view_row *row = &h->rows[k];
		if (by->n && row->kind == ROW_CALLS && by->by[0] == BY_TOKEN_TYPE)
			continue;
		add_part(r, m, row,
		         group_number(&r->out->groups, by->n ? grouping_key(by, 0, v, h, row, &names) : STR_NONE));
	}
	// the rows of a bill are before those of the calls
	if (m->nparts > 1)
		qsort(r->parts + m->first_part, (size_t)m->nparts, sizeof *r->parts, by_principal_of_part);
	return true;
}

// ---- the facts ----------------------------------------------------------------------------------

static void take_cells(struct reading *r, struct redis *redis, size_t reply, struct model_parts *m)
{
	for (size_t k = 0; k + 1 < redis_len(redis, reply); k += 2) {
		struct cell_field f;
		struct calls calls;
		cell_field_read(redis_elem(redis, reply, k), &f);
		r->out->kept |= f.form != CELL_OTHER;
		if (f.form != CELL_CALLS)
			continue;
		cell_calls_read(&f, redis_elem(redis, reply, k + 1), &calls);
		r->calls = grown(r->calls, r->ncalls, &r->capcalls, sizeof *r->calls);
		r->calls[r->ncalls++] = (struct timed_calls){f.caller_id, f.minute, calls.n};
		m->ncalls++;
	}
}

static bool read_cells(struct reading *r, struct view *v, int64_t hour, struct err *err)
{
	struct redis *redis = view_redis(v);
	struct siphash_key name_key;
	struct buf key = BUF_INIT, place = BUF_INIT;
	size_t reply = 0;
	struct str *places = arena_alloc(&r->arena, ((size_t)r->nmodels + 1) * sizeof *places);
	for (int32_t i = 0; i < r->nmodels; i++)
		places[i] = r->models[i].acct_region;
	int *shards = shards_read(redis, view_prefix(v), places, (size_t)r->nmodels, &r->arena, err);
	if (!shards || !name_key_read(redis, view_prefix(v), &name_key, err))
		return false;
	for (int32_t i = 0; i < r->nmodels; i++) {
		char hex[17];
		snprintf(hex, sizeof hex, "%016llx",
		         (unsigned long long)name_id_of_model(&name_key, r->models[i].model));
		for (int k = 0; k <= shards_last(shards[i]); k++) {
			key_cells(&key, view_prefix(v), shard_place(&place, places[i], k), hour, str_of(hex));
			redis_cmd(redis, 2, (struct str[]){STR("HGETALL"), buf_str(&key)});
		}
	}
	buf_release(&key);
	buf_release(&place);
	if (!redis_exec(redis, err))
		return false;
	for (int32_t i = 0; i < r->nmodels; i++) {
		r->models[i].first_call = r->ncalls;
		for (int k = 0; k <= shards_last(shards[i]); k++)
			take_cells(r, redis, reply++, &r->models[i]);
	}
	return true;
}

// The ids of the callers of one account and Region that have no name yet, each once. The caller frees them.
static uint64_t *unnamed_callers(struct reading *r, struct str acct_region, int32_t *ret_n)
{
	struct map seen = MAP_INIT;
	uint64_t *ids = xcalloc((size_t)r->ncalls + 1, sizeof *ids);
	*ret_n = 0;
	for (int32_t i = 0; i < r->nmodels; i++) {
		const struct model_parts *m = &r->models[i];
		for (int32_t k = 0; str_eq(m->acct_region, acct_region) && k < m->ncalls; k++) {
			uint64_t id = r->calls[m->first_call + k].caller_id;
			bool added = false;
			if (!map_find(&r->arn_of, id))
				map_add(&seen, id, 0, &added);
			if (added)
				ids[(*ret_n)++] = id;
		}
	}
	map_release(&seen);
	return ids;
}

// A name record begins with 'c' and the ARN (store/batch.h).
static void add_name(struct reading *r, uint64_t id, struct str text)
{
	bool added;
	if (!text.len || text.p[0] != 'c')
		return;
	map_add(&r->arn_of, id, r->narns, &added);
	if (!added)
		return;
	text = (struct str){text.p + 1, text.len - 1};
	r->arns[r->narns++] = cardinality_shown(&r->arena, arena_str(&r->arena, str_cut(&text, '\t')));
}

// Of one account and Region: every bucket whose records may count in the hour.
static bool read_names(struct reading *r, struct view *v, struct str acct_region, int64_t hour,
                       struct err *err)
{
	struct redis *redis = view_redis(v);
	struct buf key = BUF_INIT;
	int32_t n;
	uint64_t *ids = unnamed_callers(r, acct_region, &n);
	int64_t last = (hour + CALL_HOURS_MAX) / BUCKET_HOURS;
	for (int64_t b = (hour - 1 - CALL_HOURS_MAX) / BUCKET_HOURS; n && b <= last; b++) {
		redis_begin(redis, 2 + n);
		redis_argz(redis, "HMGET");
		redis_arg(redis, key_names(&key, view_prefix(v), acct_region, b));
		for (int32_t k = 0; k < n; k++)
			redis_arg64(redis, ids[k]);
	}
	buf_release(&key);
	bool good = redis_exec(redis, err);
	for (size_t i = 0; good && i < redis_count(redis); i++)
		for (int32_t k = 0; k < n; k++)
			add_name(r, ids[k], redis_elem(redis, i, (size_t)k));
	free(ids);
	return good;
}

// ---- sharing out --------------------------------------------------------------------------------

static int by_principal(const void *name, const void *part)
{
	return str_cmp(*(const struct str *)name, ((const struct part *)part)->principal);
}

// The first part of a principal, or of those it is counted among; -1: it has none.
static int32_t find_parts(struct reading *r, const struct model_parts *m, struct str arn)
{
	const struct part *list = r->parts + m->first_part, *found;
	struct str group = cardinality_group(arn), names[2] = {arn, STR_NONE};
	if (group.len)
		names[1] = overflow_name(&r->arena, group);
	for (int i = 0; i < 2 && m->nparts; i++) {
		found = names[i].len ? bsearch(&names[i], list, (size_t)m->nparts, sizeof *list, by_principal) : NULL;
		while (found && found > list && str_eq(found[-1].principal, names[i]))
			found--;
		if (found)
			return (int32_t)(found - list);
	}
	return -1;
}

static int64_t share_until(int64_t whole, int64_t done, int64_t all)
{
	return (int64_t)((__int128)whole * done / all);
}

// By `weight`, in which something is.
static void share_out(struct minute_amounts *to, const struct part *p, const int64_t *weight)
{
	int64_t all = 0, done = 0;
	for (int m = 0; m < GROUP_MINUTES; m++)
		all += weight[m];
	for (int m = 0; m < GROUP_MINUTES; m++) {
		int64_t next = done + weight[m];
		to->calls[m] += share_until(p->calls, next, all) - share_until(p->calls, done, all);
		to->micro[m] += share_until(p->micro, next, all) - share_until(p->micro, done, all);
		done = next;
	}
}

static bool is_anything(const int64_t *weight)
{
	for (int m = 0; m < GROUP_MINUTES; m++)
		if (weight[m])
			return true;
	return false;
}

static void share_model(struct reading *r, const struct model_parts *m)
{
	int64_t all[GROUP_MINUTES] = {0}, even[GROUP_MINUTES];
	int64_t(*own)[GROUP_MINUTES] = xcalloc((size_t)m->nparts + 1, sizeof *own);
	for (int32_t k = 0; k < m->ncalls; k++) {
		const struct timed_calls *c = &r->calls[m->first_call + k];
		const int32_t *name = map_find(&r->arn_of, c->caller_id);
		int32_t at = name ? find_parts(r, m, r->arns[*name]) : -1;
		all[c->minute] += c->n;
		if (at >= 0)
			own[at][c->minute] += c->n;
	}
	for (int i = 0; i < GROUP_MINUTES; i++)
		even[i] = 1;
	for (int32_t k = 0, first = 0; k < m->nparts; k++) {
		const struct part *p = &r->parts[m->first_part + k];
		if (!str_eq(p->principal, r->parts[m->first_part + first].principal))
			first = k;
		share_out(&r->out->of[p->group], p,
		          is_anything(own[first]) ? own[first] : is_anything(all) ? all : even);
	}
	free(own);
}

bool group_minutes_read(struct group_minutes *ret, struct view *v, const struct grouping *by, int64_t hour,
                        struct err *err)
{
	struct reading r = {.out = ret};
	*ret = (struct group_minutes){.kept = false};
	groups_init(&ret->groups, by);
	assert(by->n <= 1);
	bool good = view_each(v, hour, hour + 1, add_model_hour, &r, err) && read_cells(&r, v, hour, err);
	r.arns = xcalloc((size_t)r.ncalls + 1, sizeof *r.arns);
	for (int32_t i = 0; good && i < r.nmodels; i++)
		if (i == 0 || !str_eq(r.models[i].acct_region, r.models[i - 1].acct_region))
			good = read_names(&r, v, r.models[i].acct_region, hour, err);
	ret->of = xcalloc((size_t)ret->groups.n + 1, sizeof *ret->of);
	for (int32_t i = 0; good && i < r.nmodels; i++)
		share_model(&r, &r.models[i]);
	map_release(&r.arn_of);
	free(r.arns);
	free(r.calls);
	free(r.parts);
	free(r.models);
	arena_release(&r.arena);
	return good;
}

void group_minutes_release(struct group_minutes *m)
{
	groups_release(&m->groups);
	free(m->of);
	*m = (struct group_minutes){.kept = false};
}

const struct minute_amounts *group_minutes_find(const struct group_minutes *m, const struct group *g)
{
	const struct group *found = groups_find(&m->groups, g->keys);
	return found ? &m->of[found - m->groups.list] : NULL;
}

// ---- a part of an hour --------------------------------------------------------------------------

// The parts are rounded, and what holds of a group (query/group.h) holds of its part.
static void scale_tokens(struct group *g, int64_t part, int64_t all)
{
	int64_t *const tokens[] = {&g->failed,    &g->calls_final, &g->prompt,   &g->cache_read,
	                           &g->units,     &g->billed,      &g->exact,    &g->telemetry,
	                           &g->allocated, &g->provisional, &g->unpriced, &g->unbilled};
	for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++)
		*tokens[i] = share_until(*tokens[i], part, all);
	g->tokens = g->billed + g->exact + g->telemetry + g->allocated + g->provisional;
}

static void scale_usd(struct group *g, int64_t part, int64_t all)
{
	struct usd *const usd[] = {
		&g->usd, &g->usd_unbilled, &g->usd_low, &g->usd_high, &g->usd_billed, &g->usd_exact,
		&g->usd_telemetry, &g->usd_allocated, &g->usd_provisional, &g->usd_band_estimated,
		&g->usd_ttl_estimated, &g->usd_borrowed, &g->usd_scope_unknown, &g->less, &g->floor, &g->ceiling};
	double ratio = (double)part / (double)all;
	for (size_t i = 0; i < sizeof usd / sizeof *usd; i++)
		*usd[i] = usd_muldiv(*usd[i], part, all);
	struct usd known = usd_add(usd_add(g->usd_billed, g->usd_exact), g->usd_telemetry);
	g->usd = usd_cmp(g->usd, known) < 0 ? known : g->usd; // by a picodollar
	struct usd *const below[] = {&g->floor, &g->usd_low}, *const above[] = {&g->ceiling, &g->usd_high};
	for (int i = 0; i < 2; i++) {
		*below[i] = usd_cmp(*below[i], g->usd) > 0 ? g->usd : *below[i];
		*above[i] = usd_cmp(*above[i], g->usd) < 0 ? g->usd : *above[i];
	}
	for (int i = 0; i < ERROR_BINS; i++)
		g->weights_errors.bins[i] *= ratio;
	g->chance_variance *= ratio * ratio;
	g->usd_of_others *= ratio;
}

struct group group_part(const struct group *whole, const struct minute_amounts *of, int minutes)
{
	struct group g = *whole;
	int64_t calls = 0, calls_all = 0, micro = 0, micro_all = 0;
	for (int m = 0; of && m < GROUP_MINUTES; m++) {
		calls_all += of->calls[m];
		micro_all += of->micro[m];
		calls += m < minutes ? of->calls[m] : 0;
		micro += m < minutes ? of->micro[m] : 0;
	}
	// what costs nothing, or less than can be shared out: by its calls; without calls evenly
	int64_t part = micro_all > 0 ? micro : calls_all > 0 ? calls : minutes,
			all = micro_all > 0 ? micro_all : calls_all > 0 ? calls_all : GROUP_MINUTES;
	part = part < 0 ? 0 : part > all ? all : part; // a bill may take back what another minute has
	scale_tokens(&g, part, all);
	scale_usd(&g, part, all);
	g.calls = calls_all > 0 ? share_until(whole->calls, calls, calls_all)
	                        : share_until(whole->calls, part, all);
	return g;
}
