// SPDX-License-Identifier: Apache-2.0
// The views, and how they are joined. The constants were chosen on labelled public series, from the middle of where they may
// lie: with all of them off by a quarter at random, and the series cut or with noise added, the scores are some five points lower.
// None depends on the unit or the length of a series.
#include "serve/detect.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/buf.h"
#include "serve/tail.h"

enum view { JUMP, DRIFT, PATTERN, NOVELTY, COURSE, CALENDAR, VIEWS };

enum {
	HISTORY = 6000,   // rows searched for something similar
	REACH = 40,       // rows before the oldest of them that a comparison looks back on
	RING = HISTORY + REACH,
	YOUNG = 100,      // rows before anything is searched for
	SELF = 12,        // newest rows that are not searched: they would always be similar
	SMOOTH = 12,      // rows of the smoothed level
	DAYS = 7, DAYS_MIN = 2, // days before that the calendar looks at, and how many it needs
	LEVEL_ROWS = 2000,      // over which the usual level and spread are learned
	REST_ROWS_MAX = 20000,  // rests grow with the rows seen, up to these
};
static const double MS_PER_DAY = 86400000.0;
static const double REST_MIN = 50, REST_SHARE = 0.15; // rows after which a peak has faded to 1/e: some, and a share of the rows seen
static const double PEAK = 1.6;         // just after a peak, only what is this many times as surprising is news
static const double QUICK = 0.3, SLOW = 1.0 / 40; // share of a new row in the level of the last few, and of the last hours

struct row {
	double value, bent, smooth; // as given; by the usual level and spread, large ones compressed; the mean of the last bent ones
};

struct detector {
	struct row ring[RING];
	int64_t n;                 // rows seen; row i stands in ring[i % RING]
	int64_t first_ms, last_ms;
	double level, deviation;   // usual value, usual distance from it
	double quick, slow;        // level of the last few rows, of the last hours
	double bent_sum;           // of the last SMOOTH rows
	double peak;
	struct tail tails[VIEWS];
};

struct detector *detector_new(void)
{
	return xcalloc(1, sizeof(struct detector));
}

void detector_free(struct detector *d)
{
	free(d);
}

static const struct row *row_at(const struct detector *d, int64_t i)
{
	return &d->ring[i % RING];
}

static double unit(const struct detector *d)
{
	return d->deviation + 1e-9 * fabs(d->level) + 1e-9;
}

// Learns the levels and stores the row; returns the distances from them.
static void store(struct detector *d, double value, double *views)
{
	int64_t i = d->n++;
	if (i == 0)
		d->level = d->quick = d->slow = value;
	double share = i < LEVEL_ROWS ? 1.0 / (double)(i + 1) : 1.0 / LEVEL_ROWS;
	d->deviation += share * (fabs(value - d->level) - d->deviation);
	d->level += share * (value - d->level);
	struct row *row = &d->ring[i % RING];
	row->value = value;
	row->bent = asinh((value - d->level) / unit(d));
	d->bent_sum += row->bent - (i >= SMOOTH ? row_at(d, i - SMOOTH)->bent : 0);
	row->smooth = d->bent_sum / (double)(i < SMOOTH ? i + 1 : SMOOTH);
	views[JUMP] = fabs(value - d->quick) / unit(d);
	d->quick += QUICK * (value - d->quick);
	d->slow += SLOW * (value - d->slow);
	views[DRIFT] = fabs(d->slow - d->level) / unit(d);
}

// Pattern, novelty and course in one walk, since the history is what costs.
static void search(const struct detector *d, double *views)
{
	int64_t i = d->n - 1, from = i - HISTORY > REACH ? i - HISTORY : REACH;
	double pattern = INFINITY, novelty = INFINITY, course = INFINITY;
	if (i < YOUNG)
		return;
	struct row a = *row_at(d, i);
	double before = row_at(d, i - 1)->value, third = row_at(d, i - 3)->value;
	double past = row_at(d, i - SMOOTH)->smooth, far = row_at(d, i - 2 * SMOOTH)->smooth;
	for (int64_t j = from; j < i - SELF; j++) {
		const struct row *b = row_at(d, j);
		double p = fabs(b->value - a.value) + fabs(row_at(d, j - 1)->value - before) + fabs(row_at(d, j - 3)->value - third);
		double v = fabs(b->bent - a.bent);
		double c = fabs(b->smooth - a.smooth) + fabs(row_at(d, j - SMOOTH)->smooth - past) + fabs(row_at(d, j - 2 * SMOOTH)->smooth - far);
		pattern = p < pattern ? p : pattern;
		novelty = v < novelty ? v : novelty;
		course = c < course ? c : course;
	}
	views[PATTERN] = isfinite(pattern) ? pattern / unit(d) : 0;
	views[NOVELTY] = isfinite(novelty) ? novelty : 0;
	views[COURSE] = isfinite(course) ? course : 0;
}

// The best match of the smoothed level around this time on the days before.
static double calendar(const struct detector *d)
{
	int64_t i = d->n - 1, span = d->last_ms - d->first_ms;
	if (i < YOUNG || span <= 0)
		return 0;
	double rows = MS_PER_DAY * (double)i / (double)span; // a day
	if (rows < 1 || rows > HISTORY)
		return 0;
	int64_t day = (int64_t)(rows + 0.5), around = day / 48 + 1;
	double best = INFINITY, now = row_at(d, i)->smooth;
	int days = 0;
	for (int k = 1; k <= DAYS && i - k * day >= 4 && k * day + around < RING; k++, days++)
		for (int64_t j = i - k * day - around; j <= i - k * day + around && j < i; j++)
			if (j >= 0 && fabs(row_at(d, j)->smooth - now) < best)
				best = fabs(row_at(d, j)->smooth - now);
	return days >= DAYS_MIN && isfinite(best) ? best : 0;
}

// What the views say together: halfway between the loudest and the sum of all.
static double join(struct detector *d, const double *views)
{
	double loudest = 0, sum = 0;
	for (int v = 0; v < VIEWS; v++) {
		double surprise = tail_surprise(&d->tails[v], views[v]);
		sum += surprise;
		loudest = surprise > loudest ? surprise : loudest;
	}
	return (loudest + sum) / 2;
}

double detector_add(struct detector *d, int64_t time_ms, double value)
{
	double views[VIEWS] = {0};
	if (d->n == 0)
		d->first_ms = time_ms;
	d->last_ms = time_ms;
	store(d, value, views);
	search(d, views);
	views[CALENDAR] = calendar(d);
	double seen = (double)(d->n < REST_ROWS_MAX ? d->n : REST_ROWS_MAX);
	double surprise = join(d, views);
	d->peak *= exp(-1 / (REST_MIN + REST_SHARE * seen));
	if (surprise <= d->peak)
		return 0;
	d->peak = surprise * PEAK;
	return surprise / (1 + surprise);
}
