-- SPDX-License-Identifier: Apache-2.0
-- The tags of sessions have arrived: hours of calls that were counted before are to be computed anew.
--
-- KEYS[1] the common start of all keys
-- ARGV    delay (ms), then session keys as in `sessions` (access key, or arn@start)

local p, call = KEYS[1], redis.call
local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local soon = now + tonumber(ARGV[1])
for _, bucket in ipairs(call('ZRANGEBYSCORE', p .. ':open', now, '+inf')) do -- of the others no session is known any more
  local sessions, hit = p .. ':sessions:' .. bucket, false
  if call('EXISTS', sessions) == 1 then
    for i = 2, #ARGV do
      if call('SISMEMBER', sessions, ARGV[i]) == 1 then
        hit = true
        break
      end
    end
  end
  if hit then
    for _, member in ipairs(call('SMEMBERS', p .. ':groups:' .. bucket)) do
      local cells = p .. ':cells:' .. member
      if call('EXISTS', cells) == 1 then
        call('HINCRBY', cells, 'v', 1)
        call('ZADD', p .. ':due', 'LT', soon, member)
      end
    end
  end
end
return 'OK'
