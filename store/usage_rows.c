// SPDX-License-Identifier: Apache-2.0
// Figures to rows and back. Quantities first, dollars beside them: the dollars follow from the quantities in
// the hash and from the prices alone, which is what lets them be derived again later.
#include "store/usage_rows.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/when.h"
#include "estimator/tariff.h"
#include "estimator/units.h"

enum { TAGSETS_EACH = 4 }; // that those of a group have on average before their names go

struct writing {
	struct tariffs *tariffs;
	const struct rate_classes *rate_classes;
	const struct units *units;
	struct arena *arena;
	struct settled *out;
	int cap;
	const char *unpriced;
};

static void add_row(struct writing *w, struct str field, struct str value)
{
	if (w->out->nrows == w->cap) {
		struct row *more = arena_alloc(w->arena, (size_t)(w->cap = w->cap ? w->cap * 2 : 64) * sizeof *more);
		if (w->out->nrows)
			memcpy(more, w->out->rows, (size_t)w->out->nrows * sizeof *more);
		w->out->rows = more;
	}
	w->out->rows[w->out->nrows++] = (struct row){field, value};
}

// Tokens of one type, and how far off the allocated ones may be.
struct part {
	struct shares shares;
	int64_t spread, noise;
	bool ttl_may_be_1h;
};

void row_format_value(const struct figure *f, struct buf *ret)
{
	char pico[USD_SIZE] = "-", more[USD_SIZE] = "0";
	if (f->priced) {
		usd_format_pico(f->usd, pico);
		usd_format_pico(f->more, more);
	}
	buf_addf(ret, "%lld %s %lld %lld %lld %lld %s %lld %lld%s%s", (long long)f->tokens, pico,
	         (long long)f->exact, (long long)f->allocated, (long long)f->provisional, (long long)f->assumed,
	         more, (long long)f->spread, (long long)f->noise, f->ttl_may_be_1h ? " ttl" : "",
	         f->priced && f->band_estimated ? " band" : "");
}

static void add_figure(struct writing *w, struct str arn, struct str tagset, enum token_type type,
                       const struct part *x, const struct priced_usage *b)
{
	const struct tariff *t = tariffs_at(w->tariffs, rate_class_tier(b->rate_class));
	struct figure f = {.tokens = b->tokens[type],
	                   .exact = x->shares.exact,
	                   .allocated = x->shares.allocated,
	                   .provisional = x->shares.provisional,
	                   .assumed = type == TOKEN_CACHE_WRITE_5M ? b->assumed : 0,
	                   .spread = x->spread,
	                   .noise = x->noise};
	f.ttl_may_be_1h = f.assumed && x->ttl_may_be_1h;
	if (w->out->overflow) // how far off that is, nobody asks of what has no price
		f.spread = f.noise = f.ttl_may_be_1h = 0;
	struct buf value = BUF_INIT;
	char rate_class[RATE_CLASS_TEXT_SIZE];
	if (b->tokens[type] == 0)
		return;
	f.priced = tariff_price(t, b, type, &f.usd, &f.more);
	if (!f.priced)
		w->unpriced = price_miss_text(tariff_miss(t, b, type));
	tariff_band(t, b, &f.band_estimated);
	row_format_value(&f, &value);
	add_row(w,
	        arena_text(w->arena, "%.*s %.*s %s%s", STR_ARG(arn), STR_ARG(tagset), token_type_names[type],
	                   rate_class_format(b->rate_class, rate_class)),
	        arena_str(w->arena, buf_str(&value)));
	buf_release(&value);
}

static int64_t sum(struct shares x)
{
	return x.exact + x.allocated + x.provisional;
}

static int64_t part_of(int64_t tokens, int32_t permille)
{
	return tokens / 1000 * permille + tokens % 1000 * permille / 1000;
}

// Takes the one-hour writes out of all cache writes: those that are known, and of the others the part that
// was learned. Without anything learned the others are taken as 5-minute ones. Returns how many were.
static int64_t split_writes(const struct caller_usage *u, struct part *writes, struct part *ret_1h)
{
	int64_t known_1h = u->exact_1h < writes->shares.exact ? u->exact_1h : writes->shares.exact;
	int64_t known = u->exact_ttl > known_1h ? u->exact_ttl : known_1h;
	int64_t known_5m = known - known_1h, open = writes->shares.exact - known;
	int32_t permille = ttl_is_known(u->ttl_permille) ? u->ttl_permille : 0;
	*ret_1h = (struct part){
		.shares = {known_1h + part_of(open, permille), part_of(writes->shares.allocated, permille),
	               part_of(writes->shares.provisional, permille)},
		.spread = part_of(writes->spread, permille),
		.noise = part_of(writes->noise, permille),
	};
	writes->shares.exact -= ret_1h->shares.exact;
	writes->shares.allocated -= ret_1h->shares.allocated;
	writes->shares.provisional -= ret_1h->shares.provisional;
	writes->spread -= ret_1h->spread;
	writes->noise -= ret_1h->noise;
	return ttl_is_known(u->ttl_permille) ? 0 : sum(writes->shares) - known_5m;
}

static const char *const weight_source_names[] = {"none",    "model", "tags", "role",
                                                  "minutes", "exact", "bill"};

static void add_weights(struct writing *w, struct str arn, struct str tagset, const struct weight *x)
{
	struct buf b = BUF_INIT;
	for (int kind = 0; kind < METRIC_KINDS; kind++)
		buf_addf(&b, "%s%lld %d %s", kind ? " " : "", (long long)x->milli[kind], (int)x->sd_permille[kind],
		         weight_source_names[x->source[kind]]);
	add_row(w, arena_text(w->arena, "%.*s %.*s weights", STR_ARG(arn), STR_ARG(tagset)),
	        arena_str(w->arena, buf_str(&b)));
	buf_release(&b);
}

static bool is_split(const struct caller_usage *u)
{
	bool split = false;
	for (int kind = 0; kind < METRIC_KINDS; kind++)
		split |= u->by_kind[kind].allocated || u->by_kind[kind].provisional;
	return split;
}

static void add_usage(struct writing *w, struct str arn, struct str tagset, int rate_class,
                      const struct caller_usage *u)
{
	struct part parts[TOKEN_TYPES];
	struct priced_usage b = {.rate_class = rate_class, .calls = u->calls};
	char text[RATE_CLASS_TEXT_SIZE];
	for (int type = 0; type < TOKEN_CACHE_WRITE_1H; type++) {
		int kind = (int)kind_of_type((enum token_type)type);
		parts[type] = (struct part){u->by_kind[kind], u->spread[kind], u->noise[kind], false};
	}
	parts[TOKEN_CACHE_WRITE_5M].ttl_may_be_1h = u->ttl_may_be_1h;
	b.assumed = split_writes(u, &parts[TOKEN_CACHE_WRITE_5M], &parts[TOKEN_CACHE_WRITE_1H]);
	for (int type = 0; type < TOKEN_TYPES; type++)
		b.tokens[type] = sum(parts[type].shares);
	if (u->calls || u->failed)
		add_row(w,
		        arena_text(w->arena, "%.*s %.*s calls%s", STR_ARG(arn), STR_ARG(tagset),
		                   rate_class_format(rate_class, text)),
		        arena_text(w->arena, "%lld %lld", (long long)u->calls, (long long)u->failed));
	for (int type = 0; type < TOKEN_TYPES; type++)
		add_figure(w, arn, tagset, (enum token_type)type, &parts[type], &b);
}

static bool is_used(const struct caller_usage *u)
{
	bool used = u->calls || u->failed;
	for (int kind = 0; kind < METRIC_KINDS; kind++)
		used |= u->by_kind[kind].exact || u->by_kind[kind].allocated || u->by_kind[kind].provisional;
	return used;
}

// How far off something may be has no upper end worth telling apart.
static void add_doubt(int64_t *to, int64_t more)
{
	if (__builtin_add_overflow(*to, more, to))
		*to = INT64_MAX;
}

static void add_up(struct caller_usage *to, const struct caller_usage *u)
{
	to->calls += u->calls;
	to->failed += u->failed;
	to->exact_1h += u->exact_1h;
	to->exact_ttl += u->exact_ttl;
	to->ttl_may_be_1h |= u->ttl_may_be_1h || u->ttl_permille > 0;
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		to->by_kind[kind].exact += u->by_kind[kind].exact;
		to->by_kind[kind].allocated += u->by_kind[kind].allocated;
		to->by_kind[kind].provisional += u->by_kind[kind].provisional;
		add_doubt(&to->spread[kind], u->spread[kind]);
		add_doubt(&to->noise[kind], u->noise[kind]);
	}
}

// What is summed into one set of rows, by rate class. How long prompts were is told apart only where it
// decides a rate.
struct usage_by_rate {
	struct rate_class_usage *v;
	int32_t n, cap;
};

static void usage_by_rate_add(struct writing *w, struct usage_by_rate *p, int rate_class,
                              const struct caller_usage *u)
{
	int32_t i = 0;
	if (!(rate_class & RATE_CLASS_UNITS) && tariffs_at(w->tariffs, rate_class_tier(rate_class))->nbands == 1)
		rate_class = rate_class_tier(rate_class);
	while (i < p->n && p->v[i].rate_class != rate_class)
		i++;
	if (i == p->cap) {
		struct rate_class_usage *more =
			arena_alloc(w->arena, (size_t)(p->cap = p->cap ? 2 * p->cap : 4) * sizeof *more);
		if (p->n)
			memcpy(more, p->v, (size_t)p->n * sizeof *more);
		p->v = more;
	}
	if (i == p->n) {
		p->v[p->n++] = (struct rate_class_usage){.rate_class = (uint8_t)rate_class, .usage = *u};
		return;
	}
	add_up(&p->v[i].usage, u);
}

static void usage_by_rate_add_units(struct writing *w, struct usage_by_rate *p, int32_t caller)
{
	const struct units *x = w->units;
	struct caller_usage known = {.ttl_permille = TTL_UNKNOWN}, unknown = known;
	if (!x->exact)
		return;
	known.by_kind[TOKENS_OUTPUT] =
		(struct shares){.exact = x->exact[caller], .allocated = x->allocated[caller]};
	unknown.by_kind[TOKENS_OUTPUT].provisional = x->unknown[caller];
	if (x->exact[caller] || x->allocated[caller])
		usage_by_rate_add(w, p, RATE_CLASS_UNITS, &known);
	if (x->unknown[caller])
		usage_by_rate_add(w, p, RATE_CLASS_UNITS | RATE_CLASS_AT_LEAST, &unknown);
}

static void usage_by_rate_add_caller(struct writing *w, struct usage_by_rate *p, int32_t caller,
                                     const struct caller_usage *u)
{
	int32_t n;
	const struct rate_class_usage *rate_classes = rate_classes_of(w->rate_classes, caller, &n);
	if (n == 0)
		usage_by_rate_add(w, p, 0, u);
	for (int32_t i = 0; i < n; i++)
		usage_by_rate_add(w, p, rate_classes[i].rate_class, &rate_classes[i].usage);
	usage_by_rate_add_units(w, p, caller);
}

static void add_usage_by_rate(struct writing *w, struct str arn, struct str tagset,
                              const struct usage_by_rate *p)
{
	for (int32_t i = 0; i < p->n; i++)
		add_usage(w, arn, tagset, p->v[i].rate_class, &p->v[i].usage);
}

// Those of one group in the hour.
struct folding {
	const struct span *span;
	const struct hour_usage *usage;
	const struct cardinality *cardinality;
	int64_t day;
	struct str group;
	int names_max;
	int32_t first, end; // its callers
	int32_t *callers;   // of them, those that are counted together, sorted by tagset
	int32_t n, tagsets;
};

static struct str tagset_of(const struct folding *f, int32_t k)
{
	return f->span->callers[f->callers[k]].tagset;
}

static int by_tagset(const void *a, const void *b, void *callers)
{
	const struct who *all = callers;
	return str_cmp(all[*(const int32_t *)a].tagset, all[*(const int32_t *)b].tagset);
}

static bool keeps_name(const struct folding *f, int32_t i)
{
	return cardinality_keeps_caller(f->cardinality, f->day, f->group, f->span->callers[i].arn);
}

// With `all`, everybody's name goes.
static void gather(struct folding *f, bool all, struct arena *arena)
{
	f->callers = arena_alloc(arena, (size_t)(f->end - f->first + 1) * sizeof *f->callers);
	for (int32_t i = f->first; i < f->end; i++)
		if (is_used(&f->usage->callers[i]) && (all || !keeps_name(f, i)))
			f->callers[f->n++] = i;
	if (f->n > 1)
		qsort_r(f->callers, (size_t)f->n, sizeof *f->callers, by_tagset, (void *)f->span->callers);
	for (int32_t k = 0; k < f->n; k++)
		f->tagsets += k == 0 || !str_eq(tagset_of(f, k), tagset_of(f, k - 1));
}

// Too many sessions lose their names, not their tags: a team's sum stays the team's. Where the tags are as
// many (an e-mail address in them), these go too.
static void add_overflow(struct writing *w, struct folding *f)
{
	struct str name = arena_text(w->arena, "%.*s*", STR_ARG(f->group));
	bool keep = f->tagsets <= f->names_max;
	for (int32_t k = 0; k < f->n;) {
		struct usage_by_rate all = {0};
		struct str tagset = keep ? tagset_of(f, k) : STR("-");
		for (; k < f->n && (!keep || str_eq(tagset_of(f, k), tagset)); k++)
			usage_by_rate_add_caller(w, &all, f->callers[k], &f->usage->callers[f->callers[k]]);
		for (int32_t i = 0; i < all.n; i++)
			all.v[i].usage.ttl_permille = TTL_UNKNOWN;
		add_usage_by_rate(w, name, tagset, &all);
	}
}

static void add_caller(struct writing *w, const struct who *who, int32_t caller, const struct caller_usage *u)
{
	struct usage_by_rate p = {0};
	usage_by_rate_add_caller(w, &p, caller, u);
	add_usage_by_rate(w, who->arn, who->tagset, &p);
	if (u->weight && is_split(u) && !w->out->overflow)
		add_weights(w, who->arn, who->tagset, u->weight);
}

// Callers are sorted by arn, so those of a group stand together: writes them from `i` on, returns what
// follows. A session is a caller for each set of tags that it had; were these without end, its name would not
// bound the rows, and they go together.
static int32_t add_group(struct writing *w, const struct series *s, const struct span *span,
                         const struct hour_usage *u, int64_t hour, int32_t i, const struct engine_options *o)
{
	struct folding f = {.span = span,
	                    .usage = u,
	                    .cardinality = &s->cardinality,
	                    .day = hour / 24,
	                    .group = cardinality_group(span->callers[i].arn),
	                    .first = i,
	                    .end = i + 1};
	int64_t named = 0;
	f.names_max = cardinality_is_of_sessions(f.group) ? o->sessions_max : o->users_max;
	while (f.group.len && f.end < span->ncallers && str_starts(span->callers[f.end].arn, f.group))
		f.end++;
	for (int32_t k = i; k < f.end; k++)
		named += is_used(&u->callers[k]) && keeps_name(&f, k);
	bool all = f.group.len && named > (int64_t)TAGSETS_EACH * f.names_max;
	for (int32_t k = i; k < f.end && !all; k++)
		if (is_used(&u->callers[k]) && keeps_name(&f, k))
			add_caller(w, &span->callers[k], k, &u->callers[k]);
	gather(&f, all, w->arena);
	add_overflow(w, &f);
	return f.end;
}

void rows_write(const struct series *s, const struct span *span, int64_t hour, const struct hour_usage *u,
                const struct engine_options *o, struct arena *arena, struct settled *ret,
                const char **ret_unpriced)
{
	static const char *const by_kind[METRIC_KINDS] = {"input", "output", "cache_read", "cache_write"};
	const struct profile_since *behind = profile_at(&s->profile, (hour + 1) * MS_PER_HOUR);
	struct str foundation = behind ? behind->model : s->foundation;
	struct tariffs tariffs;
	struct rate_classes rate_classes;
	tariffs_init(&tariffs, o->prices, s->acct_region, s->model, foundation, hour * MS_PER_HOUR);
	struct units units;
	rate_class_split(span, o->lookback_minutes, u, arena, &rate_classes);
	units_split(span, tariffs_at(&tariffs, TIER_STANDARD)->by_unit, arena, &units);
	struct writing w = {
		.tariffs = &tariffs, .rate_classes = &rate_classes, .units = &units, .arena = arena, .out = ret};
	ret->nrows = 0;
	ret->overflow = !cardinality_keeps_model(&s->cardinality, hour / 24) &&
	                !tariff_knows(tariffs_at(&tariffs, TIER_STANDARD));
	for (int32_t i = 0; i < span->ncallers;)
		i = add_group(&w, s, span, u, hour, i, o);
	struct caller_usage nobody = {.ttl_permille = TTL_UNKNOWN, .ttl_may_be_1h = true};
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		nobody.by_kind[kind].allocated = u->unattributed[kind];
		if (u->metered[kind] || u->excess[kind])
			add_row(&w, arena_text(arena, "# %s", by_kind[kind]),
			        arena_text(arena, "%lld %lld", (long long)u->metered[kind], (long long)u->excess[kind]));
	}
	if (units.metered || units.excess)
		add_row(&w, STR("# units"),
		        arena_text(arena, "%lld %lld", (long long)units.metered, (long long)units.excess));
	if (s->called.len && !ret->overflow)
		add_row(&w, STR("# model"), s->called);
	if (foundation.len && !ret->overflow)
		add_row(&w, STR("# foundation"), foundation);
	struct usage_by_rate nobodys = {0};
	usage_by_rate_add_caller(&w, &nobodys, span->ncallers, &nobody);
	add_usage_by_rate(&w, STR(UNATTRIBUTED), STR("-"), &nobodys);
	struct caller_usage lost = {.ttl_permille = TTL_UNKNOWN};
	lost.by_kind[TOKENS_OUTPUT].allocated = units.unattributed;
	add_usage(&w, STR(UNATTRIBUTED), STR("-"), RATE_CLASS_UNITS, &lost);
	*ret_unpriced = w.unpriced;
}

static bool read_int(struct str *rest, int64_t *ret)
{
	struct str word = str_cut(rest, ' ');
	int64_t v;
	if (!usd_parse_scaled(word, 0, &v))
		return false;
	*ret = v;
	return true;
}

bool row_read(struct str field, struct str value, struct str *ret_arn, struct str *ret_tagset, int *ret_type,
              struct figure *ret)
{
	struct str arn = str_cut(&field, ' '), tagset = str_cut(&field, ' '), name = str_cut(&field, '@');
	struct figure f = {0};
	int type = 0, rate_class = 0;
	if (!arn.len || !tagset.len || arn.p[0] == '#' || !rate_class_parse(field, &rate_class))
		return false;
	f.rate_class = (uint8_t)rate_class;
	while (type < TOKEN_TYPES && !str_is(name, token_type_names[type]))
		type++;
	if (type == TOKEN_TYPES) {
		if (!str_is(name, "calls") || !read_int(&value, &f.tokens) || !read_int(&value, &f.exact))
			return false;
	} else {
		if (!read_int(&value, &f.tokens))
			return false;
		struct str pico = str_cut(&value, ' ');
		f.priced = usd_parse_pico(pico, &f.usd);
		if (!read_int(&value, &f.exact) || !read_int(&value, &f.allocated) ||
		    !read_int(&value, &f.provisional) || !read_int(&value, &f.assumed) ||
		    !usd_parse_pico(str_cut(&value, ' '), &f.more) || !read_int(&value, &f.spread) ||
		    !read_int(&value, &f.noise))
			return false;
		for (struct str word; (word = str_cut(&value, ' ')).len;) {
			f.ttl_may_be_1h |= str_is(word, "ttl");
			f.band_estimated |= str_is(word, "band");
		}
	}
	*ret_arn = arn;
	*ret_tagset = tagset;
	*ret_type = type;
	*ret = f;
	return true;
}

// ---- the digest ---------------------------------------------------------------------------------

uint64_t row_digest(struct str field, struct str value)
{
	return hash64_seeded(value.p ? value.p : "", value.len, hash64(field.p, field.len));
}

char *row_digest_format(uint64_t digest, char *buf)
{
	snprintf(buf, ROW_DIGEST_SIZE, "%016llx", (unsigned long long)digest);
	return buf;
}

uint64_t row_digest_parse(struct str text)
{
	char z[ROW_DIGEST_SIZE] = "";
	if (text.len != sizeof z - 1)
		return 0;
	memcpy(z, text.p, text.len);
	return strtoull(z, NULL, 16);
}
