-- SPDX-License-Identifier: Apache-2.0
-- Behind store/short_evidence.lua and store/calls.lua: the sums in all cells are those of the calls in Redis,
-- counted one by one. tests/unit/convergence_test.c runs it.
--
-- ARGV    prefix
-- returns  what differs, or ""

local function hex(s) return (string.gsub(s, '.', function(c) return format('%02x', byte(c)) end)) end

-- By key of cells and field, the calls of each account and Region, or shard.
local function count_calls()
  local sums = {}
  for _, key in ipairs(call('KEYS', ARGV[1] .. ':*:calls:*')) do
    local p, bucket = string.match(key, '^(.*):calls:(%d+)$')
    sums[p] = sums[p] or {}
    for _, value in ipairs(call('HVALS', key)) do
      count_call(sums[p], short.full(p, tonumber(bucket), value), 1)
    end
  end
  return sums
end

local function text_of(d)
  local text, last = d[1] .. ' ' .. d[2] .. ' ' .. d[3], SUMS
  while last > 3 and d[last] == 0 do last = last - 1 end
  for k = SIXTHS + 1, last do text = text .. ' ' .. d[k] end
  if last == 3 then text = text:gsub(" 0$", ""):gsub(" 0$", "") end
  return d[SIXTHS] > 0 and format('%d/', d[SIXTHS]) .. text or text
end

local want = {}
for p, sums in pairs(count_calls()) do
  for key, d in pairs(sums) do
    local minute = uint32(key, EVIDENCE_AT_TIME + 1) / EVIDENCE_SIXTHS
    local cells = p .. KEY.CELLS .. floor(minute / 60) .. ':' .. hex(sub(key, 1, EVIDENCE_AT_CALLER))
    local caller, class = sub(key, EVIDENCE_AT_CALLER + 1, EVIDENCE_AT_TIME), sub(key, EVIDENCE_AT_FLAGS + 1)
    want[cells .. ' ' .. char(minute % 60) .. caller .. class] = text_of(d)
  end
end
local of_calls = {[9] = true, [10] = true, [15] = true, [18] = true, [23] = true} -- store/cell_codec.h
for _, key in ipairs(call('KEYS', ARGV[1] .. ':*:cells:*')) do
  local held = call('HGETALL', key)
  for i = 1, #held, 2 do
    local name = key .. ' ' .. held[i]
    if of_calls[#held[i]] and held[i + 1] ~= want[name] then
      return key .. ' ' .. hex(held[i]) .. ': ' .. held[i + 1] .. ', not ' .. (want[name] or 'there')
    end
    want[name] = nil
  end
end
local missing = next(want)
return missing and missing .. ' is missing' or ''
