// SPDX-License-Identifier: Apache-2.0
// Names of models as AWS writes them for people, and which model of the catalogue they mean. Bills and price
// lists write one model in several ways:
//
//     "OpenAI GPT-5.6 Sol (Amazon Bedrock Edition)"     openai.gpt-5.6-sol
//     "Claude4.6Sonnet", "Claude Sonnet 4.6"            anthropic.claude-sonnet-4-6
//     "Llama3-3-70B", "Llama 3.3 70B Instruct"          meta.llama3-3-70b-instruct
//     "Nova2.0Lite", "Nova 2 Lite"                      amazon.nova-2-lite
//
// Two writings are one model if their keys are equal: the letters of the name in order, without its vendor
// and without words that say nothing ("instruct", "edition"), then its numbers in order. All numbers count:
// a shorter name is another model ("Opus 5" is not "Opus 5.5"). Names that follow no rule are in a table.
#ifndef NOWCAST_PRICING_MODEL_NAME_H
#define NOWCAST_PRICING_MODEL_NAME_H

#include "base/buf.h"
#include "base/str.h"

// Appends the key of a name, or of a model as the catalogue names it (pricing/model_id.h): "claudesonnet 4
// 6". A name without a letter or digit has none.
void model_name_key(struct buf *ret, struct str name);

struct model_names;

// The models of the built-in catalogue, by key. The caller owns the result.
struct model_names *model_names_new(void);
void model_names_free(struct model_names *m);

// The model of a written name. STR_NONE: no model has its key, or several have. Lives as long as `m`.
struct str model_names_find(const struct model_names *m, struct str written);

#endif
