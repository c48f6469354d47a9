// SPDX-License-Identifier: Apache-2.0
// Whether the doubt about sizes is as large as a filter (fit_filter.h) takes it for. No record says whose
// tokens were whose. But an hour moves each size, and if noise and doubt are what they are taken for, the
// square of that is in the mean what the hour takes from its variance (as for any best linear estimate):
//
//     move     =  size after the hour - size before it
//     expected =  variance before - variance after
//     scale    =  sum of move^2 / expected, over the hours after the first and their callers
//
// A caller counts by its calls x sqrt(expected). While few have moved, the scale is drawn to what the cells
// say:
//
//     squares  =  mean over the cells of (tokens - expected tokens)^2 / variance of that difference
//
// An hour has sixty cells and few callers, so that this is known from the first hour on; but it does not show
// whether the errors of minutes near each other go together, as the moves do. Noise is multiplied by the
// scale, and so is the part of a size's variance that is due to noise.
//
// Where means move, those of all kinds of tokens of a caller move at once, for who sends longer prompts gets
// longer answers. Else the moves of two kinds go together by chance only. `alike` is the correlation of the
// moves of this kind with those of another one, less what is likely by chance.
#ifndef NOWCAST_ESTIMATOR_FIT_CHECK_H
#define NOWCAST_ESTIMATOR_FIT_CHECK_H

#include "estimator/fit_filter.h"

// Adds an hour after the first to f->check; its cells have been read.
void fit_check_hour(struct fit_filter *f, int32_t hour);

double fit_check_scale(const struct fit_check *c);

// That of the moves alone, drawn to 1 while few have moved.
double fit_check_moves(const struct fit_check *c);

// 0 to 1.
double fit_check_alike(const struct fit_check *c);

// A size's variance with that scale; what is due to the prior is not scaled.
double fit_check_scale_variance(const struct fit_filter *f, double variance, double scale);

#endif
