// SPDX-License-Identifier: Apache-2.0
// Reads what AWS' XML answers hold, by the names of elements. No parser: they are flat, without attributes,
// and no element has the name of one that it is within, unless xml_child reads it.
#ifndef NOWCAST_AWS_XML_H
#define NOWCAST_AWS_XML_H

#include "base/buf.h"
#include "base/str.h"

// The text of the first <name>...</name> in `xml`; STR_NONE if there is none. *ret_rest, if it is not NULL,
// is then what follows it.
struct str xml_element(struct str xml, const char *name, struct str *ret_rest);

// The same of the outermost elements of `xml` only: not of those within others. For lists within lists.
struct str xml_child(struct str xml, const char *name, struct str *ret_rest);

// Replaces `b` by text with its entities (&amp; &lt; &gt; &quot; &apos; and their numbers) decoded.
struct str xml_decode(struct str text, struct buf *b);

#endif
