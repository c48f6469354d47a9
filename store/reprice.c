// SPDX-License-Identifier: Apache-2.0
#include "store/reprice.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/when.h"
#include "estimator/rate_class.h"
#include "estimator/tariff.h"
#include "pricing/model_id.h"
#include "store/keys.h"
#include "store/profile.h"
#include "store/script.h"
#include "store/store.h"
#include "store/usage_rows.h"

EMBED_SCRIPTS(unfold_lua, "store/figures.lua", "store/unfold.lua")

enum { MODEL_HOURS_AT_ONCE = 64, TRIES = 10 };

// Sets fields of two hashes to new values if all of them still have the old ones ("": none). Arguments:
// number of the hash, field, old value, new value; ...
static const struct str swap_all = STR(
	"for i = 1, #ARGV, 4 do "
	"if (redis.call('HGET', KEYS[tonumber(ARGV[i])], ARGV[i + 1]) or '') ~= ARGV[i + 2] then return 0 end end "
	"for i = 1, #ARGV, 4 do redis.call('HSET', KEYS[tonumber(ARGV[i])], ARGV[i + 1], ARGV[i + 3]) end return 1");
enum { USAGE_HASH = 1, META_HASH = 2 };

struct job {
	struct redis *redis;
	const char *prefix;
	const struct reprice_options *options;
	int swap, unfold;   // scripts
	struct arena arena; // of a page
	struct arena names;
	struct seen {
		struct str model;
		bool unpriced;
	} *seen;
	size_t nseen;
	struct reprice_counts counts, page; // page: not counted yet, for it may have to be done again
};

struct line {
	struct str field, value; // as Redis holds them
	struct view_row row;
	struct str fresh;        // the new value; none: it stays
};

struct model_hour {
	struct str key, meta_key, model, foundation;
	struct str part;              // id of a model that is summed up with others; the keys are of its part
	char part_digest[SHA1_HEX_SIZE]; // as unfold.lua has it
	bool gone; // that part: the model has figures of its own since, or the part has expired
	struct str called;            // the ARN it was called by; none
	struct str stored_foundation; // as Redis has it; none
	bool imported;                // the foundation, by `nowcast profiles import`
	struct str digest;       // as Redis has it; none
	struct profile profile;
	int64_t hour;
	struct line *lines;      // sorted by caller
	size_t n, changed;
	struct row *metrics;     // fields of META_METRIC
	int nmetrics;
};

static int by_row(const void *a, const void *b)
{
	return row_cmp(&((const struct line *)a)->row, &((const struct line *)b)->row);
}

// Replies: the part's meta hash, and after it its usage hash.
static void digest_part(struct redis *r, size_t reply, char ret[SHA1_HEX_SIZE])
{
	struct buf b = BUF_INIT;
	for (size_t hash = reply; hash < reply + 2; hash++)
		for (size_t i = 0; i < redis_len(r, hash); i++) {
			buf_addstr(&b, redis_elem(r, hash, i));
			buf_addc(&b, '\n');
		}
	sha1_hex(buf_str(&b), ret);
	buf_release(&b);
}

// Replies: the meta hash, and after it the usage hash.
static void read_model_hour(struct job *j, size_t reply, struct model_hour *s)
{
	size_t nmeta = redis_len(j->redis, reply) / 2, nusage = redis_len(j->redis, reply + 1) / 2;
	s->lines = arena_alloc(&j->arena, (nmeta + nusage + 1) * sizeof *s->lines);
	s->metrics = arena_alloc(&j->arena, (nmeta + 1) * sizeof *s->metrics);
	s->n = 0;
	s->nmetrics = 0;
	s->called = s->foundation = s->stored_foundation = s->digest = STR_NONE;
	for (size_t i = 0; i < nmeta + nusage; i++) {
		struct line *l = &s->lines[s->n];
		size_t hash = reply + (i >= nmeta), at = i < nmeta ? i : i - nmeta;
		*l = (struct line){.field = arena_str(&j->arena, redis_elem(j->redis, hash, 2 * at)),
		                   .value = arena_str(&j->arena, redis_elem(j->redis, hash, 2 * at + 1))};
		if (str_is(l->field, META_FOUNDATION))
			s->foundation = s->stored_foundation = l->value;
		if (str_is(l->field, META_MODEL))
			s->called = l->value;
		if (str_is(l->field, META_DIGEST))
			s->digest = l->value;
		if (str_starts(l->field, STR(META_METRIC " ")))
			s->metrics[s->nmetrics++] = (struct row){l->field, l->value};
		else
			s->n += row_read(l->field, l->value, &l->row);
	}
	s->gone = s->part.len && nusage == 0;
	if (s->part.len)
		digest_part(j->redis, reply, s->part_digest);
	if (s->n > 1)
		qsort(s->lines, s->n, sizeof *s->lines, by_row);
	const struct profile_since *behind = profile_at(&s->profile, (s->hour + 1) * MS_PER_HOUR);
	s->imported = behind;
	if (behind)
		s->foundation = behind->model;
}

// Sets the price of a figure. *ret_miss: why it has none.
static void price_figure(const struct tariff *t, const struct priced_usage *b, const struct view_row *r,
                         struct figure *f, enum price_miss *ret_miss)
{
	struct cost cost;
	f->band_estimated = false;
	if (row_has_units(r)) {
		f->priced = r->kind == ROW_UNITS && tariff_price_units(t, f->tokens, &cost);
		figure_set_cost(f, &cost);
		*ret_miss = f->priced ? MISS_NONE : tariff_unit_miss(t);
		return;
	}
	f->priced = tariff_price(t, b, r->type, &cost);
	figure_set_cost(f, &cost);
	if (f->priced)
		tariff_band(t, b, &f->band_estimated);
	*ret_miss = f->priced ? MISS_NONE : tariff_miss(t, r->type);
}

static void price_line(struct job *j, const struct model_hour *s, const struct tariff *t,
                       const struct priced_usage *b, struct line *l)
{
	const struct figure *old = &l->row.figure;
	struct view_row row = l->row;
	struct buf value = BUF_INIT;
	enum price_miss miss;
	price_figure(t, b, &l->row, &row.figure, &miss);
	j->page.rows++;
	j->page.before = usd_add(j->page.before, old->usd);
	if (old->priced && !s->foundation.len && miss == MISS_OPAQUE) {
		j->page.kept++;
		j->page.after = usd_add(j->page.after, old->usd);
		return;
	}
	j->page.after = usd_add(j->page.after, row.figure.usd);
	row_format_value(&row, &value);
	l->fresh = str_eq(buf_str(&value), l->value) ? STR_NONE : arena_str(&j->arena, buf_str(&value));
	j->page.rows_changed += l->fresh.len > 0;
	buf_release(&value);
}

static void price_model_hour(struct job *j, struct str acct_region, struct model_hour *s)
{
	struct tariffs tariffs;
	s->changed = 0;
	if (s->gone)
		return; // what it has now was priced when it was computed
	tariffs_init(&tariffs, j->options->prices, acct_region, s->called.len ? s->called : s->model,
	             s->foundation, s->hour * MS_PER_HOUR);
	tariffs.query.scope_unknown = !s->imported;
	if (s->part.len && !tariff_knows(tariffs_at(&tariffs, TIER_STANDARD)))
		return; // it stays among the others
	s->changed = s->part.len || !str_eq(s->stored_foundation, s->foundation);
	for (size_t i = 0, end; i < s->n; i = end) {
		struct priced_usage b = {.rate_class = s->lines[i].row.rate_class};
		for (end = i; end < s->n && row_shares_price(&s->lines[i].row, &s->lines[end].row); end++)
			priced_usage_add_row(&b, &s->lines[end].row);
		for (size_t k = i; k < end; k++) {
			if (s->lines[k].row.kind != ROW_CALLS)
				price_line(j, s, tariffs_at(&tariffs, rate_class_tier(b.rate_class)), &b, &s->lines[k]);
			s->changed += s->lines[k].fresh.len > 0;
		}
	}
	j->page.model_hours++;
	j->page.model_hours_changed += s->changed > 0;
}

// Which models have tokens without a price, and which have not.
static void note_model(struct job *j, const struct model_hour *s)
{
	struct seen *at = j->seen, *end = j->seen + j->nseen;
	if (s->gone)
		return;
	while (at < end && !str_eq(at->model, s->model))
		at++;
	if (at == end) {
		j->seen = xrealloc(j->seen, j->nseen + 1, sizeof *j->seen);
		at = &j->seen[j->nseen++];
		*at = (struct seen){arena_str(&j->names, s->model), false};
	}
	for (size_t i = 0; i < s->n; i++) {
		const struct line *l = &s->lines[i];
		struct str value = l->fresh.len ? l->fresh : l->value;
		str_cut(&value, ' ');
		at->unpriced |= l->row.figure.tokens && str_is(str_cut(&value, ' '), "-");
	}
}

// A model that has a price now is no longer listed as one without.
static bool forget_unpriced(struct job *j, struct err *err)
{
	struct buf key = BUF_INIT;
	key_unpriced(&key, j->prefix);
	for (size_t i = 0; i < j->nseen; i++)
		if (!j->seen[i].unpriced)
			redis_cmd(j->redis, 3, (struct str[]){STR("HDEL"), buf_str(&key), j->seen[i].model});
	buf_release(&key);
	return redis_exec(j->redis, err);
}

static void queue_change(struct job *j, int hash, struct str field, struct str value, struct str fresh)
{
	redis_argi(j->redis, hash);
	redis_arg(j->redis, field);
	redis_arg(j->redis, value);
	redis_arg(j->redis, fresh);
}

// Fields and values of one of the two hashes, as they will be. Returns their digest.
static uint64_t queue_lines(struct job *j, const struct model_hour *s, bool of_usage)
{
	uint64_t digest = 0;
	for (size_t i = 0; i < s->n; i++) {
		const struct line *l = &s->lines[i];
		if ((l->row.kind != ROW_CALLS) != of_usage)
			continue;
		struct str value = l->fresh.len ? l->fresh : l->value;
		redis_arg(j->redis, l->field);
		redis_arg(j->redis, value);
		digest += row_digest(l->field, value);
	}
	return digest;
}

static uint64_t queue_field(struct job *j, const char *field, struct str value)
{
	redis_argz(j->redis, field);
	redis_arg(j->redis, value);
	return row_digest(str_of(field), value);
}

// A model that was summed up with others gets figures of its own.
static void queue_unfold(struct job *j, struct str acct_region, const struct model_hour *s)
{
	struct buf text = BUF_INIT;
	char digest[ROW_DIGEST_SIZE];
	int nusage = 0, nmeta = 1 + (s->called.len > 0) + (s->foundation.len > 0);
	for (size_t i = 0; i < s->n; i++)
		*(s->lines[i].row.kind == ROW_CALLS ? &nmeta : &nusage) += 1;
	redis_begin_eval(j->redis, j->unfold, 1, 1 + 5 + 2 * (nusage + nmeta + s->nmetrics));
	redis_arg(j->redis, key_acct_region(&text, j->prefix, acct_region));
	redis_argi(j->redis, s->hour);
	redis_arg(j->redis, s->part);
	redis_arg(j->redis, key_member(&text, s->hour, s->model));
	redis_argz(j->redis, s->part_digest);
	redis_argi(j->redis, 2 * nusage);
	uint64_t sum = queue_lines(j, s, true);
	sum += queue_lines(j, s, false);
	for (int i = 0; i < s->nmetrics; i++) {
		redis_arg(j->redis, s->metrics[i].field);
		redis_arg(j->redis, s->metrics[i].value);
		sum += row_digest(s->metrics[i].field, s->metrics[i].value);
	}
	if (s->called.len)
		sum += queue_field(j, META_MODEL, s->called);
	if (s->foundation.len)
		sum += queue_field(j, META_FOUNDATION, s->foundation);
	queue_field(j, META_DIGEST, str_of(row_digest_format(sum, digest)));
	buf_release(&text);
}

static void queue_changes(struct job *j, const struct model_hour *s)
{
	uint64_t digest = row_digest_parse(s->digest);
	bool has_digest = digest != 0;
	char text[ROW_DIGEST_SIZE];
	redis_begin_eval(j->redis, j->swap, 2, 2 + 4 * ((int)s->changed + has_digest));
	redis_arg(j->redis, s->key);
	redis_arg(j->redis, s->meta_key);
	if (!str_eq(s->stored_foundation, s->foundation)) {
		queue_change(j, META_HASH, STR(META_FOUNDATION), s->stored_foundation, s->foundation);
		digest += row_digest(STR(META_FOUNDATION), s->foundation) -
		          (s->stored_foundation.len ? row_digest(STR(META_FOUNDATION), s->stored_foundation) : 0);
	}
	for (size_t i = 0; i < s->n; i++) {
		const struct line *l = &s->lines[i];
		if (!l->fresh.len)
			continue;
		queue_change(j, USAGE_HASH, l->field, l->value, l->fresh);
		digest += row_digest(l->field, l->fresh) - row_digest(l->field, l->value);
	}
	if (has_digest)
		queue_change(j, META_HASH, STR(META_DIGEST), s->digest, str_of(row_digest_format(digest, text)));
}

static void count(struct reprice_counts *to, const struct reprice_counts *x)
{
	to->model_hours += x->model_hours;
	to->model_hours_changed += x->model_hours_changed;
	to->rows += x->rows;
	to->rows_changed += x->rows_changed;
	to->kept += x->kept;
	to->before = usd_add(to->before, x->before);
	to->after = usd_add(to->after, x->after);
}

// Two round trips: read, write. *ret_done: nobody had changed any of them in between.
static bool try_model_hours(struct job *j, struct str acct_region, struct model_hour *model_hours, int n,
                            bool *ret_done, struct err *err)
{
	size_t writes = 0;
	j->page = (struct reprice_counts){0};
	*ret_done = true;
	for (int i = 0; i < n; i++) {
		redis_cmd(j->redis, 2, (struct str[]){STR("HGETALL"), model_hours[i].meta_key});
		redis_cmd(j->redis, 2, (struct str[]){STR("HGETALL"), model_hours[i].key});
	}
	for (int i = 0; i < n; i++)
		if (profile_is_opaque(model_hours[i].model))
			profile_ask(j->redis, j->prefix, model_hours[i].model);
	if (!redis_exec(j->redis, err))
		return false;
	size_t reply = 2 * (size_t)n;
	for (int i = 0; i < n; i++)
		if (profile_is_opaque(model_hours[i].model))
			profile_take(j->redis, reply++, &j->arena, &model_hours[i].profile);
	for (int i = 0; i < n; i++)
		read_model_hour(j, 2 * (size_t)i, &model_hours[i]);
	for (int i = 0; i < n; i++) {
		price_model_hour(j, acct_region, &model_hours[i]);
		note_model(j, &model_hours[i]);
		if (model_hours[i].changed && !j->options->dry) {
			if (model_hours[i].part.len)
				queue_unfold(j, acct_region, &model_hours[i]);
			else
				queue_changes(j, &model_hours[i]);
			writes++;
		}
	}
	if (writes && !redis_exec(j->redis, err))
		return false;
	for (size_t i = 0; i < writes; i++)
		*ret_done &= redis_int(j->redis, i) == 1;
	return true;
}

static bool do_model_hours(struct job *j, struct str acct_region, struct model_hour *model_hours, int n,
                           struct err *err)
{
	struct reprice_counts first = {0};
	bool done = false;
	for (int i = 0; i < TRIES && !done; i++) {
		if (!try_model_hours(j, acct_region, model_hours, n, &done, err))
			return false;
		if (i == 0)
			first = j->page;
	}
	// What an earlier try has changed, a later one finds as it should be: the first tells what there was to
	// do.
	count(&j->counts, &first);
	return done || err_set(err, ERR_RETRY,
	                       "the hours of %.*s change faster than they can be priced again; run it once more",
	                       STR_ARG(acct_region));
}

struct model_hours {
	struct arena names;
	struct model_hour *v;
	size_t n, cap;
};

static void add_model_hour(struct model_hours *l, struct model_hour x)
{
	if (l->n == l->cap)
		l->v = xrealloc(l->v, l->cap = l->cap ? l->cap * 2 : 256, sizeof *l->v);
	l->v[l->n++] = x;
}

// Members of the usage index: "2026-11-02T05:model".
static bool list_members(struct job *j, struct model_hours *l, struct str acct_region, struct err *err)
{
	struct buf key = BUF_INIT;
	char lo[24], hi[24];
	snprintf(lo, sizeof lo, "%lld", (long long)j->options->from);
	snprintf(hi, sizeof hi, "(%lld", (long long)j->options->to);
	redis_cmd(j->redis, 4,
	          (struct str[]){STR("ZRANGEBYSCORE"), key_usage_index(&key, j->prefix, acct_region), str_of(lo),
	                         str_of(hi)});
	bool good = redis_exec(j->redis, err);
	for (size_t i = 0; good && i < redis_len(j->redis, 0); i++) {
		struct str member = arena_str(&l->names, redis_elem(j->redis, 0, i)), model = member,
				   when = str_cut(&model, ':');
		int64_t ms = 0;
		when_parse(when, &ms);
		add_model_hour(
			l, (struct model_hour){
				   .key = arena_str(&l->names, key_usage(&key, j->prefix, acct_region, member)),
				   .meta_key = arena_str(&l->names, key_usage_meta(&key, j->prefix, acct_region, member)),
				   .model = model,
				   .hour = ms / MS_PER_HOUR});
	}
	buf_release(&key);
	return good;
}

// The models with usage among the sums of `(other models)`, which the first `n` of the list may be. They come
// after these, so what is left among the others is priced before it gets less.
static bool list_parts(struct job *j, struct model_hours *l, struct str acct_region, struct err *err)
{
	struct buf key = BUF_INIT;
	bool good = true;
	for (size_t i = 0, n = l->n; good && i < n; i++) {
		int64_t hour = l->v[i].hour;
		if (!str_is(l->v[i].model, MODEL_OTHERS_STORED))
			continue;
		redis_cmd(j->redis, 2, (struct str[]){STR("HGETALL"), l->v[i].meta_key}); // singly: it may be large
		good = redis_exec(j->redis, err);
		for (size_t k = 0; good && k + 1 < redis_len(j->redis, 0); k += 2) {
			struct str hex = redis_elem(j->redis, 0, k), model = redis_elem(j->redis, 0, k + 1);
			if (!str_is(str_cut(&hex, ' '), META_PART))
				continue;
			struct str at = arena_text(&l->names, "%lld:%.*s", (long long)hour, STR_ARG(hex));
			add_model_hour(
				l, (struct model_hour){
					   .key = arena_str(&l->names, key_part(&key, j->prefix, acct_region, at)),
					   .meta_key = arena_str(&l->names, key_part_meta(&key, j->prefix, acct_region, at)),
					   .model = arena_str(&l->names, model),
					   .part = arena_str(&l->names, hex),
					   .hour = hour});
		}
	}
	buf_release(&key);
	return good;
}

static bool do_acct_region(struct job *j, struct str acct_region, struct err *err)
{
	struct model_hours l = {.names = ARENA_INIT};
	bool good = list_members(j, &l, acct_region, err) && list_parts(j, &l, acct_region, err);
	for (size_t i = 0; good && i < l.n; i += MODEL_HOURS_AT_ONCE) {
		arena_reset(&j->arena);
		good = do_model_hours(j, acct_region, l.v + i,
		                      (int)(l.n - i < MODEL_HOURS_AT_ONCE ? l.n - i : MODEL_HOURS_AT_ONCE), err);
	}
	free(l.v);
	arena_release(&l.names);
	return good;
}

bool reprice(struct redis *r, const char *prefix, const struct reprice_options *o, struct reprice_counts *ret,
             struct err *err)
{
	struct job j = {.redis = r,
	                .prefix = prefix,
	                .options = o,
	                .swap = redis_script(r, swap_all),
	                .unfold = redis_script(r, unfold_lua())};
	struct arena names = ARENA_INIT;
	struct buf key = BUF_INIT;
	redis_cmd(r, 2, (struct str[]){STR("SMEMBERS"), key_acct_regions(&key, prefix)});
	buf_release(&key);
	bool good = redis_exec(r, err);
	size_t n = 0;
	struct str *acct_regions = good ? redis_copy_list(r, 0, &names, &n) : NULL;
	for (size_t i = 0; good && i < n; i++)
		good = do_acct_region(&j, acct_regions[i], err);
	good = good && (o->dry || forget_unpriced(&j, err));
	arena_release(&names);
	arena_release(&j.arena);
	arena_release(&j.names);
	free(j.seen);
	*ret = j.counts;
	return good;
}
