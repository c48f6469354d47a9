-- SPDX-License-Identifier: Apache-2.0
-- Writes the figures of one hour of one model. If the facts or statistics that they were computed from have
-- changed meanwhile, it stays due, but is written as well: on a busy system the facts of the present hour
-- change faster than it is computed, and figures of a moment ago are better than those before. A process that
-- was slow writes nothing then, for another may have computed newer facts since.
--
-- KEYS[1] the start of all keys of the account and Region
-- ARGV    hour, model's hex name, versions of the hour before, the hour, and the hour after ("" where
--         there is none), version of the statistics ("" if there never was one), delay (ms), retention
--         (ms), member of the usage index, "1": the figures are to be summed up with those of other models,
--         "1": the facts were read within the lease, the number of arguments of the usage hash, then its
--         fields and values, then those of the meta hash
-- returns  1 written of the facts as they are, 0 the facts had changed

local p = KEYS[1]
local hour, name, stats = tonumber(ARGV[1]), ARGV[2], ARGV[6]
local delay, retention, member = tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9]
local overflow = ARGV[10] == '1'
local recent = ARGV[11] == '1'
local FIRST = 13 -- argument that is a field
local LAST_OF_USAGE = FIRST + tonumber(ARGV[12]) - 1

local function model_hour(h) return h .. ':' .. name end
local function cells(h) return p .. KEY.CELLS .. model_hour(h) end

local function is_current()
  if (call('HGET', cells(hour), 'w') or '') ~= stats then return false end
  for i = -1, 1 do
    if (call('HGET', cells(hour + i), 'v') or '') ~= ARGV[4 + i] then return false end
  end
  return true
end

local current = is_current()
if current then
  call('ZREM', p .. KEY.DUE, model_hour(hour))
else
  mark_due(p, model_hour(hour), now_ms() + delay)
  if not recent or call('EXISTS', cells(hour)) == 0 then return '0' end
end
local result = current and '1' or '0'
if ARGV[4] == '' then return result end -- its facts have expired since: the figures computed from them stay

write_figures({
  p = p, hour = hour, name = name, member = member, retention = retention,
  first = FIRST, middle = LAST_OF_USAGE, last = #ARGV,
  overflow = overflow, part_ttl = call('PTTL', cells(hour)),
})
return result
