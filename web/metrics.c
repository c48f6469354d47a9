// SPDX-License-Identifier: Apache-2.0
// Spend is restated (an estimate improves, a bill arrives), so it may fall: it is a gauge, not a counter,
// with the span it sums as a label. Names end in the unit, as Prometheus expects. nowcast_tokens_total and
// nowcast_calls_total sum the day: counters that are reset at midnight UTC.
#include "web/metrics.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "alert/keys.h"
#include "base/text.h"
#include "base/version.h"
#include "base/when.h"
#include "query/figure_json.h"
#include "query/group_sum.h"
#include "query/signal_gaps.h"
#include "store/dead_letter_counts.h"
#include "store/lost_calls.h"
#include "store/telemetry_counts.h"
#include "store/keys.h"
#include "store/overflow.h"
#include "store/positions.h"
#include "store/redis_info.h"
#include "store/source_status.h"
#include "store/topic_lag.h"

enum { HOURS_PER_DAY = 24, USD_PLACES = 9 };

static void write_family(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_usd(struct buf *out, const char *name, const char *span, const char *key, struct str value,
                       const char *basis, struct usd usd)
{
	char text[USD_SIZE];
	buf_addf(out, "%s{span=\"%s\"", name, span);
	if (key) {
		buf_addf(out, ",%s=\"", key);
		buf_add_label(out, value);
		buf_addc(out, '"');
	}
	if (basis)
		buf_addf(out, ",basis=\"%s\"", basis);
	buf_addf(out, "} %s\n", usd_format(usd, USD_PLACES, text));
}

static void write_basis(struct buf *out, const char *name, const char *span, const char *key,
                         struct str value, const struct group *g)
{
	for (const struct basis_part *p = basis_parts; p->name; p++)
		if (basis_usd(g, p).pico != 0 || (p == basis_parts && g->usd.pico == 0))
			write_usd(out, name, span, key, value, p->name, basis_usd(g, p));
}

static const struct top_metric {
	const char *label, *name, *help; // label: the grouping
	const char *tokens, *tokens_help; // the family of its tokens by type; NULL: none
} top_metrics[] = {
	{"model", "nowcast_model_spend_usd",
     "Spend of the day by model, the most expensive ones and other.", "nowcast_model_tokens",
     "Tokens of the day by model and type, of the same models."},
	{"team", "nowcast_team_spend_usd",
     "Spend of the day by team, the most expensive ones and other.", "nowcast_team_tokens",
     "Tokens of the day by team and type, of the same teams."},
	{"principal", "nowcast_principal_spend_usd",
     "Spend of the day by principal, the most expensive ones and other.", NULL, NULL},
};

static void write_tokens(struct buf *out, const struct top_metric *m, struct str value, const char *type,
                         int64_t tokens)
{
	buf_addf(out, "%s{span=\"today\",%s=\"", m->tokens, m->label);
	buf_add_label(out, value);
	buf_addf(out, "\",type=\"%s\"} %lld\n", type, (long long)tokens);
}

// The tokens of the first `named` of the groups `top`, and of all others, by type. Units are no tokens.
static bool write_top_tokens(struct api *a, const struct api_query *q, const struct top_metric *m,
                             const struct groups *top, int32_t named, struct buf *out, struct err *err)
{
	int64_t hour = q->now_ms / MS_PER_HOUR;
	struct grouping grouping = top->by;
	struct groups g;
	grouping.by[grouping.n] = BY_TOKEN_TYPE;
	grouping.name[grouping.n++] = STR("token_type");
	groups_init(&g, &grouping);
	bool good = api_sum_groups(a, q, when_day_start(hour), hour + 1, &g, err);
	if (good)
		write_family(out, m->tokens, "gauge", m->tokens_help);
	for (int type = 0; good && type < TOKEN_TYPES; type++) {
		int64_t left = 0;
		for (int32_t i = 0; i < top->n; i++) {
			const struct str keys[] = {top->list[i].keys[0], str_of(token_type_names[type])};
			const struct group *x = groups_find(&g, keys);
			if (x && i < named && x->tokens)
				write_tokens(out, m, keys[0], token_type_names[type], x->tokens);
			else if (x)
				left += x->tokens;
		}
		if (left)
			write_tokens(out, m, STR("(other)"), token_type_names[type], left);
	}
	groups_release(&g);
	return good;
}

// The most expensive groups by name, the others as "(other)": no team has that name, since a tag cannot hold
// parentheses.
static bool write_top(struct api *a, const struct api_query *q, const struct top_metric *m, int64_t from,
                      int64_t to, struct buf *out, struct err *err)
{
	assert(from < to);
	struct grouping grouping;
	struct groups g;
	struct group other = {0};
	if (!grouping_parse(&grouping, str_of(m->label), conf_sources(a->conf), err))
		return false;
	groups_init(&g, &grouping);
	bool good = api_sum_groups(a, q, from, to, &g, err);
	if (good) {
		groups_sort(&g, ORDER_USD);
		write_family(out, m->name, "gauge", m->help);
		for (int32_t i = 0; i < g.n; i++) {
			if (i < a->conf->metrics_top) {
				write_basis(out, m->name, "today", m->label, g.list[i].keys[0], &g.list[i]);
				continue;
			}
			group_add_figures(&other, &g.list[i]);
		}
		group_set_band(&other);
		if (g.n > a->conf->metrics_top)
			write_basis(out, m->name, "today", m->label, STR("(other)"), &other);
		good = !m->tokens || write_top_tokens(a, q, m, &g, (int32_t)a->conf->metrics_top, out, err);
	}
	groups_release(&g);
	return good;
}

static bool write_spend(struct api *a, const struct api_query *q, struct buf *out, struct err *err)
{
	int64_t hour = q->now_ms / MS_PER_HOUR, day = when_day_start(hour), month = when_month_start(hour);
	struct group today, this_month;
	if (!api_sum(a, q, day, hour + 1, &today, err) || !api_sum(a, q, month, hour + 1, &this_month, err))
		return false;
	write_family(out, "nowcast_spend_usd", "gauge", "Spend of the span so far (UTC), by how it is known.");
	write_basis(out, "nowcast_spend_usd", "today", NULL, STR_NONE, &today);
	write_basis(out, "nowcast_spend_usd", "month", NULL, STR_NONE, &this_month);
	write_family(out, "nowcast_spend_low_usd", "gauge", "Lower bound of the spend of the span.");
	write_usd(out, "nowcast_spend_low_usd", "today", NULL, STR_NONE, NULL, today.usd_low);
	write_usd(out, "nowcast_spend_low_usd", "month", NULL, STR_NONE, NULL, this_month.usd_low);
	write_family(out, "nowcast_spend_high_usd", "gauge", "Upper bound of the spend of the span.");
	write_usd(out, "nowcast_spend_high_usd", "today", NULL, STR_NONE, NULL, today.usd_high);
	write_usd(out, "nowcast_spend_high_usd", "month", NULL, STR_NONE, NULL, this_month.usd_high);
	write_family(out, "nowcast_calls_total", "counter", "Calls that were charged, today.");
	buf_addf(out, "nowcast_calls_total %lld\n", (long long)today.calls);
	write_family(out, "nowcast_failed_calls_total", "counter", "Calls that failed, today.");
	buf_addf(out, "nowcast_failed_calls_total %lld\n", (long long)today.failed);
	write_family(out, "nowcast_tokens_total", "counter", "Tokens, today.");
	buf_addf(out, "nowcast_tokens_total %lld\n", (long long)today.tokens);
	write_family(out, "nowcast_unpriced_tokens_total", "counter", "Tokens without a price, today.");
	buf_addf(out, "nowcast_unpriced_tokens_total %lld\n", (long long)today.unpriced);
	write_family(
		out, "nowcast_unbilled_tokens", "gauge",
		"Tokens that were estimated in hours that are final, and are not on the bill: not in the spend.");
	buf_addf(out, "nowcast_unbilled_tokens{span=\"today\"} %lld\n", (long long)today.unbilled);
	buf_addf(out, "nowcast_unbilled_tokens{span=\"month\"} %lld\n", (long long)this_month.unbilled);
	for (size_t i = 0; i < sizeof top_metrics / sizeof *top_metrics; i++)
		if (!write_top(a, q, &top_metrics[i], day, hour + 1, out, err))
			return false;
	return true;
}

// Members of <prefix>:signals: NAME is the time of the newest record, NAME:arrived when the last one came.
static bool write_signals(struct api *a, struct buf *out, struct err *err)
{
	struct redis *r = view_redis(rollups_view(a->rollups));
	struct buf key = BUF_INIT;
	key_signals(&key, a->conf->redis_prefix);
	redis_cmdz(r, "ZRANGE", key.data, "0", "-1", "WITHSCORES", NULL);
	buf_release(&key);
	if (!redis_exec(r, err))
		return false;
	for (int arrived = 0; arrived < 2; arrived++) {
		const char *name =
			arrived ? "nowcast_signal_arrived_timestamp_seconds" : "nowcast_signal_newest_timestamp_seconds";
		write_family(out, name, "gauge",
		       arrived ? "When the last record of a kind came." : "Time of the newest record of a kind.");
		for (size_t i = 0; i + 1 < redis_len(r, 0); i += 2) {
			struct str member = redis_elem(r, 0, i), score = redis_elem(r, 0, i + 1);
			if (str_ends(member, STR(":arrived")) != (arrived == 1) || score.len < 4)
				continue;
			buf_addf(out, "%s{signal=\"", name);
			buf_add_label(out, str_cut(&member, ':'));
			// milliseconds without their last three digits
			buf_addf(out, "\"} %.*s\n", (int)(score.len - 3), score.p);
		}
	}
	return true;
}

// What of the last day was not observed, and which signals do not come where another one does.
static bool write_observed(struct api *a, int64_t now_ms, struct buf *out, struct err *err)
{
	enum { DAYS = 2 };
	struct arena arena = ARENA_INIT;
	struct signal_gaps gaps;
	int64_t hour = now_ms / MS_PER_HOUR, minute = now_ms / MS_PER_MINUTE;
	const struct observed *o = rollups_observed(a->rollups, NULL, hour - 24, hour + 1, now_ms, err);
	if (!o)
		return false;
	write_family(
		out, "nowcast_unobserved_seconds", "gauge",
		"Time of the last 24 hours of which nothing was read: what was spent then is in no figure.");
	buf_addf(out, "nowcast_unobserved_seconds %lld\n",
	         60 * (long long)observed_count(o, minute - 24 * 60, minute, MINUTE_UNOBSERVED));
	bool good = signal_gaps_read(&arena, view_redis(rollups_view(a->rollups)), a->conf->redis_prefix, now_ms,
	                             DAYS, &gaps, err);
	write_family(
		out, "nowcast_signal_missing_since_timestamp_seconds", "gauge",
		"Since when a signal does not come in an account and Region where another one does, of two days.");
	for (size_t i = 0, shown = 0; good && i < gaps.n && shown < (size_t)a->conf->metrics_top; i++) {
		const struct signal_gap *g = &gaps.v[i];
		struct str region = g->place, account = str_cut(&region, '/');
		if (g->to)
			continue;
		shown++;
		buf_addf(out, "nowcast_signal_missing_since_timestamp_seconds{signal=\"%s\",account=\"",
		         observed_words[g->signal]);
		buf_add_label(out, account);
		buf_adds(out, "\",region=\"");
		buf_add_label(out, region);
		buf_addf(out, "\"} %lld\n", (long long)g->from * 60);
	}
	arena_release(&arena);
	return good;
}

struct overflow_sum {
	int64_t newest, names[OVERFLOW_KINDS], roles;
};

static void add_overflow(void *user, const struct overflow *f)
{
	struct overflow_sum *s = user;
	if (f->day > s->newest)
		*s = (struct overflow_sum){.newest = f->day};
	if (f->day == s->newest) {
		s->names[f->kind] += f->names;
		s->roles += f->kind == OVERFLOW_SESSIONS;
	}
}

static bool write_overflow(struct api *a, struct buf *out, struct err *err)
{
	struct overflow_sum s = {0};
	if (!overflow_each(view_redis(rollups_view(a->rollups)), a->conf->redis_prefix, add_overflow, &s, err))
		return false;
	bool today = s.newest == api_now_ms(a) / MS_PER_HOUR / 24;
	write_family(out, "nowcast_folded_sessions", "gauge",
	       "Sessions of the day without a row of their own (sessions.max), about.");
	buf_addf(out, "nowcast_folded_sessions %lld\n", today ? (long long)s.names[OVERFLOW_SESSIONS] : 0);
	write_family(out, "nowcast_folded_roles", "gauge",
	       "Roles of the day, by account and region, that have such sessions.");
	buf_addf(out, "nowcast_folded_roles %lld\n", today ? (long long)s.roles : 0);
	write_family(out, "nowcast_folded_users", "gauge",
	       "Users of the day without a row of their own (users.max), about.");
	buf_addf(out, "nowcast_folded_users %lld\n", today ? (long long)s.names[OVERFLOW_USERS] : 0);
	write_family(
		out, "nowcast_folded_models", "gauge",
		"Models of the day without a row of their own (models.max) unless there is a price for them, about.");
	buf_addf(out, "nowcast_folded_models %lld\n", today ? (long long)s.names[OVERFLOW_MODELS] : 0);
	return true;
}

static bool write_dead_letters(struct api *a, struct buf *out, struct err *err)
{
	struct dead_letter_count counts[FAULT_KINDS];
	if (!dead_letter_counts_read(view_redis(rollups_view(a->rollups)), a->conf->redis_prefix, counts, err))
		return false;
	write_family(out, "nowcast_dead_letters_total", "counter",
	       "What could not be read, by reason: the kinds of nowcast doctor.");
	for (int kind = 0; kind < FAULT_KINDS; kind++)
		buf_addf(out, "nowcast_dead_letters_total{reason=\"%s\"} %lld\n", fault_word((enum fault_kind)kind),
		         (long long)counts[kind].n);
	return true;
}

static bool write_losses(struct api *a, struct buf *out, struct err *err)
{
	struct redis *r = view_redis(rollups_view(a->rollups));
	struct loss loss;
	struct lost_calls lost;
	if (!positions_loss(r, a->conf->redis_prefix, &loss, err) ||
	    !lost_calls_read(r, a->conf->redis_prefix, &lost, err))
		return false;
	write_family(out, "nowcast_redis_lost_timestamp_seconds", "gauge",
	             "When Redis was found last to have lost what was written to it; 0 if not in 30 days.");
	buf_addf(out, "nowcast_redis_lost_timestamp_seconds %lld\n", (long long)(loss.seen_ms / 1000));
	write_family(out, "nowcast_lost_calls", "gauge",
	       "Calls, at most, whose model and caller Redis has lost: they stay as they were counted.");
	buf_addf(out, "nowcast_lost_calls %lld\n", (long long)lost.n);
	return true;
}

static bool write_telemetry(struct api *a, int64_t now_ms, struct buf *out, struct err *err)
{
	int64_t unused[TELEMETRY_UNUSED];
	struct telemetry_waiting waiting;
	struct redis *r = view_redis(rollups_view(a->rollups));
	const char *prefix = a->conf->redis_prefix;
	if (!telemetry_counts_read(r, prefix, unused, err) ||
	    !telemetry_waiting_read(r, prefix, now_ms - 24 * MS_PER_HOUR, now_ms, &waiting, err))
		return false;
	write_family(out, "nowcast_telemetry_unused_total", "counter",
	       "Telemetry of calls that was not used, by reason: those of nowcast doctor.");
	for (int why = 0; why < TELEMETRY_UNUSED; why++)
		buf_addf(out, "nowcast_telemetry_unused_total{reason=\"%s\"} %lld\n",
		         telemetry_unused_word((enum telemetry_unused)why), (long long)unused[why]);
	write_family(out, "nowcast_telemetry_waiting", "gauge",
	       "Telemetry of the last day whose call has not come.");
	buf_addf(out, "nowcast_telemetry_waiting %lld\n", (long long)(waiting.old + waiting.recent));
	return true;
}

static int by_topic(const void *a, const void *b)
{
	return strcmp(((const struct gap_seen *)a)->gap.topic, ((const struct gap_seen *)b)->gap.topic);
}

// Of an API of AWS it is known of what time records are missing, and not how many.
static void write_source_gaps(struct gap_seen *gaps, size_t n, struct buf *out)
{
	write_family(out, "nowcast_source_missing_seconds", "gauge",
	             "Time of which an AWS API no longer gave the records when they were to be read.");
	qsort(gaps, n, sizeof *gaps, by_topic);
	for (size_t i = 0, next; i < n; i = next) {
		int64_t ms = 0;
		for (next = i; next < n && strcmp(gaps[next].gap.topic, gaps[i].gap.topic) == 0; next++)
			ms += gaps[next].gap.to_ms - gaps[next].gap.from_ms;
		if (!gap_is_of_aws(&gaps[i].gap))
			continue;
		struct str place, source = gap_source(&gaps[i].gap, &place), account = str_cut(&place, '/');
		buf_adds(out, "nowcast_source_missing_seconds{source=\"");
		buf_add_label(out, source);
		buf_adds(out, "\",account=\"");
		buf_add_label(out, account);
		buf_adds(out, "\",region=\"");
		buf_add_label(out, place);
		buf_addf(out, "\"} %lld\n", (long long)(ms / 1000));
	}
}

// Messages of Kafka that were not read, and cannot be any more, and the same of AWS's APIs
// (store/positions.h).
static bool write_gaps(struct api *a, struct buf *out, struct err *err)
{
	struct arena arena = ARENA_INIT;
	struct gap_seen *gaps;
	size_t n;
	int64_t messages[GAP_CAUSES] = {0};
	struct redis *r = view_redis(rollups_view(a->rollups));
	bool good = gaps_read(r, a->conf->redis_prefix, &arena, &gaps, &n, err);
	for (size_t i = 0; good && i < n; i++)
		messages[gaps[i].gap.cause] += gaps[i].gap.to - gaps[i].gap.from;
	if (!good) {
		arena_release(&arena);
		return false;
	}
	write_family(out, "nowcast_missing_messages", "gauge",
	       "Messages that Kafka no longer had when they were to be read: see nowcast doctor.");
	for (int cause = 0; cause <= GAP_REDIS; cause++)
		buf_addf(out, "nowcast_missing_messages{cause=\"%s\"} %lld\n", gap_cause_word((enum gap_cause)cause),
		         (long long)messages[cause]);
	write_source_gaps(gaps, n, out);
	arena_release(&arena);
	return true;
}

// How far the workers are behind in Kafka, by topic, and what of it Kafka soon deletes.
static bool write_lag(struct api *a, struct buf *out, struct err *err)
{
	struct arena arena = ARENA_INIT;
	struct topic_lag *lags;
	size_t n = 0;
	int64_t endangered = 0;
	bool good = topic_lag_read(view_redis(rollups_view(a->rollups)), a->conf->redis_prefix, api_now_ms(a),
	                           &arena, &lags, &n, err);
	for (int partitions = 0; good && partitions < 2; partitions++) {
		const char *name = partitions ? "nowcast_kafka_lag_partitions" : "nowcast_kafka_lag_messages";
		write_family(out, name, "gauge",
		             partitions ? "Partitions of a topic whose worker has told how far it is behind, in the last minutes."
		                        : "Messages of a topic that workers have not read, of those partitions.");
		for (size_t i = 0; i < n; i++) {
			buf_addf(out, "%s{topic=\"", name);
			buf_add_label(out, str_of(lags[i].topic));
			buf_addf(out, "\"} %lld\n", (long long)(partitions ? lags[i].partitions : lags[i].messages));
		}
	}
	for (size_t i = 0; i < n; i++)
		endangered += lags[i].endangered;
	if (good) {
		write_family(out, "nowcast_endangered_messages", "gauge",
		             "Messages that the workers have not read and that Kafka soon deletes, as of the last minutes.");
		buf_addf(out, "nowcast_endangered_messages %lld\n", (long long)endangered);
	}
	arena_release(&arena);
	return good;
}

static const struct source_metric {
	const char *name, *help;
} source_metrics[] = {
	{"nowcast_source_up",
     "1 if an AWS API, or a Firehose stream, gives records of an account and Region, 0 if it does not."},
	{"nowcast_source_failing_since_timestamp_seconds", "Since when it does not; 0 if it does."},
	{"nowcast_source_read_to_timestamp_seconds", "Everything before this is read. Of a Firehose stream: when its last delivery was safe."},
};

struct source_writer {
	struct buf *out;
	const struct source_metric *metric;
};

static void write_source(void *user, const struct source_status *s)
{
	const struct source_writer *w = user;
	struct str rest = s->acct_region;
	bool is_role = str_starts(rest, STR("arn:")); // of credentials: no Region
	if (s->state == SOURCE_REMOVED)
		return;
	struct str account = is_role ? rest : str_cut(&rest, '/');
	struct str region = is_role ? STR_NONE : str_cut(&rest, '/');
	buf_addf(w->out, "%s{source=\"", w->metric->name);
	buf_add_label(w->out, s->source);
	buf_adds(w->out, "\",account=\"");
	buf_add_label(w->out, account);
	buf_adds(w->out, "\",region=\"");
	buf_add_label(w->out, region);
	if (!is_role && rest.len) { // of a Firehose stream
		buf_adds(w->out, "\",stream=\"");
		buf_add_label(w->out, rest);
	}
	buf_addf(w->out, "\"} %lld\n",
	         w->metric == source_metrics       ? !s->failing_ms
	         : w->metric == source_metrics + 1 ? (long long)(s->failing_ms / 1000)
	                                           : (long long)(s->position_ms / 1000));
}

static bool write_sources(struct api *a, struct buf *out, struct err *err)
{
	for (size_t i = 0; i < sizeof source_metrics / sizeof *source_metrics; i++) {
		struct source_writer w = {out, &source_metrics[i]};
		write_family(out, w.metric->name, "gauge", w.metric->help);
		if (!source_status_each(view_redis(rollups_view(a->rollups)), a->conf->redis_prefix, write_source, &w,
		                        err))
			return false;
	}
	return true;
}

static bool write_redis(struct api *a, struct buf *out, struct err *err)
{
	struct redis_memory m;
	if (!redis_memory_read(view_redis(rollups_view(a->rollups)), &m, err))
		return false;
	write_family(out, "nowcast_redis_memory_bytes", "gauge",
	             "Memory that Redis uses; of a Redis Cluster the fullest master.");
	buf_addf(out, "nowcast_redis_memory_bytes %lld\n", (long long)m.used);
	write_family(out, "nowcast_redis_memory_max_bytes", "gauge", "Its maxmemory; 0 if none is set.");
	buf_addf(out, "nowcast_redis_memory_max_bytes %lld\n", (long long)m.max);
	return true;
}

static bool write_alerts(struct api *a, struct buf *out, struct err *err)
{
	static const struct {
		enum alert_key key;
		const char *command, *name, *help;
	} counts[] = {
		{ALERT_KEY_UP, "HLEN", "nowcast_alerts_up", "Active alerts, silenced ones too."},
		{ALERT_KEY_OUTBOX, "ZCARD", "nowcast_alert_messages_waiting",
	     "Messages of alerts that their receivers have not taken yet."},
		{ALERT_KEY_DEAD, "LLEN", "nowcast_alert_messages_given_up",
	     "Messages of alerts that were given up, the newest thousand at most."},
	};
	enum { NCOUNTS = sizeof counts / sizeof *counts };
	struct redis *r = view_redis(rollups_view(a->rollups));
	struct buf key = BUF_INIT;
	for (int i = 0; i < NCOUNTS; i++) {
		alert_key(&key, a->conf->redis_prefix, counts[i].key);
		redis_cmdz(r, counts[i].command, key.data, NULL);
	}
	buf_release(&key);
	if (!redis_exec(r, err))
		return false;
	for (int i = 0; i < NCOUNTS; i++) {
		write_family(out, counts[i].name, "gauge", counts[i].help);
		buf_addf(out, "%s %lld\n", counts[i].name, (long long)redis_int(r, (size_t)i));
	}
	return true;
}

void metrics_write(struct api *a, const struct metrics_server *s, struct buf *out)
{
	struct buf figures = BUF_INIT;
	struct err err = ERR_INIT;
	struct api_query q = {.now_ms = api_now_ms(a)};
	bool up = write_spend(a, &q, &figures, &err) && write_signals(a, &figures, &err) &&
	          write_observed(a, q.now_ms, &figures, &err) &&
	          write_overflow(a, &figures, &err) && write_dead_letters(a, &figures, &err) &&
	          write_losses(a, &figures, &err) && write_gaps(a, &figures, &err) &&
	          write_lag(a, &figures, &err) &&
	          write_telemetry(a, q.now_ms, &figures, &err) &&
	          write_sources(a, &figures, &err) && write_redis(a, &figures, &err) &&
	          write_alerts(a, &figures, &err);
	struct version v = version_get();
	write_family(out, "nowcast_build_info", "gauge", "1; which nowcast this is.");
	buf_addf(out, "nowcast_build_info{version=\"%s\",commit=\"%s\"} 1\n", v.number, v.commit);
	write_family(out, "nowcast_up", "gauge", "1 if the figures can be read, 0 if Redis does not answer.");
	buf_addf(out, "nowcast_up %d\n", up);
	write_family(out, "nowcast_http_requests_total", "counter", "Requests since the start.");
	buf_addf(out, "nowcast_http_requests_total %llu\n", (unsigned long long)s->requests);
	write_family(out, "nowcast_http_refused_total", "counter",
	       "Requests answered with 4xx.");
	buf_addf(out, "nowcast_http_refused_total %llu\n", (unsigned long long)s->refused);
	write_family(out, "nowcast_http_viewers", "gauge", "Viewers of the live stream.");
	buf_addf(out, "nowcast_http_viewers %d\n", s->viewers);
	write_family(out, "nowcast_start_time_seconds", "gauge", "When the server started.");
	buf_addf(out, "nowcast_start_time_seconds %lld\n", (long long)(s->started_ms / 1000));
	if (up)
		buf_addstr(out, buf_str(&figures));
	buf_release(&figures);
}
