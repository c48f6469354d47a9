// SPDX-License-Identifier: Apache-2.0
// Labels: what records say of who caused a call, beside its principal. Behind a gateway one role calls for
// everybody, and only these tell its users apart.
//
//     of the call     request metadata: `requestMetadata` of the invocation log ("Per-request metadata
//                     tagging" in the Bedrock User Guide), `metadata` of a request to bedrock-mantle
//     of the caller   of its userIdentity ("CloudTrail userIdentity element"; ingest/principal.c):
//                     source         sourceIdentity of the session
//                     workload       inScopeOf: the Lambda function, ECS task or other resource that has the
//                                    credentials, or for which a service called
//                     provider       webIdFederationData: the identity provider
//                     subject        webIdFederationData: whom the provider named
//                     on_behalf_of   onBehalfOf: the user of IAM Identity Center
//
// Keys and values are the caller's to choose, so they are bounded here: at most LABELS_MAX pairs, keys of
// up to LABEL_KEY_MAX bytes, and values of up to LABEL_VALUE_MAX bytes. A longer value is cut, a pair with
// a longer key or beyond the number is left out; AWS accepts neither. A value that is neither string,
// number nor boolean is left out. A wrong label never costs the call its tokens: nothing here is an error.
#ifndef NOWCAST_INGEST_LABELS_H
#define NOWCAST_INGEST_LABELS_H

#include "base/arena.h"
#include "base/conf.h"
#include "ingest/json.h"
#include "ingest/record.h"

enum { LABELS_MAX = 16, LABEL_KEY_MAX = 256, LABEL_VALUE_MAX = 256 };

// The pairs of a JSON object; anything else has none.
struct labels labels_read(struct json object, struct arena *a);

// Adds a pair, unless it is empty, beyond the limits or there already. `room` has LABELS_MAX elements, of
// which *n are sorted by key. Of too many pairs those with the smallest keys stay, in whatever order they
// come.
void labels_add(struct tag *room, int *n, struct str key, struct str value);

// The pairs in `room`, in the arena.
struct labels labels_copy(const struct tag *room, int n, struct arena *a);

// Those whose keys are to be kept, in the arena. In the patterns * stands for any text, and ! in front means
// that the key is not: the first that matches decides, letters in either case. Without any match the key is
// not kept, without any pattern it is.
struct labels labels_kept(struct labels labels, const struct conf_list *patterns, struct arena *a);

#endif
