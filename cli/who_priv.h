// SPDX-License-Identifier: Apache-2.0
// How `nowcast who` prints its answer (who_print.c).
#ifndef NOWCAST_CLI_WHO_PRIV_H
#define NOWCAST_CLI_WHO_PRIV_H

#include "query/principal_summary.h"

// One principal, as text or as JSON. They sort the groups of `s` by dollars. Of a role, text shows at most
// `sessions` sessions.
void who_print_text(struct principal_summary *s, int sessions);
void who_print_json(struct principal_summary *s);

// The principals that have the name `name`.
void who_print_list(const struct principal_summary *s);
void who_print_list_json(const struct principal_summary *s, struct str name);

#endif
