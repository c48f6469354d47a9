-- SPDX-License-Identifier: Apache-2.0
-- Notes a change of the tags of a role or user. Tags of one that was deleted are needed as long as figures
-- are kept. They stay if it is created again, also where that event arrives late.
--
-- KEYS[1] the key
-- ARGV    time (ms) and event, what changed ({"op":...), how long it is kept once it is deleted (ms)

local key = KEYS[1]
call('HSET', key, ARGV[1], ARGV[2])

local function deletes(change) return sub(change, 1, 14) == '{"op":"delete"' end
if not deletes(ARGV[2]) and call('PTTL', key) < 0 then return end

local newest, deleted = -1, false -- of the same moment a deletion counts first (store/tag_history.c)
local all = call('HGETALL', key)
for i = 1, #all, 2 do
  local ms = tonumber(string.match(all[i], '^%d+'))
  if ms > newest then
    newest, deleted = ms, deletes(all[i + 1])
  elseif ms == newest then
    deleted = deleted and deletes(all[i + 1])
  end
end
if deleted then call('PEXPIRE', key, ARGV[3]) else call('PERSIST', key) end
