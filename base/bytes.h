// SPDX-License-Identifier: Apache-2.0
// Whole numbers as big-endian bytes: memcmp orders them as numbers, on every machine.
#ifndef NOWCAST_BASE_BYTES_H
#define NOWCAST_BASE_BYTES_H

#include <stdint.h>

static inline void bytes_put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static inline void bytes_put64(uint8_t *p, uint64_t v)
{
	bytes_put32(p, (uint32_t)(v >> 32));
	bytes_put32(p + 4, (uint32_t)v);
}

static inline uint32_t bytes_get32(const void *from)
{
	const uint8_t *p = from;
	uint32_t v = 0;
	for (int i = 0; i < 4; i++)
		v = v << 8 | p[i];
	return v;
}

static inline uint64_t bytes_get64(const void *from)
{
	const uint8_t *p = from;
	uint64_t v = 0;
	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

#endif
