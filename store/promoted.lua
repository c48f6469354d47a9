-- SPDX-License-Identifier: Apache-2.0
-- Takes hours off the list of a shard whose changes the account and Region has now (store/shards.h), unless
-- they have changed again since claim.lua gave them away: then they are due earlier than its lease says. Once
-- the lease has passed nobody can tell, so they stay.
--
-- KEYS[1] the start of all keys of the shard
-- ARGV    how many times hours of this shard were promoted, as apply.lua said; when the lease ends, as
--         claim.lua said; how long the facts of the hours are kept at least from now on (ms), so that they
--         outlast those of the account and Region; then members "hour:model"
-- returns  how many were taken off

local p = KEYS[1]
local due, lease, keep = p .. KEY.DUE, tonumber(ARGV[2]), ARGV[3]
local n = 0
if (tonumber(call('HGET', p .. KEY.PROMOTED, '0')) or 0) < tonumber(ARGV[1]) then
  call('HSET', p .. KEY.PROMOTED, '0', ARGV[1])
end
for i = 4, #ARGV do
  call('PEXPIRE', p .. KEY.CELLS .. ARGV[i], keep, 'GT')
  if now_ms() < lease and tonumber(call('ZSCORE', due, ARGV[i])) == lease then
    n = n + call('ZREM', due, ARGV[i])
  end
end
return tostring(n)
