// SPDX-License-Identifier: Apache-2.0
// What the files of the view share: view.c (who asks), view_index.c (which model hours there are),
// view_page.c (reads them).
#ifndef NOWCAST_STORE_VIEW_PRIV_H
#define NOWCAST_STORE_VIEW_PRIV_H

#include "store/model_hour_cache.h"
#include "store/redis.h"
#include "store/view.h"

enum { VIEW_MODEL_HOURS_AT_ONCE = 64 };

struct view {
	struct redis *redis;
	char *prefix;
	enum view_basis basis;
	int band_scale;      // thousandths
	struct tag_history *tags;
	struct mapping *mapping;  // NULL: none
	const struct conf *conf;  // of view_map; NULL: it was not called
	struct arena arena;  // of a page
	struct model_hour_cache *model_hour_cache; // NULL: nothing is kept
	struct arena model_hour;  // of a model hour from the cache
	int64_t tags_ms;     // when the tags were read (monotonic), if model hours are kept
	bool tags_are_new;   // they were read by the view_each under way
	int32_t nasked;      // callers of the cache whose tags were asked for since
};

// The indices of one account and Region for a span of hours.
struct acct_region_index {
	struct arena arena;
	struct str acct_region;
	struct str *members;   // "2026-11-02T05:model", sorted, each once
	size_t n;
	struct str *models;    // that were ever billed, sorted
	size_t nmodels;
	struct str *called;    // of billed application inference profiles: model, ARN, ..., sorted by model
	size_t ncalled;
	int64_t since, watermark; // hours: [since, watermark) is final
	struct str *billed;    // the hash of that name: field, value, ..., sorted by field
	size_t nbilled;
};

// Reads the indices of x->acct_region for the hours from..to - 1.
bool view_index_read(struct view *v, struct acct_region_index *x, int64_t from, int64_t to,
                     struct err *err) NC_CHECK;

// The strings of some replies, sorted, each once.
struct str *view_sorted(struct redis *r, size_t first, size_t replies, struct arena *arena, size_t *ret_n);

// Whether the model was ever billed there; the ARN by which it was called then, STR_NONE unless it is an
// application inference profile; the run that wrote the bill of a model hour's month, 0 if none did.
struct str view_index_called(const struct acct_region_index *x, struct str model);
bool view_index_billed(const struct acct_region_index *x, struct str model);
uint64_t view_index_run(const struct acct_region_index *x, struct str member);

// Whether the bill counts in the hour of a model hour: it lies before the watermark, and its month was
// reconciled. A month between two that were may not have been.
bool view_index_is_final(const struct acct_region_index *x, struct str member, int64_t hour);

// Who gets the model hours of view_each, until `fn` says that it has enough.
struct view_visit {
	view_fn *fn;
	void *user;
	bool stopped;
	int page_max; // of the next page, so many sides of model hours at most are read from Redis
};
enum { VIEW_PAGE_FIRST = 8 };

// Reads at most VIEW_MODEL_HOURS_AT_ONCE model hours, from the one at *at of the index on, and hands them
// over. Moves *at behind the last of them.
bool view_page_read(struct view *v, const struct acct_region_index *x, size_t *at, struct view_visit *visit,
                    struct err *err) NC_CHECK;

// Divides the cache writes of the estimate whose TTL no record names as it is declared, in new rows.
void view_apply_ttl(struct view *v, struct model_hour *model_hour, struct arena *arena);

// The keys of a model hour's sides, "usage" and "actual", and of what is no usage of the first.
enum { SIDE_ESTIMATE, SIDE_ACTUAL };
struct str view_key(struct view *v, const struct acct_region_index *x, struct str member, int side,
                    struct buf *key);
struct str view_meta_key(struct view *v, const struct acct_region_index *x, struct str member,
                         struct buf *key);

// Fetches the tags of those on the cache who were not met before, and of those tag_history_ask was called
// for.
bool view_read_principals(struct view *v, struct err *err) NC_CHECK;

// What every look begins with: the scale of bands, and the accounts and Regions there are, sorted. NULL: an
// error.
struct str *view_acct_regions(struct view *v, struct arena *arena, size_t *ret_n, struct err *err);

bool view_tags_are_old(const struct view *v);
// Reads the tags of sessions again; those of principals are read again when a page has them.
bool view_read_tags(struct view *v, struct err *err) NC_CHECK;

#endif
