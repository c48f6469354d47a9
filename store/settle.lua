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
local delay, retention, member = tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9]
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

write_figures({
  p = p, hour = hour, name = name, member = member, retention = retention,
  first = FIRST, middle = LAST_OF_USAGE, last = #ARGV,
  overflow = overflow, part_ttl = call('PTTL', cells(hour)),
})
return '1'
