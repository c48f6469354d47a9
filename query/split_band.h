// SPDX-License-Identifier: Apache-2.0
// How far the dollars of a split may be off, either way: the band of one side, for nine dollars in ten.
//
// Sizes of calls differ by factors, so what the smaller side truly has is taken to be log-normal, with the
// estimate as its mean and `sd` as its standard deviation:
//
//     s^2  =  log(1 + (sd / estimate)^2)
//     the band  =  estimate x exp(s^2 / 2 -+ 1.645 s)
//
// A band is judged by dollars: how much of the true dollars lies within it. Large truths weigh more, and
// of a log-normal figure weighted by itself the median is exp(s^2 / 2) times the mean; hence the first term.
// Where sd is small, this is the estimate -+ 1.645 sd. What the smaller side has too much of, the other
// lacks, so its band is the mirror image.
//
// A side of which most is known weighs as much whether it has a part of the split or not, and so does the
// larger side. There the smaller side may have nothing at all, once sd is as large as the estimate.
#ifndef NOWCAST_QUERY_SPLIT_BAND_H
#define NOWCAST_QUERY_SPLIT_BAND_H

struct split_band {
	double less, more; // USD below and above the estimate; not negative
};

// `own`: USD that were split to one side; `others`: to the others; `sd`: USD; `known`: USD of the one side
// besides.
struct split_band split_band_of(double own, double others, double sd, double known);

#endif
