-- SPDX-License-Identifier: Apache-2.0
-- The short form of evidence (store/evidence.h), in which Redis keeps most calls of a bucket: they are of few
-- pairs of a model and a caller, so these have numbers. What has no short form is kept as it is, and the
-- length of a value tells. It is put before the scripts that read or write calls.

local short = {} -- its functions
do -- what only these use

local SHORT = {
  [EVIDENCE_TRAIL] = 0, [EVIDENCE_LOG] = 1, [EVIDENCE_AMENDED] = 2, [EVIDENCE_TELEMETRY] = 3,
}
local RANKS = {}
for rank, number in pairs(SHORT) do RANKS[number] = rank end

-- The pairs of a bucket, one after the other in a text: the place of a pair is its number. Those that are
-- added are beside it, for Lua would hash a text that grows with each of them; and so are numbers that were
-- looked for, for records that are joined come in many of a pair.
local PAIR = EVIDENCE_AT_MINUTE -- bytes
local lists = {}
local function list_of(p, bucket)
  local key = p .. KEY_PAIRS .. bucket
  if not lists[key] then
    local text = call('GET', key) or ''
    lists[key] = {key = key, text = text, n = #text / PAIR, added = {}, numbers = {}}
  end
  return lists[key]
end

-- From 0 on; false: it has none.
local function find_pair(list, pair)
  local number = list.numbers[pair]
  if number == nil then
    local at = string.find(list.text, pair, 1, true)
    while at and at % PAIR ~= 1 do at = string.find(list.text, pair, at + 1, true) end
    number = at and (at - 1) / PAIR or false
    list.numbers[pair] = number
  end
  return number
end

local function to_bytes(number) return char(floor(number / 256), number % 256) end

-- The number of a pair, in bytes; it gets one if it has none. nil: all are taken. `till`: when the bucket is
-- forgotten (ms).
function short.number_of(p, bucket, pair, till)
  local list = list_of(p, bucket)
  local number = find_pair(list, pair)
  if not number then
    number = list.n
    if number >= EVIDENCE_PAIRS_MAX then return nil end
    call('APPEND', list.key, pair)
    if number == 0 then call('PEXPIREAT', list.key, till) end
    list.n, list.numbers[pair], list.added[number] = number + 1, number, pair
  end
  return to_bytes(number)
end

local function first_minute(bucket) return (bucket - 1) * BUCKET_HOURS * 60 end

-- The evidence of a pair and `text`, the short form without its number.
function short.expand(bucket, pair, text)
  local high, low = byte(text, 1, 2)
  local minute = first_minute(bucket) + high * 256 + low
  local out = {
    pair,
    char(floor(minute / 2 ^ 24), floor(minute / 2 ^ 16) % 256, floor(minute / 256) % 256, minute % 256),
    sub(text, 3, EVIDENCE_SHORT_HEAD - EVIDENCE_NUMBER),
  }
  local at = EVIDENCE_SHORT_HEAD - EVIDENCE_NUMBER + 1
  while at <= #text do
    local mark = byte(text, at)
    local n = mark % 4
    local kind, rank = floor(mark / 16), RANKS[floor(mark / 4) % 4]
    out[#out + 1] = char(kind * 16 + rank) .. string.rep('\0', 4 - n) .. sub(text, at + 1, at + n)
    at = at + 1 + n
  end
  return table.concat(out)
end

-- Of what Redis holds; nil: it is damaged.
function short.full(p, bucket, value)
  if #value >= EVIDENCE_HEAD then return value end
  if #value < EVIDENCE_SHORT_HEAD then return nil end
  local high, low = byte(value, 1, EVIDENCE_NUMBER)
  local list, number = list_of(p, bucket), high * 256 + low
  local pair = list.added[number] or sub(list.text, number * PAIR + 1, (number + 1) * PAIR)
  return #pair == PAIR and short.expand(bucket, pair, sub(value, EVIDENCE_NUMBER + 1)) or nil
end

-- The value to keep: the short form if there is one.
function short.shorten(p, bucket, ev)
  local number = (#ev - EVIDENCE_HEAD) % EVIDENCE_TOKENS == 0 and
    find_pair(list_of(p, bucket), sub(ev, 1, PAIR))
  local minute = uint32(ev, EVIDENCE_AT_MINUTE + 1) - first_minute(bucket)
  if not number or minute < 0 or minute >= 65536 then return ev end
  local out = {to_bytes(number), to_bytes(minute), sub(ev, EVIDENCE_AT_FLAGS + 1, EVIDENCE_HEAD)}
  for i = EVIDENCE_HEAD + 1, #ev, EVIDENCE_TOKENS do
    local rank = SHORT[byte(ev, i) % 16]
    local count = string.match(sub(ev, i + 1, i + EVIDENCE_TOKENS - 1), '^%z*(.*)$')
    if not rank or #count > 3 then return ev end
    out[#out + 1] = char(floor(byte(ev, i) / 16) * 16 + rank * 4 + #count) .. count
  end
  local value = table.concat(out)
  return #value < EVIDENCE_HEAD and value or ev
end

end
