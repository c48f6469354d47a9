// SPDX-License-Identifier: Apache-2.0
// Embeds a file of the source tree into the program: EMBED(name, "path/from/the/root") defines name(), which
// returns the file's bytes as a struct str. The Makefile must name the file as a prerequisite of the object:
// the compiler does not report it.
#ifndef NOWCAST_BASE_EMBED_H
#define NOWCAST_BASE_EMBED_H

#include "base/str.h"

#define EMBED(name, path) EMBED_BYTES(name, EMBED_FILE(path))

// Several files, joined: EMBED_BYTES(name, EMBED_FILE("one") EMBED_FILE("two")).
#define EMBED_FILE(path) ".incbin \"" path "\"\n"
#define EMBED_BYTES(name, files)                                                        \
	__asm__(".pushsection .rodata\n"                                                    \
			".balign 16\n" #name "_begin:\n" files #name "_end: .byte 0\n"             \
			".popsection\n");                                                           \
	extern const char name##_begin[], name##_end[];                                     \
	static inline struct str name(void)                                                 \
	{                                                                                   \
		return (struct str){name##_begin, (size_t)(name##_end - name##_begin)};         \
	}

#endif
