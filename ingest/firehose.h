// SPDX-License-Identifier: Apache-2.0
// The body of a delivery by Amazon Data Firehose to an HTTP endpoint:
//
//     {"requestId": "ed4acda5-...", "timestamp": 1578090901599, "records": [{"data": "<base64>"}, ...]}
//
// ("Understand HTTP endpoint delivery request and response specifications" in the Amazon Data Firehose
// Developer Guide.) The envelope is read strictly, for a delivery that is refused comes again. It is split
// and not parsed as a whole, for it may be large. A record that cannot be read is one of many, and the
// others are read.
#ifndef NOWCAST_INGEST_FIREHOSE_H
#define NOWCAST_INGEST_FIREHOSE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum {
	FIREHOSE_BODY_BYTES = 96 << 20, // of a body before compression, at most: 64 MiB of data in base64
	FIREHOSE_ID_BYTES = 128,        // of a request id, which is a GUID
};

struct firehose_body {
	struct str request_id; // of printable ASCII, without quotes and backslashes
	int64_t timestamp_ms;  // when Firehose made the request; 0: it does not say
	struct str records;    // what is left of the list
};

// Whether `id` may be one.
bool firehose_id_is_valid(struct str id);

// Slices of `body`. ERR_SKIP: it is cut off, is no such object, or lacks its id or its records.
bool firehose_body_read(struct str body, struct firehose_body *ret, struct err *err) NC_CHECK;

// The next record: its text in the body, and its data, decoded into `data`. False: there is no other. If err
// is set (ERR_SKIP), the record has no data that could be decoded.
bool firehose_record_next(struct firehose_body *b, struct buf *data, struct str *ret_text, struct err *err);

#endif
