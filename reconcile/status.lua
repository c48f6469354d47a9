-- SPDX-License-Identifier: Apache-2.0
-- Replaces a status hash as a whole, unless a later run has written it.
--
-- KEYS[1] the hash
-- ARGV    run, then fields and values
-- returns 1 written, 0 a later run was faster

local key, run = KEYS[1], tonumber(ARGV[1])
if tonumber(redis.call('HGET', key, 'run') or '0') > run then
  return '0'
end
redis.call('DEL', key)
for i = 2, #ARGV, 2000 do
  redis.call('HSET', key, unpack(ARGV, i, math.min(i + 1999, #ARGV)))
end
redis.call('HSET', key, 'run', ARGV[1])
return '1'
