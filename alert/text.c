// SPDX-License-Identifier: Apache-2.0
#include "alert/text_priv.h"

#include <string.h>

struct str alert_format(struct arena *arena, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	struct str s = arena_vtext(arena, fmt, ap);
	va_end(ap);
	text_make_plain((char *)s.p, s.len);
	return s;
}

struct alert_money alert_money(struct usd u)
{
	static const usd_pico cent = 10000000000;
	struct alert_money m = {"$"};
	char plain[USD_SIZE];
	usd_format(u, u.pico > -cent && u.pico < cent && u.pico ? 6 : 2, plain);
	text_group_thousands(plain, m.text + 1);
	return m;
}
