// SPDX-License-Identifier: Apache-2.0
// What is missing, and what could not be read.
#include "query/health_parts.h"

#include "base/arena.h"
#include "base/text.h"
#include "base/when.h"
#include "ingest/dead_letter_file.h"
#include "store/dead_letter_counts.h"
#include "store/lost_calls.h"
#include "store/positions.h"

// Those of the last month. A quotation costs nobody anything, and what stopped to come is only worth a note.
bool health_check_dead_letters(struct health *h, struct err *err)
{
	struct err place = ERR_INIT;
	struct dead_letter_count counts[FAULT_KINDS];
	const int64_t day = 24 * MS_PER_HOUR;
	char ago[WHEN_LENGTH_SIZE];
	int shown = 0;
	if (*h->conf->dead_letter_file &&
	    !dead_letter_file_check(h->conf->dead_letter_file, h->conf->dead_letter_file_max, &place))
		health_add(h, HEALTH_FAIL, "dead", "%s", place.msg);
	if (!dead_letter_counts_read(h->redis, view_prefix(h->view), counts, err))
		return false;
	for (int kind = 0; kind < FAULT_KINDS; kind++) {
		int64_t age = h->now_ms - counts[kind].last_ms;
		if (!counts[kind].n || age > 30 * day)
			continue;
		bool lost = kind != FAULT_QUOTED && age < day;
		health_add(h, lost ? HEALTH_WARN : HEALTH_NOTE, "dead",
		            "%lld dead letter%s `%s`, the last %s ago: %s", (long long)counts[kind].n,
		            text_s(counts[kind].n), fault_word((enum fault_kind)kind),
		            when_format_age(age, ago), fault_advice((enum fault_kind)kind));
		shown++;
	}
	if (!shown)
		health_add(h, HEALTH_OK, "dead", "no dead letters in the last 30 days");
	return true;
}

static void add_kafka_gap(struct health *h, const struct gap_seen *seen)
{
	const struct gap *g = &seen->gap;
	char from[WHEN_SIZE], to[WHEN_SIZE];
	health_add(
		h, HEALTH_WARN, "missing",
		"topic %s, partition %d: %lld messages (offsets %lld to %lld) from %s to %s are missing: %s. Bring them in with "
		"`nowcast replay` of the files of that time (the bucket of the trail has them); this line stays for 30 days",
		g->topic, g->partition, (long long)(g->to - g->from), (long long)g->from, (long long)(g->to - 1),
		g->from_ms ? when_format(g->from_ms, from) : "the beginning",
		g->to_ms ? when_format(g->to_ms, to) : when_format(seen->seen_ms, to),
		g->cause == GAP_RETENTION ? "Kafka deleted them before they were read"
								  : "Redis has lost them, and Kafka no longer has them");
}

static void add_aws_gap(struct health *h, const struct gap *g)
{
	char from[WHEN_SIZE], to[WHEN_SIZE];
	struct str place, source = gap_source(g, &place);
	health_add(
		h, HEALTH_WARN, "missing",
		"%.*s of %.*s from %s to %s %s. Bring in what the files of that time have (a trail, invocation logs) with "
		"`nowcast replay`; the bill has its dollars; this line stays for 30 days",
		STR_ARG(source), STR_ARG(place), when_format(g->from_ms, from), when_format(g->to_ms, to),
		str_is(source, "logs") ? "may be missing: invocation logging was on before that time, and off after it"
		: g->cause == GAP_AWS_RETENTION
			? "is missing: AWS did not keep it until it was read"
			: "is not whole: CloudWatch did not give the values of some metrics (InternalError, or Forbidden)");
}

static bool check_lost_calls(struct health *h, struct err *err)
{
	struct lost_calls lost;
	char from[WHEN_SIZE], to[WHEN_SIZE];
	if (!lost_calls_read(h->redis, view_prefix(h->view), &lost, err))
		return false;
	if (lost.n)
		health_add(
			h, HEALTH_WARN, "lost",
			"Redis has lost the models and callers of up to %lld calls from %s to %s. They stay counted, and do not count again; "
			"what comes of them later, such as the tokens of a log, is not used. Redis must evict nothing "
			"(maxmemory-policy noeviction); this line stays as long as their figures",
			(long long)lost.n, when_format(lost.from_ms, from), when_format(lost.to_ms, to));
	return true;
}

// What was brought by hand has no reader that would notice that it is gone.
bool health_check_loss(struct health *h, struct err *err)
{
	struct loss loss;
	char seen[WHEN_SIZE], held[WHEN_SIZE];
	if (!positions_loss(h->redis, view_prefix(h->view), &loss, err))
		return false;
	if (loss.seen_ms)
		health_add(
			h, HEALTH_WARN, "lost",
			"at %s Redis had lost what was written to it after %s. What Kafka and AWS's APIs still have is read again. "
			"What was brought by hand after that is gone: bring it again with `nowcast replay`, `tags`, `profiles` and "
			"`reconcile`. Give Redis persistence (appendonly yes); this line stays for 30 days",
			when_format(loss.seen_ms, seen),
			loss.held_ms ? when_format(loss.held_ms, held) : "the beginning");
	return check_lost_calls(h, err);
}

// What Kafka or AWS no longer had: the newest ones each, those of the last month.
bool health_check_gaps(struct health *h, struct err *err)
{
	enum { SHOWN_MAX = 20 };
	struct arena arena = ARENA_INIT;
	struct gap_seen *gaps;
	size_t n, recent = 0;
	bool good = gaps_read(h->redis, view_prefix(h->view), &arena, &gaps, &n, err);
	for (; good && recent < n && h->now_ms - gaps[recent].seen_ms < 30 * 24LL * MS_PER_HOUR; recent++) {
		if (recent >= SHOWN_MAX)
			continue;
		if (gap_is_of_aws(&gaps[recent].gap))
			add_aws_gap(h, &gaps[recent].gap);
		else
			add_kafka_gap(h, &gaps[recent]);
	}
	if (recent > SHOWN_MAX)
		health_add(h, HEALTH_WARN, "missing", "and %zu more of such gaps", recent - SHOWN_MAX);
	arena_release(&arena);
	return good;
}
