-- SPDX-License-Identifier: Apache-2.0
-- Writes the figures of one hour of one model, if the facts and statistics they were computed from are
-- still the same; else leaves the hour due.
--
-- KEYS[1] the start of all keys of the account and Region
-- ARGV    hour, model's hex name, versions of the hour before, the hour, and the hour after ("" where
--         there is none), version of the statistics ("" if there never was one), delay (ms), retention
--         (ms), member of the usage index, "1": the figures are to be counted with those of other models,
--         then fields and values
-- returns  1 written, 0 the facts had changed

local p = KEYS[1]
local hour, name, stats = tonumber(ARGV[1]), ARGV[2], ARGV[6]
local delay, retention, member = tonumber(ARGV[7]), ARGV[8], ARGV[9]
local overflow = ARGV[10] == '1'
local FIRST = 11 -- argument that is a field

local function model_hour(h) return h .. ':' .. name end
local function cells(h) return p .. KEY_CELLS .. model_hour(h) end

local function is_current()
  if (call('HGET', cells(hour), 'w') or '') ~= stats then return false end
  for i = -1, 1 do
    if (call('HGET', cells(hour + i), 'v') or '') ~= ARGV[4 + i] then return false end
  end
  return true
end

if not is_current() then
  mark_due(p, model_hour(hour), now_ms() + delay)
  return '0'
end

call('ZREM', p .. KEY_DUE, model_hour(hour))
if ARGV[4] == '' then return '1' end -- its facts have expired since: the figures computed from them stay

local index = p .. KEY_USAGE

local function update_index(m)
  if call('EXISTS', index .. ':' .. m) == 1 then
    call('PEXPIRE', index .. ':' .. m, retention)
    call('ZADD', index, hour, m)
  else
    call('ZREM', index, m)
  end
end

-- Models without a name of their own are summed up in one hash. What each has added there is kept as long
-- as the model may be computed again, to be taken off then.
local others = sub(member, 1, MEMBER_MODEL) .. MODEL_OTHERS_STORED
local sums, part = index .. ':' .. others, p .. KEY_PART .. model_hour(hour)
local digest = 0

local function count_in_digest(field, value, sign)
  digest = (digest + sign * tonumber(sub(redis.sha1hex(field .. ' ' .. value), 1, 12), 16)) % 2^48
end

local function add_to_others(field, value, sign)
  local old, new, zero = call('HGET', sums, field), {}, true
  local words = string.gmatch(old or '', '%S+')
  for word in string.gmatch(value, '%S+') do
    local was, n = words(), tonumber(word)
    if n then
      n = sign * n + tonumber(was or '0')
      zero = zero and n == 0
      word = format('%.0f', n)
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
if overflow or #before > 0 then
  digest = tonumber(call('HGET', sums, META_DIGEST) or '0', 16)
  for i = 1, #before, 2 do add_to_others(before[i], before[i + 1], -1) end
  call('DEL', part)
  if overflow then
    for i = FIRST, #ARGV, 2 do add_to_others(ARGV[i], ARGV[i + 1], 1) end
    set_fields(part, ARGV, FIRST)
    call('PEXPIRE', part, call('PTTL', cells(hour)))
  end
  call('HSET', sums, META_MODEL, MODEL_OTHERS_SHOWN, META_DIGEST, format('%016x', digest))
  if call('HLEN', sums) == 2 then call('DEL', sums) end
  update_index(others)
end

call('DEL', index .. ':' .. member)
if not overflow then set_fields(index .. ':' .. member, ARGV, FIRST) end
update_index(member)
return '1'
