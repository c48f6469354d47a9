-- SPDX-License-Identifier: Apache-2.0
-- The short form of evidence (store/evidence.h), in which Redis keeps most calls of a bucket: they are of few
-- pairs of a model and a caller, so these have numbers. What has no short form is kept as it is, and the
-- length of a value tells. It is put before the scripts that read or write calls.
--
-- Should Redis lose the pairs of a bucket, and not its calls, nobody can read the model and the caller of
-- those in the short form. They stay counted as they are: what comes of such a call again is known already,
-- and changes nothing. No number is used again in that bucket, for it would give a call to another caller.

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
local PAIR = EVIDENCE_AT_TIME -- bytes
local LOST = string.rep('\0', PAIR) -- the pair of a number whose pair is lost
local lists = {}

local function has_short_form(calls)
  local at = '0'
  repeat
    local found = call('HSCAN', calls, at, 'COUNT', CHUNK)
    at = found[1]
    for i = 2, #found[2], 2 do
      if #found[2][i] < EVIDENCE_HEAD then return true end
    end
  until at == '0'
  return false
end

-- The text of a bucket that has none. One is written before the first call, so where there are calls it is
-- lost, or an earlier program wrote them. Of lost pairs all numbers are taken from now on.
local function begin_text(p, bucket, key, till)
  local calls, text = p .. KEY.CALLS .. bucket, ''
  if call('EXISTS', calls) == 1 then
    till = call('PEXPIRETIME', calls)
    if has_short_form(calls) then
      text = string.rep(LOST, EVIDENCE_PAIRS_MAX)
      call('HSET', p .. KEY.LOST_CALLS, bucket, call('HLEN', calls))
    end
  end
  call('SET', key, text, 'PXAT', math.max(till, 1)) -- calls that nobody lets expire are none of nowcast's
  return text
end

local function list_of(p, bucket, till)
  local key = p .. KEY.PAIRS .. bucket
  if not lists[key] then
    local text = call('GET', key) or begin_text(p, bucket, key, till)
    lists[key] = {key = key, text = text, n = #text / PAIR, added = {}, numbers = {}}
  end
  return lists[key]
end

-- Before calls are written. `till`: when the bucket is forgotten (ms).
function short.begin(p, bucket, till) list_of(p, bucket, till) end

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

-- The number of a pair, in bytes; it gets one if it has none. nil: all are taken.
function short.number_of(p, bucket, pair)
  local list = list_of(p, bucket)
  local number = find_pair(list, pair)
  if not number then
    number = list.n
    if number >= EVIDENCE_PAIRS_MAX then return nil end
    call('APPEND', list.key, pair)
    list.n, list.numbers[pair], list.added[number] = number + 1, number, pair
  end
  return to_bytes(number)
end

local function first_minute(bucket) return (bucket - 1) * BUCKET_HOURS * 60 end

-- The evidence of a pair and `text`, the short form without its number.
function short.expand(bucket, pair, text)
  local high, low = byte(text, 1, 2)
  local short_time = high * 256 + low
  local time = first_minute(bucket) + short_time
  if short_time >= EVIDENCE_SHORT_FROM then
    time = first_minute(bucket) * EVIDENCE_SIXTHS + short_time - EVIDENCE_SHORT_FROM
  end
  local out = {
    pair,
    uint32_bytes(time),
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

-- Of what Redis holds; nil: it is damaged. Of a number without a pair, the pair is LOST.
function short.full(p, bucket, value)
  if #value >= EVIDENCE_HEAD then return value end
  if #value < EVIDENCE_SHORT_HEAD then return nil end
  local high, low = byte(value, 1, EVIDENCE_NUMBER)
  local list, number = list_of(p, bucket), high * 256 + low
  local pair = list.added[number] or sub(list.text, number * PAIR + 1, (number + 1) * PAIR)
  return short.expand(bucket, #pair == PAIR and pair or LOST, sub(value, EVIDENCE_NUMBER + 1))
end

-- Whether the model and the caller of a call are lost. Telemetry that waits for its call never had any.
function short.is_lost(ev)
  return sub(ev, 1, PAIR) == LOST and byte(ev, EVIDENCE_AT_FLAGS + 1) >= 2 ^ EVIDENCE_SOURCE_SHIFT
end

-- The value to keep: the short form if there is one.
function short.shorten(p, bucket, ev)
  local number = (#ev - EVIDENCE_HEAD) % EVIDENCE_TOKENS == 0 and
    find_pair(list_of(p, bucket), sub(ev, 1, PAIR))
  local sixths = uint32(ev, EVIDENCE_AT_TIME + 1) - first_minute(bucket) * EVIDENCE_SIXTHS
  local time = EVIDENCE_SHORT_FROM + sixths
  if not number or sixths < 0 or time >= 65536 then return ev end
  local out = {to_bytes(number), to_bytes(time), sub(ev, EVIDENCE_AT_FLAGS + 1, EVIDENCE_HEAD)}
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
