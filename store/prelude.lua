-- SPDX-License-Identifier: Apache-2.0
-- What the scripts of all rooms share. It is put before each of them (store/script.h), after the
-- constants that store/prelude_constants.c prints out of the C headers. `p` is the start of all keys of an
-- account and Region.

local call = redis.call
local byte, char, sub, format, floor = string.byte, string.char, string.sub, string.format, math.floor

local HOURS_END = 70000000 -- hours since 1970: the year 9955
local CHUNK = 1000 -- arguments of one command; Lua's stack bounds it

local function now_ms()
  local clock = call('TIME')
  return clock[1] * 1000 + floor(clock[2] / 1000)
end

-- Bytewise a < b; Lua's own < asks the locale.
local function less(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = byte(a, i), byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end

-- Adds to a number of a hash; what is none, which no nowcast has written, is replaced.
local function add_to(key, field, n)
  local added = redis.pcall('HINCRBY', key, field, n)
  if type(added) == 'table' then call('HSET', key, field, n) end
end

-- The four bytes of `s` from `at` on as a number, the highest first.
local function uint32(s, at)
  local a, b, c, d = byte(s, at, at + 3)
  return ((a * 256 + b) * 256 + c) * 256 + d
end

local function uint32_bytes(n)
  return char(floor(n / 2 ^ 24), floor(n / 2 ^ 16) % 256, floor(n / 256) % 256, n % 256)
end

-- HSET of the fields and values list[first..last], however many there are. Without `last`: to the end.
local function set_fields(key, list, first, last)
  last = last or #list
  for i = first, last, 2 * CHUNK do
    call('HSET', key, unpack(list, i, math.min(i + 2 * CHUNK - 1, last)))
  end
end

-- The hour and the hex name of a member "HOUR:MODELID"; nil if it is none, which no nowcast has written.
local function parse_model_hour(member)
  local hour, name = string.match(member, '^(%d+):(%x+)$')
  hour = tonumber(hour)
  local known = hour and hour < HOURS_END and #name == MODELID_DIGITS
  if known and member == format('%d:%s', hour, string.lower(name)) then return hour, name end
end

-- An hour of a model, "HOUR:MODELID", is to be computed at `at` (ms), or before if it was due already.
local function mark_due(p, model_hour, at)
  call('ZADD', p .. KEY.DUE, 'LT', at, model_hour)
end

-- Likewise if it has facts; `version` is the one that changes: 'v' of the facts, 'w' of the statistics
-- around it.
local function touch_cells(p, model_hour, version, at)
  local cells = p .. KEY.CELLS .. model_hour
  if call('EXISTS', cells) == 1 then
    add_to(cells, version, 1)
    mark_due(p, model_hour, at)
  end
end

-- The first and the last hour that records of a bucket may count in: a call counts up to CALL_HOURS_MAX from
-- its record, and the hour after it may show its caller (the lookback).
local function hours_around(bucket)
  return bucket * BUCKET_HOURS - CALL_HOURS_MAX, (bucket + 1) * BUCKET_HOURS + CALL_HOURS_MAX
end

-- Touches each of these hours, of every model, that is not in `touched` yet.
local function touch_around(p, bucket, at, touched)
  local first, last = hours_around(bucket)
  for b = bucket - 1, bucket + 1 do
    for _, model_hour in ipairs(call('SMEMBERS', p .. KEY.MODEL_HOURS .. b)) do
      local hour = parse_model_hour(model_hour)
      if hour and hour >= first and hour <= last and not touched[model_hour] then
        touched[model_hour] = true
        touch_cells(p, model_hour, 'v', at)
      end
    end
  end
end
