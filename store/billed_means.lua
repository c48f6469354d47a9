-- SPDX-License-Identifier: Apache-2.0
-- Replaces what the bill teaches about one model, and has its hours computed again if that is news.
--
-- KEYS[1] the common start of all keys
-- ARGV    model's hex name, delay (ms), time to live (ms), then fields and values, sorted by field

local p, call = KEYS[1], redis.call
local key, name = p .. ':taught:' .. ARGV[1], ARGV[1]
local same = call('HLEN', key) * 2 == #ARGV - 3
for i = 4, #ARGV, 2 do
  same = same and call('HGET', key, ARGV[i]) == ARGV[i + 1]
end
if same then
  call('PEXPIRE', key, ARGV[3])
  return '0'
end
call('DEL', key)
for i = 4, #ARGV, 2 do call('HSET', key, ARGV[i], ARGV[i + 1]) end
call('PEXPIRE', key, ARGV[3])

local clock = call('TIME')
local soon = clock[1] * 1000 + math.floor(clock[2] / 1000) + tonumber(ARGV[2])
for _, bucket in ipairs(call('ZRANGE', p .. ':open', 0, -1)) do
  for _, member in ipairs(call('SMEMBERS', p .. ':groups:' .. bucket)) do
    local cells = p .. ':cells:' .. member
    if string.sub(member, -#name) == name and call('EXISTS', cells) == 1 then
      call('HINCRBY', cells, 'v', 1)
      call('ZADD', p .. ':due', 'LT', soon, member)
    end
  end
end
return '1'
