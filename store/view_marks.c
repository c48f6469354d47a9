// SPDX-License-Identifier: Apache-2.0
// A mark is one number an hour. It is made from the digests of the hour's model hours, the run that wrote its
// bill, whether the bill counts, the scale of bands, and the tags of all known callers: as long as none of
// these changes, the mark stays the same. The digests of an account and Region come in one round trip.
#include <stdlib.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/when.h"
#include "store/usage_rows.h"
#include "store/view_priv.h"

enum { MARKS_AT_ONCE = 1024 };

static int64_t hour_of(struct str member)
{
	int64_t ms = 0;
	when_parse(str_cut(&member, ':'), &ms);
	return ms / MS_PER_HOUR;
}

static uint64_t mark_of(struct view *v, const struct acct_region_index *x, struct str member, uint64_t digest)
{
	struct str rest = member;
	int64_t hour = hour_of(member);
	struct buf key = BUF_INIT;
	str_cut(&rest, ':');
	struct str name = view_key(v, x, member, SIDE_ESTIMATE, &key);
	uint64_t words[] = {hash64(name.p, name.len), digest, view_index_run(x, member),
	                    view_index_billed(x, rest), view_index_is_final(x, member, hour)};
	buf_release(&key);
	return hash64(words, sizeof words);
}

static bool mark_acct_region(struct view *v, struct acct_region_index *x, int64_t from, int64_t to,
                             uint64_t *marks, bool *unknown, struct err *err)
{
	struct buf key = BUF_INIT;
	bool good = view_index_read(v, x, from, to, err);
	for (size_t i = 0, n; good && i < x->n; i += n) {
		n = x->n - i < MARKS_AT_ONCE ? x->n - i : MARKS_AT_ONCE;
		for (size_t k = 0; k < n; k++) {
			struct str member = x->members[i + k];
			redis_cmd(v->redis, 3,
			          (struct str[]){STR("HGET"), view_meta_key(v, x, member, &key), STR(META_DIGEST)});
			redis_cmd(v->redis, 2,
			          (struct str[]){STR("EXISTS"), view_key(v, x, member, SIDE_ESTIMATE, &key)});
		}
		good = redis_exec(v->redis, err);
		for (size_t k = 0; good && k < n; k++) {
			int64_t hour = hour_of(x->members[i + k]);
			uint64_t digest = row_digest_parse(redis_str(v->redis, 2 * k));
			if (hour < from || hour >= to)
				continue;
			// the bill may have what nobody saw
			unknown[hour - from] |= !digest && redis_int(v->redis, 2 * k + 1);
			marks[hour - from] += mark_of(v, x, x->members[i + k], digest);
		}
	}
	buf_release(&key);
	return good;
}

static bool look_at_tags(struct view *v, struct err *err)
{
	if (!view_tags_are_old(v))
		return true;
	return view_read_tags(v, err) && view_read_principals(v, err);
}

bool view_marks(struct view *v, int64_t from, int64_t to, uint64_t *ret_marks, struct err *err)
{
	struct arena names = ARENA_INIT;
	size_t n = 0, hours = (size_t)(to - from);
	memset(ret_marks, 0, hours * sizeof *ret_marks);
	if (!v->model_hour_cache)
		return true;
	bool *unknown = xcalloc(hours, sizeof *unknown), good = look_at_tags(v, err);
	struct str *acct_regions = good ? view_acct_regions(v, &names, &n, err) : NULL;
	for (size_t i = 0; acct_regions && good && i < n; i++) {
		struct acct_region_index x = {.arena = ARENA_INIT, .acct_region = acct_regions[i]};
		good = mark_acct_region(v, &x, from, to, ret_marks, unknown, err);
		arena_release(&x.arena);
	}
	const uint64_t words[] = {tag_history_digest(v->tags), mapping_digest(v->mapping),
	                          (uint64_t)v->band_scale};
	uint64_t common = hash64(words, sizeof words);
	for (size_t h = 0; h < hours; h++)
		ret_marks[h] = unknown[h] ? 0 : (ret_marks[h] ^ common) | 1;
	free(unknown);
	arena_release(&names);
	return acct_regions && good;
}
