// SPDX-License-Identifier: Apache-2.0
#include "reconcile/score.h"

#include <stddef.h>

const char *const score_cause_names[SCORE_CAUSES] = {"late",        "volume",    "price",
                                                     "attribution", "unmetered", "unbilled", "ttl"};
const char *const score_horizon_names[SCORE_HORIZONS] = {"5m", "1h", "24h", "last"};

static struct usd distance(struct usd a, struct usd b)
{
	return usd_cmp(a, b) < 0 ? usd_sub(b, a) : usd_sub(a, b);
}

// The size of a part that pulls the way of the miss; 0 if it pulls the other way.
static usd_pico pull_of(struct usd part, bool up)
{
	usd_pico size = up ? part.pico : -part.pico;
	return size > 0 ? size : 0;
}

// part / whole of `amount`, all non-negative: both are scaled down until the product fits.
static usd_pico share(usd_pico amount, usd_pico part, usd_pico whole)
{
	usd_pico product;
	if (part == whole)
		return amount;
	while (__builtin_mul_overflow(amount, part, &product)) {
		whole >>= 1;
		part >>= 1;
	}
	return product / whole;
}

void score_explain(const struct score_cell *c, struct usd ret_cause[SCORE_CAUSES])
{
	const struct difference *d = &c->d;
	const struct usd parts[SCORE_CAUSES] = {usd_sub(d->estimated, c->said),
	                                        d->volume,
	                                        d->price,
	                                        d->attribution,
	                                        d->unmetered,
	                                        d->unbilled,
	                                        d->ttl};
	bool up = usd_cmp(d->billed, c->said) > 0;
	usd_pico miss = distance(d->billed, c->said).pico, all = 0, run = 0, given = 0;
	for (int i = 0; i < SCORE_CAUSES; i++)
		all += pull_of(parts[i], up);
	for (int i = 0; i < SCORE_CAUSES; i++) {
		run += pull_of(parts[i], up); // shares of the running sum add up to the whole
		usd_pico due = all > 0 ? share(miss, run, all) : 0;
		ret_cause[i] = (struct usd){due - given};
		given = due;
	}
}

void score_add_cell(struct score *s, const struct score_cell *c)
{
	struct usd cause[SCORE_CAUSES];
	score_explain(c, cause);
	s->cells++;
	s->billed = usd_add(s->billed, c->d.billed);
	s->estimated = usd_add(s->estimated, c->said);
	s->missed = usd_add(s->missed, distance(c->said, c->d.billed));
	if (usd_cmp(c->low, c->d.billed) <= 0 && usd_cmp(c->d.billed, c->high) <= 0)
		s->covered = usd_add(s->covered, c->d.billed);
	s->width = usd_add(s->width, usd_sub(c->high, c->low));
	for (int i = 0; i < SCORE_CAUSES; i++)
		s->cause[i] = usd_add(s->cause[i], cause[i]);
	band_add(&s->misses, c->said, c->low, c->high, c->d.billed, c->band_scale);
}

void score_add(struct score *to, const struct score *s)
{
	to->hours += s->hours;
	to->cells += s->cells;
	to->billed = usd_add(to->billed, s->billed);
	to->estimated = usd_add(to->estimated, s->estimated);
	to->missed = usd_add(to->missed, s->missed);
	to->covered = usd_add(to->covered, s->covered);
	to->width = usd_add(to->width, s->width);
	for (int i = 0; i < SCORE_CAUSES; i++)
		to->cause[i] = usd_add(to->cause[i], s->cause[i]);
	band_merge(&to->misses, &s->misses);
}

enum score_cause score_main_cause(const struct usd cause[SCORE_CAUSES])
{
	int most = 0;
	for (int i = 1; i < SCORE_CAUSES; i++)
		if (usd_cmp(cause[i], cause[most]) > 0)
			most = i;
	return (enum score_cause)most;
}

// ---- the text form ------------------------------------------------------------------------------
// HOURS CELLS, the sums in the order of struct score, the causes up to the TTL, the bins of the misses, the
// TTL. Below it, a line MISSED CAUSE ARN for each caller. Scores of earlier versions have no TTL.

static const size_t sums[] = {offsetof(struct score, billed), offsetof(struct score, estimated),
                              offsetof(struct score, missed), offsetof(struct score, covered),
                              offsetof(struct score, width)};
enum { SUMS = sizeof sums / sizeof *sums };

void score_write(struct buf *b, const struct score *s, const struct score_worst *worst, int n)
{
	char text[USD_SIZE];
	buf_addf(b, "%lld %lld", (long long)s->hours, (long long)s->cells);
	for (int i = 0; i < SUMS; i++)
		buf_addf(b, " %s", usd_format_pico(*(const struct usd *)((const char *)s + sums[i]), text));
	for (int i = 0; i < CAUSE_TTL; i++)
		buf_addf(b, " %s", usd_format_pico(s->cause[i], text));
	for (int i = 0; i < BAND_BINS; i++)
		buf_addf(b, " %s", usd_format_pico(s->misses.bins[i], text));
	buf_addf(b, " %s", usd_format_pico(s->cause[CAUSE_TTL], text));
	for (int i = 0; i < n; i++)
		buf_addf(b, "\n%s %s %.*s", usd_format_pico(worst[i].missed, text), score_cause_names[worst[i].cause],
		         STR_ARG(worst[i].principal));
}

static bool read_worst(struct str line, struct score_worst *ret)
{
	if (!usd_parse_pico(str_cut(&line, ' '), &ret->missed))
		return false;
	struct str cause = str_cut(&line, ' ');
	for (int i = 0; i < SCORE_CAUSES; i++)
		if (str_is(cause, score_cause_names[i])) {
			ret->cause = (enum score_cause)i;
			ret->principal = line;
			return true;
		}
	return false;
}

bool score_read(struct str text, struct score *ret, struct score_worst ret_worst[SCORE_WORST_MAX], int *ret_n)
{
	struct score s = {0};
	struct str line = str_cut(&text, '\n');
	int n = 0;
	if (!usd_parse_scaled(str_cut(&line, ' '), 0, &s.hours) ||
	    !usd_parse_scaled(str_cut(&line, ' '), 0, &s.cells))
		return false;
	for (int i = 0; i < SUMS; i++)
		if (!usd_parse_pico(str_cut(&line, ' '), (struct usd *)((char *)&s + sums[i])))
			return false;
	for (int i = 0; i < CAUSE_TTL; i++)
		if (!usd_parse_pico(str_cut(&line, ' '), &s.cause[i]))
			return false;
	for (int i = 0; i < BAND_BINS; i++)
		if (!usd_parse_pico(str_cut(&line, ' '), &s.misses.bins[i]))
			return false;
	if (line.len && !usd_parse_pico(str_cut(&line, ' '), &s.cause[CAUSE_TTL]))
		return false;
	while (text.len && n < SCORE_WORST_MAX && read_worst(str_cut(&text, '\n'), &ret_worst[n]))
		n++;
	*ret = s;
	*ret_n = n;
	return true;
}
