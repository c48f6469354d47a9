// SPDX-License-Identifier: Apache-2.0
// How fast means move, and how much calls differ by chance. Each is mistaken for the other, so that they are
// learned together: the noise is learned under each of some paces, and each pace counts by how likely every
// hour was after those before it. The result is the mean over the paces, so that it moves smoothly with what
// the hours say.
#ifndef NOWCAST_ESTIMATOR_FIT_WALK_H
#define NOWCAST_ESTIMATOR_FIT_WALK_H

#include "estimator/fit_filter.h"

// Sets f->walk and f->noise. `walk`: the pace as another kind has it; NULL: it is learned. The sizes are then
// those under that pace, or, where it was learned, those of steady means.
void fit_walk_learn(struct fit_filter *f, const double *walk);

#endif
