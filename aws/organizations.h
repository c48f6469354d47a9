// SPDX-License-Identifier: Apache-2.0
// The tags of the accounts of an organisation (ListAccounts, then ListTagsForResource of each), a request at
// a time. AWS answers the organisation's management account, and accounts that administer it by delegation.
#ifndef NOWCAST_AWS_ORGANIZATIONS_H
#define NOWCAST_AWS_ORGANIZATIONS_H

#include "aws/account.h"
#include "aws/call.h"

struct organization; // a reading of it

// `only`: those whose tags are asked for, `nonly` of them, which outlive it; 0: all accounts.
struct organization *organization_new(const struct aws_account *only, int nonly);
void organization_free(struct organization *o); // NULL is none

// Makes one request. Once it has all tags of an account, appends them to `ret` as one JSON object, as the AWS
// command line would list them: {"ResourceTagMappingList": [{"ResourceARN": ..., "Tags": [...]}]}; what
// store/tag_import.h reads. *ret_more: there is more to ask. An account that is gone since it was listed is
// passed over. After a fault the same request may be made again; but after AWS_TOKEN the reading begins again
// by itself. AWS_REFUSED with `scratch->code` ORGANIZATION_NONE: the account is in no organisation.
enum aws_fault organization_next(struct organization *o, const struct aws_place *at, struct buf *ret,
                                 bool *ret_more, struct aws_answer *scratch, struct err *err) NC_CHECK;

#define ORGANIZATION_NONE "AWSOrganizationsNotInUseException"

#endif
