// SPDX-License-Identifier: Apache-2.0
// Callers whose calls have jumped, as the alerts of kind `spike` have it: what such calls use is often not
// what the caller's calls usually use, by which tokens are split. So the split of that caller is unsure, from
// the hour of the jump on, until the alert has ended.
#ifndef NOWCAST_ALERT_SPIKES_H
#define NOWCAST_ALERT_SPIKES_H

#include "base/arena.h"
#include "base/err.h"
#include "query/group.h"
#include "store/redis.h"

struct spikes {
	struct arena arena;
	struct spike {
		struct str caller; // ARN; an alert by something else has another group
		int64_t since_ms;  // when it rang
	} *list;
	size_t n;
};

// What the events of alerts said when they were read last, for who reads again and again: a thousand of them
// are half a megabyte. All zero: nothing yet.
struct spikes_kept {
	struct arena arena;
	char *newest;    // the event that was the newest; NULL: there was none
	int64_t nevents; // how many there were, those of other kinds too
	struct spike_event {
		struct str caller;
		int64_t since_ms, until_ms; // when it rang, and when it was last known to be up
	} *list;
	size_t n;
};

// Those that were up within the hours from .. to - 1. `ret` is all zero; spikes_release it. The last thousand
// events of alerts are kept (alert/keys.h), so that one may be forgotten. `kept`: the events are read only if
// there are newer ones, or fewer; NULL: they are. False: Redis.
bool spikes_read(struct spikes *ret, struct spikes_kept *kept, struct redis *r, const char *prefix,
                 int64_t from, int64_t to, struct err *err) NC_CHECK;
void spikes_release(struct spikes *s);
void spikes_kept_release(struct spikes_kept *k);

// Since when the split of a group is unsure; 0: it is not, nothing of the group was split, or it is not one
// of a principal.
int64_t spikes_since(const struct spikes *s, const struct grouping *by, const struct group *g);

#endif
