// SPDX-License-Identifier: Apache-2.0
// Reads what AWS' XML answers hold, by the names of elements. No parser: they are flat, without attributes,
// and none of their texts that are read here holds an entity.
#ifndef NOWCAST_AWS_XML_H
#define NOWCAST_AWS_XML_H

#include "base/str.h"

// The text of the first <name>...</name> in `xml`; STR_NONE if there is none. *ret_rest, if it is not NULL,
// is then what follows it.
struct str xml_element(struct str xml, const char *name, struct str *ret_rest);

#endif
