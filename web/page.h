// SPDX-License-Identifier: Apache-2.0
// The dashboard's files, which are embedded in the program: web/page/, the chart library, and the
// description of the API.
#ifndef NOWCAST_WEB_PAGE_H
#define NOWCAST_WEB_PAGE_H

#include <stdbool.h>

#include "web/http.h"

void page_prepare(void); // compresses them; before the first answer

// Answers if the path is that of a file in the table; no path leads to the file system.
bool page_answer(const struct http_request *r, struct http_answer *ret);

#endif
