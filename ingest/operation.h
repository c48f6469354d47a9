// SPDX-License-Identifier: Apache-2.0
// Which events of CloudTrail are calls of a model. Names of events are not a closed list: AWS adds operations
// ("Responses", "ChatCompletions"), and what a new one spends must not go unnoticed. So the known operations
// that run a model are named, the words by which operations of administration begin are named, and any other
// operation is a call if its record names a model.
//
//     known to run a model                            a call; a record of one without a model is a fault
//     CountTokens, Get..., List..., Delete..., ...    no call: it reads, or manages something
//     Create..., Start...                             no call, but for three marks of a call (below)
//     InvokeAgent, InvokeFlow, ...                    a call without tokens: the models that the agent or the
//                                                     flow calls have records of their own, under its role
//     anything else                                   a call if it names a model
//
// An operation that begins with Create or Start makes a resource or a job, as a rule. It is a call if it says
// so in one of three ways: it is a data event and no job (bedrock-mantle's CreateInference; operations of
// administration are management events), CloudTrail marks it as read-only (as it marks calls of a model, and
// nothing that makes anything), or it went to a host of bedrock-runtime. An operation that is not known and
// went to a host of the control plane (bedrock.REGION) is no call.
//
// Sources: the API references of Amazon Bedrock, its agents, its data automation and its runtime, all names
// of which are in tests/decode/operations.txt; "Monitor Amazon Bedrock API calls using CloudTrail" and
// "Monitor bedrock-mantle API calls using CloudTrail" in the Amazon Bedrock User Guide.
#ifndef NOWCAST_INGEST_OPERATION_H
#define NOWCAST_INGEST_OPERATION_H

#include "ingest/recognise_priv.h"

enum operation {
	OPERATION_OTHER, // no call
	OPERATION_INFERENCE, // known to run a model
	OPERATION_UNKNOWN, // a call if the record names a model
	OPERATION_AGENT, // runs an agent or a flow
};

enum operation operation_of(const struct top_fields *t, struct str name);
bool operation_is_data_event(const struct top_fields *t);

// Whether the call is a stream: by its name, else by the parameter `stream`. *ret_known false: neither says.
void operation_streams(const struct top_fields *t, struct str name, bool *ret_streams, bool *ret_known);

// Whether the record is a network activity event: the copy of a call that a VPC endpoint records, with the
// call's requestID and neither its parameters nor its resources, or the refusal of one by the endpoint's
// policy, which reached nobody ("Logging network activity events" in the CloudTrail User Guide). The call
// itself has a record of its own.
bool operation_is_network_activity(const struct top_fields *t);

#endif
