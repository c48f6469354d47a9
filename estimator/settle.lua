-- SPDX-License-Identifier: Apache-2.0
-- Writes what was computed for one hour of one model, if the facts it was computed from still stand; else leaves the
-- hour due. A changed lesson makes the hours that learn from it due.
--
-- KEYS[1] the common start of all keys
-- ARGV    hour, model's hex name, versions of the hour before, the hour, and the hour after ("" where there is none),
--         lesson, hours that learn from it, keep (ms), delay (ms), retention (ms), member of the usage index, then fields and values
-- returns  1 written, 0 the facts had moved on

local p, call = KEYS[1], redis.call
local hour, name = tonumber(ARGV[1]), ARGV[2]
local lesson, learners, keep, delay, retention, member = ARGV[6], tonumber(ARGV[7]), ARGV[8], tonumber(ARGV[9]), ARGV[10], ARGV[11]
local clock = call('TIME')
local soon = clock[1] * 1000 + math.floor(clock[2] / 1000) + delay
local CHUNK = 2000

local function cells(h) return p .. ':cells:' .. h .. ':' .. name end

for i = -1, 1 do
  if (call('HGET', cells(hour + i), 'v') or '') ~= ARGV[4 + i] then
    call('ZADD', p .. ':due', 'LT', soon, hour .. ':' .. name)
    return '0'
  end
end

if ARGV[4] == '' then -- its facts have expired since: what was computed from them stands
  call('ZREM', p .. ':due', hour .. ':' .. name)
  return '1'
end

local usage = p .. ':usage:' .. member
call('DEL', usage)
for i = 12, #ARGV, CHUNK do
  call('HSET', usage, unpack(ARGV, i, math.min(i + CHUNK - 1, #ARGV)))
end
if #ARGV >= 12 then
  call('PEXPIRE', usage, retention)
  call('ZADD', p .. ':usage', hour, member)
else
  call('ZREM', p .. ':usage', member)
end

local key = p .. ':lesson:' .. hour .. ':' .. name
if (call('GET', key) or '') ~= lesson then
  if lesson == '' then call('DEL', key) else call('SET', key, lesson, 'PX', keep) end
  for h = hour + 1, hour + learners do
    if call('EXISTS', cells(h)) == 1 then
      call('HINCRBY', cells(h), 'v', 1)
      call('ZADD', p .. ':due', 'LT', soon, h .. ':' .. name)
    end
  end
end
call('ZREM', p .. ':due', hour .. ':' .. name)
return '1'
