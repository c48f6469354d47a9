// SPDX-License-Identifier: Apache-2.0
// The figures as readers see them: hour by hour out of Redis, with the tags that held in that hour. Reports,
// tables, pages and alerts all read through this one view: billed figures up to the watermark of the account,
// the estimate after it.
//
// In an account, Region and hour before the watermark all usage is the bill's, whether or not its models and
// callers are those of the estimate. So the sums of `rows` are the bill's, to the picodollar. What was
// estimated there and not billed is in `unbilled`: to be shown, never to be added to a sum.
#ifndef NOWCAST_STORE_VIEW_H
#define NOWCAST_STORE_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/str.h"
#include "store/mapping.h"
#include "store/tag_history.h"
#include "estimator/telemetry_check.h"
#include "store/view_row.h"

struct view;

// One hour of one model in one account and region.
struct model_hour {
	int64_t hour;           // hours since the epoch
	struct str account, region, model;
	struct str foundation;  // the model that records named behind an opaque id; none
	struct telemetry_calls telemetry; // of the estimate
	const struct view_row *rows; // what counts: the bill's before the watermark, else the estimate's
	int nrows;
	const struct view_row *unbilled; // of the estimate: what the bill does not have (store/actual.h)
	int nunbilled;
	bool billed;            // rows are the bill's
	bool is_final;          // the hour lies before the watermark, and the bill of its month was read
	// both sides, to compare them; sorted by principal
	const struct view_row *estimate, *actual;
	int nestimate, nactual;
};

// False: stop.
typedef bool view_fn(void *user, struct view *v, const struct model_hour *model_hour);

enum view_basis {
	VIEW_BEST,     // the bill before the watermark, the estimate after it
	VIEW_ESTIMATE, // the estimate everywhere, as if no bill had come
};

bool view_open(struct view **ret, struct redis_target target, struct err *err) NC_CHECK;
void view_close(struct view *v);
void view_choose(struct view *v, enum view_basis basis); // the default is VIEW_BEST

// From now on keeps model hours in up to so many bytes of memory (store/model_hour_cache.h): what has not
// changed in Redis is not read again. For a program that reads more than once. Tags are then read again every
// few seconds.
void view_keep(struct view *v, size_t bytes_max);
bool view_is_full(const struct view *v); // there is hardly room for more model hours, or none are kept

// Calls `fn` for every model hour of the hours from..to - 1, sorted by account/region, hour and model, until
// it says stop. Strings die with the call. Tags are read again, unless model hours are kept.
bool view_each(struct view *v, int64_t from, int64_t to, view_fn *fn, void *user, struct err *err) NC_CHECK;

// What view_each would show of the hours from..to - 1, as a number an hour: as long as it is the same, so are
// the model hours, the tags and the bands of that hour. 0: not known (nothing is kept, or a model hour has no
// digest).
bool view_marks(struct view *v, int64_t from, int64_t to, uint64_t *ret_marks, struct err *err) NC_CHECK;

// The value of a tag for a row of the model hour in hand: the session's, else the one that the role or user
// had at the end of that hour; STR_NONE if it has none. Lives as long as the model hour.
struct str view_tag(struct view *v, const struct model_hour *model_hour, const struct view_row *row,
                    struct str key);
// The same, and whose tag it is.
struct tag_value view_find_tag(struct view *v, const struct model_hour *model_hour,
                               const struct view_row *row, struct str key);

// From now on knows what map.file says (store/mapping.h); without one, nothing. A change of the file is
// noticed when tags are read again; until the file is good, the former one holds. `conf` outlives the view.
// ERR_CONFIG: the file is not good.
bool view_map(struct view *v, const struct conf *conf, struct err *err) NC_CHECK;
const struct mapping *view_mapping(const struct view *v); // NULL: none
const char *view_mapping_file(const struct view *v);      // its path

// The value of a key of the mapping file for a row of the model hour in hand. Lives as long as it.
struct mapped view_mapped(struct view *v, const struct model_hour *model_hour, const struct view_row *row,
                          int key);

// The TTL that somebody declares for the cache writes of a row of the model hour in hand, where no record
// names it (base/cache_ttl.h): the most specific line of the mapping file that has something in its column
// CACHE_TTL_COLUMN, else the tag of the key cache_ttl.tag, else the key cache_ttl. The estimate's rows are
// divided accordingly. A view without view_map knows of none.
struct declared_ttl {
	int32_t permille; // of the tokens: those that live for one hour; CACHE_TTL_UNKNOWN: not declared
	enum ttl_source source;          // TTL_BY_...; TTL_NAMED: not declared
	const struct mapping_line *line; // of TTL_BY_MAP
};
struct declared_ttl view_declared_ttl(struct view *v, const struct model_hour *model_hour,
                                      const struct view_row *row);

// The tags that the last view_each met, for a caller that needs more than one value.
struct tag_history *view_tags(struct view *v);

// By how much error bands are to be wider, in parts of BAND_SCALE_ONE, as the bill has shown
// (reconcile/band.h); as of the last view_each.
enum { BAND_SCALE_ONE = 1000, BAND_SCALE_MIN = 500, BAND_SCALE_MAX = 3000 };
int view_band_scale(const struct view *v);

// The connection and the prefix, to read other keys: those of signals, health and the bill.
struct redis *view_redis(struct view *v);
const char *view_prefix(const struct view *v);

#endif
