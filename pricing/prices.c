// SPDX-License-Identifier: Apache-2.0
// Files are read once, at loading: a file that is replaced later does not change the rates of a running
// worker.
#include "pricing/prices.h"

#include <assert.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/when.h"
#include "pricing/discounts.h"
#include "pricing/model_id.h"
#include "pricing/nearest_region.h"
#include "pricing/price_file.h"

enum { FILE_MAX = 16 << 20 };

struct prices {
	struct source_file {
		const char *name;
		char *file;
		struct catalogue *catalogue; // NULL: the built-in one
	} *v;
	size_t n;
	struct discounts *discounts; // NULL: none
	bool nearest_region;
};

static const char *const source_names[] = {"user", "bill", "pricelist", "litellm", "builtin"};
enum { SOURCE_NAMES = sizeof source_names / sizeof *source_names };

static struct source_file *add_source(struct prices *p, const char *name, const char *file)
{
	p->v = xrealloc(p->v, p->n + 1, sizeof *p->v);
	p->v[p->n] = (struct source_file){.name = name, .file = xstrdup(str_of(file))};
	return &p->v[p->n++];
}

static bool load_file(struct prices *p, const char *name, const char *file, struct err *err)
{
	struct buf text = BUF_INIT;
	bool good = file_read(file, FILE_MAX, &text, err) &&
	            catalogue_parse(&add_source(p, name, file)->catalogue, buf_str(&text), file, err);
	buf_release(&text);
	return good;
}

static bool load_pattern(struct prices *p, const char *name, const char *pattern, struct err *err)
{
	glob_t found;
	bool good = true;
	if (glob(pattern, 0, NULL, &found) == 0) // sorted by name
		for (size_t i = 0; good && i < found.gl_pathc; i++)
			good = load_file(p, name, found.gl_pathv[i], err) || err_collect(err);
	globfree(&found);
	return good;
}

// DIR/NAME.csv, then DIR/NAME-*.csv.
static bool load_imported(struct prices *p, const char *name, const struct conf *conf, struct err *err)
{
	struct buf path = BUF_INIT, pattern = BUF_INIT;
	if (!*conf->prices_dir || (access(conf->prices_dir, F_OK) != 0 && errno == ENOENT))
		return true; // no prices were imported yet
	if (access(conf->prices_dir, R_OK | X_OK) != 0) {
		err_set(err, ERR_CONFIG, "prices.dir: cannot read %s: %s", conf->prices_dir, strerror(errno));
		return conf_blame(conf, "prices.dir", err);
	}
	prices_path(conf, name, NULL, &path);
	bool good = access(path.data, F_OK) != 0 || load_file(p, name, path.data, err) || err_collect(err);
	for (const char *z = conf->prices_dir; *z; z++) // the name of the folder is not a pattern
		buf_addf(&pattern, "%s%c", strchr("*?[\\", *z) ? "\\" : "", *z);
	buf_addf(&pattern, "/%s-*.csv", name);
	good = good && load_pattern(p, name, pattern.data, err);
	buf_release(&path);
	buf_release(&pattern);
	return good;
}

static bool load_user_files(struct prices *p, const struct conf *conf, struct err *err)
{
	for (size_t i = 0; i < conf->prices_file.n; i++)
		if (!load_file(p, source_names[0], conf->prices_file.items[i], err)) {
			err_prefix(err, "prices.file");
			conf_blame(conf, "prices.file", err);
			if (!err_collect(err))
				return false;
		}
	return true;
}

static bool load_source(struct prices *p, const char *word, const struct conf *conf, struct err *err)
{
	size_t k = 0;
	while (k < SOURCE_NAMES && strcmp(word, source_names[k]) != 0)
		k++;
	if (k == SOURCE_NAMES) {
		err_set(err, ERR_CONFIG, "prices: unknown source %s; expected user, bill, pricelist, litellm or builtin",
		        word);
		return conf_blame(conf, "prices", err);
	}
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].name == source_names[k]) {
			err_set(err, ERR_CONFIG, "prices: %s is named twice", word);
			return conf_blame(conf, "prices", err);
		}
	if (strcmp(word, "builtin") == 0) {
		add_source(p, source_names[k], "built in");
		(void)catalogue_builtin(); // it is read at the start, not by the first look-up
		return true;
	}
	return strcmp(word, "user") == 0 ? load_user_files(p, conf, err)
	                                 : load_imported(p, source_names[k], conf, err);
}

static bool load_discounts(struct prices *p, const struct conf *conf, struct err *err)
{
	struct buf text = BUF_INIT;
	const char *file = conf->discounts_file;
	if (!*file)
		return true;
	bool good = file_read(file, FILE_MAX, &text, err) &&
	            discounts_read(&p->discounts, buf_str(&text), file, err);
	buf_release(&text);
	if (good)
		return true;
	err_prefix(err, "discounts.file");
	return conf_blame(conf, "discounts.file", err);
}

bool prices_load(struct prices **ret, const struct conf *conf, struct err *err)
{
	struct prices *p = xcalloc(1, sizeof *p);
	size_t before = err_listed(err);
	bool good = load_discounts(p, conf, err) || err_collect(err);
	p->nearest_region = conf->prices_nearest_region;
	for (size_t i = 0; good && i < conf->prices.n; i++)
		good = load_source(p, conf->prices.items[i], conf, err) || err_collect(err);
	if (!good || !err_check(err, before)) {
		prices_free(p);
		return false;
	}
	*ret = p;
	return true;
}

bool prices_load_file(struct prices **ret, const char *file, struct err *err)
{
	struct prices *p = xcalloc(1, sizeof *p);
	if (!load_file(p, source_names[0], file, err)) {
		prices_free(p);
		return false;
	}
	*ret = p;
	return true;
}

void prices_free(struct prices *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++) {
		catalogue_free(p->v[i].catalogue);
		free(p->v[i].file);
	}
	discounts_free(p->discounts);
	free(p->v);
	free(p);
}

size_t prices_count(const struct prices *p)
{
	return p ? p->n : 1;
}

struct price_source prices_source(const struct prices *p, size_t i)
{
	if (!p)
		return (struct price_source){"builtin", "built in", catalogue_builtin()};
	assert(i < p->n);
	const struct source_file *l = &p->v[i];
	return (struct price_source){l->name, l->file, l->catalogue ? l->catalogue : catalogue_builtin()};
}

static bool has_bands(const struct rate *r)
{
	return r->prompt_over > 0 || r->prompt_max != INT64_MAX;
}

// `found` is the rate of an earlier source without bands. If a later source has bands, limits `found` to its
// lowest band, or replaces `found` by the rate of a higher band. False: source `i` has no bands.
static bool use_bands(const struct prices *p, size_t i, const struct price_query *q, struct rate *found,
                      struct price_source *ret_source)
{
	struct price_source source = prices_source(p, i);
	struct rate later;
	if (catalogue_find(source.catalogue, q, &later) != MISS_NONE || !has_bands(&later))
		return false;
	if (later.prompt_over) {
		*found = later;
		*ret_source = source;
	} else {
		found->prompt_max = later.prompt_max;
	}
	return true;
}

// Of the sources in their order, without a nearest Region.
static enum price_miss find_in_sources(const struct prices *p, const struct price_query *q, struct rate *ret,
                                       struct price_source *ret_source)
{
	enum price_miss nearest = MISS_MODEL, miss = MISS_MODEL;
	size_t i = 0, n = prices_count(p);
	for (; i < n && miss != MISS_NONE; i++) {
		*ret_source = prices_source(p, i);
		miss = catalogue_find(ret_source->catalogue, q, ret);
		nearest = miss > nearest ? miss : nearest;
	}
	if (miss != MISS_NONE)
		return nearest;
	for (bool banded = has_bands(ret); i < n && !banded; i++)
		banded = use_bands(p, i, q, ret, ret_source);
	return MISS_NONE;
}

static void read_model(const struct price_query *q, struct model_id *ret)
{
	model_id_read(ret, q->model);
	if (ret->kind != MODEL_NAMED && q->foundation.len)
		model_id_read(ret, q->foundation);
}

// The Regions by name for which any source has a row of the model, at its scope and tier.
static size_t list_regions(const struct prices *p, const struct price_query *q, struct str *ret, size_t room)
{
	struct model_id id;
	size_t n = 0;
	read_model(q, &id);
	for (size_t i = 0; i < prices_count(p); i++) {
		const struct price_rows *rows = catalogue_rows(prices_source(p, i).catalogue);
		for (size_t k = 0; k < rows->n && n < room; k++) {
			const struct price_row *r = &rows->v[k];
			size_t known = 0;
			if (!str_eq(r->model, model_id_name(&id)) || r->scope != id.scope || r->tier != q->tier ||
			    !r->region.len)
				continue;
			while (known < n && !str_eq(ret[known], r->region))
				known++;
			if (known == n)
				ret[n++] = r->region;
		}
	}
	return n;
}

// The rate of the nearest Region that has one, and the bounds of those of all.
static bool find_nearest(const struct prices *p, const struct price_query *q, struct rate *ret,
                         struct price_source *ret_source)
{
	enum { REGIONS_MAX = 64 };
	struct str regions[REGIONS_MAX];
	struct price_query there = *q;
	int64_t lowest = INT64_MAX, highest = 0;
	size_t n = list_regions(p, q, regions, REGIONS_MAX), have = 0;
	for (size_t i = 0; i < n; i++) {
		there.region = regions[i];
		if (region_is_commercial(regions[i]) && find_in_sources(p, &there, ret, ret_source) == MISS_NONE) {
			lowest = ret->pico_per_token < lowest ? ret->pico_per_token : lowest;
			highest = ret->pico_per_token > highest ? ret->pico_per_token : highest;
			regions[have++] = regions[i];
		}
	}
	there.region = region_is_commercial(q->region) ? nearest_region(q->region, regions, have) : STR_NONE;
	if (!there.region.len || find_in_sources(p, &there, ret, ret_source) != MISS_NONE)
		return false;
	ret->borrowed_from = there.region;
	ret->lowest_pico = lowest;
	ret->highest_pico = highest;
	return true;
}

static void widen(struct rate *rate, int64_t pico)
{
	rate->lowest_pico = pico < rate->lowest_pico ? pico : rate->lowest_pico;
	rate->highest_pico = pico > rate->highest_pico ? pico : rate->highest_pico;
}

// The regional rate of a model that is known from records only: its bounds include the global one.
static void doubt_scope(const struct prices *p, const struct price_query *q, struct rate *rate)
{
	char name[sizeof "global." + MODEL_NAME_MAX];
	struct price_query other = *q;
	struct price_source ignored;
	struct model_id id;
	struct rate found;
	read_model(q, &id);
	other.foundation = STR_NONE;
	if (id.kind != MODEL_NAMED || id.profile_len || find_in_sources(p, &other, &found, &ignored) == MISS_NONE)
		return; // nothing is known, the scope is, or the id itself has a rate
	int n = snprintf(name, sizeof name, "global.%.*s", STR_ARG(model_id_name(&id)));
	other.model = (struct str){name, (size_t)n};
	if (find_in_sources(p, &other, &found, &ignored) != MISS_NONE ||
	    found.pico_per_token == rate->pico_per_token)
		return;
	rate->scope_unknown = true;
	widen(rate, found.pico_per_token);
}

static int64_t discounted(int64_t pico, const struct discount *d)
{
	return (int64_t)usd_muldiv((struct usd){pico}, DISCOUNT_WHOLE - d->ppm, DISCOUNT_WHOLE).pico;
}

static void take_discount(const struct discounts *d, const struct price_query *q, struct rate *rate)
{
	struct model_id id;
	read_model(q, &id);
	rate->discount = discounts_find(d, q->account, model_id_name(&id), q->time_ms);
	if (!rate->discount)
		return;
	rate->pico_per_token = discounted(rate->list_pico, rate->discount);
	rate->lowest_pico = discounted(rate->lowest_pico, rate->discount);
	rate->highest_pico = discounted(rate->highest_pico, rate->discount);
}

enum price_miss prices_find(const struct prices *p, const struct price_query *q, struct rate *ret,
                            struct price_source *ret_source)
{
	struct price_source source;
	enum price_miss miss = find_in_sources(p, q, ret, &source);
	if (miss == MISS_REGION && p && p->nearest_region && find_nearest(p, q, ret, &source))
		miss = MISS_NONE;
	if (miss != MISS_NONE)
		return miss;
	if (q->scope_unknown && q->foundation.len)
		doubt_scope(p, q, ret);
	if (p && p->discounts && strcmp(source.name, "bill") != 0)
		take_discount(p->discounts, q, ret);
	assert(ret->lowest_pico <= ret->pico_per_token && ret->pico_per_token <= ret->highest_pico);
	if (ret_source)
		*ret_source = source;
	return MISS_NONE;
}

// The latest date such as 2026-11-29 in the text; 0: none.
static int64_t latest_date(const char *text)
{
	enum { DATE = 10 };
	int64_t latest = 0, ms;
	for (size_t i = 0, len = strlen(text); i + DATE <= len; i++)
		if (text[i] == '2' && text[i + 4] == '-' && text[i + 7] == '-' &&
		    when_parse((struct str){text + i, DATE}, &ms) && ms > latest)
			latest = ms;
	return latest;
}

static int64_t source_time(const struct price_source *s)
{
	struct stat st;
	int64_t latest = 0;
	if (strcmp(s->name, "builtin") != 0)
		return stat(s->file, &st) == 0 ? (int64_t)st.st_mtime * 1000 : 0;
	const struct price_rows *rows = catalogue_rows(s->catalogue);
	for (size_t i = 0; i < rows->n; i++) {
		int64_t ms = latest_date(rows->v[i].source);
		latest = ms > latest ? ms : latest;
	}
	return latest;
}

bool prices_newest(const struct prices *p, struct price_source *ret, int64_t *ret_ms)
{
	*ret_ms = 0;
	for (size_t i = 0; i < prices_count(p); i++) {
		struct price_source s = prices_source(p, i);
		bool list = strcmp(s.name, "user") != 0 && strcmp(s.name, "bill") != 0;
		int64_t ms = list ? source_time(&s) : 0;
		if (ms > *ret_ms) {
			*ret_ms = ms;
			*ret = s;
		}
	}
	return *ret_ms > 0;
}

void prices_path(const struct conf *conf, const char *source, const char *part, struct buf *ret)
{
	buf_addf(ret, "%s/%s%s%s.csv", conf->prices_dir, source, part ? "-" : "", part ? part : "");
}
