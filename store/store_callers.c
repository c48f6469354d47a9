// SPDX-License-Identifier: Apache-2.0
// Who made the calls of some hours: their names, then the tags of their sessions, then the labels of callers
// and calls, of which those beyond the limits of a day are left out (store/tagset.h). Only what occurs is
// asked for: a bucket may hold the names of very many models and callers, and were each model to read them
// all, work would grow with their product.
#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

#include "base/buf.h"
#include "estimator/figure.h"
#include "store/keys.h"
#include "store/store_read_priv.h"
#include "store/tagset.h"

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
		.project = str_cut(&text, '\t'),
		.identity = text,
		.tags = tagset_none(),
	};
}

static void add_meta(struct hour_reader *r, uint64_t id, struct str text)
{
	bool added;
	map_add(&r->meta_by_id, id, r->nmetas, &added);
	if (!added)
		return;
	if (r->nmetas == r->capmetas)
		r->metas = xrealloc(r->metas, (size_t)(r->capmetas = r->capmetas ? r->capmetas * 2 : 64),
		                    sizeof *r->metas);
	r->metas[r->nmetas++] = text;
}

static struct str kept(struct hour_reader *r, struct str text)
{
	return arena_str(r->arena, (struct str){text.p + 1, text.len - 1});
}

// Reply i is what one bucket has under the ids of queue_model_names.
void read_model_names(struct hour_reader *r, size_t i, struct further_names *ret)
{
	struct str *into[] = {&r->out->model, &ret->called, &ret->foundation};
	*ret = (struct further_names){0};
	for (size_t k = 0; k < sizeof into / sizeof *into && k < redis_len(r->store->redis, i); k++) {
		struct str text = redis_elem(r->store->redis, i, k);
		if (text.len && text.p[0] == "maf"[k])
			*into[k] = kept(r, text);
		else if (str_is(text, NAME_AMBIGUOUS))
			*into[k] = STR("(ambiguous)");
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

void queue_model_names(struct hour_reader *r, int64_t bucket, uint64_t model_id)
{
	redis_begin(r->store->redis, 2 + 3);
	redis_argz(r->store->redis, "HMGET");
	redis_arg(r->store->redis, names_key(r, bucket));
	redis_arg64(r->store->redis, model_id);
	redis_arg64(r->store->redis, batch_called_id(model_id));
	redis_arg64(r->store->redis, batch_foundation_id(model_id));
}

struct id_list {
	struct map seen;
	uint64_t *ids;
	int32_t n, cap;
};

static void add_id(struct id_list *l, uint64_t id)
{
	bool added;
	map_add(&l->seen, id, 0, &added);
	if (!added)
		return;
	if (l->n == l->cap)
		l->ids = xrealloc(l->ids, (size_t)(l->cap = l->cap ? l->cap * 2 : 64), sizeof *l->ids);
	l->ids[l->n++] = id;
}

// Ids of the callers and of the metadata that occur in the hours read, each once, the callers first; the
// caller frees them.
static uint64_t *ids_of_names(const struct series *s, int32_t *ret_callers, int32_t *ret_n)
{
	struct id_list l = {MAP_INIT, NULL, 0, 0};
	for (int meta = 0; meta < 2; meta++) {
		for (int i = 0; i < s->nhours; i++) {
			for (int m = 0; s->hours[i] && m < 60; m++) {
				const struct minute *at = &s->hours[i]->minutes[m];
				for (int32_t k = 0; k < at->ncalls; k++)
					if (!meta || at->calls[k].meta_id)
						add_id(&l, meta ? at->calls[k].meta_id : at->calls[k].caller_id);
			}
		}
		*(meta ? ret_n : ret_callers) = l.n;
	}
	map_release(&l.seen);
	return l.ids;
}

// Asked for after the cells, and written with them, so every caller of a cell has a name. A caller without
// one would still get its calls.
bool read_callers(struct hour_reader *r, int64_t first_bucket, int64_t last_bucket, struct err *err)
{
	struct redis *redis = r->store->redis;
	int32_t ncallers = 0, n = 0;
	uint64_t *ids = ids_of_names(r->out, &ncallers, &n);
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
			else if (text.len && text.p[0] == 't')
				add_meta(r, ids[k], kept(r, text));
		}
	}
	for (int32_t k = 0; good && k < ncallers; k++)
		add_caller(r, ids[k], STR(UNKNOWN_CALLER "\t\t0\t"));
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
	char *text = json_dumps(tags, JSON_COMPACT | JSON_SORT_KEYS);
	c->tags = tagset_of(str_of(text), r->arena);
	free(text);
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

bool read_sessions(struct hour_reader *r, struct err *err)
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
	const struct labelled_caller *x = a, *y = b;
	return compare_who(x->caller->arn, x->tags.id, y->caller->arn, y->tags.id);
}

static int by_tagset(const void *a, const void *b)
{
	return str_cmp(((const struct tagset *)a)->id, ((const struct tagset *)b)->id);
}

static void add_labelled(struct hour_reader *r, const struct labelled_caller *x)
{
	if (r->nlabelled == r->caplabelled)
		r->labelled =
			xrealloc(r->labelled, (size_t)(r->caplabelled = r->caplabelled ? r->caplabelled * 2 : 64),
		             sizeof *r->labelled);
	struct labelled_caller *to = &r->labelled[r->nlabelled];
	*to = *x;
	to->number = r->nlabelled++;
	to->tags = tagset_with_labels(&x->caller->tags, x->caller->identity, x->meta,
	                              &(struct tagset_limits){.cardinality = &r->out->cardinality,
	                                                      .owner = cardinality_label_owner(x->caller->arn),
	                                                      .day = x->day},
	                              r->arena);
}

// Points the calls of an hour at their callers, with the labels that these have on its day.
static void label_calls(struct hour_reader *r, struct map *index, struct hour *h)
{
	bool added;
	for (int m = 0; m < CELL_MINUTES; m++) {
		for (int32_t k = 0; k < h->minutes[m].ncalls; k++) {
			struct calls *c = &h->minutes[m].calls[k];
			const struct named_caller *caller = &r->callers[*map_find(&r->by_id, c->caller_id)];
			const int32_t *meta = c->meta_id ? map_find(&r->meta_by_id, c->meta_id) : NULL;
			struct labelled_caller x = {.caller = caller, .meta = meta ? r->metas[*meta] : STR_NONE};
			x.day = meta || caller->identity.len ? day_of(h->number) : 0;
			uint64_t key = c->caller_id ^ c->meta_id * 0x9e3779b97f4a7c15u ^ (uint64_t)x.day << 40;
			c->caller = *map_add(index, key, r->nlabelled, &added);
			if (added)
				add_labelled(r, &x);
		}
	}
}

// The tags that occur, sorted, each once, and by caller those without labels.
static void list_tagsets(struct hour_reader *r)
{
	struct series *out = r->out;
	int n = 0;
	bool any = false;
	if (out->ntagsets > 1)
		qsort(out->tagsets, (size_t)out->ntagsets, sizeof *out->tagsets, by_tagset);
	for (int i = 0; i < out->ntagsets; i++)
		if (n == 0 || !str_eq(out->tagsets[n - 1].id, out->tagsets[i].id))
			out->tagsets[n++] = out->tagsets[i];
	out->ntagsets = n;
	for (int32_t i = 0; i < r->nlabelled; i++)
		any |= r->labelled[i].day != 0;
	if (!any)
		return;
	struct tagset *all = arena_alloc(r->arena, (2 * (size_t)n + 1) * sizeof *all);
	out->folded = arena_alloc(r->arena, ((size_t)out->ncallers + 1) * sizeof *out->folded);
	for (int i = 0; i < n; i++) {
		all[i] = out->tagsets[i];
		all[n + i] = tagset_fold(&all[i], r->arena);
	}
	for (int32_t i = 0; i < out->ncallers; i++) {
		const struct tagset key = {.id = out->callers[i].tagset};
		const struct tagset *found = n ? bsearch(&key, out->tagsets, (size_t)n, sizeof key, by_tagset) : NULL;
		out->folded[i] = found ? all[n + (found - out->tagsets)].id : key.id;
	}
	qsort(all, 2 * (size_t)n, sizeof *all, by_tagset);
	out->tagsets = all;
	out->ntagsets = 0;
	for (int i = 0; i < 2 * n; i++)
		if (!str_is(all[i].id, "-") &&
		    (out->ntagsets == 0 || !str_eq(all[out->ntagsets - 1].id, all[i].id)))
			all[out->ntagsets++] = all[i];
}

// Redis lists fields in no order, and sums of floats depend on one. It may not be that of the ids, for
// their key is another in every Redis.
static int by_caller_and_class(const void *a, const void *b)
{
	const struct calls *x = a, *y = b;
	if (x->caller != y->caller)
		return (x->caller > y->caller) - (x->caller < y->caller);
	int c = compare_kind_of_calls(x, y);
	if (c)
		return c;
	const int64_t left[] = {x->n, x->failed, x->started, x->started_sixths};
	const int64_t right[] = {y->n, y->failed, y->started, y->started_sixths};
	for (int i = 0; i < 4; i++)
		if (left[i] != right[i])
			return left[i] < right[i] ? -1 : 1;
	c = memcmp(x->exact, y->exact, sizeof x->exact);
	return c ? c : memcmp(x->exact_n, y->exact_n, sizeof x->exact_n);
}

// Sorts the callers, makes one of those with the same arn and tags, and points the calls at them.
void resolve_callers(struct hour_reader *r)
{
	struct series *out = r->out;
	struct map index = MAP_INIT;
	for (int i = 0; i < out->nhours; i++)
		if (out->hours[i])
			label_calls(r, &index, out->hours[i]);
	map_release(&index);
	int32_t n = r->nlabelled, *at = arena_alloc(r->arena, ((size_t)n + 1) * sizeof *at);
	if (n > 1)
		qsort(r->labelled, (size_t)n, sizeof *r->labelled, by_who);
	out->callers = arena_alloc(r->arena, ((size_t)n + 1) * sizeof *out->callers);
	out->tagsets = arena_alloc(r->arena, ((size_t)n + 1) * sizeof *out->tagsets);
	for (int32_t i = 0; i < n; i++) {
		const struct labelled_caller *x = &r->labelled[i];
		const struct who *last = out->ncallers ? &out->callers[out->ncallers - 1] : NULL;
		if (!last || compare_who(last->arn, last->tagset, x->caller->arn, x->tags.id) != 0) {
			out->callers[out->ncallers++] =
				(struct who){x->caller->arn, x->tags.id, name_id_of_project(x->caller->project)};
			if (!str_is(x->tags.id, "-"))
				out->tagsets[out->ntagsets++] = x->tags;
		}
		at[x->number] = out->ncallers - 1;
	}
	for (int i = 0; i < out->nhours; i++) {
		for (int m = 0; out->hours[i] && m < CELL_MINUTES; m++) {
			struct minute *minute = &out->hours[i]->minutes[m];
			for (int32_t k = 0; k < minute->ncalls; k++)
				minute->calls[k].caller = at[minute->calls[k].caller];
			if (minute->ncalls > 1)
				qsort(minute->calls, (size_t)minute->ncalls, sizeof *minute->calls, by_caller_and_class);
		}
	}
	list_tagsets(r);
}

void hour_reader_release(struct hour_reader *r)
{
	free(r->callers);
	free(r->metas);
	free(r->labelled);
	map_release(&r->by_id);
	map_release(&r->meta_by_id);
}
