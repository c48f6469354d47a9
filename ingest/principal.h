// SPDX-License-Identifier: Apache-2.0
// The name of a caller: what CloudTrail ("CloudTrail userIdentity element") and the invocation log record, in
// the canonical form in which the bill's line_item_iam_principal ("CUR 2.0 table dictionary") shows the same
// caller, so that record and bill join.
//
//     recorded                                 canonical
//     arn:P:iam::A:user/any/path/NAME          arn:P:iam::A:user/NAME             the bill shows no path
//     arn:P:iam::A:role/any/path/NAME          arn:P:iam::A:role/NAME
//     arn:P:sts::A:assumed-role/ROLE/SESSION   the same
//     arn:P:sts::A:federated-user/NAME         the same
//     arn:P:iam::A:root                        the same
//     no arn: a service of AWS                 arn:P:iam::R:service/INVOKER       e.g. lambda.amazonaws.com
//     no arn: an Identity Center user          arn:P:identitystore:::user/USERID
//     no arn: another account                  arn:P:iam::A:root                  as policies name an account
//     no arn: anything else                    arn:P:iam::R:unknown/PRINCIPALID   or the identity's type
//
// P is the partition, A the caller's account, R the account that recorded the call. A name that is made here
// has '_' for blanks. The canonical form of a canonical name is the name itself.
#ifndef NOWCAST_INGEST_PRINCIPAL_H
#define NOWCAST_INGEST_PRINCIPAL_H

#include "base/arena.h"
#include "base/err.h"
#include "ingest/json.h"
#include "ingest/record.h"

// The canonical form of an ARN: `arn` itself, or a string in the arena.
struct str principal_canonical(struct arena *a, struct str arn);

// Reads a CloudTrail userIdentity. `account` and `region` are where the call was recorded. ERR_SKIP names the
// wrong field.
bool principal_from_identity(struct arena *a, struct json identity, struct str account, struct str region,
                             struct caller *ret, struct err *err) NC_CHECK;

#endif
