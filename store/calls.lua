-- SPDX-License-Identifier: Apache-2.0
-- Evidence of calls (store/evidence.h): joining what is known of one call, and the sums of many. Nothing
-- here looks at Redis; tests/lua/calls_test.lua runs it alone. It is put before store/apply.lua.

local AT_FLAGS, AT_TIMING = EVIDENCE_AT_FLAGS + 1, EVIDENCE_AT_FLAGS + 2 -- Lua counts from 1
local WHO, TIME = EVIDENCE_AT_TIME, EVIDENCE_AT_TIME + 1                 -- model and caller: bytes 1 to WHO
local MODEL = EVIDENCE_AT_CALLER                                         -- the model: bytes 1 to MODEL
local SOURCE, NAMED = 2 ^ EVIDENCE_SOURCE_SHIFT, 2 ^ EVIDENCE_NAMED_SHIFT
local TIER, TIER_RANK = 2 ^ EVIDENCE_TIER_SHIFT, 2 ^ EVIDENCE_TIER_RANK_SHIFT
local KIND, BAND = 2 ^ EVIDENCE_KIND_SHIFT, 2 ^ RATE_CLASS_BAND_SHIFT
local FIRST = EVIDENCE_HEAD + 1 -- byte of the tokens

-- The last byte of the tokens: metadata may follow them.
local function end_of_tokens(ev)
  local n = #ev
  return (n - EVIDENCE_HEAD) % EVIDENCE_TOKENS == 0 and n or n - EVIDENCE_META
end

-- Whether a value has the length and the kinds of tokens of evidence: what nowcast has written has.
local function is_evidence(ev)
  local last = end_of_tokens(ev)
  if last < EVIDENCE_HEAD or (last - EVIDENCE_HEAD) % EVIDENCE_TOKENS ~= 0 then return false end
  for i = FIRST, last, EVIDENCE_TOKENS do
    local kind = floor(byte(ev, i) / KIND)
    if kind >= TOKEN_KINDS and kind ~= EVIDENCE_SECOND then return false end
  end
  return true
end

-- Whether telemetry is all that has come of a call: such evidence waits, and counts nowhere.
local function is_unjoined(ev) return byte(ev, AT_FLAGS) < SOURCE end

local SIXTHS, SUMS, count_call, add_sums_of
do -- what only these use: a script has 200 locals at most

local is_prompt = {[TOKENS_INPUT] = true, [TOKENS_CACHE_READ] = true, [TOKENS_CACHE_WRITE] = true}

-- The tokens of the call that was read last, in the order of its evidence: their kinds, and how many.
local kinds, counts = {}, {}

-- Reads the tokens of a call, in one pass: much of what a call costs is here. Returns how many kinds there
-- are; whether any is of telemetry; the second of its record, as evidence has it, of a call of which no log
-- knows the tokens, and of which telemetry has not been joined by its request id, else ''; the tokens of its
-- prompt, as far as they are known, and of how many kinds.
local function read_tokens(ev, last)
  local n, told, second, closed, prompt, prompts = 0, false, '', false, 0, 0
  for i = FIRST, last, EVIDENCE_TOKENS do
    local mark, b3, b2, b1, b0 = byte(ev, i, i + 4)
    local rank = mark % KIND
    local kind = (mark - rank) / KIND
    if rank == EVIDENCE_TELEMETRY then told = true end
    if kind == EVIDENCE_SECOND then
      second = sub(ev, i, i + EVIDENCE_TOKENS - 1)
    else
      n = n + 1
      local count = ((b3 * 256 + b2) * 256 + b1) * 256 + b0
      kinds[n], counts[n] = kind, count
      if rank > EVIDENCE_TRAIL then closed = true end
      if is_prompt[kind] then prompt, prompts = prompt + count, prompts + 1 end
    end
  end
  return n, told, closed and '' or second, prompt, prompts
end

-- Whether any usage is known; a limit of the output is none.
local function has_tokens(n) return n > 0 and kinds[1] < TOKENS_OUTPUT_MAX end

-- The rate class of a call (estimator/rate_class.h) by its tier and by how long its prompt was, as far as its
-- tokens say.
local function rate_class_of(tier, n, prompt, complete)
  if not has_tokens(n) or (not complete and prompt <= RATE_CLASS_LIMITS[1]) then return tier end
  local band = 1
  while RATE_CLASS_LIMITS[band] and prompt > RATE_CLASS_LIMITS[band] do band = band + 1 end
  return tier + BAND * band + (complete and 0 or RATE_CLASS_AT_LEAST)
end

-- The sums of one minute, caller, rate class and metadata: calls, failed calls, calls of which only the
-- start is known, the sixths of the minute in which these began (from 1 on, 0: not known), then for each
-- token kind the calls whose tokens are exact, and those tokens; of the limits of the output only those of
-- calls whose output is not known.
local CALLS, FAILED, STARTED, EXACT = 1, 2, 3, 5
SIXTHS = 4
SUMS = SIXTHS + 2 * TOKEN_KINDS
local USED = SIXTHS + 2 * TOKENS_OUTPUT_MAX

local zeros = {}
for k = 1, SUMS do zeros[k] = 0 end

-- Model, caller and the first sixth of the minute of a call, as in evidence; and in which sixth it began,
-- from 1 on: 0 if that is not known.
local function minute_and_sixth(ev)
  local time = uint32(ev, TIME)
  if time < EVIDENCE_SIXTHS_FROM then return sub(ev, 1, WHO) .. uint32_bytes(time * EVIDENCE_SIXTHS), 0 end
  local after = time % EVIDENCE_SIXTHS
  if after == 0 then return sub(ev, 1, EVIDENCE_AT_FLAGS), 1 end
  return sub(ev, 1, WHO) .. uint32_bytes(time - after), after + 1
end

-- Adds the call that was read last, of `n` kinds of tokens, `times` times; a negative number takes it off. A
-- failed call that has tokens used no others.
local function add_call(d, n, times, failed, sixth)
  if failed and not has_tokens(n) then
    d[FAILED] = d[FAILED] + times
    return
  end
  d[CALLS] = d[CALLS] + times
  if sixth then
    d[STARTED] = d[STARTED] + times
    d[SIXTHS] = d[SIXTHS] + times * sixth
  end
  if failed then
    for k = EXACT, USED, 2 do d[k] = d[k] + times end
  end
  local ended = failed
  for i = 1, n do
    local kind = kinds[i]
    local k = EXACT + 2 * kind
    ended = ended or kind == TOKENS_OUTPUT
    if kind < TOKENS_OUTPUT_MAX or (kind == TOKENS_OUTPUT_MAX and not ended) then
      if not failed then d[k] = d[k] + times end
      d[k + 1] = d[k + 1] + times * counts[i]
    end
  end
end

-- Adds a call to the sums of its key: model and caller as in its evidence, the first sixth of its minute,
-- then the rate class, unless that is 0, and the id of its metadata, with the rate class before it, if it
-- has some, and then the second of its record, likewise. Calls with tokens of telemetry are apart from the
-- others.
function count_call(sums, ev, times)
  local flags, timing = byte(ev, AT_FLAGS, AT_TIMING)
  if flags < SOURCE then return end -- is_unjoined
  local failed = flags % (2 * EVIDENCE_FAILED) >= EVIDENCE_FAILED
  local key, sixth = minute_and_sixth(ev)
  local n = 0
  if timing >= TIER or #ev > EVIDENCE_HEAD then
    local last, told, second, prompt, prompts = end_of_tokens(ev)
    n, told, second, prompt, prompts = read_tokens(ev, last)
    local tier = floor(timing / TIER) % (TIER_RANK / TIER)
    local class = rate_class_of(tier, n, prompt, prompts == 3 or failed) + (told and CELL_TELEMETRY or 0)
    if failed then second = '' end
    if last < #ev or second ~= '' then
      key = key .. char(class) .. sub(ev, last + 2) .. second
    elseif class ~= 0 then
      key = key .. char(class)
    end
  end
  local d = sums[key]
  if not d then
    d = {unpack(zeros)}
    sums[key] = d
  end
  add_call(d, n, times, failed, timing % TIER == EVIDENCE_TIMING_START and sixth)
end

-- Adds the sums that a worker made of calls of which none is known here (store/call_sums.h). Returns how many
-- pieces of evidence are unjoined.
function add_sums_of(sums, text)
  local unjoined, at = struct.unpack('>H', text)
  while at <= #text do
    local key, width
    key, width, at = struct.unpack('>Bc0B', text, at)
    local more, d = {struct.unpack('>' .. string.rep('I6', width), text, at)}, sums[key]
    at = more[width + 1]
    if not d then
      d = {unpack(zeros)}
      sums[key] = d
    end
    for k = 1, width do d[k] = d[k] + more[k] end
  end
  return unjoined
end

end

local join_evidence
do -- what only it uses

-- The tokens by kind, and the metadata: '' if there is none.
local function tokens_of(ev)
  local t, last = {}, end_of_tokens(ev)
  for i = FIRST, last, EVIDENCE_TOKENS do
    t[floor(byte(ev, i) / KIND)] = sub(ev, i, i + EVIDENCE_TOKENS - 1)
  end
  return t, sub(ev, last + 1)
end

-- Which of two parts wins: the larger mark, of equal marks the larger bytes.
local function better(mark_a, a, mark_b, b)
  if mark_b > mark_a or (mark_b == mark_a and less(a, b)) then return b end
  return a
end

-- The same of parts that are ids of names: of equal marks that of the larger name, as `less_id` says.
local function better_id(mark_a, a, mark_b, b, less_id)
  if mark_b > mark_a or (mark_b == mark_a and a ~= b and less_id(a, b)) then return b end
  return a
end

-- The same of metadata, a rank and an id; '' is none.
local function better_meta(a, b, less_id)
  if a == '' or b == '' then return a == '' and b or a end
  return char(math.max(byte(a), byte(b))) .. better_id(byte(a), sub(a, 2), byte(b), sub(b, 2), less_id)
end

-- How much a rank of tokens is worth, and how well a minute is known: telemetry is better than the first of
-- each, and than no other.
local function worth_of(rank) return rank == EVIDENCE_TELEMETRY and EVIDENCE_TRAIL + 0.5 or rank end
local function timing_worth(well)
  return well == EVIDENCE_TIMING_TELEMETRY and EVIDENCE_TIMING_START + 0.5 or well
end

-- Which of two values of a token kind counts; either may be missing.
local function better_tokens(x, y)
  if not (x and y) then return x or y end
  return better(worth_of(byte(x) % KIND), x, worth_of(byte(y) % KIND), y)
end

-- The weight of the model's name, and the flags without it.
local function name_of_model(flags)
  local source = floor(flags / SOURCE)
  local named = floor(flags / NAMED) % (SOURCE / NAMED)
  return named >= EVIDENCE_NAMED and named - EVIDENCE_NAMED or source, source * SOURCE + flags % NAMED
end

local function flags_with(weight, flags)
  if weight == floor(flags / SOURCE) then return flags end
  return flags + NAMED * (EVIDENCE_NAMED + weight)
end

-- All that two pieces of evidence of one call say. `less_id` says which of two ids has the smaller name: an
-- id is made of its name with a key of this Redis alone, and what stays must not depend on that.
function join_evidence(a, b, less_id)
  local flags_a, timing_a = byte(a, AT_FLAGS, AT_TIMING)
  local flags_b, timing_b = byte(b, AT_FLAGS, AT_TIMING)
  local well_a, well_b = timing_a % TIER, timing_b % TIER
  local worth_a, worth_b = timing_worth(well_a), timing_worth(well_b)
  local well = worth_a < worth_b and well_b or well_a
  local tokens_a, meta_a = tokens_of(a)
  local tokens_b, meta_b = tokens_of(b)
  local weight_a, weight_b
  weight_a, flags_a = name_of_model(flags_a)
  weight_b, flags_b = name_of_model(flags_b)
  local out = {
    better_id(weight_a, sub(a, 1, MODEL), weight_b, sub(b, 1, MODEL), less_id),
    better_id(flags_a, sub(a, MODEL + 1, WHO), flags_b, sub(b, MODEL + 1, WHO), less_id),
    better(worth_a, sub(a, TIME, EVIDENCE_AT_FLAGS), worth_b, sub(b, TIME, EVIDENCE_AT_FLAGS)),
    char(flags_with(math.max(weight_a, weight_b), math.max(flags_a, flags_b))),
    char(well + math.max(timing_a - well_a, timing_b - well_b)),
  }
  for kind = 0, TOKEN_KINDS - 1 do
    out[#out + 1] = better_tokens(tokens_a[kind], tokens_b[kind])
  end
  out[#out + 1] = better_tokens(tokens_a[EVIDENCE_SECOND], tokens_b[EVIDENCE_SECOND])
  out[#out + 1] = better_meta(meta_a, meta_b, less_id)
  return table.concat(out)
end

end
