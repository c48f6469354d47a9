-- SPDX-License-Identifier: Apache-2.0
-- Replaces a status hash as a whole, unless a later run has written it.
--
-- KEYS[1] the hash
-- ARGV    run, then fields and values
-- returns 1 written, 0 a later run was faster

local key, run = KEYS[1], tonumber(ARGV[1])
if tonumber(call('HGET', key, 'run') or '0') > run then return '0' end
call('DEL', key)
set_fields(key, ARGV, 2)
call('HSET', key, 'run', ARGV[1])
return '1'
