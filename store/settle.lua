-- SPDX-License-Identifier: Apache-2.0
-- Writes what was computed for one hour of one model, if the facts and lessons it was computed from still stand; else leaves
-- the hour due.
--
-- KEYS[1] the common start of all keys
-- ARGV    hour, model's hex name, versions of the hour before, the hour, and the hour after ("" where there is none),
--         version of the lessons ("" if there never was one), delay (ms), retention (ms), member of the usage index, "1": the
--         figures are to be counted with those of other models, then fields and values
-- returns  1 written, 0 the facts had moved on

local p, call = KEYS[1], redis.call
local hour, name, lessons, delay, retention, member = tonumber(ARGV[1]), ARGV[2], ARGV[6], tonumber(ARGV[7]), ARGV[8], ARGV[9]
local CHUNK = 2000
local fold = ARGV[10] == '1'
local FIRST = 11 -- argument that is a field

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

local index = p .. ':usage'

local function put(key)
  for i = FIRST, #ARGV, CHUNK do
    call('HSET', key, unpack(ARGV, i, math.min(i + CHUNK - 1, #ARGV)))
  end
end

local function note(m)
  if call('EXISTS', index .. ':' .. m) == 1 then
    call('PEXPIRE', index .. ':' .. m, retention)
    call('ZADD', index, hour, m)
  else
    call('ZREM', index, m)
  end
end

-- Models without a name of their own are summed up in one hash. What each has put there is kept as long as it may be computed
-- again, to be taken off then.
local others = string.sub(member, 1, 14) .. '*'
local sums, part = index .. ':' .. others, p .. ':part:' .. hour .. ':' .. name
local digest = 0

local function count_in_digest(field, value, sign)
  digest = (digest + sign * tonumber(string.sub(redis.sha1hex(field .. ' ' .. value), 1, 12), 16)) % 2^48
end

local function add_to_others(field, value, sign)
  local old, new, zero = call('HGET', sums, field), {}, true
  local words = string.gmatch(old or '', '%S+')
  for word in string.gmatch(value, '%S+') do
    local was, n = words(), tonumber(word)
    if n then
      n = sign * n + tonumber(was or '0')
      zero = zero and n == 0
      word = string.format('%.0f', n)
    end
    new[#new + 1] = word
  end
  if old then count_in_digest(field, old, -1) end
  if zero then return call('HDEL', sums, field) end
  new = table.concat(new, ' ')
  call('HSET', sums, field, new)
  count_in_digest(field, new, 1)
end

local before = call('HGETALL', part)
if fold or #before > 0 then
  digest = tonumber(call('HGET', sums, '# digest') or '0', 16)
  for i = 1, #before, 2 do add_to_others(before[i], before[i + 1], -1) end
  call('DEL', part)
  if fold then
    for i = FIRST, #ARGV, 2 do add_to_others(ARGV[i], ARGV[i + 1], 1) end
    put(part)
    call('PEXPIRE', part, call('PTTL', cells(hour)))
  end
  call('HSET', sums, '# model', '(other models)', '# digest', string.format('%016x', digest))
  if call('HLEN', sums) == 2 then call('DEL', sums) end
  note(others)
end

call('DEL', index .. ':' .. member)
if not fold then put(index .. ':' .. member) end
note(member)
return '1'
