-- SPDX-License-Identifier: Apache-2.0
-- The figures of one hour of one model, in two hashes (store/usage_rows.h). It is put before
-- store/settle.lua and store/unfold.lua, whose arguments are the fields and values.
--
-- Models without a name of their own are summed up as one. What each has added there is kept beside the
-- sums: as long as these if it has usage, for once the model has a price it gets figures of its own
-- (store/reprice.h); else as long as the model may be computed again. The sums say which models have usage
-- in them.

local DIGEST_MAX = 2 ^ 48

local function sum_digest(field, value)
  return tonumber(sub(redis.sha1hex(field .. ' ' .. value), 1, 12), 16)
end

-- Adds `value` to that of the same field of the sums, `sign` times; returns the digest of all.
local function add_to_sums(sums, digest, field, value, sign)
  if field == META_MODEL or field == META_FOUNDATION then return digest end
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
  if old then digest = (digest - sum_digest(field, old)) % DIGEST_MAX end
  if zero then
    call('HDEL', sums, field)
    return digest
  end
  new = table.concat(new, ' ')
  call('HSET', sums, field, new)
  return (digest + sum_digest(field, new)) % DIGEST_MAX
end

-- x: p, hour, name (the model's id), member (of the usage index), retention (ms); first, middle, last:
-- ARGV[first..middle] are fields and values of the usage hash, up to `last` those of the meta hash; overflow:
-- they are summed up with those of other models, their part is kept for `part_ttl` (ms) if it is no usage.
local function write_figures(x)
  local index = x.p .. KEY.USAGE
  local usage, meta = index .. ':', x.p .. KEY.USAGE_META
  local model_hour = x.hour .. ':' .. x.name
  local others = sub(x.member, 1, MEMBER_MODEL) .. MODEL_OTHERS_STORED
  local part, part_meta = x.p .. KEY.PART .. model_hour, x.p .. KEY.PART_META .. model_hour
  local has_usage = x.overflow and x.middle > x.first

  -- Sums last as long as the last of those that are in them: a part that is taken off may end before.
  local function update_index(m)
    if call('EXISTS', usage .. m, meta .. m) > 0 then
      local ttl = math.max(x.retention, call('PTTL', usage .. m), call('PTTL', meta .. m))
      call('PEXPIRE', usage .. m, ttl)
      call('PEXPIRE', meta .. m, ttl)
      call('ZADD', index, x.hour, m)
    else
      call('ZREM', index, m)
    end
  end

  -- Takes what `added` says off the sums, and adds ARGV[first..last] instead, if there is overflow.
  local function replace_part(sums, digest, added, first, last)
    local before = call('HGETALL', added)
    for i = 1, #before, 2 do digest = add_to_sums(sums, digest, before[i], before[i + 1], -1) end
    call('DEL', added)
    if not x.overflow then return digest end
    for i = first, last, 2 do digest = add_to_sums(sums, digest, ARGV[i], ARGV[i + 1], 1) end
    set_fields(added, ARGV, first, last)
    call('PEXPIRE', added, has_usage and x.retention or x.part_ttl)
    return digest
  end

  if x.overflow or call('EXISTS', part, part_meta) > 0 then
    local sums, sums_meta, listed = usage .. others, meta .. others, META_PART .. ' ' .. x.name
    local digest = tonumber(call('HGET', sums_meta, META_DIGEST) or '0', 16)
    digest = replace_part(sums, digest, part, x.first, x.middle)
    digest = replace_part(sums_meta, digest, part_meta, x.middle + 1, x.last)
    call('HSET', sums_meta, META_MODEL, MODEL_OTHERS_SHOWN, META_DIGEST, format('%016x', digest))
    if has_usage then
      call('HSET', sums_meta, listed, sub(x.member, MEMBER_MODEL + 1))
    else
      call('HDEL', sums_meta, listed)
    end
    if call('EXISTS', sums) == 0 and call('HLEN', sums_meta) == 2 then call('DEL', sums_meta) end
    update_index(others)
  end

  call('DEL', usage .. x.member, meta .. x.member)
  if not x.overflow then
    set_fields(usage .. x.member, ARGV, x.first, x.middle)
    set_fields(meta .. x.member, ARGV, x.middle + 1, x.last)
  end
  update_index(x.member)
end
