// SPDX-License-Identifier: Apache-2.0
// An online detector of anomalies in any series of numbers: one row in, one score out, never looking ahead.
//
// Six plain views of the series are taken at each row; each view's surprise is judged by that view's own history (tail.h), so
// nothing has to be set for a series, and its unit does not matter:
//
//     jump       how far from the last few rows
//     drift      how far the level of the last hours is from the usual one
//     pattern    distance of the last rows' shape to the most similar one in the history
//     novelty    distance of the value to the nearest one in the history
//     course     the same as pattern over the last hours, smoothed
//     calendar   smoothed level against the same time of the days before
//
// The surprises are added up; after a peak the detector rests: a new score must exceed the last peak, which fades slowly, so
// one episode rings once. Memory is fixed; a row costs a walk through the history, some microseconds a thousand rows.
#ifndef NOWCAST_SERVE_DETECT_H
#define NOWCAST_SERVE_DETECT_H

#include <stdbool.h>
#include <stdint.h>

struct detector;

struct detector *detector_new(void);
void detector_free(struct detector *d);

// The score of a row, 0 (as usual, or resting) to less than 1. `time_ms` serves to know which rows are a day apart; it may
// repeat or jump. `value` must be finite.
double detector_add(struct detector *d, int64_t time_ms, double value);

#endif
