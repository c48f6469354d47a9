// SPDX-License-Identifier: Apache-2.0
// The estimator alone, on a world whose truth is known, beside what else could be done with the same facts:
//
//     estimate_play WORLD [--billed HOURS] [--cold HOURS] [--methods N]
//
// WORLD is a folder with calls.csv and prices.csv (../shared/world). The calls become the facts that their
// records would give, and every hour is estimated from the hours up to it, as the engine does; Redis and the
// reports are left out. --methods 1: the estimate only. With --billed the first hours are known from the
// bill, and only later ones count.
//
// One line a method, for the first hours and those after: sum |estimate - truth| / sum truth of the dollars
// by hour and principal, the same by day and principal; of the ten largest principals, estimate / truth - 1.
// Without a bill the truth has all cache writes at the five-minute rate, so that only whose tokens they are
// counts. The methods:
//
//     estimate   learn.h and allocate.h; with how often its band holds: by dollars, by count, of the ten
//                largest, and the band's width
//     nnls       non-negative least squares over the minutes of the last six hours, ridge 3; "-" if a model
//                has more than NNLS_CALLERS callers
//     mean       every caller's true mean over the whole world
//     equal      every call alike
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/map.h"
#include "estimator/allocate.h"
#include "estimator/learn.h"
#include "estimator/solve.h"
#include "estimator/ttl_shares.h"
#include "query/error_sketch.h"
#include "query/split_band.h"

enum {
	LOOKBACK = 5,
	LEARN = 24,
	HOURS_MAX = 24 * 31,
	NNLS_HOURS = 6,
	NNLS_CALLERS = 400,
	TOP = 10,
	MODELS_MAX = 512,
	SWEEPS_MAX = 200
};
enum method { ESTIMATE, NNLS, MEAN, EQUAL, METHODS };

static const char *const method_names[METHODS] = {"estimate", "nnls", "mean", "equal"};

struct world_call {
	int64_t start, end; // minutes
	int64_t sixth;      // of its minute in which it began, from 1 on
	int32_t model, who; // of the world's
	bool stream;
	int64_t tokens[METRIC_KINDS], written_1h;
};

struct model {
	char name[256];
	double rate[TOKEN_TYPES]; // USD a token: 0 input, 1 output, 2 read, 3 write, 4 one-hour write
	int32_t ncallers, *callers; // principals of the world, in the order of their ARNs
	struct hour *hours;         // as the world's
	struct str *stats;
};

struct world {
	struct arena arena;
	struct world_call *calls;
	int64_t ncalls, first; // first: minute
	int nhours, nmodels, nwho, billed;
	struct model models[MODELS_MAX];
	struct str *names;
	int32_t *rank; // of a principal by its ARN
	struct map model_index, who_index;
};

// Dollars by hour and principal, and of the estimate what its bands need (query/group.h).
struct table {
	double *usd, *chance, *more, *others;
	struct error_sketch *errors;
};

static double *zeros(size_t n) { return xcalloc(n + 1, sizeof(double)); }

static size_t at_of(const struct world *w, int hour, int who)
{
	return (size_t)hour * (size_t)w->nwho + (size_t)who;
}

// ---- reading ------------------------------------------------------------------------------------

static int32_t number_of(struct map *index, struct str a, struct str b, struct str c, int32_t next)
{
	bool added;
	uint64_t key = hash64_seeded(a.p, a.len, hash64_seeded(b.p, b.len, hash64(c.p, c.len)));
	return *map_add(index, key, next, &added);
}

static int64_t number(struct str text)
{
	int64_t v = 0;
	for (size_t i = 0; i < text.len; i++)
		v = v * 10 + (text.p[i] - '0');
	return v;
}

static void read_call(struct world *w, struct str line)
{
	struct str field[14];
	for (int i = 0; i < 14; i++)
		field[i] = str_cut(&line, ',');
	if (field[8].len)
		return; // refused
	int32_t model = number_of(&w->model_index, field[3], field[4], field[5], w->nmodels);
	int32_t who = number_of(&w->who_index, field[6], STR(""), STR(""), w->nwho);
	if (model == w->nmodels) {
		if (w->nmodels == MODELS_MAX)
			exit(1);
		snprintf(w->models[w->nmodels++].name, sizeof w->models[0].name, "%.*s", STR_ARG(field[5]));
	}
	if (who == w->nwho) {
		w->names = xrealloc(w->names, (size_t)w->nwho + 1, sizeof *w->names);
		w->names[w->nwho++] = arena_str(&w->arena, field[6]);
	}
	if ((w->ncalls & (w->ncalls - 1)) == 0)
		w->calls = xrealloc(w->calls, w->ncalls ? (size_t)w->ncalls * 2 : 1, sizeof *w->calls);
	w->calls[w->ncalls++] = (struct world_call){
		.start = number(field[0]) / 60000,
		.sixth = number(field[0]) / 10000 % 6 + 1,
		.end = number(field[1]) / 60000,
		.model = model,
		.who = who,
		.stream = field[7].p[0] == '1',
		.tokens = {number(field[9]), number(field[10]), number(field[11]),
	               number(field[12]) + number(field[13])},
		.written_1h = number(field[13]),
	};
}

static FILE *open_of(const char *folder, const char *name)
{
	char path[1024];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "r");
	if (!f) {
		perror(path);
		exit(1);
	}
	return f;
}

static void read_prices(struct world *w, const char *folder)
{
	char line[1024];
	FILE *f = open_of(folder, "prices.csv");
	while (fgets(line, sizeof line, f)) {
		struct str rest = str_trim(str_of(line)), name = str_cut(&rest, ',');
		double rate[TOKEN_TYPES] = {0};
		for (int i = 0; i < 5; i++)
			rate[i] = strtod(str_cut(&rest, ',').p, NULL) / 1e6;
		for (int i = 0; i < w->nmodels; i++)
			if (str_is(name, w->models[i].name) ||
			    (w->models[i].rate[0] == 0 && strstr(w->models[i].name, "inference-profile") &&
			     str_is(name, "us.anthropic.claude-sonnet-4-6")))
				memcpy(w->models[i].rate, rate, sizeof rate);
	}
	fclose(f);
}

static struct world *sorted_world;

static int by_arn(const void *a, const void *b)
{
	return str_cmp(sorted_world->names[*(const int32_t *)a], sorted_world->names[*(const int32_t *)b]);
}

static void rank_callers(struct world *w)
{
	int32_t *order = xcalloc((size_t)w->nwho + 1, sizeof *order);
	w->rank = xcalloc((size_t)w->nwho + 1, sizeof *w->rank);
	for (int32_t i = 0; i < w->nwho; i++)
		order[i] = i;
	sorted_world = w;
	qsort(order, (size_t)w->nwho, sizeof *order, by_arn);
	for (int32_t i = 0; i < w->nwho; i++)
		w->rank[order[i]] = i;
	struct str *names = xcalloc((size_t)w->nwho + 1, sizeof *names);
	for (int32_t i = 0; i < w->nwho; i++)
		names[i] = w->names[order[i]];
	for (int64_t i = 0; i < w->ncalls; i++)
		w->calls[i].who = w->rank[w->calls[i].who];
	free(w->names);
	w->names = names;
	free(order);
}

static void read_world(struct world *w, const char *folder)
{
	char line[2048];
	FILE *f = open_of(folder, "calls.csv");
	bool head = true;
	while (fgets(line, sizeof line, f)) {
		if (!head)
			read_call(w, str_trim(str_of(line)));
		head = false;
	}
	fclose(f);
	read_prices(w, folder);
	rank_callers(w);
	int64_t last = 0;
	w->first = INT64_MAX;
	for (int64_t i = 0; i < w->ncalls; i++) {
		w->first = w->calls[i].start < w->first ? w->calls[i].start : w->first;
		last = w->calls[i].end > last ? w->calls[i].end : last;
	}
	w->first -= w->first % 60;
	w->nhours = (int)((last - w->first) / 60 + 1);
	if (w->nhours > HOURS_MAX)
		exit(1);
}

// ---- facts --------------------------------------------------------------------------------------

static struct minute *minute_of(struct world *w, int model, int64_t minute)
{
	return &w->models[model].hours[(minute - w->first) / 60].minutes[(minute - w->first) % 60];
}

static struct calls *calls_of(struct minute *m, int32_t caller)
{
	for (int32_t i = 0; i < m->ncalls; i++)
		if (m->calls[i].caller == caller)
			return &m->calls[i];
	if ((m->ncalls & (m->ncalls - 1)) == 0)
		m->calls = xrealloc(m->calls, m->ncalls ? (size_t)m->ncalls * 2 : 1, sizeof *m->calls);
	m->calls[m->ncalls] = (struct calls){.caller = caller};
	return &m->calls[m->ncalls++];
}

static void keep_larger_of_two(struct model *m, int nhours)
{
	for (int i = 0; i < nhours * 60; i++)
		for (int kind = 0; kind < METRIC_KINDS; kind++)
			if (m->hours[i / 60].minutes[i % 60].samples[kind] != 2)
				m->hours[i / 60].minutes[i % 60].larger[kind] = 0;
}

// A record of a stream has the time of its start, one of a plain call that of its end; metrics have the end.
static void make_facts(struct world *w)
{
	for (int i = 0; i < w->nmodels; i++) {
		struct model *m = &w->models[i];
		int32_t *position = xcalloc((size_t)w->nwho + 1, sizeof *position);
		m->hours = xcalloc((size_t)w->nhours + 1, sizeof *m->hours);
		m->callers = xcalloc((size_t)w->nwho + 1, sizeof *m->callers);
		for (int64_t k = 0; k < w->ncalls; k++)
			if (w->calls[k].model == i)
				position[w->calls[k].who] = 1;
		for (int32_t k = 0; k < w->nwho; k++)
			if (position[k]) {
				position[k] = m->ncallers;
				m->callers[m->ncallers++] = k;
			}
		for (int64_t k = 0; k < w->ncalls; k++) {
			const struct world_call *c = &w->calls[k];
			if (c->model != i)
				continue;
			struct calls *to = calls_of(minute_of(w, i, c->stream ? c->start : c->end), position[c->who]);
			struct minute *at = minute_of(w, i, c->end);
			to->n++;
			to->started += c->stream;
			to->started_sixths += c->stream ? c->sixth : 0;
			at->metered = true;
			for (int kind = 0; kind < METRIC_KINDS; kind++) {
				bool counted = kind < TOKENS_CACHE_READ || c->tokens[kind] > 0;
				at->has[kind] |= counted;
				at->samples[kind] += counted;
				at->metric[kind] += c->tokens[kind];
				if (at->larger[kind] < c->tokens[kind])
					at->larger[kind] = c->tokens[kind];
			}
		}
		keep_larger_of_two(m, w->nhours);
		free(position);
	}
}

static struct table table_new(const struct world *w)
{
	size_t n = (size_t)w->nhours * (size_t)w->nwho;
	return (struct table){zeros(n), zeros(n), zeros(n), zeros(n),
	                      xcalloc(n + 1, sizeof(struct error_sketch))};
}

static double usd_of(const struct world *w, const struct world_call *c, bool ttl)
{
	const double *rate = w->models[c->model].rate;
	double usd = 0;
	for (int kind = 0; kind < METRIC_KINDS; kind++)
		usd += (double)c->tokens[kind] * rate[kind];
	return usd + (ttl ? (double)c->written_1h * (rate[4] - rate[3]) : 0);
}

static void make_truth(const struct world *w, bool ttl, struct table *ret)
{
	for (int64_t i = 0; i < w->ncalls; i++) {
		const struct world_call *c = &w->calls[i];
		ret->usd[at_of(w, (int)((c->end - w->first) / 60), c->who)] += usd_of(w, c, ttl);
	}
}

// ---- the estimate -------------------------------------------------------------------------------

static int make_bill(const struct world *w, int model, struct billed_means *bill)
{
	const struct model *m = &w->models[model];
	int32_t *position = xcalloc((size_t)w->nwho + 1, sizeof *position);
	int n = 0;
	for (int32_t i = 0; i < m->ncallers; i++) {
		position[m->callers[i]] = i;
		bill[i] = (struct billed_means){.arn = w->names[m->callers[i]]};
	}
	for (int64_t i = 0; i < w->ncalls; i++) {
		const struct world_call *c = &w->calls[i];
		if (c->model != model || (c->end - w->first) / 60 >= w->billed)
			continue;
		struct billed_means *b = &bill[position[c->who]];
		b->calls++;
		for (int kind = 0; kind < METRIC_KINDS; kind++)
			b->tokens[kind] += c->tokens[kind];
		b->tokens[TOKENS_CACHE_WRITE_1H] += c->written_1h;
	}
	for (int32_t i = 0; i < m->ncallers; i++)
		if (bill[i].calls)
			bill[n++] = bill[i];
	free(position);
	return n;
}

static void add_usage(const struct world *w, const struct model *m, int hour, const struct hour_usage *u,
                      struct table *ret)
{
	double all_weights[METRIC_KINDS] = {0}, all_chance[METRIC_KINDS] = {0}, all_usd[METRIC_KINDS] = {0};
	for (int32_t i = 0; i < m->ncallers; i++)
		for (int kind = 0; kind < METRIC_KINDS; kind++) {
			double rate = m->rate[kind];
			all_weights[kind] += pow((double)u->callers[i].spread[kind] * rate, 2);
			all_chance[kind] += (double)u->callers[i].noise[kind] * rate * rate;
			all_usd[kind] += (double)u->callers[i].by_kind[kind].allocated * rate;
		}
	for (int32_t i = 0; i < m->ncallers; i++) {
		const struct caller_usage *c = &u->callers[i];
		size_t at = at_of(w, hour, m->callers[i]);
		struct str name = w->names[m->callers[i]];
		uint64_t source = digest64_seeded(name.p, name.len, (uint64_t)(m - w->models));
		for (int kind = 0; kind < METRIC_KINDS; kind++) {
			double rate = m->rate[kind], own = pow((double)c->spread[kind] * rate, 2),
				   chance = (double)c->noise[kind] * rate * rate,
				   tokens = (double)(c->by_kind[kind].allocated + c->by_kind[kind].provisional);
			if (w->billed && kind == TOKENS_CACHE_WRITE && ttl_is_known(c->ttl_permille))
				rate += (m->rate[4] - m->rate[3]) * c->ttl_permille / 1000;
			ret->usd[at] += tokens * rate;
			ret->others[at] += all_usd[kind] - (double)c->by_kind[kind].allocated * m->rate[kind];
			error_sketch_add(&ret->errors[at], source, kind,
			                 sqrt(fmin(own, fmax(all_weights[kind] - own, 0))));
			if (all_chance[kind] > 0)
				ret->chance[at] += chance * fmax(all_chance[kind] - chance, 0) / all_chance[kind];
			if (w->billed && kind == TOKENS_CACHE_WRITE && ttl_is_doubtful(c->ttl_source))
				ret->more[at] += tokens * (m->rate[4] - m->rate[3]) * (1000 - c->ttl_permille) / 1000;
		}
	}
}

static void estimate_model(struct world *w, int model, struct table *ret)
{
	struct model *m = &w->models[model];
	struct arena arena = ARENA_INIT;
	struct who *who = xcalloc((size_t)m->ncallers + 1, sizeof *who);
	struct str *stats = xcalloc((size_t)w->nhours + LEARN + 1, sizeof *stats);
	struct billed_means *bill = xcalloc((size_t)m->ncallers + 1, sizeof *bill);
	int nbill = w->billed ? make_bill(w, model, bill) : 0;
	for (int32_t i = 0; i < m->ncallers; i++)
		who[i] = (struct who){w->names[m->callers[i]], STR("-"), 0};
	for (int h = 0; h < w->nhours; h++) {
		struct span s = {h ? &m->hours[h - 1] : NULL,
		                 &m->hours[h],
		                 h + 1 < w->nhours ? &m->hours[h + 1] : NULL,
		                 who,
		                 m->ncallers,
		                 false};
		struct buf bytes = BUF_INIT;
		struct weights weights;
		struct hour_usage usage;
		hour_stats_write(&s, LOOKBACK, &arena, &bytes);
		stats[LEARN + h] = arena_str(&w->arena, buf_str(&bytes));
		buf_release(&bytes);
		if (h < w->billed)
			continue;
		learn_weights(&(struct evidence_of_hours){stats + h, LEARN + 1, bill, nbill}, &s, LOOKBACK, &arena,
		              &weights);
		allocate_hour(&s, &weights, LOOKBACK, &arena, &usage);
		if (w->billed)
			ttl_shares_apply(&s, bill, nbill, NULL, &usage);
		add_usage(w, m, h, &usage, ret);
		arena_reset(&arena);
	}
	arena_release(&arena);
	free(who);
	free(stats);
	free(bill);
}

// ---- other methods: the calls are in the minutes in which they ended ------------------------------

struct minutes {
	int64_t n;            // equations
	double *calls, *sum;  // by minute and caller of the model; by minute and kind
	double *mean;         // by caller and kind
};

static void split_hour(const struct world *w, const struct model *m, const struct minutes *x, int hour,
                       const double *mean, struct table *ret)
{
	for (int64_t at = (int64_t)hour * 60; at < hour * 60 + 60; at++) {
		const double *calls = &x->calls[at * m->ncallers];
		for (int kind = 0; kind < METRIC_KINDS; kind++) {
			double all = 0;
			for (int32_t i = 0; i < m->ncallers; i++)
				all += calls[i] * mean[i * METRIC_KINDS + kind];
			for (int32_t i = 0; all > 0 && i < m->ncallers; i++)
				ret->usd[at_of(w, hour, m->callers[i])] += x->sum[at * METRIC_KINDS + kind] * calls[i] *
				                                           mean[i * METRIC_KINDS + kind] / all *
				                                           m->rate[kind];
		}
	}
}

// x >= 0 that minimises x'Ax - 2b'x + sum lambda (x - prior)^2, by coordinate descent. x holds the start.
static void solve_nonnegative(const double *A, const double *b, int n, double prior, double lambda, double *x)
{
	assert(lambda > 0);
	for (int sweep = 0; sweep < SWEEPS_MAX; sweep++) {
		double moved = 0, largest = 0;
		for (int i = 0; i < n; i++) {
			const double *row = A + (size_t)i * (size_t)n;
			double slope = b[i] + lambda * prior + row[i] * x[i];
			for (int k = 0; k < n; k++)
				slope -= row[k] * x[k];
			double next = slope / (row[i] + lambda);
			if (!(next > 0))
				next = 0;
			moved = fmax(moved, fabs(next - x[i]));
			largest = fmax(largest, next);
			x[i] = next;
		}
		if (moved <= 1e-6 * largest)
			return;
	}
}

static void solve_hours(const struct model *m, const struct minutes *x, int hour, double *mean)
{
	struct arena arena = ARENA_INIT;
	size_t n = (size_t)m->ncallers;
	double *A = solve_zeros(&arena, n * n), *b = solve_zeros(&arena, n), *y = solve_zeros(&arena, n);
	int64_t begin = (int64_t)(hour >= NNLS_HOURS ? hour - NNLS_HOURS + 1 : 0) * 60,
			end = (int64_t)hour * 60 + 60;
	for (int64_t at = begin; at < end; at++) {
		const double *c = &x->calls[at * m->ncallers];
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; c[i] > 0 && k < n; k++)
				A[i * n + k] += c[i] * c[k];
	}
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		double calls = 0, tokens = 0;
		memset(b, 0, n * sizeof *b);
		for (int64_t at = begin; at < end; at++) {
			const double *c = &x->calls[at * m->ncallers];
			tokens += x->sum[at * METRIC_KINDS + kind];
			for (size_t i = 0; i < n; i++) {
				b[i] += c[i] * x->sum[at * METRIC_KINDS + kind];
				calls += c[i];
			}
		}
		for (size_t i = 0; i < n; i++)
			y[i] = calls > 0 ? tokens / calls : 0;
		solve_nonnegative(A, b, (int)n, calls > 0 ? tokens / calls : 0, 3, y);
		for (size_t i = 0; i < n; i++)
			mean[i * METRIC_KINDS + (size_t)kind] = y[i];
	}
	arena_release(&arena);
}

static void play_model(struct world *w, int model, struct table *tables)
{
	struct model *m = &w->models[model];
	int64_t n = (int64_t)w->nhours * 60;
	int32_t *position = xcalloc((size_t)w->nwho + 1, sizeof *position);
	struct minutes x = {n, zeros((size_t)(n * m->ncallers)), zeros((size_t)n * METRIC_KINDS),
	                    zeros((size_t)m->ncallers * METRIC_KINDS)};
	double *equal = zeros((size_t)m->ncallers * METRIC_KINDS),
		   *mean = zeros((size_t)m->ncallers * METRIC_KINDS), *calls = zeros((size_t)m->ncallers);
	for (int32_t i = 0; i < m->ncallers; i++)
		position[m->callers[i]] = i;
	for (int64_t i = 0; i < w->ncalls; i++) {
		const struct world_call *c = &w->calls[i];
		if (c->model != model)
			continue;
		int64_t at = c->end - w->first;
		int32_t who = position[c->who];
		x.calls[at * m->ncallers + who]++;
		calls[who]++;
		for (int kind = 0; kind < METRIC_KINDS; kind++) {
			x.sum[at * METRIC_KINDS + kind] += (double)c->tokens[kind];
			x.mean[who * METRIC_KINDS + kind] += (double)c->tokens[kind];
			equal[who * METRIC_KINDS + kind] = 1;
		}
	}
	for (int32_t i = 0; i < m->ncallers * METRIC_KINDS; i++)
		x.mean[i] /= fmax(calls[i / METRIC_KINDS], 1);
	for (int h = w->billed; h < w->nhours; h++) {
		split_hour(w, m, &x, h, equal, &tables[EQUAL]);
		split_hour(w, m, &x, h, x.mean, &tables[MEAN]);
		if (m->ncallers <= NNLS_CALLERS) {
			solve_hours(m, &x, h, mean);
			split_hour(w, m, &x, h, mean, &tables[NNLS]);
		}
	}
	free(x.calls), free(x.sum), free(x.mean), free(equal), free(mean), free(calls), free(position);
}

// ---- scores -------------------------------------------------------------------------------------

static const double *sort_by;

static int by_usd_descending(const void *a, const void *b)
{
	double x = sort_by[*(const int *)a], y = sort_by[*(const int *)b];
	return (x < y) - (x > y);
}

// Sums a column by groups of `each` hours.
static double sum_of(const struct world *w, const double *column, int hour, int each, int end, int who)
{
	double sum = 0;
	for (int h = hour; h < hour + each && h < end; h++)
		sum += column[at_of(w, h, who)];
	return sum;
}

static double weights_variance(const struct world *w, const struct table *t, int hour, int each, int end,
                               int who)
{
	struct error_sketch sum = {{0}};
	for (int h = hour; h < hour + each && h < end; h++)
		error_sketch_merge(&sum, &t->errors[at_of(w, h, who)]);
	return error_sketch_variance(&sum);
}

struct score {
	double truth, off, held, count, held_count, width, top, top_off, top_held;
};

static struct score score_of(const struct world *w, const struct table *t, const struct table *e, int begin,
                             int end, int each)
{
	struct score s = {0};
	double *all = zeros((size_t)w->nwho);
	int *order = xcalloc((size_t)w->nwho + 1, sizeof *order);
	for (int i = 0; i < w->nwho; i++) {
		order[i] = i;
		all[i] = sum_of(w, t->usd, begin, end - begin, end, i);
	}
	sort_by = all;
	qsort(order, (size_t)w->nwho, sizeof *order, by_usd_descending);
	for (int i = 0; i < w->nwho; i++)
		for (int h = begin; h < end; h += each) {
			double truth = sum_of(w, t->usd, h, each, end, order[i]),
				   usd = sum_of(w, e->usd, h, each, end, order[i]);
			double sd = sqrt(weights_variance(w, e, h, each, end, order[i]) +
			                 sum_of(w, e->chance, h, each, end, order[i])),
				   more = sum_of(w, e->more, h, each, end, order[i]);
			struct split_band band = split_band_of(usd, sum_of(w, e->others, h, each, end, order[i]), sd, 0);
			double low = fmax(usd - band.less, 0), high = usd + band.more + more, slack = 1e-9 + 1e-6 * usd;
			bool held = truth >= low - slack && truth <= high + slack;
			s.truth += truth;
			s.off += fabs(truth - usd);
			s.held += held ? truth : 0;
			s.count += truth > 0;
			s.held_count += truth > 0 && held;
			s.width += high - low;
			if (i < TOP) {
				s.top += truth;
				s.top_off += usd - truth;
				s.top_held += held ? truth : 0;
			}
		}
	free(all);
	free(order);
	return s;
}

static bool has_method(const struct world *w, int method)
{
	for (int i = 0; method == NNLS && i < w->nmodels; i++)
		if (w->models[i].ncallers > NNLS_CALLERS)
			return false;
	return true;
}

static void print_scores(const struct world *w, const struct table *truth, const struct table *tables,
                         int cold, int methods)
{
	int begin[] = {w->billed, w->billed + (w->billed ? 0 : cold)}, end[] = {w->billed + cold, w->nhours};
	for (int m = 0; m < methods; m++) {
		printf("%-9s", method_names[m]);
		for (int i = w->billed ? 1 : 0; i < 2; i++) {
			if (!has_method(w, m)) {
				printf(" | off - day -");
				continue;
			}
			struct score hour = score_of(w, truth, &tables[m], begin[i], end[i], 1),
						 day = score_of(w, truth, &tables[m], begin[i], end[i], 24);
			printf(" | off %.3f day %.3f top %+.2f", hour.off / hour.truth, day.off / day.truth,
			       hour.top_off / hour.top);
			if (m == ESTIMATE)
				printf(" held %.2f n %.2f top %.2f width %.2f, day %.2f %.2f %.2f %.2f",
				       hour.held / hour.truth, hour.held_count / hour.count, hour.top_held / hour.top,
				       hour.width / hour.truth, day.held / day.truth, day.held_count / day.count,
				       day.top_held / day.top, day.width / day.truth);
		}
		printf("\n");
	}
}

int main(int argc, char **argv)
{
	static struct world w;
	struct table tables[METHODS], truth;
	int cold = 3, methods = METHODS;
	if (argc < 2)
		return 2;
	for (int i = 2; i + 1 < argc; i += 2) {
		if (str_is(str_of(argv[i]), "--billed"))
			w.billed = atoi(argv[i + 1]);
		if (str_is(str_of(argv[i]), "--cold"))
			cold = atoi(argv[i + 1]);
		if (str_is(str_of(argv[i]), "--methods"))
			methods = argv[i + 1][0] == '1' ? 1 : METHODS;
	}
	read_world(&w, argv[1]);
	make_facts(&w);
	truth = table_new(&w);
	make_truth(&w, w.billed > 0, &truth);
	for (int m = 0; m < METHODS; m++)
		tables[m] = table_new(&w);
	for (int i = 0; i < w.nmodels; i++) {
		estimate_model(&w, i, &tables[ESTIMATE]);
		if (methods > 1)
			play_model(&w, i, tables);
	}
	printf("%s: %" PRId64 " calls, %d principals, %d models, %d hours\n", argv[1], w.ncalls, w.nwho,
	       w.nmodels, w.nhours);
	print_scores(&w, &truth, tables, cold, methods);
	return 0;
}
