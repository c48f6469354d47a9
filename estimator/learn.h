// SPDX-License-Identifier: Apache-2.0
// What an hour teaches, and the weights that a run of hours gives.
//
// A lesson is a pure function of the facts of one hour (its neighbours' edges included); the weights of hour h are a pure
// function of the lessons of the hours h - learn_hours to h, its own included. A late record changes the lesson of its
// hour, and every hour that learns from it is computed again: so the weights, too, depend only on which records arrived.
//
// Now: the mean tokens of exact calls by principal and slot, drawn towards the mean of the model while they are few; a
// principal without exact calls takes the mean of the model; a model without any splits equally.
#ifndef NOWCAST_ESTIMATOR_LEARN_H
#define NOWCAST_ESTIMATOR_LEARN_H

#include "base/arena.h"
#include "base/buf.h"
#include "estimator/allocate.h"
#include "estimator/facts.h"

// Writes the lesson of the span's hour as lines of text, in an order of its own (not the caller's), nothing if the hour
// teaches nothing.
//   * N TOKENS ...    calls that shared a residual, and the residual, by slot
//   ARN N TOKENS ...  exact calls of a principal and their tokens, by slot
void lesson_write(const struct span *s, const struct hour_usage *u, struct buf *ret);

// Weights for the span's callers from the texts of `n` lessons. Lines that cannot be read are passed over.
void learn_weights(const struct str *lessons, int n, const struct span *s, struct arena *arena, struct weights *ret);

#endif
