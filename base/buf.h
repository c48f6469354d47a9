// SPDX-License-Identifier: Apache-2.0
// A growing byte buffer. Once anything was added, `data` is NUL-terminated after `len` bytes, so it may be
// passed to printf. Running out of memory ends the program (xrealloc): Kafka then redelivers what was not
// committed.
//
//     data ->  [ len bytes | NUL | cap - len - 1 bytes free ]
#ifndef NOWCAST_BASE_BUF_H
#define NOWCAST_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct buf {
	char *data;
	size_t len, cap;
};

#define BUF_INIT {0}

void buf_release(struct buf *b);                    // frees; the buffer may be used again
static inline void buf_clear(struct buf *b)         // empties, keeps the memory
{
	b->len = 0;
	if (b->data)
		b->data[0] = '\0';
}
void buf_reserve(struct buf *b, size_t more);       // room for `more` bytes and the NUL
void buf_add(struct buf *b, const void *p, size_t n);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) NC_PRINTF(2, 3);
void buf_vaddf(struct buf *b, const char *fmt, va_list ap) NC_PRINTF(2, 0);

static inline void buf_adds(struct buf *b, const char *z) { buf_add(b, z, strlen(z)); }
static inline void buf_addstr(struct buf *b, struct str s) { buf_add(b, s.p, s.len); }
static inline struct str buf_str(const struct buf *b) { return (struct str){b->data, b->len}; }

// Allocation that cannot fail; `n` elements of `size`, the product is checked.
void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(struct str s); // NUL-terminated copy

#endif
