// SPDX-License-Identifier: Apache-2.0
// Whether the file of dead letters can take more: asked at the start of the daemon, and by doctor.
#ifndef NOWCAST_INGEST_DEAD_LETTER_FILE_H
#define NOWCAST_INGEST_DEAD_LETTER_FILE_H

#include <stdint.h>

#include "base/err.h"

// False (ERR_RETRY): its folder is missing, it must not be written, its disk is full, or it has `max` bytes.
// Creates nothing.
bool dead_letter_file_check(const char *path, int64_t max, struct err *err) NC_CHECK;

#endif
