// SPDX-License-Identifier: Apache-2.0
// The dashboard's files, which are part of the program: web/page/, the chart library, and the description of
// the API.
#ifndef NOWCAST_WEB_PAGE_H
#define NOWCAST_WEB_PAGE_H

#include <stdbool.h>

#include "web/http.h"

void page_prepare(void); // compresses them; once, before the first answer

// Answers if the path is one of them. There is no file system behind it: a path is in the table, or it is
// not.
bool page_answer(const struct http_request *r, struct http_answer *ret);

#endif
