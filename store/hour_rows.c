// SPDX-License-Identifier: Apache-2.0
// Quantities first, dollars beside them: the dollars follow from the quantities in the hash and from the
// prices alone, so `nowcast reprice` can derive them again.
#include "store/hour_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/when.h"
#include "estimator/rate_class.h"
#include "estimator/tariff.h"
#include "estimator/units.h"
#include "store/usage_rows.h"

enum { TAGSETS_EACH = 4 }; // sets of tags a name, on average, before a group is written without names

struct row_writer {
	struct tariffs *tariffs;
	const struct rate_classes *rate_classes;
	const struct units *units;
	const int64_t *silent; // by the span's callers, and 0 behind the last; NULL: the model has a price
	struct arena *arena;
	struct settled *out;
};

// ---- rows ---------------------------------------------------------------------------------------

static void add_field(struct row_writer *w, struct row_list *to, struct str field, struct str value)
{
	if (to->n == to->cap) {
		struct row *more =
			arena_alloc(w->arena, (size_t)(to->cap = to->cap ? to->cap * 2 : 64) * sizeof *more);
		if (to->n)
			memcpy(more, to->v, (size_t)to->n * sizeof *more);
		to->v = more;
	}
	to->v[to->n++] = (struct row){field, value};
}

static void add_row(struct row_writer *w, const struct view_row *r)
{
	struct buf field = BUF_INIT, value = BUF_INIT;
	row_format_field(r, &field);
	row_format_value(r, &value);
	add_field(w, r->kind == ROW_CALLS ? &w->out->meta : &w->out->usage, arena_str(w->arena, buf_str(&field)),
	          arena_str(w->arena, buf_str(&value)));
	buf_release(&field);
	buf_release(&value);
}

// ---- tokens and units of one caller -------------------------------------------------------------

// Tokens of one type, and how far off the allocated ones may be.
struct type_usage {
	struct shares shares;
	int64_t telemetry, cache_unknown, spread, noise;
	int64_t assumed;         // of cache writes: those whose TTL no record names,
	enum ttl_source source;  // and what says which one they have
	bool ttl_may_be_1h;
};

static int64_t sum_of(const struct shares *x)
{
	return x->exact + x->allocated + x->provisional;
}

static void add_tokens(struct row_writer *w, const struct who *who, enum token_type type,
                       const struct type_usage *x, const struct priced_usage *b)
{
	const struct tariff *t = tariffs_at(w->tariffs, rate_class_tier(b->rate_class));
	struct view_row row = {.principal = who->arn,
	                       .tagset = who->tagset,
	                       .kind = ROW_TOKENS,
	                       .type = type,
	                       .rate_class = (uint8_t)b->rate_class,
	                       .figure = {.tokens = b->tokens[type],
	                                  .exact = x->shares.exact,
	                                  .allocated = x->shares.allocated,
	                                  .provisional = x->shares.provisional,
	                                  .assumed = x->assumed,
	                                  .ttl_source = x->assumed ? TTL_ASSUMED : TTL_NAMED,
	                                  .cache_unknown = b->cache_unknown[type],
	                                  .prompt_max = t->nbands > 1 ? b->prompt_max : 0}};
	struct figure *f = &row.figure;
	struct cost cost;
	if (f->tokens == 0)
		return;
	if (!w->out->overflow) { // rows of models without a price are summed up: only numbers can be
		f->telemetry = x->telemetry;
		f->spread = x->spread;
		f->noise = x->noise;
		f->ttl_may_be_1h = f->assumed && x->ttl_may_be_1h;
		f->ttl_source = f->assumed ? (uint8_t)x->source : TTL_NAMED;
	}
	f->priced = tariff_price(t, b, type, &cost);
	figure_set_cost(f, &cost);
	if (f->priced)
		tariff_band(t, b, &f->band_estimated);
	else
		w->out->unpriced = price_miss_text(tariff_miss(t, type));
	add_row(w, &row);
}

static void add_units(struct row_writer *w, const struct who *who, enum row_kind kind,
                      const struct shares *shares)
{
	const struct tariff *t = tariffs_at(w->tariffs, TIER_STANDARD);
	struct view_row row = {.principal = who->arn,
	                       .tagset = who->tagset,
	                       .kind = kind,
	                       .figure = {.tokens = sum_of(shares),
	                                  .exact = shares->exact,
	                                  .allocated = shares->allocated,
	                                  .provisional = shares->provisional}};
	struct figure *f = &row.figure;
	struct cost cost;
	if (f->tokens == 0)
		return;
	f->priced = kind == ROW_UNITS && tariff_price_units(t, f->tokens, &cost);
	figure_set_cost(f, &cost);
	if (!f->priced)
		w->out->unpriced = price_miss_text(tariff_unit_miss(t));
	add_row(w, &row);
}

static int64_t part_of(int64_t tokens, int32_t permille)
{
	return tokens / 1000 * permille + tokens % 1000 * permille / 1000;
}

static int64_t at_most(int64_t x, int64_t most)
{
	return x < most ? x : most;
}

// Takes the one-hour writes out of all cache writes: those that are known, and so many thousandths of the
// others.
static void split_writes(const struct caller_usage *u, struct type_usage *writes, struct type_usage *ret_1h)
{
	int32_t permille = ttl_is_known(u->ttl_permille) ? u->ttl_permille : 0;
	int64_t known_1h = u->exact_1h < writes->shares.exact ? u->exact_1h : writes->shares.exact;
	int64_t known = u->exact_ttl > known_1h ? u->exact_ttl : known_1h;
	int64_t known_5m = known - known_1h, open = writes->shares.exact - known;
	*ret_1h = (struct type_usage){
		.shares = {known_1h + part_of(open, permille), part_of(writes->shares.allocated, permille),
	               part_of(writes->shares.provisional, permille)},
		.spread = part_of(writes->spread, permille),
		.noise = part_of(writes->noise, permille),
		.source = writes->source,
		.ttl_may_be_1h = writes->ttl_may_be_1h,
	};
	writes->shares.exact -= ret_1h->shares.exact;
	writes->shares.allocated -= ret_1h->shares.allocated;
	writes->shares.provisional -= ret_1h->shares.provisional;
	writes->spread -= ret_1h->spread;
	writes->noise -= ret_1h->noise;
	ret_1h->telemetry = at_most(part_of(writes->telemetry, permille), ret_1h->shares.exact);
	writes->telemetry = at_most(writes->telemetry - ret_1h->telemetry, writes->shares.exact);
	ret_1h->cache_unknown = at_most(part_of(writes->cache_unknown, permille), sum_of(&ret_1h->shares));
	writes->cache_unknown =
		at_most(writes->cache_unknown - ret_1h->cache_unknown, sum_of(&writes->shares));
	ret_1h->assumed = sum_of(&ret_1h->shares) - known_1h;
	writes->assumed = sum_of(&writes->shares) - known_5m;
}

static void add_rate_class(struct row_writer *w, const struct who *who, int rate_class,
                           const struct caller_usage *u)
{
	struct type_usage types[TOKEN_TYPES];
	struct priced_usage b = {.rate_class = rate_class, .calls = u->calls, .prompt_max = u->prompt_max};
	for (int type = 0; type < TOKEN_CACHE_WRITE_1H; type++) {
		int kind = (int)kind_of_type((enum token_type)type);
		types[type] = (struct type_usage){.shares = u->by_kind[kind],
		                                  .telemetry = u->telemetry[kind],
		                                  .cache_unknown = u->cache_unknown[kind],
		                                  .spread = u->spread[kind],
		                                  .noise = u->noise[kind]};
	}
	struct type_usage *writes = &types[TOKEN_CACHE_WRITE_5M], *writes_1h = &types[TOKEN_CACHE_WRITE_1H];
	writes->source = u->ttl_source;
	writes->ttl_may_be_1h = u->ttl_may_be_1h;
	split_writes(u, writes, writes_1h);
	for (int type = 0; type < TOKEN_TYPES; type++) {
		b.tokens[type] = sum_of(&types[type].shares);
		b.cache_unknown[type] = types[type].cache_unknown;
	}
	if (ttl_is_doubtful(u->ttl_source)) {
		b.doubtful_5m = writes->assumed;
		b.doubtful_1h = writes_1h->assumed;
	}
	if (u->calls || u->failed)
		add_row(w, &(struct view_row){.principal = who->arn,
		                              .tagset = who->tagset,
		                              .kind = ROW_CALLS,
		                              .rate_class = (uint8_t)rate_class,
		                              .calls = {u->calls, u->failed}});
	for (int type = 0; type < TOKEN_TYPES; type++)
		add_tokens(w, who, (enum token_type)type, &types[type], &b);
}

// ---- sums of one row of callers -----------------------------------------------------------------

__extension__ typedef __int128 wide;

// The cache writes whose TTL no record names, and thousandths of them that are taken to live for one hour.
struct open_writes {
	wide tokens, of_1h;
};

struct class_sums {
	int rate_class;
	struct caller_usage usage;
	struct open_writes writes;
};

// What one caller used, or several that are written as one. The length of prompts makes rate classes of its
// own only where it decides a rate.
struct caller_sums {
	struct class_sums *v; // by rate class
	int32_t n, cap;
	struct shares units;
	int64_t uncounted; // calls
};

static void add_saturating(int64_t *to, int64_t more)
{
	if (__builtin_add_overflow(*to, more, to))
		*to = INT64_MAX;
}

static void add_caller_usage(struct caller_usage *to, const struct caller_usage *u)
{
	to->calls += u->calls;
	to->failed += u->failed;
	to->exact_1h += u->exact_1h;
	to->exact_ttl += u->exact_ttl;
	if (to->prompt_max == 0 || u->prompt_max == 0)
		to->prompt_max = 0;
	else if (to->prompt_max < u->prompt_max)
		to->prompt_max = u->prompt_max;
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		to->by_kind[kind].exact += u->by_kind[kind].exact;
		to->telemetry[kind] += u->telemetry[kind];
		to->by_kind[kind].allocated += u->by_kind[kind].allocated;
		to->by_kind[kind].provisional += u->by_kind[kind].provisional;
		to->cache_unknown[kind] += u->cache_unknown[kind];
		add_saturating(&to->spread[kind], u->spread[kind]);
		add_saturating(&to->noise[kind], u->noise[kind]);
	}
}

// The share of several callers is the mean of theirs, as well known as that of the least known.
static void add_open_writes(struct class_sums *to, const struct caller_usage *u)
{
	int64_t tokens = sum_of(&u->by_kind[TOKENS_CACHE_WRITE]) - u->exact_ttl;
	if (tokens <= 0)
		return;
	if (to->writes.tokens == 0 || u->ttl_source < to->usage.ttl_source)
		to->usage.ttl_source = u->ttl_source;
	to->usage.ttl_may_be_1h |= u->ttl_may_be_1h;
	to->writes.tokens += tokens;
	to->writes.of_1h += (wide)tokens * (ttl_is_known(u->ttl_permille) ? u->ttl_permille : 0);
}

static void sums_add_class(struct row_writer *w, struct caller_sums *p, int rate_class,
                           const struct caller_usage *u)
{
	int32_t i = 0;
	if (tariffs_at(w->tariffs, rate_class_tier(rate_class))->nbands == 1)
		rate_class = rate_class_tier(rate_class);
	while (i < p->n && p->v[i].rate_class != rate_class)
		i++;
	if (i == p->cap) {
		struct class_sums *more =
			arena_alloc(w->arena, (size_t)(p->cap = p->cap ? 2 * p->cap : 4) * sizeof *more);
		if (p->n)
			memcpy(more, p->v, (size_t)p->n * sizeof *more);
		p->v = more;
	}
	if (i == p->n)
		p->v[p->n++] = (struct class_sums){.rate_class = rate_class, .usage = *u};
	else
		add_caller_usage(&p->v[i].usage, u);
	add_open_writes(&p->v[i], u);
}

static void sums_add(struct row_writer *w, struct caller_sums *p, int32_t caller,
                     const struct caller_usage *u)
{
	int32_t n;
	const struct rate_class_usage *rate_classes = rate_classes_of(w->rate_classes, caller, &n);
	if (n == 0)
		sums_add_class(w, p, 0, u);
	for (int32_t i = 0; i < n; i++)
		sums_add_class(w, p, rate_classes[i].rate_class, &rate_classes[i].usage);
	if (w->silent)
		p->uncounted += w->silent[caller];
	if (w->units->exact) {
		p->units.exact += w->units->exact[caller];
		p->units.allocated += w->units->allocated[caller];
		p->uncounted += w->units->unknown[caller];
	}
}

static void add_sums(struct row_writer *w, const struct who *who, const struct caller_sums *p)
{
	for (int32_t i = 0; i < p->n; i++) {
		struct caller_usage *u = &p->v[i].usage;
		if (p->v[i].writes.tokens)
			u->ttl_permille = (int32_t)(p->v[i].writes.of_1h / p->v[i].writes.tokens);
		add_rate_class(w, who, p->v[i].rate_class, u);
	}
	add_units(w, who, ROW_UNITS, &p->units);
	add_units(w, who, ROW_UNCOUNTED, &(struct shares){.provisional = p->uncounted});
}

// ---- callers ------------------------------------------------------------------------------------

static bool is_split(const struct caller_usage *u)
{
	bool split = false;
	for (int kind = 0; kind < METRIC_KINDS; kind++)
		split |= u->by_kind[kind].allocated || u->by_kind[kind].provisional;
	return split;
}

static bool is_used(const struct caller_usage *u)
{
	bool used = u->calls || u->failed;
	for (int kind = 0; kind < METRIC_KINDS; kind++)
		used |= sum_of(&u->by_kind[kind]) != 0;
	return used;
}

static void add_weights(struct row_writer *w, const struct who *who, const struct weight *x)
{
	struct buf b = BUF_INIT;
	weights_format(x, &b);
	add_field(w, &w->out->meta,
	          arena_text(w->arena, "%.*s %.*s " META_WEIGHTS, STR_ARG(who->arn), STR_ARG(who->tagset)),
	          arena_str(w->arena, buf_str(&b)));
	buf_release(&b);
}

// The callers of one group in the hour.
struct caller_group {
	const struct span *span;
	const struct hour_usage *usage;
	const struct cardinality *cardinality;
	const struct str *folded; // by caller: id of its tags without labels; NULL: nobody has labels
	int64_t day;
	struct str group;
	int names_max;
	int32_t first, end;  // positions of its callers
};

// Callers that are written together where they have the same name and the same tags.
enum tags_shown { TAGS_ALL, TAGS_WITHOUT_LABELS, TAGS_NONE };
struct caller_list {
	const struct caller_group *group;
	enum tags_shown tags;
	bool one_name;       // the group's, not their own
	int32_t *v, n;       // positions
};

static struct str tagset_shown(const struct caller_list *l, int32_t i)
{
	return l->tags == TAGS_NONE ? STR("-")
	       : l->tags == TAGS_WITHOUT_LABELS && l->group->folded
	           ? l->group->folded[i]
	           : l->group->span->callers[i].tagset;
}

static int compare_shown(const struct caller_list *l, int32_t a, int32_t b)
{
	const struct who *all = l->group->span->callers;
	int c = l->one_name ? 0 : str_cmp(all[a].arn, all[b].arn);
	return c ? c : str_cmp(tagset_shown(l, a), tagset_shown(l, b));
}

static int by_shown(const void *a, const void *b, void *list)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
	int c = compare_shown(list, x, y);
	return c ? c : (x > y) - (x < y);
}

static bool keeps_name(const struct caller_group *g, int32_t i)
{
	return cardinality_keeps_caller(g->cardinality, g->day, g->group, g->span->callers[i].arn);
}

// Sorts the list, and shows as many of the tags as make at most `rows_max` rows. Returns how many there are.
static int64_t bound_rows(struct caller_list *l, int64_t rows_max)
{
	enum tags_shown most = l->one_name ? TAGS_NONE : TAGS_WITHOUT_LABELS;
	for (;; l->tags++) {
		int64_t rows = 0;
		if (l->n > 1)
			qsort_r(l->v, (size_t)l->n, sizeof *l->v, by_shown, l);
		for (int32_t k = 0; k < l->n; k++)
			rows += k == 0 || compare_shown(l, l->v[k], l->v[k - 1]) != 0;
		if (rows <= rows_max || l->tags == most)
			return rows;
	}
}

static void add_list(struct row_writer *w, const struct caller_list *l)
{
	const struct caller_group *g = l->group;
	struct str one = l->one_name ? arena_text(w->arena, "%.*s*", STR_ARG(g->group)) : STR_NONE;
	for (int32_t k = 0, first; k < l->n;) {
		struct caller_sums all = {0};
		const struct weight *weight = NULL;
		for (first = k; k < l->n && compare_shown(l, l->v[k], l->v[first]) == 0; k++) {
			const struct caller_usage *u = &g->usage->callers[l->v[k]];
			sums_add(w, &all, l->v[k], u);
			weight = !l->one_name && is_split(u) ? u->weight : weight;
		}
		const struct who who = {.arn = l->one_name ? one : g->span->callers[l->v[first]].arn,
		                        .tagset = tagset_shown(l, l->v[first])};
		add_sums(w, &who, &all);
		if (weight && !w->out->overflow)
			add_weights(w, &who, weight);
	}
}

// `named`: those that keep their names; else the others. `all`: nobody does.
static struct caller_list list_callers(const struct caller_group *g, bool named, bool all,
                                       struct arena *arena)
{
	struct caller_list l = {.group = g, .one_name = !named};
	l.v = arena_alloc(arena, (size_t)(g->end - g->first + 1) * sizeof *l.v);
	for (int32_t i = g->first; i < g->end; i++)
		if (is_used(&g->usage->callers[i]) && (!all && keeps_name(g, i)) == named)
			l.v[l.n++] = i;
	return l;
}

// Writes the group of the caller at g->first; callers are sorted by ARN, so its others follow. Returns the
// position after the group. A session is a caller for each set of tags that it had. Where these are too many,
// labels go first: their names alone would not bound the number of rows. If the tags alone are too many, none
// of the group keeps its name. Callers beyond the limit keep their tags, so that the sum of a team stays
// right; where there are as many sets of tags (an e-mail address among them), they lose their labels, and
// then their tags.
static int32_t add_group(struct row_writer *w, struct caller_group *g, const struct engine_options *o)
{
	const struct span *span = g->span;
	g->group = cardinality_group(span->callers[g->first].arn);
	g->end = g->first + 1;
	g->names_max = cardinality_is_of_sessions(g->group) ? o->sessions_max : o->users_max;
	while (g->group.len && g->end < span->ncallers && str_starts(span->callers[g->end].arn, g->group))
		g->end++;
	int64_t rows_max = (int64_t)TAGSETS_EACH * g->names_max;
	struct caller_list named = list_callers(g, true, false, w->arena);
	bool all = bound_rows(&named, rows_max) > rows_max && g->group.len;
	if (!all)
		add_list(w, &named);
	struct caller_list others = list_callers(g, false, all, w->arena);
	bound_rows(&others, g->names_max);
	add_list(w, &others);
	return g->end;
}

// ---- the hour -----------------------------------------------------------------------------------

static void add_metric(struct row_writer *w, enum token_kind kind, int64_t metered, int64_t excess)
{
	if (metered || excess)
		add_field(w, &w->out->meta, arena_text(w->arena, META_METRIC " %s", meta_metric_name(kind)),
		          arena_text(w->arena, "%lld %lld", (long long)metered, (long long)excess));
}

static void add_telemetry(struct row_writer *w, const struct telemetry_calls *t)
{
	if (t->used || t->unjoined)
		add_field(w, &w->out->meta, STR(META_TELEMETRY),
		          arena_text(w->arena, "%lld %lld %lld", (long long)t->used, (long long)t->refused,
		                     (long long)t->unjoined));
}

// Tokens and units of the metrics that no call accounts for.
static void add_unattributed(struct row_writer *w, const struct span *span, const struct hour_usage *u)
{
	const struct who nobody = {.arn = STR(UNATTRIBUTED), .tagset = STR("-")};
	struct caller_usage usage = {.ttl_permille = u->ttl_permille,
	                             .ttl_source = u->ttl_source,
	                             .ttl_may_be_1h = true,
	                             .prompt_max = u->prompt_max};
	struct caller_sums sums = {0};
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		usage.by_kind[kind].allocated = u->unattributed[kind];
		usage.cache_unknown[kind] = u->cache_unknown[kind];
	}
	sums_add(w, &sums, span->ncallers, &usage);
	sums.units.allocated += w->units->unattributed;
	add_sums(w, &nobody, &sums);
}

// Calls of a model without a price by token, of callers of whom no tokens are known either: they are shown,
// and as having no price, where there would be nothing to show but a number of calls.
static const int64_t *count_silent(const struct span *span, const struct hour_usage *u,
                                   const struct tariff *t, const struct units *units, struct arena *arena)
{
	if (units->exact || t->by_unit || t->miss[TOKEN_INPUT] == MISS_NONE || t->miss[TOKEN_OUTPUT] == MISS_NONE)
		return NULL;
	int64_t *silent = arena_alloc(arena, ((size_t)span->ncallers + 1) * sizeof *silent);
	memset(silent, 0, ((size_t)span->ncallers + 1) * sizeof *silent);
	for (int m = 0; m < 60; m++) {
		const struct minute *at = span_minute(span, m);
		for (int32_t i = 0; at && i < at->ncalls; i++) {
			const struct calls *c = &at->calls[i];
			silent[c->caller] += c->n > c->exact_n[TOKENS_INPUT] ? c->n - c->exact_n[TOKENS_INPUT] : 0;
		}
	}
	for (int32_t i = 0; i < span->ncallers; i++)
		for (int kind = 0; kind < METRIC_KINDS; kind++)
			if (sum_of(&u->callers[i].by_kind[kind]))
				silent[i] = 0;
	return silent;
}

void hour_rows_write(const struct series *s, const struct span *span, const struct hour_usage *u,
                     const struct engine_options *o, struct arena *arena, struct settled *ret)
{
	int64_t hour = ret->hour;
	const struct profile_since *behind = profile_at(&s->profile, (hour + 1) * MS_PER_HOUR);
	struct further_names names = series_further_names(s, hour);
	struct str foundation = behind ? behind->model : names.foundation;
	struct tariffs tariffs;
	struct rate_classes rate_classes;
	struct units units;
	tariffs_init(&tariffs, o->prices, s->acct_region, names.called.len ? names.called : s->model, foundation,
	             hour * MS_PER_HOUR);
	tariffs.query.scope_unknown = !behind;
	const struct tariff *standard = tariffs_at(&tariffs, TIER_STANDARD);
	rate_class_split(span, o->lookback_minutes, u, arena, &rate_classes);
	units_split(span, standard->by_unit, arena, &units);
	struct row_writer w = {.tariffs = &tariffs,
	                       .rate_classes = &rate_classes,
	                       .units = &units,
	                       .silent = count_silent(span, u, standard, &units, arena),
	                       .arena = arena,
	                       .out = ret};
	ret->usage = ret->meta = (struct row_list){0};
	ret->unpriced = NULL;
	ret->overflow = !cardinality_keeps_model(&s->cardinality, hour / 24) &&
	                !tariff_knows(standard);
	for (int32_t i = 0; i < span->ncallers;) {
		struct caller_group g = {.span = span,
		                         .usage = u,
		                         .cardinality = &s->cardinality,
		                         .folded = s->folded,
		                         .day = hour / 24,
		                         .first = i};
		i = add_group(&w, &g, o);
	}
	for (int kind = 0; kind < METRIC_KINDS; kind++)
		add_metric(&w, (enum token_kind)kind, u->metered[kind], u->excess[kind]);
	add_metric(&w, TOKENS_UNITS, units.metered, units.excess);
	add_telemetry(&w, &ret->telemetry);
	add_unattributed(&w, span, u);
	if (ret->usage.n + ret->meta.n == 0)
		return; // of calls that turned out to be of another model or hour nothing is left
	if (names.called.len)
		add_field(&w, &ret->meta, STR(META_MODEL), names.called);
	if (foundation.len)
		add_field(&w, &ret->meta, STR(META_FOUNDATION), foundation);
}
