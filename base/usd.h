// SPDX-License-Identifier: Apache-2.0
// US dollars as an integer number of picodollars (1e-12 USD). It is a struct, so that the compiler refuses to
// mix it with other numbers; it has 128 bits, so that a year of the largest bill fits. No float ever holds
// money.
//
// A rate is picodollars per token: a price list's "$3.30 per million tokens" is 3,300,000. Rates down to
// $0.000001 per million tokens are exact.
#ifndef NOWCAST_BASE_USD_H
#define NOWCAST_BASE_USD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

__extension__ typedef __int128 usd_pico;

struct usd {
	usd_pico pico;
};

#define USD_ZERO ((struct usd){0})

// tokens x rate. The product of any two values fits.
static inline struct usd usd_price(int64_t tokens, int64_t pico_per_token)
{
	return (struct usd){(usd_pico)tokens * pico_per_token};
}

struct usd usd_add(struct usd a, struct usd b); // aborts on overflow: 1.7e26 USD is a bug, not a bill
struct usd usd_sub(struct usd a, struct usd b);

static inline int usd_cmp(struct usd a, struct usd b)
{
	return a.pico < b.pico ? -1 : a.pico > b.pico;
}

// a x num / den, rounded half to even; den > 0. Aborts if the result does not fit, as above.
struct usd usd_muldiv(struct usd a, int64_t num, int64_t den);

// Parses a decimal such as "12.5", "-0.000001" or "1.1e-06" exactly, as a number of units of 10^-scale.
// False: it is not a number, not a whole number of units, or does not fit. usd_parse has scale 12; a rate in
// USD per million tokens has scale 6.
bool usd_parse_scaled(struct str s, int scale, int64_t *ret);
bool usd_parse(struct str s, struct usd *ret);

// Decimal with `places` (0 to 12) places, rounded half to even. buf holds USD_SIZE; returns buf.
enum { USD_SIZE = 56 };
char *usd_format(struct usd a, int places, char *buf);
char *usd_format_pico(struct usd a, char *buf);          // the bare integer, as Redis has it
bool usd_parse_pico(struct str s, struct usd *ret);      // and back

#endif
