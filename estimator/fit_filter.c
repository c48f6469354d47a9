// SPDX-License-Identifier: Apache-2.0
#include "estimator/fit_filter.h"

#include <math.h>
#include <string.h>

#include "estimator/fit_check.h"
#include "estimator/solve.h"

#define MODEL_VARIANCE 0.1 // of the model's mean around `typical`, as a part of its square
#define AT_ONCE 0.3
#define OUTLIER 9.0        // a cell that is off by more than so many variances is taken to be that noisy
#define SHARE_MIN 1e-3     // who uses such tokens in fewer calls is taken not to use them
#define TAIL_MAX 36.0      // a cell that is off by more variances than that is a fault and no chance
#define RESIDUAL_MAX 5.0   // standard deviations
#define CHANCE_MIN 0.01
#define PRIOR_CELLS 5.0    // the start of the regression of chance counts like so many cells
#define PRIOR_CHANCE 0.5   // ... of own and of flat

enum { WHOLE_MAX = 48, LEARN_ALL = 4 /* hours of which all are taken */ };

// ---- cells ------------------------------------------------------------------------------------------

// fmin and fmax are calls.
static inline double at_most(double x, double most)
{
	return x < most ? x : most;
}

static inline double at_least(double x, double least)
{
	return x > least ? x : least;
}

static int32_t position_of(struct fit_filter *f, int32_t i)
{
	if (f->position[i] < 0) {
		f->role[f->n] = f->in->role[i];
		f->principal[f->n] = i;
		f->position[i] = f->n++;
	}
	return f->position[i];
}

// Calls that use such tokens. Where the metric has a SampleCount, they are as many as that says: if that is
// none, the cell says nothing of their size.
static void add_cell(struct fit_filter *f, int32_t hour, const struct stats_cell *x)
{
	const struct equations_hour *h = &f->in->hours[hour];
	const struct call_list *l = &x->list[f->in->kind];
	struct fit_cell *to = &f->cells[f->ncells];
	const int32_t *whose = h->stats->who + l->begin, *at = h->at;
	const double *calls = h->stats->calls + l->begin, *share = f->in->users->share;
	int32_t e = to->begin;
	double sum = 0;
	if (f->in->users->never && x->samples[f->in->kind] == 0 && x->tokens[f->in->kind] == 0)
		return;
	for (int32_t i = 0; i < l->n; i++) {
		int32_t who = at[whose[i]], position = f->position[who];
		double users = calls[i] * share[who];
		if (share[who] < SHARE_MIN)
			continue;
		f->who[e] = position >= 0 ? position : position_of(f, who);
		f->calls[e++] = users;
		sum += users;
	}
	if (!(sum > 0))
		return;
	double all = x->list[ALL_CALLS].calls,
		   users = all > 0 ? at_most((double)x->samples[f->in->kind], all) * l->calls / all : 0,
		   more = users > 0 ? users / sum : 1;
	for (int32_t i = to->begin; more != 1 && i < e; i++)
		f->calls[i] *= more;
	*to = (struct fit_cell){to->begin, e - to->begin, hour, (double)x->tokens[f->in->kind],
	                        users > 0 ? users : sum};
	f->cells[++f->ncells].begin = to->begin + to->n;
}

static void list_cells(struct fit_filter *f, struct arena *arena)
{
	size_t cells = 0, entries = 0;
	for (int32_t h = 0; h < f->in->nhours; h++) {
		const struct hour_stats *s = f->in->hours[h].stats;
		cells += s ? (size_t)s->ncells : 0;
		for (int32_t c = 0; s && c < s->ncells; c++)
			entries += (size_t)s->cells[c].list[f->in->kind].n;
	}
	f->cells = arena_alloc(arena, (cells + 1) * sizeof *f->cells);
	f->who = arena_alloc(arena, (entries + 1) * sizeof *f->who);
	f->calls = arena_alloc(arena, (entries + 1) * sizeof *f->calls);
	f->cells[0].begin = 0;
	for (int32_t h = 0; h < f->in->nhours; h++) {
		const struct hour_stats *s = f->in->hours[h].stats;
		for (int32_t c = 0; s && c < s->ncells; c++)
			add_cell(f, h, &s->cells[c]);
	}
}

static void list_principals(struct fit_filter *f, struct arena *arena)
{
	size_t size = ((size_t)f->in->n + 1) * sizeof(int32_t);
	f->position = arena_alloc(arena, size);
	f->role = arena_alloc(arena, size);
	f->principal = arena_alloc(arena, size);
	for (int32_t i = 0; i < f->in->n; i++)
		f->position[i] = -1;
	for (int32_t i = 0; i < f->in->n; i++)
		if (fit_filter_exact(f, i) > 0)
			position_of(f, i);
}

double fit_filter_exact(const struct fit_filter *f, int32_t i)
{
	return f->in->users->share[i] * (f->in->exact_calls[i] + f->in->billed_calls[i]);
}

static bool has_tokens(const struct fit_input *in)
{
	double known = 0;
	int64_t tokens = 0;
	for (int32_t h = 0; h < in->nhours; h++) {
		const struct hour_stats *s = in->hours[h].stats;
		for (int32_t c = 0; s && c < s->ncells; c++)
			tokens |= s->cells[c].tokens[in->kind];
	}
	for (int32_t i = 0; i < in->n; i++)
		known += in->exact_tokens[i] + in->billed_tokens[i];
	return tokens > 0 || known > 0;
}

bool fit_filter_init(struct fit_filter *f, const struct fit_input *in, struct arena *arena)
{
	double tokens = 0, users = 0;
	*f = (struct fit_filter){.in = in};
	if (!has_tokens(in))
		return false;
	list_principals(f, arena);
	list_cells(f, arena);
	for (int32_t c = 0; c < f->ncells; c++) {
		tokens += f->cells[c].tokens;
		users += f->cells[c].users;
	}
	for (int32_t i = 0; i < in->n; i++) {
		tokens += in->exact_tokens[i] + in->billed_tokens[i];
		users += fit_filter_exact(f, i);
	}
	if (tokens <= 0 || users <= 0)
		return false;
	f->typical = tokens / users;
	f->whole = f->n <= WHOLE_MAX;
	f->nstates = f->n + (f->whole ? 0 : in->nroles + 1);
	size_t n = (size_t)f->n, states = (size_t)f->nstates;
	f->width = (n + 1) & ~(size_t)1;
	f->state = solve_zeros(arena, states);
	f->covariance = solve_zeros(arena, f->whole ? n * f->width : states);
	f->step = solve_zeros(arena, f->width);
	f->prior = solve_zeros(arena, n);
	f->prior_role = solve_zeros(arena, (size_t)in->nroles);
	f->before = solve_zeros(arena, n);
	f->size_before = solve_zeros(arena, n);
	f->calls_of_hour = solve_zeros(arena, n);
	f->role_calls = solve_zeros(arena, (size_t)in->nroles);
	f->seen = arena_alloc(arena, (n + 1) * sizeof *f->seen);
	size_t moves = (size_t)in->nhours * (size_t)in->n * sizeof *f->moves;
	f->moves = arena_alloc(arena, moves + 1);
	memset(f->moves, 0, moves);
	f->residual = arena_alloc(arena, (size_t)f->ncells * sizeof *f->residual);
	f->chance = arena_alloc(arena, (size_t)f->ncells * sizeof *f->chance);
	f->noisy = arena_alloc(arena, (size_t)f->ncells * sizeof *f->noisy);
	return true;
}

// ---- the state ----------------------------------------------------------------------------------------

void fit_filter_set_spread(struct fit_filter *f, double within, double between)
{
	double unit = f->typical * f->typical;
	f->within = within;
	f->between = between;
	for (int32_t i = 0; i < f->n; i++)
		f->prior[i] = within * unit;
	for (int32_t r = 0; r < f->in->nroles; r++)
		f->prior_role[r] = between * unit;
}

static void begin(struct fit_filter *f)
{
	const int32_t *role = f->role;
	int32_t n = f->n;
	double model = MODEL_VARIANCE * f->typical * f->typical, *at = f->covariance;
	for (int32_t i = 0; i < f->nstates; i++)
		f->state[i] = i < n ? f->typical : 0;
	for (int32_t i = 0; f->whole && i < n; i++, at = f->covariance + (size_t)i * f->width)
		for (int32_t k = 0; k < n; k++)
			*at++ = model + (role[i] == role[k] ? f->prior_role[role[i]] : 0) + (i == k ? f->prior[i] : 0);
	for (int32_t i = 0; !f->whole && i < f->nstates; i++)
		*at++ = i < n ? f->prior[i] : i < n + f->in->nroles ? f->prior_role[i - n] : model;
	for (int32_t i = 0; i < n; i++)
		f->seen[i] = -1;
	memset(f->squares, 0, sizeof f->squares);
	memset(f->shown, 0, sizeof f->shown);
	memset(f->products, 0, sizeof f->products);
	f->score = 0;
}

double fit_filter_variance(const struct fit_filter *f, int32_t at)
{
	if (f->whole)
		return f->covariance[(size_t)at * (f->width + 1)];
	return f->covariance[at] + f->covariance[f->n + f->role[at]] + f->covariance[f->nstates - 1];
}

double fit_filter_prior(const struct fit_filter *f)
{
	return (f->within + f->between + MODEL_VARIANCE) * f->typical * f->typical;
}

// An equation: sum of calls x size = tokens, with a noise of so much variance.
struct observation {
	const int32_t *who;
	const double *calls;
	int32_t n;
	double noise;
	double off;           // tokens; then those less what was expected
};

static inline double bounded(double variance, double off)
{
	return at_least(variance, off * off / OUTLIER);
}

// y += a x, in pairs: the compiler makes one instruction of a pair.
static inline void add_multiple(double *restrict to, const double *restrict from, double a, size_t n)
{
	double *y = __builtin_assume_aligned(to, 16);
	const double *x = __builtin_assume_aligned(from, 16);
#pragma GCC unroll 4
	for (size_t i = 0; i < n; i += 2) {
		y[i] += a * x[i];
		y[i + 1] += a * x[i + 1];
	}
}

// `width` is that of a row: where it is a constant, there are no loops over it.
static inline __attribute__((always_inline)) double observe_rows(struct fit_filter *f, struct observation *o,
                                                                 size_t width)
{
	const int32_t *restrict who = o->who;
	const double *restrict calls = o->calls;
	double *restrict state = f->state, *restrict row = f->covariance;
	_Alignas(16) double step[WHOLE_MAX];
	double least = fit_filter_least(f), off = o->off, variance = o->noise;
	int32_t n = f->n, called = o->n;
	memset(step, 0, width * sizeof *step);
	for (int32_t e = 0; e < called; e++) {
		off -= calls[e] * at_least(state[who[e]], least);
		add_multiple(step, row + (size_t)who[e] * width, calls[e], width);
	}
	for (int32_t e = 0; e < called; e++)
		variance += calls[e] * step[who[e]];
	double bound = bounded(variance, off);
	for (int32_t i = 0; i < n; i++, row += width) {
		double gain = step[i] / bound;
		state[i] += gain * off;
		add_multiple(row, step, -gain, width);
	}
	o->off = off;
	return variance;
}

static double observe_whole(struct fit_filter *f, struct observation *o)
{
	switch (f->width) {
	case 2:
		return observe_rows(f, o, 2);
	case 4:
		return observe_rows(f, o, 4);
	case 6:
		return observe_rows(f, o, 6);
	case 8:
		return observe_rows(f, o, 8);
	default:
		return observe_rows(f, o, f->width);
	}
}

// Of the only principal.
static double observe_one(struct fit_filter *f, struct observation *o)
{
	double step = *o->calls * *f->covariance, variance = o->noise + *o->calls * step,
		   off = o->off - *o->calls * fit_filter_size(f, 0), gain = step / bounded(variance, off);
	*f->state += gain * off;
	*f->covariance -= gain * step;
	o->off = off;
	return variance;
}

// `calls`: of a state; the equation is off by `off`, of that variance.
static inline void move_state(double *state, double *covariance, double calls, double off, double variance)
{
	double gain = calls * *covariance / variance;
	*state += gain * off;
	*covariance -= gain * calls * *covariance;
}

static double observe_many(struct fit_filter *f, struct observation *o)
{
	const int32_t *restrict role = f->role, *restrict who = o->who;
	const double *restrict calls = o->calls;
	double *restrict state = f->state, *restrict covariance = f->covariance;
	double *restrict role_calls = f->role_calls;
	double *role_state = state + f->n, *role_covariance = covariance + f->n;
	double all = 0, off = o->off, least = fit_filter_least(f), model = state[f->nstates - 1];
	int32_t n = o->n;
	for (int32_t e = 0; e < n; e++) {
		int32_t r = role[who[e]];
		off -= calls[e] * at_least(state[who[e]] + (role_state[r] + model), least);
		role_calls[r] += calls[e];
		all += calls[e];
	}
	double variance = o->noise + all * all * covariance[f->nstates - 1];
	for (int32_t e = 0; e < n; e++) {
		int32_t r = role[who[e]];
		variance += calls[e] * (calls[e] * covariance[who[e]] + role_calls[r] * role_covariance[r]);
	}
	double bound = bounded(variance, off);
	for (int32_t e = 0; e < n; e++) {
		int32_t r = role[who[e]];
		move_state(&state[who[e]], &covariance[who[e]], calls[e], off, bound);
		if (role_calls[r] > 0)
			move_state(&role_state[r], &role_covariance[r], role_calls[r], off, bound);
		role_calls[r] = 0;
	}
	move_state(&state[f->nstates - 1], &covariance[f->nstates - 1], all, off, bound);
	o->off = off;
	return variance;
}

// Returns the variance of o->off before outliers were bounded.
static inline double observe(struct fit_filter *f, struct observation *o)
{
	return f->n == 1 ? observe_one(f, o) : f->whole ? observe_whole(f, o) : observe_many(f, o);
}

// Calls of a principal whose tokens are known one by one.
static void observe_exact(struct fit_filter *f, int32_t principal, double calls, double tokens)
{
	double users = calls * f->in->users->share[principal], unit = f->typical * f->typical;
	int32_t at = f->position[principal];
	if (!(users > 0) || at < 0)
		return;
	double size = fmax(tokens / users, 0.1 * f->typical);
	double noise = f->noise.together * users * (f->noise.own * size * size + f->noise.flat * unit);
	observe(f, &(struct observation){&at, &users, 1, noise, tokens});
}

static void take_step(struct fit_filter *f, int32_t at, int32_t hour)
{
	double size = fit_filter_size(f, at);
	if (f->seen[at] >= 0 && f->seen[at] < hour)
		f->covariance[f->whole ? (size_t)at * (f->width + 1) : (size_t)at] +=
			f->walk * (hour - f->seen[at]) * size * size;
	f->seen[at] = hour;
}

// ---- hours --------------------------------------------------------------------------------------------

// Solves the regression of chance: two unknowns of which none is negative.
static void learn_chance(struct fit_filter *f)
{
	double prior = PRIOR_CELLS / (4 * PRIOR_CHANCE * PRIOR_CHANCE), own = f->squares[0] + prior,
		   both = f->squares[1], flat = f->squares[2] + prior;
	double x = f->shown[0] + prior * PRIOR_CHANCE, y = f->shown[1] + prior * PRIOR_CHANCE;
	double whole = own * flat - both * both;
	struct fit_noise *noise = &f->noise;
	noise->own = (x * flat - y * both) / whole;
	noise->flat = (own * y - both * x) / whole;
	if (!(noise->own > 0))
		noise->own = 0, noise->flat = y / flat;
	else if (!(noise->flat > 0))
		noise->flat = 0, noise->own = x / own;
	noise->own = fmax(noise->own, CHANCE_MIN);
	noise->flat = fmax(noise->flat, CHANCE_MIN);
}

// What the sizes as they are known make of a cell: sums over its calls and its principals.
struct cell_sums {
	double squares, flat, at_once;
};

static inline struct cell_sums judge_cell(struct fit_filter *f, int32_t c)
{
	const struct fit_cell *x = &f->cells[c];
	struct cell_sums s = {0, x->users * f->typical * f->typical, 0};
	for (int32_t e = x->begin; e < x->begin + x->n; e++) {
		double size = fit_filter_size(f, f->who[e]), tokens = f->calls[e] * size;
		s.squares += tokens * size;
		s.at_once += f->calls[e] > 1 ? tokens * (f->calls[e] - 1) * size : 0;
	}
	f->chance[c] = f->noise.own * s.squares + f->noise.flat * s.flat;
	f->noisy[c] = f->noise.together * f->chance[c] + AT_ONCE * s.at_once;
	return s;
}

static inline double read_cell(struct fit_filter *f, int32_t c, struct observation *ret)
{
	const struct fit_cell *x = &f->cells[c];
	*ret = (struct observation){f->who + x->begin, f->calls + x->begin, x->n, f->noisy[c], x->tokens};
	return observe(f, ret);
}

static void learn_from_cell(struct fit_filter *f, int32_t c)
{
	struct cell_sums s = judge_cell(f, c);
	struct observation o;
	double variance = read_cell(f, c, &o), off = o.off * o.off / variance,
		   usual = at_most(off, OUTLIER);
	// what is not noise is the doubt of the sizes
	double shown = (usual - 1) * variance + o.noise, part = o.noise / (variance * f->chance[c]);
	double own = part * s.squares, flat = part * s.flat;
	if (f->scores)
		f->score -= (log(variance / (f->typical * f->typical)) + usual) / 2;
	f->tail[0] += usual;
	f->tail[1] += at_most(off, TAIL_MAX);
	f->squares[0] += own * own;
	f->squares[1] += own * flat;
	f->squares[2] += flat * flat;
	f->shown[0] += own * part * shown;
	f->shown[1] += flat * part * shown;
}

// Residuals of the same hour, in standard deviations, by how near they are.
static void add_products(struct fit_filter *f, int32_t from, int32_t to)
{
	// of the FIT_LAGS cells before: the sum of residuals, each the less the farther it is; and their sum
	double near = 0, sum = 0;
	for (int32_t c = from; c < to; c++) {
		const struct fit_cell *x = &f->cells[c];
		double off = x->tokens;
		for (int32_t e = x->begin; e < x->begin + x->n; e++)
			off -= f->calls[e] * fit_filter_size(f, f->who[e]);
		double r = at_most(off / sqrt(f->chance[c]), RESIDUAL_MAX);
		f->residual[c] = r = r > -RESIDUAL_MAX ? r : -RESIDUAL_MAX;
		f->products[0] += r * r;
		f->products[1] += r * near;
		near += (FIT_LAGS * r - sum) / (FIT_LAGS + 1.0);
		sum += r - (c - FIT_LAGS >= from ? f->residual[c - FIT_LAGS] : 0);
	}
}

// What the hour's calls known one by one say, before its cells.
static void begin_hour(struct fit_filter *f, int32_t hour)
{
	const struct hour_stats *s = f->in->hours[hour].stats;
	const int32_t *at = f->in->hours[hour].at;
	for (int32_t i = 0; s && i < s->n; i++)
		if (f->position[at[i]] >= 0)
			take_step(f, f->position[at[i]], hour);
	for (int32_t i = 0; s && i < s->n; i++)
		observe_exact(f, at[i], s->exact_calls[f->in->kind][i], s->exact_tokens[f->in->kind][i]);
}

static void begin_all(struct fit_filter *f)
{
	begin(f);
	for (int32_t i = 0; i < f->in->n; i++)
		observe_exact(f, i, f->in->billed_calls[i], f->in->billed_tokens[i]);
}

// The hours are alike in what is learned from them, so that two of every four will do where there are many:
// not every other one, lest it should see one side of what alternates. The sizes of several principals are
// found in another run.
double fit_filter_learn(struct fit_filter *f)
{
	double hours = 0;
	bool many = f->n > 1 && f->ncells && f->cells[0].hour < f->in->nhours - LEARN_ALL;
	int32_t from = 0, to, each = many ? 2 : 1;
	begin_all(f);
	for (int32_t hour = 0; hour < f->in->nhours; hour++, from = to) {
		bool takes = (f->in->nhours - 1 - hour) / 2 % each == 0;
		if (takes)
			begin_hour(f, hour);
		for (to = from; to < f->ncells && f->cells[to].hour == hour; to++)
			if (takes)
				learn_from_cell(f, to);
		if (!takes || to == from)
			continue;
		add_products(f, from, to);
		learn_chance(f);
		hours++;
	}
	return hours;
}

void fit_filter_judge_noise(struct fit_filter *f)
{
	for (int32_t c = 0; c < f->ncells; c++)
		judge_cell(f, c);
}

// An hour before its cells, which are from .. to - 1, are read.
static void note_hour(struct fit_filter *f, int32_t from, int32_t to)
{
	for (int32_t i = 0; i < f->n; i++) {
		f->size_before[i] = fit_filter_size(f, i);
		f->before[i] = fit_filter_variance(f, i);
	}
	memset(f->calls_of_hour, 0, (size_t)f->n * sizeof *f->calls_of_hour);
	for (int32_t e = f->cells[from].begin; e < f->cells[to].begin; e++)
		f->calls_of_hour[f->who[e]] += f->calls[e];
}

void fit_filter_run(struct fit_filter *f)
{
	struct observation o;
	int32_t c = 0;
	f->check = (struct fit_check){0};
	begin_all(f);
	for (int32_t hour = 0; hour < f->in->nhours; hour++) {
		int32_t from = c;
		begin_hour(f, hour);
		while (c < f->ncells && f->cells[c].hour == hour)
			c++;
		note_hour(f, from, c);
		for (int32_t k = from; k < c; k++) {
			double variance = read_cell(f, k, &o);
			f->check.squares += at_most(o.off * o.off / variance, OUTLIER);
			f->check.cells++;
		}
		if (from > 0 && c > from)
			fit_check_hour(f, hour);
	}
	for (int32_t i = 0; i < f->n; i++)
		if (f->seen[i] >= 0)
			take_step(f, i, f->in->nhours - 1);
}
