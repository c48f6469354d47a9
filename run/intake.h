// SPDX-License-Identifier: Apache-2.0
// From a message to Redis: decoder, engine and dead letters together. The worker and the replay use it; they
// differ in where messages come from and in how they wait.
#ifndef NOWCAST_RUN_INTAKE_H
#define NOWCAST_RUN_INTAKE_H

#include "ingest/decode.h"
#include "run/dead_letters.h"
#include "store/engine.h"

struct intake {
	const struct conf *conf;
	struct engine *engine;
	struct decoder *decoder;
	struct pseudonyms *pseudonyms; // NULL: names are kept as they are
	struct trust *trust;
	struct dead_letters dead;
	// records decoded that do not count: their values make no sense, or their source may not say so. Dead
	// letters too
	uint64_t refused;
	uint64_t refused_for[FAULT_KINDS]; // the same, by the reason
	uint64_t gap_messages;              // messages that Kafka no longer had
	uint64_t forgotten;                 // times that Redis had lost what was written to it
	// the message being decoded
	struct origin origin;
	struct str message;
	int index;                   // of the record in hand
	bool message_is_dead;        // a dead letter holds all of it already
	struct err failed;           // what the engine could not do, other than skip
};

// `prices` outlives the intake (or engine_set_prices replaces them). `limit_bytes`: the decoder's limit of a
// message. `hooks`: for the dead-letter topic; NULL: file only. `stop`: as in engine_options.
bool intake_open(struct intake *in, const struct conf *conf, const struct prices *prices, size_t limit_bytes,
                 const struct kafka_hooks *hooks, const volatile sig_atomic_t *stop,
                 struct err *err) NC_CHECK;
void intake_close(struct intake *in);

// What Redis must say before the first message (engine_prepare). Once true it costs nothing.
bool intake_prepare(struct intake *in, struct err *err) NC_CHECK;

void intake_message(struct intake *in, const struct origin *origin, struct str data);

// A message known to be broken before it was decoded.
void intake_fault(struct intake *in, const struct origin *origin, enum fault_kind kind, struct str data,
                  const char *reason);

// Positions of what the messages are read from, in Kafka: stored with each batch. They outlive the intake.
void intake_track(struct intake *in, struct positions *p);

// Messages that Kafka no longer has: logged, counted, and remembered with the next batch.
void intake_gap(struct intake *in, const struct gap *gap);

bool intake_is_empty(const struct intake *in);
bool intake_is_full(const struct intake *in);

// Facts to Redis, then dead letters to their place. On ERR_RETRY nothing is lost: call again. Once true, the
// batch is safe.
bool intake_apply(struct intake *in, struct err *err) NC_CHECK;

// The two parts of it. Between them the batch is in Redis, and its dead letters are kept here: offsets before
// the first of these may be committed.
bool intake_apply_facts(struct intake *in, struct err *err) NC_CHECK;
bool intake_store_letters(struct intake *in, struct err *err) NC_CHECK;
bool intake_has_many_letters(const struct intake *in); // half of what a batch may hold: time to store them

#endif
