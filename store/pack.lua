-- SPDX-License-Identifier: Apache-2.0
-- The calls of a closed bucket, packed: a list of texts of up to CHUNK calls each, in a fraction of the
-- memory of the hash. A call is in the one or the other, so packing may stop at any call. It is put before
-- store/claim.lua, which packs (and has store/short_evidence.lua), and store/unpack.lua.
--
--     of each model and caller that occur: their ids, as evidence begins; 2 bytes: how many rests follow
--     of each rest: 1 byte: its length; the rest of the evidence; 1 byte: how many ids follow; ids of calls

local IDS_MAX = 255

local function uint16(n) return char(floor(n / 256), n % 256) end

-- Ids and evidence, by what they have in common: list[i], list[i + 1], ...
local function pack_text(list)
  local rests, ids_of = {}, {}
  for i = 1, #list, 2 do
    local ev = list[i + 1]
    local ids = ids_of[ev]
    if not ids or #ids == IDS_MAX then
      local who = sub(ev, 1, EVIDENCE_AT_TIME)
      ids = {}
      ids_of[ev] = ids
      rests[who] = rests[who] or {}
      table.insert(rests[who], {sub(ev, EVIDENCE_AT_TIME + 1), ids})
    end
    ids[#ids + 1] = list[i]
  end
  local out = {}
  for who, of_who in pairs(rests) do
    out[#out + 1] = who .. uint16(#of_who)
    for _, rest in ipairs(of_who) do
      out[#out + 1] = char(#rest[1]) .. rest[1] .. char(#rest[2]) .. table.concat(rest[2])
    end
  end
  return table.concat(out)
end

-- The reverse. What no nowcast has written ends it early.
local function unpack_text(text)
  local list, at = {}, 1
  local function take(n)
    at = at + n
    return sub(text, at - n, at - 1)
  end
  while at + EVIDENCE_AT_TIME + 2 <= #text do
    local who = take(EVIDENCE_AT_TIME)
    local high, low = byte(take(2), 1, 2)
    for _ = 1, high * 256 + low do
      local rest = take(byte(text, at) and byte(take(1)) or 0)
      for _ = 1, byte(text, at) and byte(take(1)) or 0 do
        local id = take(EVIDENCE_ID)
        if #id < EVIDENCE_ID then return list end
        list[#list + 1] = id
        list[#list + 1] = who .. rest
      end
    end
  end
  return list
end

-- Packs some calls of a bucket, unless it is forgotten; returns how many.
local function pack_calls(p, bucket)
  local calls, packed = p .. KEY.CALLS .. bucket, p .. KEY.PACKED .. bucket
  local till = call('ZSCORE', p .. KEY.REOPEN, bucket)
  if not till then return 0 end
  local list, good, ids = call('HRANDFIELD', calls, CHUNK, 'WITHVALUES'), {}, {}
  for i = 1, #list, 2 do
    ids[#ids + 1] = list[i]
    local ev = short.full(p, bucket, list[i + 1])
    if #list[i] == EVIDENCE_ID and ev and #ev < 256 then
      good[#good + 1] = list[i]
      good[#good + 1] = ev
    end
  end
  if #good > 0 then
    call('RPUSH', packed, pack_text(good))
    call('PEXPIREAT', packed, till)
  end
  if #ids > 0 then call('HDEL', calls, unpack(ids)) end
  if call('EXISTS', calls) == 0 then call('DEL', p .. KEY.PAIRS .. bucket) end
  return #ids
end
