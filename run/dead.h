// SPDX-License-Identifier: Apache-2.0
// Dead letters of one batch: collected while it is decoded, safe before its offsets are committed.
//
//     dead_add ... dead_add -> dead_flush: topic, confirmed -> too large for it, or no topic: file, on disk -> neither: logged
#ifndef NOWCAST_RUN_DEAD_H
#define NOWCAST_RUN_DEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/conf.h"
#include "ingest/kafka.h"
#include "ingest/origin.h"

struct dead {
	const char *topic;            // "": none
	const char *file;             // "": none
	const struct conf *conf;      // for the producer; outlives this
	struct kafka_hooks hooks;     // only on_log is used
	struct kafka_producer *producer; // opened with the first letter
	struct arena arena;           // holds what `letters` points to
	struct dead_letter *letters;
	size_t n, cap;
	uint64_t sent, filed, logged; // letters so far, by where they went
};

void dead_init(struct dead *d, const struct conf *conf, bool with_topic, const struct kafka_hooks *hooks);
void dead_release(struct dead *d);

void dead_add(struct dead *d, const struct dead_letter *letter); // copies
size_t dead_pending_bytes(const struct dead *d);

// ERR_RETRY: nothing is lost, call again. Without topic and file the letters are logged by their origin.
bool dead_flush(struct dead *d, struct err *err) NC_CHECK;

// Forgets the batch's letters.
void dead_clear(struct dead *d);

#endif
