// SPDX-License-Identifier: Apache-2.0
#include "alert/text_priv.h"

#include <string.h>

#include "base/text.h"

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
	const char *digits = plain + (*plain == '-');
	size_t n = 1, whole = strcspn(digits, ".");
	if (*plain == '-')
		m.text[n++] = '-';
	for (size_t i = 0; i < whole; i++) {
		if (i && (whole - i) % 3 == 0)
			m.text[n++] = ',';
		m.text[n++] = digits[i];
	}
	strcpy(m.text + n, digits + whole);
	return m;
}
