-- SPDX-License-Identifier: Apache-2.0
-- Writes the figures of one hour of one model, if the facts and statistics they were computed from are
-- still the same; else leaves the hour due.
--
-- KEYS[1] the start of all keys of the account and Region
-- ARGV    hour, model's hex name, versions of the hour before, the hour, and the hour after ("" where
--         there is none), version of the statistics ("" if there never was one), delay (ms), retention
--         (ms), member of the usage index, "1": the figures are to be summed up with those of other models,
--         the number of arguments of the usage hash, then its fields and values, then those of the meta hash
-- returns  1 written, 0 the facts had changed

local p = KEYS[1]
local hour, name, stats = tonumber(ARGV[1]), ARGV[2], ARGV[6]
local delay, retention, member = tonumber(ARGV[7]), ARGV[8], ARGV[9]
local overflow = ARGV[10] == '1'
local FIRST = 12 -- argument that is a field
local LAST_OF_USAGE = FIRST + tonumber(ARGV[11]) - 1

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

-- The two hashes of an hour and model (store/usage_rows.h).
local index = p .. KEY_USAGE
local usage, meta = index .. ':', p .. KEY_USAGE_META

local function update_index(m)
  if call('EXISTS', usage .. m, meta .. m) > 0 then
    call('PEXPIRE', usage .. m, retention)
    call('PEXPIRE', meta .. m, retention)
    call('ZADD', index, hour, m)
  else
    call('ZREM', index, m)
  end
end

-- Models without a name of their own are summed up as one. What each has added there is kept as long as the
-- model may be computed again, to be taken off then.
local others = sub(member, 1, MEMBER_MODEL) .. MODEL_OTHERS_STORED
local part, part_meta = p .. KEY_PART .. model_hour(hour), p .. KEY_PART_META .. model_hour(hour)
local digest = 0

local function count_in_digest(field, value, sign)
  digest = (digest + sign * tonumber(sub(redis.sha1hex(field .. ' ' .. value), 1, 12), 16)) % 2^48
end

local function add_to_sums(sums, field, value, sign)
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

-- Takes what `added` says off the sums, and adds the fields and values ARGV[first..last] instead, unless the
-- model has a name of its own now.
local function replace_part(added, sums, first, last)
  local before = call('HGETALL', added)
  for i = 1, #before, 2 do add_to_sums(sums, before[i], before[i + 1], -1) end
  call('DEL', added)
  if overflow then
    for i = first, last, 2 do add_to_sums(sums, ARGV[i], ARGV[i + 1], 1) end
    set_fields(added, ARGV, first, last)
    call('PEXPIRE', added, call('PTTL', cells(hour)))
  end
end

if overflow or call('EXISTS', part, part_meta) > 0 then
  local sums, sums_meta = usage .. others, meta .. others
  digest = tonumber(call('HGET', sums_meta, META_DIGEST) or '0', 16)
  replace_part(part, sums, FIRST, LAST_OF_USAGE)
  replace_part(part_meta, sums_meta, LAST_OF_USAGE + 1, #ARGV)
  call('HSET', sums_meta, META_MODEL, MODEL_OTHERS_SHOWN, META_DIGEST, format('%016x', digest))
  if call('EXISTS', sums) == 0 and call('HLEN', sums_meta) == 2 then call('DEL', sums_meta) end
  update_index(others)
end

call('DEL', usage .. member, meta .. member)
if not overflow then
  set_fields(usage .. member, ARGV, FIRST, LAST_OF_USAGE)
  set_fields(meta .. member, ARGV, LAST_OF_USAGE + 1, #ARGV)
end
update_index(member)
return '1'
