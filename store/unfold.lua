-- SPDX-License-Identifier: Apache-2.0
-- Gives a model figures of its own that has a price now: what it added to the sums of `(other models)` is
-- taken off them.
--
-- KEYS[1] the start of all keys of the account and Region
-- ARGV    hour, model's hex name, member of the usage index, digest of what it added, as it was read (SHA-1
--         of the fields and values of the meta hash and of the usage hash, each followed by a line feed), the
--         number of arguments of the usage hash, then its fields and values, then those of the meta hash
-- returns  1 done, 0 it has changed meanwhile

local p, hour, name = KEYS[1], tonumber(ARGV[1]), ARGV[2]
local model_hour = hour .. ':' .. name
local part, part_meta = p .. KEY.PART .. model_hour, p .. KEY.PART_META .. model_hour
local FIRST = 6 -- argument that is a field

local texts = {}
for _, hash in ipairs({part_meta, part}) do
  for _, text in ipairs(call('HGETALL', hash)) do texts[#texts + 1] = text end
end
texts[#texts + 1] = ''
if redis.sha1hex(table.concat(texts, '\n')) ~= ARGV[4] then return '0' end
write_figures({
  p = p, hour = hour, name = name, member = ARGV[3], retention = call('PTTL', part),
  first = FIRST, middle = FIRST + tonumber(ARGV[5]) - 1, last = #ARGV,
})
return '1'
