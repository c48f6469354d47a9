-- SPDX-License-Identifier: Apache-2.0
-- Stores what one hour of one model teaches, if the facts it was computed from still stand. A changed lesson makes the hours
-- that learn from it due, the hour itself included, and changes the version "w" of what they learn from.
--
-- KEYS[1] the common start of all keys
-- ARGV    hour, model's hex name, versions of the hour before, the hour, and the hour after ("" where there is none),
--         lesson, hours that learn from it, keep (ms), delay (ms)
-- returns  1 the lesson stands, 0 the facts had moved on

local p, call = KEYS[1], redis.call
local hour, name, lesson = tonumber(ARGV[1]), ARGV[2], ARGV[6]
local clock = call('TIME')
local soon = clock[1] * 1000 + math.floor(clock[2] / 1000) + tonumber(ARGV[9])

local function cells(h) return p .. ':cells:' .. h .. ':' .. name end

for i = -1, 1 do
  if (call('HGET', cells(hour + i), 'v') or '') ~= ARGV[4 + i] then return '0' end
end
if ARGV[4] == '' then return '0' end -- its facts have expired since: what it taught before stands

local key = p .. ':lesson:' .. hour .. ':' .. name
if (call('GET', key) or '') == lesson then return '1' end
if lesson == '' then call('DEL', key) else call('SET', key, lesson, 'PX', ARGV[8]) end
for h = hour, hour + tonumber(ARGV[7]) do
  if call('EXISTS', cells(h)) == 1 then
    call('HINCRBY', cells(h), 'w', 1)
    call('ZADD', p .. ':due', 'LT', soon, h .. ':' .. name)
  end
end
return '1'
