-- SPDX-License-Identifier: Apache-2.0
-- Behind store/calls.lua: the sums that the worker made of calls are those counted here.
-- tests/unit/call_sums_test.c runs it in Redis.
--
-- ARGV    runs of calls (store/apply.lua), their sums (store/call_sums.h)
-- returns  what differs, or ""

local counted, given, unjoined, at = {}, {}, 0, 1
while at <= #ARGV[1] do
  local ev, n
  ev, n, at = struct.unpack('>Bc0H', ARGV[1], at)
  if is_unjoined(ev) then unjoined = unjoined + n end
  count_call(counted, ev, n)
end
local told = add_sums_of(given, ARGV[2])
if told ~= unjoined then return 'unjoined: ' .. told .. ', not ' .. unjoined end

local function hex(s) return (string.gsub(s, '.', function(c) return format('%02x', byte(c)) end)) end
local function text(d) return d and table.concat(d, ' ') or 'none' end
local function difference(from)
  for key in pairs(from) do
    if text(counted[key]) ~= text(given[key]) then
      return hex(key) .. ': counted ' .. text(counted[key]) .. ', given ' .. text(given[key])
    end
  end
end
return difference(counted) or difference(given) or ''
