// SPDX-License-Identifier: Apache-2.0
// The usual is learned from quick sums capped at a few times itself, so that a jump does not teach the detector that
// jumps are usual before it has rung; a lasting change of level becomes the usual within hours.
#include "serve/pace.h"

#include <stdio.h>
#include <string.h>

enum {
	MEMORY = 60,      // minutes over which the usual is learned
	FADE = 200,       // minutes in which the worst falls to 1/e
	YOUNG = 60,       // minutes before anything is a jump
	CAP = 2,          // times the usual that one minute may teach
	WORST_NUM = 5, WORST_DEN = 4, // a jump exceeds the worst by this
};

static void step(struct pace *p, int64_t minute, int64_t amount)
{
	p->minutes[minute % PACE_QUICK] = amount;
	p->at_minute = minute;
	p->seen++;
}

static void learn(struct pace *p)
{
	int64_t quick = pace_quick(p), memory = p->seen < MEMORY ? p->seen : MEMORY;
	int64_t taught = p->seen > YOUNG && quick > p->usual * CAP + 1 ? p->usual * CAP + 1 : quick;
	p->usual += (taught - p->usual) / (memory > 0 ? memory : 1);
	p->worst -= p->worst / FADE;
	if (taught > p->worst)
		p->worst = taught;
}

void pace_add(struct pace *p, int64_t minute, int64_t amount)
{
	if (p->seen && minute <= p->at_minute) { // the same minute again: more of it
		p->minutes[p->at_minute % PACE_QUICK] += amount;
		return;
	}
	int64_t from = p->seen && minute - p->at_minute < 1440 ? p->at_minute + 1 : minute;
	for (int64_t m = from; m < minute; m++) {
		step(p, m, 0);
		learn(p);
	}
	if (p->seen)
		learn(p); // of the minutes before this one
	step(p, minute, amount);
}

int64_t pace_quick(const struct pace *p)
{
	int64_t sum = 0;
	for (int i = 0; i < PACE_QUICK; i++)
		sum += p->minutes[i];
	return sum;
}

bool pace_jumps(const struct pace *p, int64_t factor, int64_t floor, int64_t season, int64_t *ret_against)
{
	int64_t quick = pace_quick(p), usual = p->usual > season ? p->usual : season;
	*ret_against = usual;
	return p->seen > YOUNG && quick >= floor && quick > usual * factor && quick > p->worst / WORST_DEN * WORST_NUM;
}

void pace_write(const struct pace *p, struct buf *out)
{
	buf_addf(out, "%lld %lld %lld %lld %lld %lld", (long long)p->at_minute, (long long)p->base_hour, (long long)p->total, (long long)p->usual,
	         (long long)p->worst, (long long)p->seen);
	for (int i = 0; i < PACE_QUICK; i++)
		buf_addf(out, " %lld", (long long)p->minutes[i]);
}

bool pace_read(struct pace *p, struct str text)
{
	char z[400];
	long long v[6 + PACE_QUICK];
	if (text.len >= sizeof z)
		return false;
	memcpy(z, text.p, text.len);
	z[text.len] = '\0';
	if (sscanf(z, "%lld %lld %lld %lld %lld %lld %lld %lld %lld %lld %lld", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7], &v[8], &v[9], &v[10]) != 6 + PACE_QUICK)
		return false;
	*p = (struct pace){.at_minute = v[0], .base_hour = v[1], .total = v[2], .usual = v[3], .worst = v[4], .seen = v[5]};
	for (int i = 0; i < PACE_QUICK; i++)
		p->minutes[i] = v[6 + i];
	return p->at_minute >= 0;
}
