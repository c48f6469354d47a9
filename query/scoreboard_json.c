// SPDX-License-Identifier: Apache-2.0
#include "query/scoreboard_json.h"

// Ten-thousandths as a number of four places.
static void write_ratio(struct json_writer *j, const char *key, int64_t ratio, bool known)
{
	if (known)
		jw_real(j, key, (double)ratio / 10000, 4);
	else
		jw_null(j, key);
}

static void write_ratios(struct json_writer *j, const struct score *s, bool has_band)
{
	bool billed = s->billed.pico > 0;
	write_ratio(j, "wape", scoreboard_ratio(s->missed, s->billed), billed);
	write_ratio(j, "bias", scoreboard_ratio(scoreboard_bias(s), s->billed), billed);
	write_ratio(j, "coverage", scoreboard_ratio(s->covered, s->billed), billed && has_band);
	write_ratio(j, "width", scoreboard_ratio(s->width, s->billed), billed && has_band);
}

static void write_score(struct json_writer *j, const struct scoreboard_day *d, int k)
{
	const struct score *s = &d->at[k];
	enum score_cause causes[SCORE_CAUSES];
	int n = scoreboard_causes(s, causes);
	if (!s->hours) {
		jw_null(j, score_horizon_names[k]);
		return;
	}
	jw_object(j, score_horizon_names[k]);
	jw_int(j, "hours", s->hours);
	jw_int(j, "cells", s->cells);
	jw_usd(j, "billed", s->billed);
	jw_usd(j, "estimated", s->estimated);
	jw_usd(j, "missed", s->missed);
	write_ratios(j, s, k != SCORE_LAST);
	jw_array(j, "causes");
	for (int i = 0; i < n; i++) {
		jw_object(j, NULL);
		jw_strz(j, "cause", score_cause_names[causes[i]]);
		jw_usd(j, "usd", s->cause[causes[i]]);
		write_ratio(j, "share", scoreboard_ratio(s->cause[causes[i]], s->missed), true);
		jw_end(j);
	}
	jw_end(j);
	jw_array(j, "worst");
	for (int i = 0; i < d->nworst[k]; i++) {
		jw_object(j, NULL);
		jw_str(j, "principal", d->worst[k][i].principal);
		jw_usd(j, "missed", d->worst[k][i].missed);
		jw_strz(j, "cause", score_cause_names[d->worst[k][i].cause]);
		jw_end(j);
	}
	jw_end(j);
	jw_end(j);
}

static void write_day(struct json_writer *j, const char *key, const struct scoreboard_day *d)
{
	jw_object(j, key);
	for (int k = 0; k < SCORE_HORIZONS; k++)
		write_score(j, d, k);
	jw_end(j);
}

void scoreboard_json(struct json_writer *j, const struct scoreboard *s)
{
	write_day(j, "total", &s->total);
	jw_array(j, "days");
	for (int i = 0; i < s->n; i++) {
		jw_line(j);
		jw_object(j, NULL);
		jw_str(j, "day", s->days[i].day);
		write_day(j, "as_of", &s->days[i]);
		jw_end(j);
	}
	jw_end(j);
}
