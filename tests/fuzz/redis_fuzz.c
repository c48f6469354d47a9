// SPDX-License-Identifier: Apache-2.0
// Replies of Redis, and its URL. To each command that is sent, the input says the reply (tests/fuzz/redis.h).
// Whatever these hold, a reader ends, and shows only figures that are valid.
// Longest input: 2048 bytes.
#include "query/group.h"
#include "store/dead_letter_counts.h"
#include "store/profile.h"
#include "store/schema_values.h"
#include "store/tag_history.h"
#include "store/view.h"
#include "tests/fuzz/redis.h"

static const struct caller_sources from = {.team_tag = STR("team"),
                                           .team = STR("tag:team, meta:team, map"),
                                           .user = STR("session"),
                                           .mapped = true};

static const struct redis_target target = {"redis://127.0.0.1:1/0", NULL, "n", NULL};

// ---- the readers --------------------------------------------------------------------------------

struct reading {
	struct groups groups;
	size_t seen;
};

static bool on_model_hour(void *user, struct view *v, const struct model_hour *h)
{
	struct reading *x = user;
	assert(h->nrows >= 0 && h->nunbilled >= 0 && h->nestimate >= 0 && h->nactual >= 0);
	for (int i = 0; i < h->nrows; i++)
		assert(figure_is_valid(&h->rows[i].figure) && h->rows[i].principal.len);
	return groups_add(&x->groups, v, h) && ++x->seen < 100;
}

static void read_view(bool keep)
{
	struct grouping by;
	struct err err = ERR_INIT;
	struct reading x = {.seen = 0};
	struct view *v;
	bool good = grouping_parse(&by, STR("team,model,tier,tag:env,meta:k"), from, &err);
	assert(good);
	if (!view_open(&v, target, &err))
		return;
	groups_init(&x.groups, &by);
	if (keep)
		view_keep(v, 1 << 20);
	for (int i = 0; i < 1 + keep; i++)
		if (!view_each(v, 498200, 498272, on_model_hour, &x, &err))
			check_refusal(&err);
	for (int i = 0; i < x.groups.n; i++) {
		const struct group *g = &x.groups.list[i];
		assert(usd_cmp(g->usd_low, g->usd) <= 0 && usd_cmp(g->usd, g->usd_high) <= 0);
		assert(g->tokens == g->billed + g->exact + g->telemetry + g->allocated + g->provisional);
	}
	groups_sort(&x.groups, ORDER_USD);
	groups_release(&x.groups);
	view_close(v);
}

static void read_raw(struct redis *r, struct err *err)
{
	for (int i = 0; i < 3; i++)
		redis_cmdz(r, "PING", NULL);
	if (!redis_exec(r, err))
		return;
	for (size_t i = 0; i < redis_count(r); i++) {
		(void)redis_int(r, i);
		(void)redis_nil(r, i);
		redis_sort_fields(r, i);
		redis_sort_members(r, i);
		for (size_t k = 0; k < redis_len(r, i); k++)
			assert(redis_elem(r, i, k).len < 1 << 20);
	}
}

static void read_profile(struct redis *r, struct err *err)
{
	struct arena arena = ARENA_INIT;
	struct profile p;
	profile_ask(r, target.prefix, STR("k3v9q2m7x1tz"));
	if (redis_exec(r, err)) {
		profile_take(r, 0, &arena, &p);
		for (int i = 0; i < p.n; i++)
			assert(p.list[i].model.len && (i == 0 || p.list[i].from_ms >= p.list[i - 1].from_ms));
		const struct profile_since *x = profile_at(&p, INT64_C(1793595967000));
		assert(!x || x->from_ms < INT64_C(1793595967000));
	}
	arena_release(&arena);
}

static void on_tag(void *user, const struct tag_held *t)
{
	(void)user;
	assert(t->key.p && (t->value.p || !t->value.len));
}

static void read_tags(struct redis *r, struct err *err)
{
	const struct str arn = STR("arn:aws:sts::111122223333:assumed-role/search/pod-1");
	struct tag_history *b = tag_history_new();
	if (tag_history_read_sessions(b, r, target.prefix, err)) {
		tag_history_ask(b, r, target.prefix, arn, STR("0123456789abcdef"));
		if (redis_exec(r, err)) {
			tag_history_take(b, r);
			(void)tag_history_value(b, arn, STR("0123456789abcdef"), INT64_C(1793595967000), STR("team"));
			tag_history_each(b, arn, STR("0123456789abcdef"), INT64_C(1793595967000), on_tag, NULL);
			tag_history_changes(b, arn, STR("-"), on_tag, NULL);
		}
	}
	tag_history_free(b);
}

static void convert(struct redis *r, struct err *err)
{
	const struct migrate_model_hour x = {.kind = (enum migrate_kind)(take_byte(&script) % MIGRATE_KINDS),
	                                     .prefix = target.prefix,
	                                     .acct_region = STR("111122223333/us-east-1"),
	                                     .hour = STR("2026-11-02T05"),
	                                     .model = STR("m"),
	                                     .key = STR("n:{111122223333/us-east-1}:usage:2026-11-02T05:m")};
	if (!schema_values_convert(r, &x, NULL, err))
		check_refusal(err);
}

static void read_counts(struct redis *r, struct err *err)
{
	struct dead_letter_count counts[FAULT_KINDS];
	if (!dead_letter_counts_read(r, target.prefix, counts, err))
		check_refusal(err);
}

static void read_url(struct input *in)
{
	struct str text = take_text(in);
	struct buf url = BUF_INIT;
	struct redis *r;
	struct err err = ERR_INIT;
	buf_addstr(&url, text);
	buf_addc(&url, '\0');
	if (redis_open(&r, (struct redis_target){url.data, NULL, "n", NULL}, &err))
		redis_close(r);
	else
		check_refusal(&err);
	buf_release(&url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const readers[])(struct redis *, struct err *) = {read_raw, read_profile, read_tags,
	                                                                convert, read_counts};
	struct err err = ERR_INIT;
	struct redis *r;
	script = (struct input){data, size};
	unsigned which = take_byte(&script) % 8;
	if (which == 5) {
		read_url(&script);
	} else if (which > 5) {
		read_view(which == 7);
	} else if (schema_open(&r, target, SCHEMA_READ, &err)) {
		readers[which](r, &err);
		redis_close(r);
	}
	return 0;
}
