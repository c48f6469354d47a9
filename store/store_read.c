// SPDX-License-Identifier: Apache-2.0
// Reads back the facts that apply.lua wrote: three round trips for any run of hours of one model, the second
// one for the names of the callers that occur, the third for the tags of their sessions; one more each for a
// model whose id names none, and where groups of callers, or the models, have too many names. Only what
// occurs is asked for: a bucket may hold the names of very many models and callers, and were each model to
// read them all, work would grow with their product.
#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/when.h"
#include "store/cell_codec.h"
#include "store/keys.h"
#include "store/store.h"

// A caller as its name record tells (batch.h).
struct named_caller {
	uint64_t id;
	struct str arn, access_key, role_arn, project;
	int64_t start_ms;
	struct tagset tags;
};

struct hour_reader {
	struct store *store;
	struct arena *arena;
	struct series *out;
	struct named_caller *callers;
	int32_t ncallers, capcallers;
	struct map by_id; // caller id -> index into callers
};

static const char *prefix_of(const struct hour_reader *r)
{
	return r->store->options->redis.prefix;
}

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

static int by_caller_and_class(const void *a, const void *b)
{
	const struct calls *x = a, *y = b;
	return x->caller_id != y->caller_id ? (x->caller_id > y->caller_id) - (x->caller_id < y->caller_id)
	                                    : x->rate_class - y->rate_class;
}

// Reply i is the HGETALL of an hour's cells (store/cell_codec.h).
static struct hour *read_hour(struct hour_reader *r, size_t i, int64_t number_of_hour)
{
	size_t n = redis_len(r->store->redis, i);
	if (n == 0)
		return NULL;
	struct hour *h = arena_alloc(r->arena, sizeof *h);
	*h = (struct hour){.number = number_of_hour};
	for (size_t k = 0; k + 1 < n; k += 2) {
		struct cell_field f;
		cell_field_read(redis_elem(r->store->redis, i, k), &f);
		h->minutes[f.minute].ncalls += f.form == CELL_CALLS;
	}
	for (int m = 0; m < CELL_MINUTES; m++) {
		h->minutes[m].calls = arena_alloc(r->arena, (size_t)h->minutes[m].ncalls * sizeof(struct calls));
		h->minutes[m].ncalls = 0;
	}
	for (size_t k = 0; k + 1 < n; k += 2)
		read_cell(r, h, redis_elem(r->store->redis, i, k), redis_elem(r->store->redis, i, k + 1));
	for (int m = 0; m < CELL_MINUTES; m++) {
		struct minute *at = &h->minutes[m];
		if (at->ncalls > 1) // Redis lists fields in no order, and sums of floats depend on one
			qsort(at->calls, (size_t)at->ncalls, sizeof *at->calls, by_caller_and_class);
		if (at->nprojects > 1)
			qsort(at->projects, (size_t)at->nprojects, sizeof *at->projects, by_project);
		if (at->nprojects)
			minute_add_projects(at);
	}
	return h;
}

// ---- names --------------------------------------------------------------------------------------

static struct str names_key(struct hour_reader *r, int64_t bucket)
{
	return key_names(&r->store->key, prefix_of(r), r->out->acct_region, bucket);
}

// `text` is as batch.h tells, and lives as long as the series. The first name of a caller counts.
static void add_caller(struct hour_reader *r, uint64_t id, struct str text)
{
	bool added;
	map_add(&r->by_id, id, r->ncallers, &added);
	if (!added)
		return;
	if (r->ncallers == r->capcallers) {
		r->capcallers = r->capcallers ? r->capcallers * 2 : 64;
		r->callers = xrealloc(r->callers, (size_t)r->capcallers, sizeof *r->callers);
	}
	struct str arn = str_cut(&text, '\t'), key = str_cut(&text, '\t'), start = str_cut(&text, '\t'),
			   role = str_cut(&text, '\t');
	r->callers[r->ncallers++] = (struct named_caller){
		.id = id,
		.arn = arn,
		.access_key = key,
		.start_ms = str_cut_count(&start),
		.role_arn = role,
		.project = text,
		.tags = {STR("-"), STR("{}")},
	};
}

static struct str kept(struct hour_reader *r, struct str text)
{
	return arena_str(r->arena, (struct str){text.p + 1, text.len - 1});
}

// Reply i is what one bucket has under the ids of queue_model_names.
static void read_model_names(struct hour_reader *r, size_t i, struct further_names *ret)
{
	struct str *into[] = {&r->out->model, &ret->called, &ret->foundation};
	*ret = (struct further_names){0};
	for (size_t k = 0; k < sizeof into / sizeof *into && k < redis_len(r->store->redis, i); k++) {
		struct str text = redis_elem(r->store->redis, i, k);
		if (text.len && text.p[0] == "maf"[k])
			*into[k] = kept(r, text);
	}
}

static void take_larger(struct str *to, struct str from)
{
	if (str_cmp(*to, from) < 0)
		*to = from;
}

// apply.lua (hours_around) knows these buckets too.
struct further_names series_further_names(const struct series *s, int64_t hour)
{
	struct further_names names = {0};
	int64_t first = (hour - 1 - CALL_HOURS_MAX) / BUCKET_HOURS, last = (hour + CALL_HOURS_MAX) / BUCKET_HOURS;
	assert(first >= s->first_bucket && last < s->first_bucket + s->nbuckets);
	for (int64_t b = first; b <= last; b++) {
		take_larger(&names.called, s->further[b - s->first_bucket].called);
		take_larger(&names.foundation, s->further[b - s->first_bucket].foundation);
	}
	return names;
}

static void queue_model_names(struct hour_reader *r, int64_t bucket, uint64_t model_id)
{
	redis_begin(r->store->redis, 2 + 3);
	redis_argz(r->store->redis, "HMGET");
	redis_arg(r->store->redis, names_key(r, bucket));
	redis_arg64(r->store->redis, model_id);
	redis_arg64(r->store->redis, batch_called_id(model_id));
	redis_arg64(r->store->redis, batch_foundation_id(model_id));
}

// Ids of the callers that occur in the hours read, each once; the caller frees them.
static uint64_t *ids_of_callers(const struct series *s, int32_t *ret_n)
{
	struct map seen = MAP_INIT;
	int32_t n = 0, cap = 64;
	uint64_t *ids = xmalloc((size_t)cap * sizeof *ids);
	bool added;
	for (int i = 0; i < s->nhours; i++) {
		for (int m = 0; s->hours[i] && m < 60; m++) {
			const struct minute *at = &s->hours[i]->minutes[m];
			for (int32_t k = 0; k < at->ncalls; k++) {
				map_add(&seen, at->calls[k].caller_id, 0, &added);
				if (!added)
					continue;
				if (n == cap)
					ids = xrealloc(ids, (size_t)(cap *= 2), sizeof *ids);
				ids[n++] = at->calls[k].caller_id;
			}
		}
	}
	map_release(&seen);
	*ret_n = n;
	return ids;
}

// Asked for after the cells, and written with them, so every caller of a cell has a name. A caller without
// one would still get its calls.
static bool read_callers(struct hour_reader *r, int64_t first_bucket, int64_t last_bucket, struct err *err)
{
	struct redis *redis = r->store->redis;
	int32_t n;
	uint64_t *ids = ids_of_callers(r->out, &n);
	for (int64_t b = first_bucket; n > 0 && b <= last_bucket; b++) {
		redis_begin(redis, 2 + n);
		redis_argz(redis, "HMGET");
		redis_arg(redis, names_key(r, b));
		for (int32_t k = 0; k < n; k++)
			redis_arg64(redis, ids[k]);
	}
	bool good = redis_exec(redis, err);
	for (size_t i = 0; good && i < redis_count(redis); i++) {
		for (int32_t k = 0; k < n; k++) {
			struct str text = redis_elem(redis, i, (size_t)k);
			if (text.len && text.p[0] == 'c')
				add_caller(r, ids[k], kept(r, text));
		}
	}
	for (int32_t k = 0; good && k < n; k++)
		add_caller(r, ids[k], STR("(unknown)\t\t0\t"));
	free(ids);
	return good;
}

// ---- tags ---------------------------------------------------------------------------------------

static bool is_federated(const struct named_caller *c)
{
	return c->role_arn.len && memmem(c->arn.p, c->arn.len, ":federated-user/", 16);
}

// The caller's tags out of {"tags":{...}, ...} as the key of its session holds it (STR_NONE: there is none),
// and what its records say of it that no tag does.
static void read_tagset(struct hour_reader *r, struct named_caller *c, struct str json)
{
	json_t *root = json.len ? json_loadb(json.p, json.len, JSON_ALLOW_NUL, NULL) : NULL;
	json_t *held = json_object_get(root, "tags"),
		   *tags = json_is_object(held) ? json_incref(held) : json_object();
	if (c->project.len)
		json_object_set_new(tags, TAG_PROJECT, json_stringn(c->project.p, c->project.len));
	if (is_federated(c))
		json_object_set_new(tags, TAG_ISSUER, json_stringn(c->role_arn.p, c->role_arn.len));
	if (json_object_size(tags) > 0) {
		char *text = json_dumps(tags, JSON_COMPACT | JSON_SORT_KEYS), id[17];
		snprintf(id, sizeof id, "%016llx", (unsigned long long)hash64(text, strlen(text)));
		c->tags = (struct tagset){arena_str(r->arena, str_of(id)), arena_str(r->arena, str_of(text))};
		free(text);
	}
	json_decref(tags);
	json_decref(root);
}

static void queue_session(struct hour_reader *r, const struct named_caller *c)
{
	struct str session =
		c->access_key.len
			? c->access_key
			: arena_text(r->arena, "%.*s@%lld", STR_ARG(c->arn), (long long)(c->start_ms / 1000));
	redis_cmd(r->store->redis, 2,
	          (struct str[]){STR("GET"), key_session(&r->store->key, prefix_of(r), session)});
}

static bool read_sessions(struct hour_reader *r, struct err *err)
{
	struct named_caller **asked = arena_alloc(r->arena, ((size_t)r->ncallers + 1) * sizeof *asked);
	size_t n = 0;
	for (int32_t i = 0; i < r->ncallers; i++) {
		struct named_caller *c = &r->callers[i];
		if (c->project.len || is_federated(c))
			read_tagset(r, c, STR_NONE);
		if (!c->access_key.len && !c->start_ms)
			continue;
		queue_session(r, c);
		asked[n++] = c;
	}
	if (!redis_exec(r->store->redis, err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!redis_nil(r->store->redis, i))
			read_tagset(r, asked[i], redis_str(r->store->redis, i));
	return true;
}

// ---- callers ------------------------------------------------------------------------------------

static int compare_who(struct str arn_a, struct str tags_a, struct str arn_b, struct str tags_b)
{
	int c = str_cmp(arn_a, arn_b);
	return c ? c : str_cmp(tags_a, tags_b);
}

static int by_who(const void *a, const void *b)
{
	const struct named_caller *x = a, *y = b;
	return compare_who(x->arn, x->tags.id, y->arn, y->tags.id);
}

static int by_tagset(const void *a, const void *b)
{
	return str_cmp(((const struct tagset *)a)->id, ((const struct tagset *)b)->id);
}

// Sorts the callers, makes one of those with the same arn and tags, and points the calls at them.
static void resolve_callers(struct hour_reader *r)
{
	struct series *out = r->out;
	struct map index = MAP_INIT;
	bool added;
	if (r->ncallers > 1)
		qsort(r->callers, (size_t)r->ncallers, sizeof *r->callers, by_who);
	out->callers = arena_alloc(r->arena, ((size_t)r->ncallers + 1) * sizeof *out->callers);
	out->tagsets = arena_alloc(r->arena, ((size_t)r->ncallers + 1) * sizeof *out->tagsets);
	for (int32_t i = 0; i < r->ncallers; i++) {
		const struct named_caller *c = &r->callers[i];
		const struct who *last = out->ncallers ? &out->callers[out->ncallers - 1] : NULL;
		if (!last || compare_who(last->arn, last->tagset, c->arn, c->tags.id) != 0) {
			out->callers[out->ncallers++] =
				(struct who){c->arn, c->tags.id, evidence_project_id(c->project)};
			if (!str_is(c->tags.id, "-"))
				out->tagsets[out->ntagsets++] = c->tags;
		}
		map_add(&index, c->id, out->ncallers - 1, &added);
	}
	for (int i = 0; i < out->nhours; i++) {
		for (int m = 0; out->hours[i] && m < 60; m++) {
			struct minute *at = &out->hours[i]->minutes[m];
			for (int32_t k = 0; k < at->ncalls; k++)
				at->calls[k].caller = *map_find(&index, at->calls[k].caller_id);
		}
	}
	map_release(&index);
	if (out->ntagsets > 1)
		qsort(out->tagsets, (size_t)out->ntagsets, sizeof *out->tagsets, by_tagset);
	int n = 0;
	for (int i = 0; i < out->ntagsets; i++)
		if (n == 0 || !str_eq(out->tagsets[n - 1].id, out->tagsets[i].id))
			out->tagsets[n++] = out->tagsets[i];
	out->ntagsets = n;
}

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

static int64_t day_of(int64_t hour)
{
	return hour / 24;
}

static void queue_reads(struct hour_reader *r, int64_t first_bucket, int64_t last_bucket)
{
	struct redis *redis = r->store->redis;
	struct series *out = r->out;
	struct buf *key = &r->store->key;
	for (int i = 0; i < out->nhours; i++)
		redis_cmd(redis, 2,
		          (struct str[]){STR("HGETALL"), key_cells(key, prefix_of(r), out->acct_region,
		                                                   out->first + i, out->model_hex)});
	redis_cmd(redis, 2,
	          (struct str[]){STR("HGETALL"),
	                         key_billed_means(key, prefix_of(r), out->acct_region, out->model_hex)});
	for (int64_t b = first_bucket; b <= last_bucket; b++)
		queue_model_names(r, b, model_id_of(out->model_hex));
	cardinality_ask(redis, prefix_of(r), out->acct_region, day_of(out->first + 1),
	                day_of(out->first + out->nhours - 2));
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
		while (k < r->ncallers && !models && !str_starts(r->callers[k].arn, x->list[i].group))
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

bool store_read_series(struct store *s, struct str acct_region, struct str model_hex, int64_t from,
                       int64_t to, struct arena *arena, struct series *ret, struct err *err)
{
	struct hour_reader r = {.store = s, .arena = arena, .out = ret};
	*ret = (struct series){
		.acct_region = acct_region,
		.model_hex = model_hex,
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
	for (int i = 0; i < ret->nhours; i++)
		ret->hours[i] = read_hour(&r, at++, ret->first + i);
	read_billed_means(&r, at++);
	for (int b = 0; b < ret->nbuckets; b++)
		read_model_names(&r, at++, &ret->further[b]);
	cardinality_take(&ret->cardinality, s->redis, at, day_of(from), day_of(to), arena);
	bool good = read_callers(&r, first_bucket, last_bucket, err) && read_sessions(&r, err) &&
	            read_profile(&r, err) && read_kept_names(&r, err);
	if (good)
		resolve_callers(&r);
	free(r.callers);
	map_release(&r.by_id);
	return good;
}
