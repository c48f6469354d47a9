// SPDX-License-Identifier: Apache-2.0
// What the files of run/streams.h share.
#ifndef NOWCAST_RUN_STREAMS_PRIV_H
#define NOWCAST_RUN_STREAMS_PRIV_H

#include "run/streams.h"

// One request of a span. *ret_complete: it was the last one.
enum aws_fault stream_read(struct streams *all, struct stream *s, bool *ret_complete,
                           struct aws_answer *answer, struct err *err);
enum aws_fault stream_read_logs(struct streams *all, struct stream *s, bool *ret_complete,
                                struct aws_answer *answer, struct err *err);
enum aws_fault stream_read_trail(struct streams *all, struct stream *s, bool *ret_complete,
                                 struct aws_answer *answer, struct err *err);

// One request of the walk of s->files, which has begun (`walking`).
enum aws_fault stream_read_files(struct streams *all, struct stream *s, bool *ret_complete, struct err *err);
void trail_folders_release(struct trail_folders *t);
struct aws_place stream_at(const struct stream *s);

// Gives what came to the hook, as of "aws:SOURCE/ACCOUNT/REGION".
void stream_give(struct streams *all, const struct stream *s, struct str data);

#endif
