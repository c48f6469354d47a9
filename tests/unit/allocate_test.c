// SPDX-License-Identifier: Apache-2.0
// The allocation of an hour as a pure function: examples in tests/allocate.txt, then random hours in which no
// token may be lost or made and no share may be negative. Prints its seed; NOWCAST_SEED repeats one.
#include "base/arena.h"
#include "base/buf.h"
#include "estimator/allocate.h"
#include "estimator/cell.h"
#include "estimator/contest.h"
#include "tests/support/random.h"
#include "tests/tap.h"

enum { WHO_MAX = 8, SPAN_MINUTES = 180 };

static const char *const kind_names[METRIC_KINDS] = {"input", "output", "cache_read", "cache_write"};

// The facts of a case, and room for what a span points to.
struct facts {
	struct hour hours[3];
	struct calls calls[SPAN_MINUTES][WHO_MAX];
	struct project_metric projects[SPAN_MINUTES][WHO_MAX];
	struct who callers[WHO_MAX];
	char names[WHO_MAX][32];
	struct weight weights[WHO_MAX];
	struct span span;
	int lookback;
};

static void facts_init(struct facts *f)
{
	memset(f, 0, sizeof *f);
	f->lookback = 5;
	f->span = (struct span){&f->hours[0], &f->hours[1], &f->hours[2], f->callers, 0, false};
	for (int m = 0; m < SPAN_MINUTES; m++)
		f->hours[m / 60].minutes[m % 60].calls = f->calls[m];
	for (int i = 0; i < WHO_MAX; i++)
		for (int kind = 0; kind < METRIC_KINDS; kind++)
			f->weights[i].milli[kind] = 1000;
}

static int caller(struct facts *f, const char *name)
{
	for (int i = 0; i < f->span.ncallers; i++)
		if (str_is(f->callers[i].arn, name))
			return i;
	char *kept = f->names[f->span.ncallers];
	snprintf(kept, sizeof f->names[0], "%s", name);
	f->callers[f->span.ncallers] = (struct who){str_of(kept), STR("-"), 0};
	return f->span.ncallers++;
}

static struct minute *minute(struct facts *f, int m)
{
	return &f->hours[(m + 60) / 60].minutes[(m + 60) % 60];
}

static struct calls *calls_of(struct facts *f, int m, int who)
{
	struct minute *at = minute(f, m);
	for (int i = 0; i < at->ncalls; i++)
		if (at->calls[i].caller == who)
			return &at->calls[i];
	at->calls[at->ncalls] = (struct calls){.caller = who};
	return &at->calls[at->ncalls++];
}

static int kind_named(const char *name)
{
	for (int kind = 0; kind < METRIC_KINDS; kind++)
		if (strcmp(kind_names[kind], name) == 0)
			return kind;
	printf("Bail out! no slot is named %s\n", name);
	exit(1);
}

static void set_metric(struct facts *f, int m, int kind, int64_t sum)
{
	struct minute *at = minute(f, m);
	at->metered = at->has[kind] = true;
	at->metric[kind] = sum;
}

// Of a project; its callers are those whose names begin with it.
static void set_project_metric(struct facts *f, int m, const char *project, int kind, int64_t sum)
{
	struct minute *at = minute(f, m);
	int32_t i = 0;
	if (!at->projects)
		at->projects = f->projects[m + 60];
	while (i < at->nprojects && at->projects[i].project != (uint64_t)project[0])
		i++;
	if (i == at->nprojects)
		at->projects[at->nprojects++] = (struct project_metric){.project = (uint64_t)project[0]};
	at->projects[i].metric[kind] = sum;
}

// A line of facts. False: it is none.
static bool read_fact(struct facts *f, const char *line)
{
	char who[32], kind[32];
	int m;
	long long n, x;
	if (sscanf(line, "calls %d %31s %lld failed %lld", &m, who, &n, &x) == 4) {
		struct calls *c = calls_of(f, m, caller(f, who));
		c->n = n;
		c->failed = x;
	} else if (sscanf(line, "calls %d %31s %lld", &m, who, &n) == 3) {
		calls_of(f, m, caller(f, who))->n = n;
	} else if (sscanf(line, "streams %d %31s %lld", &m, who, &n) == 3) {
		calls_of(f, m, caller(f, who))->started = n;
	} else if (sscanf(line, "samples %d %31s 2 larger %lld", &m, kind, &n) == 3) {
		minute(f, m)->samples[kind_named(kind)] = 2;
		minute(f, m)->larger[kind_named(kind)] = n;
	} else if (sscanf(line, "samples %d %31s %lld", &m, kind, &n) == 3) {
		minute(f, m)->samples[kind_named(kind)] = n;
	} else if (sscanf(line, "exact %d %31s %31s %lld %lld", &m, who, kind, &n, &x) == 5) {
		struct calls *c = calls_of(f, m, caller(f, who));
		c->exact_n[kind_named(kind)] = n;
		c->exact[kind_named(kind)] = x;
	} else if (sscanf(line, "limit %d %31s %lld %lld", &m, who, &n, &x) == 4) {
		struct calls *c = calls_of(f, m, caller(f, who));
		c->exact_n[TOKENS_OUTPUT_MAX] = n;
		c->exact[TOKENS_OUTPUT_MAX] = x;
	} else if (sscanf(line, "metric %d %31s %lld", &m, kind, &n) == 3) {
		set_metric(f, m, kind_named(kind), n);
	} else if (sscanf(line, "project %d %31s %31s %lld", &m, who, kind, &n) == 4) {
		set_project_metric(f, m, who, kind_named(kind), n);
	} else if (sscanf(line, "within %31s %31s", who, kind) == 2) {
		f->callers[caller(f, who)].project = (uint64_t)kind[0];
	} else if (sscanf(line, "noise %31s %31s %lld", who, kind, &n) == 3) {
		f->weights[caller(f, who)].noise_milli[kind_named(kind)] = n;
	} else if (sscanf(line, "weight %31s %31s %lld", who, kind, &n) == 3) {
		f->weights[caller(f, who)].milli[kind_named(kind)] = n;
	} else if (sscanf(line, "lookback %d", &f->lookback) != 1) {
		return false;
	}
	return true;
}

static void allocate(struct facts *f, struct arena *arena, struct hour_usage *ret)
{
	struct weights w = {.callers = f->weights};
	for (int m = -60; m < 120; m++)
		if (minute(f, m)->nprojects)
			minute_add_projects(minute(f, m));
	allocate_hour(&f->span, &w, f->lookback, arena, ret);
}

static void describe(const struct facts *f, const struct hour_usage *u, struct buf *out)
{
	for (int i = 0; i < f->span.ncallers; i++) {
		const struct caller_usage *c = &u->callers[i];
		const char *name = f->callers[i].arn.p;
		if (c->calls || c->failed)
			buf_addf(out, "%s calls %lld %lld\n", name, (long long)c->calls, (long long)c->failed);
		for (int kind = 0; kind < METRIC_KINDS; kind++) {
			const struct shares *x = &c->by_kind[kind];
			if (x->exact || x->allocated || x->provisional)
				buf_addf(out, "%s %s %lld %lld %lld\n", name, kind_names[kind], (long long)x->exact,
				         (long long)x->allocated, (long long)x->provisional);
		}
	}
	for (int kind = 0; kind < METRIC_KINDS; kind++)
		if (u->unattributed[kind])
			buf_addf(out, "unattributed %s %lld\n", kind_names[kind], (long long)u->unattributed[kind]);
	for (int kind = 0; kind < METRIC_KINDS; kind++)
		if (u->excess[kind])
			buf_addf(out, "excess %s %lld\n", kind_names[kind], (long long)u->excess[kind]);
	buf_addc(out, '\n');
}

static void check_case(struct facts *f, const char *title, struct buf *want)
{
	struct arena arena = ARENA_INIT;
	struct hour_usage usage;
	struct buf got = BUF_INIT;
	allocate(f, &arena, &usage);
	describe(f, &usage, &got);
	buf_addc(want, '\n');
	is_str(got.data, want->data, title);
	buf_release(&got);
	arena_release(&arena);
}

static void examples(const char *path)
{
	static struct facts f;
	struct buf want = BUF_INIT;
	char line[256], title[256] = "";
	bool rollups = false;
	FILE *in = fopen(path, "r");
	if (!in)
		skip_all("tests/allocate.txt is not here: run from the top of the source tree");
	while (fgets(line, sizeof line, in)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '=' && line[1] == ' ') {
			if (*title)
				check_case(&f, title, &want);
			facts_init(&f);
			buf_clear(&want);
			rollups = false;
			snprintf(title, sizeof title, "%s", line + 2);
		} else if (strcmp(line, "=>") == 0) {
			rollups = true;
		} else if (*line && *line != '#') {
			if (rollups)
				buf_addf(&want, "%s\n", line);
			else
				ok(read_fact(&f, line), "%s: %s", title, line);
		}
	}
	check_case(&f, title, &want);
	buf_release(&want);
	fclose(in);
}

// ---- what is uncertain --------------------------------------------------------------------------

// Two callers of equal weight, whose means are known to a tenth; calls vary by 400 tokens a token.
static void doubtful_facts(struct facts *f)
{
	facts_init(f);
	for (int i = 0; i < 2; i++) {
		f->weights[caller(f, i ? "bob" : "alice")].lasting_permille[TOKENS_INPUT] = 100;
		f->weights[i].noise_milli[TOKENS_INPUT] = 400 * 1000;
	}
}

static void uncertainty(void)
{
	static struct facts f;
	struct arena arena = ARENA_INIT;
	struct hour_usage u;
	doubtful_facts(&f);
	for (int m = 0; m < 20; m++) {
		calls_of(&f, m, m % 2)->n = 1;
		set_metric(&f, m, TOKENS_INPUT, 1000);
	}
	allocate(&f, &arena, &u);
	ok(u.callers[0].by_kind[TOKENS_INPUT].allocated == 10000 && u.callers[0].spread[TOKENS_INPUT] == 0 &&
	       u.callers[0].noise[TOKENS_INPUT] == 0,
	   "of tokens of minutes in which it was alone nothing is uncertain");
	calls_of(&f, 30, 0)->n = calls_of(&f, 30, 1)->n = 1;
	set_metric(&f, 30, TOKENS_INPUT, 2000);
	allocate(&f, &arena, &u);
	ok(u.callers[0].spread[TOKENS_INPUT] == 100 && u.callers[0].noise[TOKENS_INPUT] == 1000 * 400,
	   "of a minute that it shared its own part is");
	minute(&f, 30)->samples[TOKENS_INPUT] = 2;
	minute(&f, 30)->larger[TOKENS_INPUT] = 1030;
	allocate(&f, &arena, &u);
	ok(u.callers[0].spread[TOKENS_INPUT] == 100 && u.callers[0].noise[TOKENS_INPUT] == 2 * 30 * 30,
	   "or, where the tokens of both calls are known, whose are the 60 more of the larger one");
	arena_release(&arena);
}

// ---- random hours -------------------------------------------------------------------------------

static int64_t some_size(void)
{
	return below(5) == 0 ? 0 : (int64_t)(rng() >> (11 + below(53)));
}

static void random_facts(struct facts *f)
{
	facts_init(f);
	f->lookback = (int)below(61);
	bool exact = below(2);
	for (int i = 0, n = (int)below(WHO_MAX + 1); i < n; i++) {
		f->callers[f->span.ncallers++] = (struct who){STR("somebody"), STR("-"), below(2) ? below(4) : 0};
		for (int kind = 0; kind < METRIC_KINDS; kind++) {
			f->weights[i].milli[kind] = below(4) ? some_size() : (int64_t)1e18;
			f->weights[i].noise_milli[kind] = below(4) ? some_size() : (int64_t)1e18;
			f->weights[i].sd_permille[kind] = below(10001);
		}
	}
	for (int m = -60; m < 120; m++) {
		for (int i = 0; i < f->span.ncallers; i++) {
			if (below(4))
				continue;
			struct calls *c = calls_of(f, m, i);
			c->n = below(3) ? below(10) : below(1000000);
			c->started = below(2) ? 0 : below(c->n + 1);
			for (int kind = 0; kind < TOKEN_KINDS; kind++) {
				c->exact_n[kind] = !exact || below(3) ? 0 : below(c->n + 1);
				c->exact[kind] = c->exact_n[kind] ? some_size() / 100 : 0;
			}
		}
		for (int kind = 0; kind < METRIC_KINDS; kind++)
			if (below(5) == 0) {
				set_metric(f, m, kind, some_size());
				struct minute *at = minute(f, m);
				at->samples[kind] = below(2) ? 0 : below(3) ? below(30) : 2;
				if (at->samples[kind] == 2 && below(4))
					at->larger[kind] = at->metric[kind] - (below(4) ? below(at->metric[kind] / 2 + 1) : 0);
			}
		for (int kind = 0; kind < METRIC_KINDS; kind++)
			if (below(10) == 0)
				set_project_metric(f, m, (char[]){(char)(1 + below(4)), '\0'}, kind, some_size() / 8);
	}
}

// What the cells of the hour have to give: the sum of their residuals.
static int64_t residuals(const struct facts *f, int kind, struct arena *arena)
{
	struct cell_reader r;
	struct cell c;
	int64_t sum = 0;
	cell_reader_init(&r, &f->span, f->lookback, arena);
	for (int m = 0; m < 60; m++)
		for (int part = 0; part < cell_parts(&r, m); part++) {
			cell_read(&r, m, part, kind, &c);
			sum += c.residual;
		}
	return sum;
}

static bool cells_equal(const struct cell *a, const struct cell *b)
{
	bool equal = a->residual == b->residual && a->excess == b->excess && a->samples == b->samples &&
	             a->metric == b->metric && a->calls == b->calls && a->ncallers == b->ncallers;
	for (int32_t i = 0; equal && i < a->ncallers; i++)
		equal = a->callers[i] == b->callers[i] &&
		        a->lacking[a->callers[i]] == b->lacking[b->callers[i]];
	return equal;
}

static bool contests_equal(const struct contests *a, const struct contests *b)
{
	bool equal = a->nwho == b->nwho;
	for (int32_t i = 0; equal && i < a->nwho; i++)
		equal = a->who[i] == b->who[i] && a->ended[a->who[i]] == b->ended[b->who[i]];
	return equal;
}

// Whether a cell and those who take part in it are the same when its kinds are read one after the other, as
// they are, and when each is read alone.
static bool kinds_read_alone(const struct facts *f, struct arena *arena)
{
	struct cell_reader all, alone[METRIC_KINDS];
	struct contests of_all, of_one[METRIC_KINDS];
	bool good = true;
	cell_reader_init(&all, &f->span, f->lookback, arena);
	contests_init(&of_all, &f->span, f->lookback, arena);
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		cell_reader_init(&alone[kind], &f->span, f->lookback, arena);
		contests_init(&of_one[kind], &f->span, f->lookback, arena);
	}
	for (int m = 0; m < 60; m++)
		for (int part = 0; part < cell_parts(&all, m); part++)
			for (int kind = 0; kind < METRIC_KINDS; kind++) {
				struct cell a, b;
				cell_read(&all, m, part, kind, &a);
				cell_read(&alone[kind], m, part, kind, &b);
				good &= cells_equal(&a, &b);
				if (a.ncallers == 0)
					continue;
				contests_find(&of_all, &a, kind);
				contests_find(&of_one[kind], &b, kind);
				good &= contests_equal(&of_all, &of_one[kind]);
			}
	return good;
}

// Exact tokens of a kind of all calls of the span.
static __int128 exact_of(const struct facts *f, int kind)
{
	__int128 sum = 0;
	for (int m = -60; m < 120; m++) {
		const struct minute *at = span_minute(&f->span, m);
		for (int32_t i = 0; at && i < at->ncalls; i++)
			sum += at->calls[i].exact[kind];
	}
	return sum;
}

static bool hour_holds(struct facts *f, struct arena *arena)
{
	struct hour_usage u;
	bool good = true;
	allocate(f, arena, &u);
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		int64_t given = u.unattributed[kind];
		for (int i = 0; i < f->span.ncallers; i++) {
			const struct shares *x = &u.callers[i].by_kind[kind];
			given += x->allocated;
			good &= x->exact >= 0 && x->allocated >= 0 && x->provisional >= 0;
			good &= u.callers[i].spread[kind] >= 0 && u.callers[i].noise[kind] >= 0;
		}
		// what the metrics show and nobody was given is exact; of what is exact no token counts in two cells
		good &= (__int128)u.metered[kind] + u.excess[kind] - given <= exact_of(f, kind);
		good &= given == residuals(f, kind, arena) && u.unattributed[kind] >= 0 && u.excess[kind] >= 0;
	}
	return good;
}

int main(void)
{
	static struct facts f;
	struct arena arena = ARENA_INIT;
	bool good = true, alone = true;
	diag("NOWCAST_SEED=%llu", (unsigned long long)seed_rng());
	examples("tests/allocate.txt");
	uncertainty();
	for (int round = 0; good && round < 500; round++) {
		random_facts(&f);
		good = hour_holds(&f, &arena);
		alone &= kinds_read_alone(&f, &arena);
		arena_reset(&arena);
	}
	ok(good, "random hours: every residual is given out to the token, nothing is negative");
	ok(alone, "the kinds of a cell are the same read one after the other and each alone");
	arena_release(&arena);
	return done();
}
