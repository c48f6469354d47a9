-- SPDX-License-Identifier: Apache-2.0
-- Stores the statistics of one hour of one model, if the facts they were computed from are still the same.
-- Changed statistics make the hours that use them due, the hour itself included, and change the version
-- "w" of what those use.
--
-- KEYS[1] the start of all keys of the account and Region
-- ARGV    hour, model's hex name, versions of the hour before, the hour, and the hour after ("" where
--         there is none), statistics ("": none), hours that use them, keep (ms), delay (ms)
-- returns  1 they are stored, 0 the facts had changed

local p = KEYS[1]
local hour, name, stats = tonumber(ARGV[1]), ARGV[2], ARGV[6]

local function model_hour(h) return h .. ':' .. name end

for i = -1, 1 do
  if (call('HGET', p .. KEY.CELLS .. model_hour(hour + i), 'v') or '') ~= ARGV[4 + i] then return '0' end
end
if ARGV[4] == '' then return '0' end -- its facts have expired since: its last statistics stay

local key = p .. KEY.HOUR_STATS .. model_hour(hour)
if (call('GET', key) or '') == stats then return '1' end
if stats == '' then call('DEL', key) else call('SET', key, stats, 'PX', ARGV[8]) end
local soon = now_ms() + tonumber(ARGV[9])
for h = hour, hour + tonumber(ARGV[7]) do touch_cells(p, model_hour(h), 'w', soon) end
return '1'
