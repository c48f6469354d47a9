-- SPDX-License-Identifier: Apache-2.0
-- Takes hours to compute: they are due again after the lease, should whoever took them die.
--
-- KEYS[1] the common start of all keys
-- ARGV    "1": also hours not due yet; lease (ms); the most to take
-- returns  how many stand in `due`, then members "hour:model"

local due, call = KEYS[1] .. ':due', redis.call
local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local members = call('ZRANGEBYSCORE', due, '-inf', ARGV[1] == '1' and '+inf' or now, 'LIMIT', 0, ARGV[3])
for _, m in ipairs(members) do call('ZADD', due, now + ARGV[2], m) end
table.insert(members, 1, tostring(call('ZCARD', due)))
return members
