// SPDX-License-Identifier: Apache-2.0
// Dead letters of one batch: collected while it is decoded, stored before its offsets are committed.
//
//     dead_letters_add, ...
//     dead_letters_flush    to the topic, confirmed
//                           to the file, on disk: without a topic, or a letter that is too large for it
//                           to the log: without either, or if the file has its largest size
#ifndef NOWCAST_RUN_DEAD_LETTERS_H
#define NOWCAST_RUN_DEAD_LETTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/conf.h"
#include "ingest/kafka.h"
#include "ingest/origin.h"

struct dead_letters {
	const char *topic;            // "": none
	const char *file;             // "": none
	const struct conf *conf;      // for the producer; outlives this
	struct kafka_hooks hooks;     // only on_log is used
	struct kafka_producer *producer; // opened with the first letter
	struct arena arena;           // holds what `letters` points to
	struct dead_letter *letters;
	size_t n, cap;
	int64_t file_max;             // bytes
	uint64_t sent, filed, logged; // letters so far, by where they are: topic, file, log
};

// What to give to dead_letters_init where nothing else of Kafka is used; NULL without `brokers`.
const struct kafka_hooks *dead_letters_hooks(const struct conf *conf);

void dead_letters_init(struct dead_letters *d, const struct conf *conf, bool with_topic,
                       const struct kafka_hooks *hooks);
void dead_letters_release(struct dead_letters *d);

void dead_letters_add(struct dead_letters *d, const struct dead_letter *letter); // copies
size_t dead_letters_bytes(const struct dead_letters *d);

// ERR_RETRY: nothing is lost, call again. Without topic and file the origin of each letter is logged.
bool dead_letters_flush(struct dead_letters *d, struct err *err) NC_CHECK;

// Drops the batch's letters.
void dead_letters_clear(struct dead_letters *d);

#endif
