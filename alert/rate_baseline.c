// SPDX-License-Identifier: Apache-2.0
// What is usual for a group, and how much more is a spike.
//
// A caller's hours differ by a factor of three without anything being wrong, and single minutes by far more.
// So five minutes are compared to what the same hour takes on most other days, which a busy hour or a spike
// on one day does not change. The last hour corrects that for today: twice as much as on other days raises
// it, and while few other days are known, it limits what they may add. In a group's first day there is only
// the last hour, and the factor that is asked for is a little higher.
//
// A span of ten minutes that took far more than usual counts for the last hour as little more than usual;
// otherwise a spike after a busy hour, or after another spike, would count as usual. What lasts is usual
// after some hours. A group that resumes after a break is compared to a part of its own busy times. What the
// same hour took on any one other day, even once a week, is in part usual as well.
//
// Some groups call evenly, others in bursts: how far an hour's busy spans are above its mean is learned for
// each group, and an even one needs a smaller rise. The five minutes that ended eight minutes ago count too:
// after a quiet spell a smaller but steeper rise is a spike.
//
// Calls are known within minutes and are never allocated to another caller; a few more may come by chance.
// Dollars are known later and are first allocated by what was usual, and a few expensive calls amount to
// much. So a spike in dollars alone must last for two spans of ten minutes, and be one against the last hour
// as well.
#include "alert/rate_baseline.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	BUSY_CAP = 3,     // times the mean: more of one span does not enter it
	BREAK = 3,        // 1 / BREAK of a busy span is usual at any time
	FEW_DAYS = 3,
	TENS_AN_HOUR = 6, MINUTES_AN_HOUR = 60,
	BEFORE_LAG = 8,   // minutes before now, at which a spike has mostly not begun
	PEAK_UNIT = 64,
	PEAK_TYPICAL = 80, // 1.25: where it is unknown
	NUMBER_BITS = 50, // of what is read: amounts and minutes with more would overflow a sum
	NUMBERS = 6 + 2 * (RATE_MINUTES + RATE_TENS + RATE_PEAKS + 1),
};
static const double TEN_CAP = 1.6;    // a span counts for at most so many times the usual
static const double CHANCE = 2.0;     // calls that may come at any time
static const double FEW_CAP = 1.5;    // a few other days count for at most so many times the last hour
// this part of the last hour's calls is usual whatever other days took; of its dollars all
static const double HOUR_PART = 0.5;
// where less than this part of the usual came just before, this part is taken
static const double BEFORE_PART = 0.7;
static const double DOUBT = 1.15;     // times the factor, where only the last hour is known
static const double USD_DOUBT = 1.4;  // times the factor, for dollars
// this part of the most that the hour took on another day is usual as well
static const double ONE_DAY = 0.22;
static const double MOST_DAYS = 0.3;  // this part of other days may have taken less than the usual

// ---- counting -----------------------------------------------------------------------------------

static int64_t sum_of(const struct rate_counter *b, int64_t last, int minutes)
{
	int64_t sum = 0;
	for (int64_t m = last; m > last - minutes && m >= 0; m--)
		sum += b->minutes[m % RATE_MINUTES];
	return sum;
}

// What counts of the hour before a spike may have begun; false: it is not all known.
static bool sum_last_hour(const struct rate_baseline *p, const struct rate_counter *b, double *ret)
{
	int64_t last = p->at_minute / RATE_TEN - 2, first = last - TENS_AN_HOUR + 1;
	*ret = 0;
	for (int64_t ten = first; ten <= last; ten++)
		*ret += (double)b->ten_minutes[ten % RATE_TENS];
	*ret = fmax(*ret, (double)b->busy / RATE_BUSY * TENS_AN_HOUR / BREAK);
	return first >= p->first_ten_minutes;
}

static void close_ten(const struct rate_baseline *p, struct rate_counter *b, int64_t ten)
{
	int64_t sum = sum_of(b, ten * RATE_TEN + RATE_TEN - 1, RATE_TEN);
	double hour;
	b->ten_minutes[ten % RATE_TENS] = sum;
	if (sum_last_hour(p, b, &hour))
		b->ten_minutes[ten % RATE_TENS] = (int64_t)fmin((double)sum, TEN_CAP * hour / TENS_AN_HOUR + CHANCE);
	if (sum == 0)
		return;
	int64_t cap = b->busy / RATE_BUSY * BUSY_CAP + BUSY_CAP;
	b->busy = b->busy ? b->busy - b->busy / RATE_BUSY + (sum < cap ? sum : cap) : sum * RATE_BUSY;
}

// Notes how far the second busiest span of the hour is above its mean.
static void close_hour(struct rate_counter *b, int64_t hour)
{
	int64_t most = 0, second = 0, sum = 0;
	for (int64_t ten = hour * TENS_AN_HOUR; ten < (hour + 1) * TENS_AN_HOUR; ten++) {
		int64_t n = b->ten_minutes[ten % RATE_TENS];
		sum += n;
		if (n > most) {
			second = most;
			most = n;
		} else if (n > second) {
			second = n;
		}
	}
	if (sum)
		b->peaks[hour % RATE_PEAKS] = (second + 1) * PEAK_UNIT * TENS_AN_HOUR / (sum + TENS_AN_HOUR);
}

static void clear_counter(struct rate_counter *b)
{
	memset(b->minutes, 0, sizeof b->minutes);
	memset(b->ten_minutes, 0, sizeof b->ten_minutes);
}

static void begin_minute(struct rate_baseline *p, int64_t minute)
{
	if (minute % RATE_TEN == 0) {
		close_ten(p, &p->calls, minute / RATE_TEN - 1);
		close_ten(p, &p->micro, minute / RATE_TEN - 1);
	}
	if (minute % MINUTES_AN_HOUR == 0) {
		close_hour(&p->calls, minute / MINUTES_AN_HOUR - 1);
		close_hour(&p->micro, minute / MINUTES_AN_HOUR - 1);
	}
	p->calls.minutes[minute % RATE_MINUTES] = 0;
	p->micro.minutes[minute % RATE_MINUTES] = 0;
	p->at_minute = minute;
}

static void begin_baseline(struct rate_baseline *p, int64_t minute)
{
	*p = (struct rate_baseline){.at_minute = minute, .first_ten_minutes = minute / RATE_TEN};
	// hours that were spread evenly show no peak
	for (int64_t h = minute / MINUTES_AN_HOUR - 2; h < minute / MINUTES_AN_HOUR; h++)
		p->calls.peaks[h % RATE_PEAKS] = p->micro.peaks[h % RATE_PEAKS] = PEAK_TYPICAL;
}

void rate_baseline_begin(struct rate_baseline *p, int64_t minute, const int64_t *hours_calls,
                         const int64_t *hours_micro, int nhours)
{
	// spans of the current hour: taken to be like those of the hour before
	int64_t ten = minute / RATE_TEN, into = minute % MINUTES_AN_HOUR / RATE_TEN;
	int known = nhours;
	while (known > 0 && hours_calls[known - 1] == 0 && hours_micro[known - 1] == 0)
		known--;
	begin_baseline(p, minute);
	for (int64_t i = 1; i < RATE_TENS; i++) {
		int64_t h = i <= into ? 0 : (i - 1 - into) / TENS_AN_HOUR;
		if (h >= known)
			break;
		p->calls.ten_minutes[(ten - i) % RATE_TENS] = hours_calls[h] / TENS_AN_HOUR;
		p->micro.ten_minutes[(ten - i) % RATE_TENS] = hours_micro[h] / TENS_AN_HOUR;
		p->first_ten_minutes = ten - i;
	}
	for (int h = nhours - 1; h >= 0; h--) { // the newest hour with calls sets `busy`
		if (hours_calls[h] == 0)
			continue;
		p->calls.busy = hours_calls[h] / TENS_AN_HOUR * RATE_BUSY;
		p->micro.busy = hours_micro[h] / TENS_AN_HOUR * RATE_BUSY;
	}
}

void rate_baseline_add(struct rate_baseline *p, int64_t minute, int64_t calls, int64_t micro)
{
	assert(minute > 0 && calls >= 0);
	if (p->at_minute == 0)
		begin_baseline(p, minute);
	if (minute - p->at_minute > RATE_TEN * RATE_TENS) { // longer than what is kept
		clear_counter(&p->calls);
		clear_counter(&p->micro);
		p->at_minute = minute;
	}
	for (int64_t m = p->at_minute + 1; m <= minute; m++)
		begin_minute(p, m);
	// the same minute again, or an older one: counts as the newest
	p->calls.minutes[p->at_minute % RATE_MINUTES] += calls;
	p->micro.minutes[p->at_minute % RATE_MINUTES] += micro;
}

// ---- comparing ----------------------------------------------------------------------------------

static void insert_sorted(int64_t *v, int n, int64_t x)
{
	for (; n > 0 && v[n - 1] > x; n--)
		v[n] = v[n - 1];
	v[n] = x;
}

// How far busy spans usually are above the mean of their hour: the median of the known hours.
static double peak_of(const struct rate_counter *b)
{
	int64_t v[RATE_PEAKS] = {0};
	int n = 0;
	for (int i = 0; i < RATE_PEAKS; i++)
		if (b->peaks[i])
			insert_sorted(v, n++, b->peaks[i]);
	return n ? (double)v[n / 2] / PEAK_UNIT : (double)PEAK_TYPICAL / PEAK_UNIT;
}

struct seasonal_baseline seasonal_baseline_of(const int64_t *amounts, int days)
{
	int64_t v[RATE_DAYS];
	int n = 0;
	for (int d = 0; d < days && d < RATE_DAYS; d++)
		insert_sorted(v, n++, amounts[d]);
	return n ? (struct seasonal_baseline){.days = n, .usually = v[(int)(n * MOST_DAYS)], .most = v[n - 1]}
	         : (struct seasonal_baseline){0};
}

// What is usual in `minutes`, at least `hour_part` of the last hour; negative: unknown.
static double usual_amount(const struct rate_baseline *p, const struct rate_counter *b,
                           struct seasonal_baseline s, double hour_part, int minutes)
{
	double hour, often = (double)s.usually;
	if (!sum_last_hour(p, b, &hour) || p->at_minute / RATE_TEN - p->first_ten_minutes < RATE_YOUNG)
		return -1;
	if (s.days < FEW_DAYS)
		often = fmin(often, FEW_CAP * hour);
	often = s.usually > 0 ? fmax(often, hour_part * hour) : hour;
	return fmax(often, ONE_DAY * (double)s.most) * minutes / MINUTES_AN_HOUR;
}

// While a backlog is read, more minutes of calls arrive than pass: the part of them that counts.
static double span_part(const struct rate_test *ask)
{
	return ask->span > RATE_QUICK ? (double)RATE_QUICK / (double)ask->span : 1;
}

bool rate_baseline_calls_spike(const struct rate_baseline *p, const struct rate_test *ask,
                               struct rate_spike *ret)
{
	double often = usual_amount(p, &p->calls, ask->calls, HOUR_PART, RATE_QUICK),
		   cost = (double)ask->call_micro;
	double calls = (double)sum_of(&p->calls, p->at_minute, RATE_QUICK) * span_part(ask);
	if (often < 0 || calls * cost < (double)(ask->floor_micro * RATE_QUICK))
		return false;
	double before = (double)sum_of(&p->calls, p->at_minute - BEFORE_LAG, RATE_QUICK);
	double times =
		calls * 10 / ((double)ask->factor_tenths * (ask->calls.usually > 0 ? 1 : DOUBT) * peak_of(&p->calls));
	double of_usual = times / (often + CHANCE),
		   of_before = times / (fmax(before, BEFORE_PART * often) + CHANCE);
	if (pow(of_usual, 5) * of_before <= 1) // the geometric mean of both, of_usual with five times the weight
		return false;
	*ret = (struct rate_spike){.minutes = RATE_QUICK,
	                           .calls = (int64_t)calls,
	                           .usual_calls = (int64_t)(often + .5),
	                           .micro = (int64_t)(calls * cost),
	                           .usual_micro = (int64_t)(often * cost)};
	return true;
}

bool rate_baseline_usd_spike(const struct rate_baseline *p, const struct rate_test *ask,
                             struct rate_spike *ret)
{
	double often = usual_amount(p, &p->micro, ask->micro, 1, RATE_TEN);
	double now = (double)sum_of(&p->micro, p->at_minute, RATE_TEN) * span_part(ask),
		   before = (double)sum_of(&p->micro, p->at_minute - RATE_TEN, RATE_TEN) * span_part(ask);
	double least = fmin(now, before), peak = fmax(peak_of(&p->micro), (double)PEAK_TYPICAL / PEAK_UNIT);
	if (often < 0 || least * 10 <= often * peak * USD_DOUBT * (double)ask->factor_tenths ||
	    least < (double)(ask->floor_micro * RATE_TEN))
		return false;
	*ret = (struct rate_spike){.minutes = RATE_TEN,
	                           .calls = sum_of(&p->calls, p->at_minute, RATE_TEN),
	                           .micro = (int64_t)now,
	                           .usual_micro = (int64_t)often};
	return true;
}

int64_t rate_baseline_micro(const struct rate_baseline *p, int minutes)
{
	return sum_of(&p->micro, p->at_minute, minutes);
}

// ---- as text ------------------------------------------------------------------------------------

static void write_counter(const struct rate_counter *b, struct buf *out)
{
	buf_addf(out, " %lld", (long long)b->busy);
	for (int i = 0; i < RATE_MINUTES; i++)
		buf_addf(out, " %lld", (long long)b->minutes[i]);
	for (int i = 0; i < RATE_TENS; i++)
		buf_addf(out, " %lld", (long long)b->ten_minutes[i]);
	for (int i = 0; i < RATE_PEAKS; i++)
		buf_addf(out, " %lld", (long long)b->peaks[i]);
}

void rate_baseline_write(const struct rate_baseline *p, struct buf *out)
{
	buf_addf(out, "%lld %lld %lld %lld %lld %lld", (long long)p->at_minute, (long long)p->first_ten_minutes,
	         (long long)p->spiked_at, (long long)p->base_hour, (long long)p->base_calls,
	         (long long)p->base_micro);
	write_counter(&p->calls, out);
	write_counter(&p->micro, out);
}

static const int64_t *read_counter(struct rate_counter *b, const int64_t *v)
{
	b->busy = *v++;
	memcpy(b->minutes, v, sizeof b->minutes);
	memcpy(b->ten_minutes, v + RATE_MINUTES, sizeof b->ten_minutes);
	memcpy(b->peaks, v + RATE_MINUTES + RATE_TENS, sizeof b->peaks);
	return v + RATE_MINUTES + RATE_TENS + RATE_PEAKS;
}

bool rate_baseline_read(struct rate_baseline *p, struct str text)
{
	int64_t v[NUMBERS];
	int n = 0;
	while (text.len) {
		struct str word = str_cut(&text, ' ');
		char z[24], *end;
		if (n == NUMBERS || word.len == 0 || word.len >= sizeof z)
			return false;
		memcpy(z, word.p, word.len);
		z[word.len] = '\0';
		v[n++] = strtoll(z, &end, 10);
		if (*end || v[n - 1] < 0 || v[n - 1] >> NUMBER_BITS)
			return false;
	}
	if (n != NUMBERS)
		return false;
	*p = (struct rate_baseline){.at_minute = v[0],
	                            .first_ten_minutes = v[1],
	                            .spiked_at = v[2],
	                            .base_hour = v[3],
	                            .base_calls = v[4],
	                            .base_micro = v[5]};
	read_counter(&p->micro, read_counter(&p->calls, v + 6));
	return true;
}
