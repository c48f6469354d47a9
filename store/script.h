// SPDX-License-Identifier: Apache-2.0
// Lua scripts in the program. Each follows the prelude: constants out of the C headers
// (store/prelude_constants.c), then store/prelude.lua. Lines in Redis' error messages count from there.
#ifndef NOWCAST_STORE_SCRIPT_H
#define NOWCAST_STORE_SCRIPT_H

#include "base/embed.h"

// Defines `name`, a struct str that reads the prelude and a file of the source tree. EMBED_SCRIPTS: two
// files, EMBED_SCRIPTS3: three. LUA_PRELUDE comes from the Makefile, which also names the files as
// prerequisites of the object.
#define EMBED_SCRIPT(name, path) EMBED_BYTES(name, EMBED_FILE(LUA_PRELUDE) EMBED_FILE(path))
#define EMBED_SCRIPTS(name, path, path2) \
	EMBED_BYTES(name, EMBED_FILE(LUA_PRELUDE) EMBED_FILE(path) EMBED_FILE(path2))
#define EMBED_SCRIPTS3(name, path, path2, path3) \
	EMBED_BYTES(name, EMBED_FILE(LUA_PRELUDE) EMBED_FILE(path) EMBED_FILE(path2) EMBED_FILE(path3))

#endif
