-- SPDX-License-Identifier: Apache-2.0
-- Replaces what the bill says about one model, or about all of them together, and has its hours computed
-- again if that has changed.
--
-- KEYS[1] the start of all keys of the account and Region
-- ARGV    model's hex name or BILLED_MEANS_ALL, delay (ms), time to live (ms), then fields and values,
--         sorted by field
-- returns 1 changed, 0 it was the same

local p, name = KEYS[1], ARGV[1]
local key = p .. KEY.BILLED_MEANS .. name
local FIRST = 4 -- argument that is a field

local function is_same()
  if call('HLEN', key) * 2 ~= #ARGV - FIRST + 1 then return false end
  for i = FIRST, #ARGV, 2 do
    if call('HGET', key, ARGV[i]) ~= ARGV[i + 1] then return false end
  end
  return true
end

if is_same() then
  call('PEXPIRE', key, ARGV[3])
  return '0'
end
call('DEL', key)
set_fields(key, ARGV, FIRST)
call('PEXPIRE', key, ARGV[3])

local soon = now_ms() + tonumber(ARGV[2])
for _, bucket in ipairs(call('ZRANGE', p .. KEY.OPEN, 0, -1)) do
  for _, model_hour in ipairs(call('SMEMBERS', p .. KEY.MODEL_HOURS .. bucket)) do
    local concerned = name == BILLED_MEANS_ALL or sub(model_hour, -#name) == name
    if concerned then touch_cells(p, model_hour, 'v', soon) end
  end
end
return '1'
