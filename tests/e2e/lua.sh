#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The pure half of the Lua scripts (tests/lua), in a Lua of its own where there is one, else in Redis'.
. "$(dirname "$0")/../lib.sh"

cat "$B/store/prelude.lua" store/short_evidence.lua store/calls.lua tests/lua/calls_test.lua >"$T/test.lua"
if lua=$(command -v lua5.1 || command -v luajit); then
	"$lua" - "$T/test.lua" <<<'redis = {} print(dofile(arg[1]))' 2>&1 || bail "the script does not run"
else
	start_redis
	redis --raw eval "$(cat "$T/test.lua")" 0
fi
