-- SPDX-License-Identifier: Apache-2.0
-- The account and Region has lost what it got from this shard (store/shards.h): all hours whose facts can
-- still change are due again.
--
-- KEYS[1] the start of all keys of the shard
-- ARGV    how many times hours were promoted, as the shard knew; as the account and Region knows

local p = KEYS[1]
local now = now_ms()
for _, bucket in ipairs(call('ZRANGE', p .. KEY.OPEN, 0, -1)) do
  for _, model_hour in ipairs(call('SMEMBERS', p .. KEY.MODEL_HOURS .. bucket)) do
    mark_due(p, model_hour, now)
  end
end
if call('HGET', p .. KEY.PROMOTED, '0') == ARGV[1] then call('HSET', p .. KEY.PROMOTED, '0', ARGV[2]) end
return 'OK'
