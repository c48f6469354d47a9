// SPDX-License-Identifier: Apache-2.0
// How surprising a value is among those before it: the upper tail of a stream of non-negative numbers, in fixed memory.
//
// Values are counted in a histogram of their logarithms. Above the quantile TAIL_QUANTILE the excess of the logarithm is taken
// as exponential (the tail as a power law), so a value larger than all before it gets a chance too, not just "never seen".
//
//     counts  ▁▂▅█▇▅▃▂▁▁ │▁▁▁  ▁         ^
//                   quantile   |<-excess->| value       surprise = -log10 (chance of a value this large)
#ifndef NOWCAST_SERVE_TAIL_H
#define NOWCAST_SERVE_TAIL_H

enum { TAIL_BINS = 1200 };

struct tail {
	float bins[TAIL_BINS];
	double n;           // values counted; old ones weigh less once there are many
	double start;       // logarithm of the quantile
	double above;       // values above it
	double mean_excess; // of their logarithms
	int until_refresh;  // values to come before the last three are computed anew
};

// The surprise of `value` (0: nothing unusual; 3: one in a thousand) by what came before it; then counts it.
double tail_surprise(struct tail *t, double value);

#endif
