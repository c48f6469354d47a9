// SPDX-License-Identifier: Apache-2.0
// Objects on S3 for `nowcast replay`: the files of a trail, of an organisation's trail, of invocation logs.
//
// They are read in the order of their keys, one at a time: each is copied into a folder of its own, read, and
// deleted. With a span of time, those of a trail are chosen by the time in their names, and others by when
// they were written; whole files are read.
#ifndef NOWCAST_RUN_REPLAY_S3_H
#define NOWCAST_RUN_REPLAY_S3_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct replay_s3 {
	int64_t from_ms, to_ms;  // both 0: all
	// Reads the copy of an object. `uri`: the object's name. False ends the walk.
	bool (*read)(void *user, const char *path, const char *uri, struct err *err);
	void *user;
	uint64_t objects, gone;  // read; deleted since they were listed
};

bool replay_s3(struct replay_s3 *r, const char *uri, struct err *err) NC_CHECK;

#endif
