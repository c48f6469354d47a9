// SPDX-License-Identifier: Apache-2.0
// Reads back the facts that apply.lua wrote: three round trips for any run of hours of one model, the second
// one for the names of the callers that occur, the third for the tags of their sessions; one more each for a
// model whose id names none, for the calls of shards, and where groups of callers, or the models, have too
// many names. Only what occurs is asked for: a bucket may hold the names of very many models and callers, and
// were each model to read them all, work would grow with their product.
#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/when.h"
#include "store/cell_codec.h"
#include "store/keys.h"
#include "store/shards.h"
#include "store/store_read_priv.h"

// ---- cells --------------------------------------------------------------------------------------

static void read_metric(struct minute *m, enum token_kind kind, struct str value)
{
	struct cell_metric metric;
	cell_metric_read(value, &metric);
	if (kind == TOKENS_UNITS) {
		m->has_units = true;
		m->units = metric.sum;
		return;
	}
	m->metered = m->has[kind] = true;
	m->metric[kind] = metric.sum;
	m->samples[kind] = metric.samples;
	m->larger[kind] = metric.larger;
}

// Several tiers that were asked for may have been served by one.
static void read_tier_metric(struct arena *arena, struct minute *m, const struct cell_field *f,
                             struct str value)
{
	struct cell_metric metric;
	cell_metric_read(value, &metric);
	if (!m->of_tier) {
		m->of_tier = arena_alloc(arena, PRICE_TIERS * sizeof *m->of_tier);
		memset(m->of_tier, 0, PRICE_TIERS * sizeof *m->of_tier);
	}
	m->of_tier[f->served][f->kind] += metric.sum;
}

static void read_project_metric(struct arena *arena, struct minute *m, const struct cell_field *f,
                                struct str value)
{
	struct cell_metric metric;
	int32_t i = 0;
	cell_metric_read(value, &metric);
	while (i < m->nprojects && m->projects[i].project != f->project)
		i++;
	if (i == m->nprojects) {
		struct project_metric *more = arena_alloc(arena, ((size_t)i + 1) * sizeof *more);
		if (i)
			memcpy(more, m->projects, (size_t)i * sizeof *more);
		more[i] = (struct project_metric){.project = f->project};
		m->projects = more;
		m->nprojects++;
	}
	m->projects[i].metric[f->kind] = metric.sum;
	m->projects[i].samples[f->kind] = metric.samples;
	m->projects[i].larger[f->kind] = metric.larger;
}

static int by_project(const void *a, const void *b)
{
	const struct project_metric *x = a, *y = b;
	return (x->project > y->project) - (x->project < y->project);
}

static void read_cell(struct hour_reader *r, struct hour *h, struct str field, struct str value)
{
	struct cell_field f;
	cell_field_read(field, &f);
	struct minute *m = &h->minutes[f.minute];
	switch (f.form) {
	case CELL_VERSION:
		if (str_is(field, "v"))
			h->version = arena_str(r->arena, value);
		break;
	case CELL_CALLS:
		cell_calls_read(&f, value, &m->calls[m->ncalls++]);
		break;
	case CELL_TELLING:
		if (cell_telling_read(&f, arena_str(r->arena, value), &h->tellings[h->ntellings]))
			h->ntellings++;
		break;
	case CELL_METRIC:
		read_metric(m, f.kind, value);
		break;
	case CELL_TIER_METRIC:
		read_tier_metric(r->arena, m, &f, value);
		break;
	case CELL_PROJECT_METRIC:
		read_project_metric(r->arena, m, &f, value);
		break;
	case CELL_OTHER:
		break;
	}
}

static int by_what_is_told(const void *a, const void *b)
{
	const struct telling *x = a, *y = b;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->end != y->end)
		return x->end < y->end ? -1 : 1;
	int c = str_cmp(x->user, y->user);
	c = c ? c : memcmp(x->tokens, y->tokens, sizeof x->tokens);
	return c ? c : memcmp(x->known, y->known, sizeof x->known);
}

// Reply i is the HGETALL of an hour's cells (store/cell_codec.h).
static struct hour *read_hour(struct hour_reader *r, size_t i, int64_t number_of_hour)
{
	size_t n = redis_len(r->store->redis, i);
	if (n == 0)
		return NULL;
	struct hour *h = arena_alloc(r->arena, sizeof *h);
	*h = (struct hour){.number = number_of_hour};
	size_t tellings = 0;
	for (size_t k = 0; k + 1 < n; k += 2) {
		struct cell_field f;
		cell_field_read(redis_elem(r->store->redis, i, k), &f);
		h->minutes[f.minute].ncalls += f.form == CELL_CALLS;
		tellings += f.form == CELL_TELLING;
	}
	h->tellings = arena_alloc(r->arena, (tellings + 1) * sizeof *h->tellings);
	for (int m = 0; m < CELL_MINUTES; m++) {
		h->minutes[m].calls = arena_alloc(r->arena, (size_t)h->minutes[m].ncalls * sizeof(struct calls));
		h->minutes[m].ncalls = 0;
	}
	for (size_t k = 0; k + 1 < n; k += 2)
		read_cell(r, h, redis_elem(r->store->redis, i, k), redis_elem(r->store->redis, i, k + 1));
	if (h->ntellings > 1)
		qsort(h->tellings, (size_t)h->ntellings, sizeof *h->tellings, by_what_is_told);
	for (int m = 0; m < CELL_MINUTES; m++) {
		struct minute *at = &h->minutes[m];
		if (at->nprojects > 1)
			qsort(at->projects, (size_t)at->nprojects, sizeof *at->projects, by_project);
		if (at->nprojects)
			minute_add_projects(at);
	}
	return h;
}

// ---- what the bill taught ------------------------------------------------------------------------

static int by_billed_arn(const void *a, const void *b)
{
	return str_cmp(((const struct billed_means *)a)->arn, ((const struct billed_means *)b)->arn);
}

static void read_billed_means(struct hour_reader *r, size_t i)
{
	size_t n = redis_len(r->store->redis, i) / 2;
	r->out->billed_means = arena_alloc(r->arena, (n + 1) * sizeof *r->out->billed_means);
	for (size_t k = 0; k < n; k++) {
		struct str arn = arena_str(r->arena, redis_elem(r->store->redis, i, 2 * k));
		if (billed_means_read(arn, redis_elem(r->store->redis, i, 2 * k + 1),
		                      &r->out->billed_means[r->out->nbilled_means]))
			r->out->nbilled_means++;
	}
	if (r->out->nbilled_means > 1)
		qsort(r->out->billed_means, (size_t)r->out->nbilled_means, sizeof *r->out->billed_means,
		      by_billed_arn);
}

// ---- the whole ----------------------------------------------------------------------------------

static uint64_t model_id_of(struct str hex)
{
	char text[17] = "";
	memcpy(text, hex.p, hex.len < 16 ? hex.len : 16);
	return strtoull(text, NULL, 16);
}

static void queue_reads(struct hour_reader *r, int64_t first_bucket, int64_t last_bucket)
{
	struct redis *redis = r->store->redis;
	struct series *out = r->out;
	struct buf *key = &r->store->key;
	shards_ask(redis, key, prefix_of(r), out->acct_region);
	for (int i = 0; i < out->nhours; i++)
		redis_cmd(redis, 2,
		          (struct str[]){STR("HGETALL"), key_cells(key, prefix_of(r), out->acct_region,
		                                                   out->first + i, out->model_hex)});
	redis_cmd(redis, 2,
	          (struct str[]){STR("HGETALL"),
	                         key_billed_means(key, prefix_of(r), out->acct_region, out->model_hex)});
	redis_cmd(redis, 3,
	          (struct str[]){STR("HGET"),
	                         key_billed_means(key, prefix_of(r), out->acct_region, STR(BILLED_MEANS_ALL)),
	                         STR(BILLED_MEANS_ALL)});
	for (int64_t b = first_bucket; b <= last_bucket; b++)
		queue_model_names(r, b, model_id_of(out->model_hex));
	cardinality_ask(redis, prefix_of(r), out->acct_region, day_of(out->first),
	                day_of(out->first + out->nhours - 1));
}

// A further round trip, where a group of somebody who called has more than keep their names, or that of the
// models.
static bool read_kept_names(struct hour_reader *r, struct err *err)
{
	struct cardinality *x = &r->out->cardinality;
	int kept = 0;
	for (int i = 0; i < x->n; i++) {
		int32_t k = 0;
		bool models = str_is(x->list[i].group, CARDINALITY_MODELS);
		struct str rest = x->list[i].group, owner = str_cut(&rest, ' ');
		while (k < r->ncallers && !models && !str_starts(r->callers[k].arn, owner))
			k++;
		if (k < r->ncallers || models)
			x->list[kept++] = x->list[i];
	}
	x->n = kept;
	if (kept == 0)
		return true;
	cardinality_ask_kept(x, r->store->redis, prefix_of(r), r->out->acct_region, r->out->model);
	if (!redis_exec(r->store->redis, err))
		return false;
	cardinality_take_kept(x, r->store->redis, 0, r->arena);
	return true;
}

// A further round trip for the few models whose id names none.
static bool read_profile(struct hour_reader *r, struct err *err)
{
	if (!profile_is_opaque(r->out->model))
		return true;
	profile_ask(r->store->redis, r->store->options->redis.prefix, r->out->model);
	if (!redis_exec(r->store->redis, err))
		return false;
	profile_take(r->store->redis, 0, r->arena, &r->out->profile);
	return true;
}

bool store_read_series(struct store *s, const struct due *due, int n, struct arena *arena, struct series *ret,
                       struct err *err)
{
	struct hour_reader r = {.store = s, .arena = arena, .out = ret};
	int64_t from = due[0].hour, to = due[n - 1].hour;
	assert(from <= to);
	*ret = (struct series){
		.acct_region = due[0].acct_region,
		.model_hex = due[0].model_hex,
		.read_ms = when_ticks_ms(),
		.first = from - 1,
		.nhours = (int)(to - from + 3),
	};
	ret->hours = arena_alloc(arena, (size_t)ret->nhours * sizeof *ret->hours);
	int64_t first_bucket = (from - 1 - CALL_HOURS_MAX) / BUCKET_HOURS,
			last_bucket = (to + 1 + CALL_HOURS_MAX) / BUCKET_HOURS;
	ret->first_bucket = first_bucket;
	ret->nbuckets = (int)(last_bucket - first_bucket + 1);
	ret->further = arena_alloc(arena, (size_t)ret->nbuckets * sizeof *ret->further);
	queue_reads(&r, first_bucket, last_bucket);
	if (!redis_exec(s->redis, err))
		return false;
	size_t at = 0;
	int shards = shards_answer(s->redis, at++);
	for (int i = 0; i < ret->nhours; i++)
		ret->hours[i] = read_hour(&r, at++, ret->first + i);
	read_billed_means(&r, at++);
	ret->has_billed_all =
		billed_means_read(STR_NONE, redis_str(s->redis, at++), &ret->billed_all);
	for (int b = 0; b < ret->nbuckets; b++)
		read_model_names(&r, at++, &ret->further[b]);
	cardinality_take(&ret->cardinality, s->redis, at, day_of(from - 1), day_of(to + 1), arena);
	bool good = read_shards(&r, shards, err) && read_callers(&r, first_bucket, last_bucket, err) &&
	            read_sessions(&r, err) && read_profile(&r, err) && read_kept_names(&r, err);
	if (good)
		resolve_callers(&r);
	hour_reader_release(&r);
	return good;
}
