-- SPDX-License-Identifier: Apache-2.0
-- Writes what was computed for one hour of one model, if the facts and lessons it was computed from still stand; else leaves
-- the hour due.
--
-- KEYS[1] the common start of all keys
-- ARGV    hour, model's hex name, versions of the hour before, the hour, and the hour after ("" where there is none),
--         version of the lessons ("" if there never was one), delay (ms), retention (ms), member of the usage index, then
--         fields and values
-- returns  1 written, 0 the facts had moved on

local p, call = KEYS[1], redis.call
local hour, name, lessons, delay, retention, member = tonumber(ARGV[1]), ARGV[2], ARGV[6], tonumber(ARGV[7]), ARGV[8], ARGV[9]
local CHUNK = 2000
local FIRST = 10 -- argument that is a field

local function cells(h) return p .. ':cells:' .. h .. ':' .. name end

local stands = (call('HGET', cells(hour), 'w') or '') == lessons
for i = -1, 1 do
  if (call('HGET', cells(hour + i), 'v') or '') ~= ARGV[4 + i] then stands = false end
end
if not stands then
  local clock = call('TIME')
  call('ZADD', p .. ':due', 'LT', clock[1] * 1000 + math.floor(clock[2] / 1000) + delay, hour .. ':' .. name)
  return '0'
end

call('ZREM', p .. ':due', hour .. ':' .. name)
if ARGV[4] == '' then return '1' end -- its facts have expired since: what was computed from them stands

local usage = p .. ':usage:' .. member
call('DEL', usage)
for i = FIRST, #ARGV, CHUNK do
  call('HSET', usage, unpack(ARGV, i, math.min(i + CHUNK - 1, #ARGV)))
end
if #ARGV >= FIRST then
  call('PEXPIRE', usage, retention)
  call('ZADD', p .. ':usage', hour, member)
else
  call('ZREM', p .. ':usage', member)
end
return '1'
