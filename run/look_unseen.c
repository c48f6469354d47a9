// SPDX-License-Identifier: Apache-2.0
// What the APIs alone do not show. Each point names the switch: the policy, the setting of AWS with its
// command, or the option.
#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"
#include "base/when.h"
#include "query/group.h"
#include "run/look.h"
#include "store/view.h"

static void print_point(const char *fmt, ...) NC_PRINTF(1, 2);
static void print_point(const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;
	va_start(ap, fmt);
	buf_adds(&b, "- ");
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	text_make_plain_lines(b.data, b.len); // AWS's words are among them
	puts(b.data);
	buf_release(&b);
}

static void print_failures(const struct look *l)
{
	int silent = 0;
	const struct stream *no_accounts = NULL;
	for (int i = 0; i < l->streams.n; i++) {
		const struct stream *s = &l->streams.v[i];
		bool unasked = s->kind == STREAM_METRICS && s->idle && s->failing_ms;
		if (s->kind == STREAM_ACCOUNT_TAGS && s->idle) {
			no_accounts = s->fault == AWS_DENIED ? s : no_accounts;
			continue;
		}
		silent += unasked && !s->namespace;
		if (s->failing_ms && !unasked)
			print_point("%s: %s", stream_word(s), s->why.msg);
		else if (s->note && s->note == s->why.msg)
			print_point("%s of %s: %s", stream_word(s), s->place->region, s->note);
		else if (s->incomplete)
			print_point("CloudWatch did not give the values of some metrics of %s: look again.",
			            s->place->region);
	}
	if (silent)
		print_point("%d Region%s not enabled in the account, or not allowed: %s not looked at.", silent,
		            silent == 1 ? " is" : "s are", silent == 1 ? "it was" : "they were");
	if (no_accounts)
		print_point("%s: %s.", stream_word(no_accounts), no_accounts->note);
}

// Where invocation logging is off.
static void print_logging(const struct look *l)
{
	struct buf off = BUF_INIT;
	const char *example = NULL;
	for (int i = 0; i < l->streams.n; i++) {
		const struct stream *s = &l->streams.v[i];
		if (s->kind != STREAM_LOGS || !s->idle || !s->place->used)
			continue;
		buf_addf(&off, "%s%s", off.len ? ", " : "", s->place->region);
		example = s->place->region;
	}
	if (example)
		print_point(
			"Invocation logging is off in %s: what a call used is not known, so each caller has a share of the\n"
			"  metrics' tokens (basis: allocated). With it, tokens are exact, and request metadata is known:\n"
			"  aws bedrock put-model-invocation-logging-configuration --region %s --logging-config \\\n"
			"    '{\"cloudWatchConfig\":{\"logGroupName\":\"/aws/bedrock/invocations\",\"roleArn\":\"ROLE\"},\"textDataDeliveryEnabled\":false}'",
			off.data, example);
	buf_release(&off);
}

static bool uses_mantle(const struct look *l)
{
	for (int i = 0; i < l->streams.n; i++)
		for (size_t k = 0; k < l->streams.v[i].metrics.n; k++)
			if (strcmp(l->streams.v[i].metrics.v[k].namespace, "AWS/BedrockMantle") == 0)
				return true;
	return false;
}

// Dollars of a group by the value of one key; *ret_tokens: its tokens.
static struct usd spent_by(const struct groups *g, const char *value, int64_t *ret_tokens)
{
	struct usd usd = USD_ZERO;
	*ret_tokens = 0;
	for (int32_t i = 0; i < g->n; i++)
		if (str_is(g->list[i].keys[0], value)) {
			usd = usd_add(usd, g->list[i].usd);
			*ret_tokens += g->list[i].tokens;
		}
	return usd;
}

static bool sum_by(const struct look *l, const char *by, struct groups *ret, struct err *err)
{
	struct grouping grouping;
	struct view *view = NULL;
	groups_init(ret, &(struct grouping){0});
	if (!grouping_parse(&grouping, str_of(by), conf_sources(l->conf), err) ||
	    !view_open(&view, redis_target_of(l->conf), err))
		return false;
	groups_init(ret, &grouping);
	bool good = view_map(view, l->conf, err) &&
	            view_each(view, l->from_ms / MS_PER_HOUR, l->to_ms / MS_PER_HOUR + 1, groups_add, ret, err);
	view_close(view);
	return good;
}

static void print_callers(const struct look *l, const struct groups *teams, const struct groups *principals)
{
	char text[USD_SIZE];
	int64_t tokens;
	struct usd usd = spent_by(principals, "(unattributed)", &tokens);
	if (tokens)
		print_point(
			"%" PRId64
			" tokens ($%s) have no caller: their calls were not read, or have not arrived (CloudTrail is 5 to\n"
			"  15 minutes late), or are none of CloudTrail's management events.",
			tokens, usd_format(usd, 2, text));
	usd = spent_by(teams, "", &tokens); // without the tag
	if (tokens)
		print_point(
			"$%s have no team: tag the roles and users with `%s`, or the account, or name what says the team, --team-from tag:KEY.\n"
			"  Tags of sessions (single sign-on, gateways) come with --aws.event_sources \\\n"
			"  bedrock.amazonaws.com,bedrock-mantle.amazonaws.com,sts.amazonaws.com, which reads more events.",
			usd_format(usd, 2, text), l->conf->team_tag);
}

static void print_unpriced(const struct groups *models)
{
	for (int32_t i = 0; i < models->n; i++)
		if (models->list[i].unpriced)
			print_point(
				"%.*s: %" PRId64
				" tokens have no price: `nowcast price show %.*s` says why, and `nowcast doctor` what to do.",
				STR_ARG(models->list[i].keys[0]), models->list[i].unpriced, STR_ARG(models->list[i].keys[0]));
}

static void print_reach(const struct look *l)
{
	char when[WHEN_SIZE];
	for (int i = 0; l->out_of_time && i < l->streams.n; i++) {
		const struct stream *s = &l->streams.v[i];
		if (s->done || s->failing_ms || (s->kind != STREAM_METRICS && !s->place->used && !s->place->named))
			continue;
		if (s->position_ms)
			print_point(
				"%s of %s was read back to %.16s only: LookupEvents gives 100 events a second; --wait 30m reads on.",
				stream_word(s), s->place->region, when_format(s->position_ms, when));
		else
			print_point("%s of %s was not read in time: --wait 30m reads on.", stream_word(s),
			            s->place->region);
	}
	if (l->intake.refused || decoder_counts(l->intake.decoder)->faults)
		print_point(
			"%" PRIu64
			" records could not be decoded: `nowcast run` keeps such in dead_letter.file, with the reason.",
			decoder_counts(l->intake.decoder)->faults + l->intake.refused);
}

bool look_print_unseen(const struct look *l, struct err *err)
{
	struct groups teams = {0}, principals = {0}, models = {0};
	char cost[USD_SIZE];
	bool good = sum_by(l, "team", &teams, err) && sum_by(l, "principal", &principals, err) &&
	            sum_by(l, "model", &models, err);
	puts("\nWhat this does not show, and what would:\n");
	if (good) {
		print_reach(l);
		print_failures(l);
		print_callers(l, &teams, &principals);
		print_unpriced(&models);
		print_logging(l);
		if (uses_mantle(l))
			print_point(
				"Calls of bedrock-mantle are data events, which a trail has, and LookupEvents has not: docs/aws.md has the\n"
				"  command. Their tokens are (unattributed) here.");
		print_point("The bill: `nowcast reconcile` replaces these figures, where a CUR 2.0 export has them.");
		printf(
			"\nReading it cost $%s at most (GetMetricData). `nowcast run --sources aws` keeps it current (docs/aws.md).\n",
			usd_format((struct usd){(usd_pico)l->streams.asked * CLOUDWATCH_PICO_PER_QUERY}, 4, cost));
	}
	groups_release(&teams);
	groups_release(&principals);
	groups_release(&models);
	return good;
}
