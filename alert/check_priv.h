// SPDX-License-Identifier: Apache-2.0
// One function for each kind of rule, and what they share.
#ifndef NOWCAST_ALERT_CHECK_PRIV_H
#define NOWCAST_ALERT_CHECK_PRIV_H

#include "alert/check.h"
#include "alert/text_priv.h"
#include "base/buf.h"

bool alert_check_budget(struct alert_check *c, const struct alert_rule *rule, struct err *err) NC_CHECK;
bool alert_check_forecast(struct alert_check *c, const struct alert_rule *rule, struct err *err) NC_CHECK;
bool alert_check_burn(struct alert_check *c, const struct alert_rule *rule, struct err *err) NC_CHECK;
bool alert_check_spikes(struct alert_check *c, const struct alert_rule *rule, struct err *err) NC_CHECK;
bool alert_check_bill(struct alert_check *c, const struct alert_rule *rule, struct err *err) NC_CHECK;

// Adds a finding with the group's name, figures and basis; `g` NULL: about everything, without figures. Valid
// until the next one is added.
struct alert_finding *alert_add_finding(struct alert_check *c, const struct alert_rule *rule,
                                        const struct group *g);

bool alert_rule_covers(const struct alert_rule *rule, const struct group *g); // by its `only`

// The sums of the rule's groups over the hours [from, to), sorted by key. *ret is released by the caller, on
// failure too.
bool alert_sum_groups(struct alert_check *c, const struct alert_rule *rule, int64_t from, int64_t to,
                      struct groups *ret, struct err *err) NC_CHECK;

// The same group in another sum of the rule; NULL: it is not there.
const struct group *alert_find_group(const struct groups *in, const struct group *g);

// Appends who or what contributed most to a finding: principals, or models if the rule is about principals.
bool alert_add_contributors(struct alert_check *c, const struct alert_finding *f, struct buf *out,
                            struct err *err) NC_CHECK;

#endif
