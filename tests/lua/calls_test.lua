-- SPDX-License-Identifier: Apache-2.0
-- store/calls.lua and store/short_evidence.lua: what is known of a call does not depend on the order in which
-- records come, sums follow the calls exactly, and the short form says the same. tests/e2e/lua.sh puts the
-- prelude and the scripts before this, and runs it in a plain Lua or in Redis. Returns TAP lines.

local lines, count = {}, 0
local function result(good, name, note)
  count = count + 1
  lines[#lines + 1] = (good and 'ok ' or 'not ok ') .. count .. ' - ' .. name
  if not good and note then lines[#lines + 1] = '# ' .. note end
end
local function is(name, got, want)
  result(got == want, name, 'got ' .. tostring(got) .. ', want ' .. tostring(want))
end

-- ---- evidence, made by hand and by chance ----

local function be32(n)
  return char(floor(n / 2 ^ 24) % 256, floor(n / 2 ^ 16) % 256, floor(n / 2 ^ 8) % 256, n % 256)
end

local function evidence(x) -- who (16 bytes), time, flags, timing, tokens {kind = {rank, count}}
  local who = x.who or string.rep('m', 8) .. string.rep('c', 8)
  local out = {who, be32(x.time or 0), char(x.flags or 0), char(x.timing or 0)}
  for kind = 0, EVIDENCE_SECOND do
    local t = x.tokens and x.tokens[kind]
    if t then out[#out + 1] = char(kind * KIND + t[1]) .. be32(t[2]) end
  end
  return table.concat(out)
end

local seed = 1
local function random(n) -- 0 to n - 1
  seed = (seed * 16807) % 2147483647
  return seed % n
end

local function random_evidence()
  local tokens = {}
  for kind = 0, TOKEN_KINDS - 1 do
    local rank = random(4) == 0 and EVIDENCE_TELEMETRY or 1 + random(3)
    if random(2) == 1 then tokens[kind] = {rank, random(4)} end
  end
  if random(3) == 0 then tokens[EVIDENCE_SECOND] = {1 + random(2), random(4)} end
  local who = string.rep(char(random(3)), 8) .. string.rep(char(random(3)), 8)
  local timing = random(4) * TIER_RANK + random(4) * TIER + random(6)
  local flags = (3 + random(4)) * 16 + random(2) -- of a call's own record
  if random(3) == 0 then flags = flags + NAMED * (EVIDENCE_NAMED + random(2)) end
  if random(3) == 0 then flags = (1 + random(2)) * 16 + random(2) end
  if random(4) == 0 then flags = 0 end -- telemetry
  local time = random(3) + random(2) * EVIDENCE_SIXTHS_FROM
  return evidence {who = who, time = time, flags = flags, timing = timing, tokens = tokens}
end

-- ---- the prelude ----

is('four bytes are a number', uint32('x' .. char(1, 2, 3, 4), 2), 16909060)
is('the highest is no negative one', uint32(char(255, 255, 255, 255), 1), 4294967295)
result(less('a', 'b') and less('a', 'ab') and less('', 'a') and less('a', '\200'),
       'less compares bytes, shorter first')
result(not (less('b', 'a') or less('a', 'a') or less('ab', 'a')), 'and not the other way')

-- ---- joining ----

-- Names are in the opposite order of their ids here.
local function less_name(a, b) return less(b, a) end
local function join(a, b) return join_evidence(a, b, less_name) end

local commutes, associates, idles = true, true, true
for _ = 1, 2000 do
  local a, b, c = random_evidence(), random_evidence(), random_evidence()
  commutes = commutes and join(a, b) == join(b, a)
  associates = associates and join(join(a, b), c) == join(a, join(b, c))
  idles = idles and join(a, a) == a and join(join(a, b), b) == join(a, b)
end
result(commutes, 'joining is commutative')
result(associates, 'and associative')
result(idles, 'and idempotent')
is('each part is taken from the evidence that knows it better',
   join(evidence {time = 7, flags = 16, timing = 1, tokens = {[0] = {1, 5}}},
                 evidence {time = 9, flags = 0, timing = 3, tokens = {[0] = {2, 4}, [1] = {1, 8}}}),
   evidence {time = 9, flags = 16, timing = 3, tokens = {[0] = {2, 4}, [1] = {1, 8}}})

local function named(model, flags)
  return evidence {who = string.rep(model, 8) .. string.rep('c', 8), flags = flags}
end
is('of two models that are as well known that of the larger name stays', join(named('p', 16), named('m', 16)),
   named('m', 16))
local function asked_by(caller, meta)
  local who = string.rep('m', 8) .. string.rep(caller, 8)
  return evidence {who = who, flags = 16} .. char(1) .. string.rep(meta, 8)
end
is('so it is with callers and metadata', join(asked_by('d', 'x'), asked_by('c', 'y')), asked_by('c', 'x'))
local API, LOG, COMPLETION = 5 * SOURCE, 2 * SOURCE, 1 * SOURCE
local ROUTER = NAMED * EVIDENCE_NAMED
is('the log names what a router chose', join(named('r', API + ROUTER), named('m', LOG)),
   named('m', API + NAMED * (EVIDENCE_NAMED + 2)))
is('else the end of the stream', join(named('m', COMPLETION), named('r', API + ROUTER)),
   named('m', API + NAMED * (EVIDENCE_NAMED + 1)))
is('a log that names the router too says nothing',
   join(named('r', API + ROUTER), named('r', LOG + ROUTER)), named('r', API + ROUTER))
is('the name of a call that names its model stays', join(named('p', API), named('m', COMPLETION)),
   named('p', API))
is('what earlier programs marked as a stream too',
   join(named('p', API + NAMED), named('m', COMPLETION)), named('p', API))

local function told(tokens, time) -- by telemetry
  return evidence {
    who = string.rep('\0', 16), time = time, timing = EVIDENCE_TIMING_TELEMETRY, tokens = tokens}
end
local function of_call(flags, timing, rank)
  return evidence {time = 7, flags = flags, timing = timing, tokens = {[0] = {rank, 5}}}
end
local TOLD, AT_END = EVIDENCE_TELEMETRY, EVIDENCE_TIMING_TELEMETRY
is('telemetry knows tokens better than CloudTrail, and when a stream ended',
   join(of_call(API, EVIDENCE_TIMING_START, EVIDENCE_TRAIL), told({[0] = {TOLD, 4}}, 8)),
   evidence {time = 8, flags = API, timing = AT_END, tokens = {[0] = {TOLD, 4}}})
is('but no call that CloudTrail saw end',
   join(told({[1] = {TOLD, 4}}, 8), of_call(API, 3, EVIDENCE_TRAIL)),
   evidence {time = 7, flags = API, timing = 3, tokens = {[0] = {EVIDENCE_TRAIL, 5}, [1] = {TOLD, 4}}})
is('and nothing better than a log',
   join(told({[0] = {TOLD, 4000}}, 8), of_call(LOG, 2, EVIDENCE_TRAIL + 1)),
   of_call(LOG, 2, EVIDENCE_TRAIL + 1))

-- ---- rate classes ----

local INPUT, READ, WRITE = TOKENS_INPUT, TOKENS_CACHE_READ, TOKENS_CACHE_WRITE
local function class_of(timing, tokens, failed)
  local sums, flags = {}, 5 * SOURCE + (failed and EVIDENCE_FAILED or 0)
  count_call(sums, evidence {flags = flags, timing = timing, tokens = tokens}, 1)
  local key = next(sums)
  return #key > EVIDENCE_AT_FLAGS and byte(key, EVIDENCE_AT_FLAGS + 1) or 0
end
local LIMIT = RATE_CLASS_LIMITS[1]
is('of nothing known', class_of(0), 0)
is('the tier is kept', class_of(2 * TIER), 2)
local function class_of_prompt(input, read)
  return class_of(0, {[INPUT] = {1, input}, [READ] = {1, read}, [WRITE] = {1, 0}})
end
is('a whole prompt up to the first limit', class_of_prompt(LIMIT, 0), BAND)
is('a whole prompt above it', class_of_prompt(LIMIT, 1), 2 * BAND)
is('part of a prompt up to it says nothing', class_of(0, {[INPUT] = {1, LIMIT}}), 0)
is('part of a prompt above it is at least that', class_of(0, {[INPUT] = {1, LIMIT + 1}}),
   2 * BAND + RATE_CLASS_AT_LEAST)
is('a failed call used no more than is known', class_of(0, {[INPUT] = {1, 5}}, true), BAND)
is('above all limits', class_of(0, {[INPUT] = {1, 4000000}}),
   (#RATE_CLASS_LIMITS + 1) * BAND + RATE_CLASS_AT_LEAST)
is('output is no prompt', class_of(0, {[1] = {1, 4000000}}), 0)

-- ---- sums ----

local function text(sums)
  local out = {}
  for key, d in pairs(sums) do out[#out + 1] = #key .. ':' .. table.concat(d, ' ') end
  table.sort(out)
  return table.concat(out, '; ')
end
local function sums_of(x, times) -- of a call with a record of its own
  local sums = {}
  x.flags = API + (x.flags or 0)
  count_call(sums, evidence(x), times or 1)
  return text(sums)
end
is('a call of which only the start is known', sums_of {timing = EVIDENCE_TIMING_START},
   '20:1 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0')
local MINUTE = 30000000 * EVIDENCE_SIXTHS
is('and when', sums_of({timing = EVIDENCE_TIMING_START, time = MINUTE + 4}, 2),
   '20:2 0 2 10 0 0 0 0 0 0 0 0 0 0 0 0 0 0')
local minutes = {}
for _, x in ipairs {MINUTE, MINUTE + 5, MINUTE / EVIDENCE_SIXTHS} do
  count_call(minutes, evidence {flags = API, time = x}, 1)
end
is('of one minute there is one sum, of whichever program the evidence is', text(minutes),
   '20:3 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0')
is('three calls with output', sums_of({timing = 3, tokens = {[1] = {1, 7}}}, 3),
   '20:3 0 0 0 0 0 3 21 0 0 0 0 0 0 0 0 0 0')
is('a failed call', sums_of {flags = EVIDENCE_FAILED}, '20:0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0')
is('a failed call with tokens has no others', sums_of {flags = EVIDENCE_FAILED, tokens = {[1] = {1, 7}}},
   '21:1 0 0 0 1 0 1 7 1 0 1 0 1 0 1 0 0 0')
local function limited(x)
  x.tokens = x.tokens or {}
  x.tokens[TOKENS_OUTPUT_MAX] = {1, 400}
  return sums_of(x)
end
is('a limit of the output, while that is not known', limited {},
   '20:1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 400')
is('is none of the tokens, and no limit once they are', limited {tokens = {[TOKENS_OUTPUT] = {1, 7}}},
   '20:1 0 0 0 0 0 1 7 0 0 0 0 0 0 0 0 0 0')
is('a failed call used nothing up to its limit', limited {flags = EVIDENCE_FAILED},
   '20:0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0')

is('tokens of telemetry are apart from others',
   sums_of {timing = 3, tokens = {[1] = {EVIDENCE_TELEMETRY, 7}}}, '21:1 0 0 0 0 0 1 7 0 0 0 0 0 0 0 0 0 0')
local SECOND = {[EVIDENCE_SECOND] = {1, 9}}
is('calls with the second of their record are apart', sums_of {tokens = SECOND},
   '26:1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0')
is('unless a log knows their tokens',
   sums_of {timing = 3, tokens = {[1] = {2, 7}, [EVIDENCE_SECOND] = {1, 9}}},
   '20:1 0 0 0 0 0 1 7 0 0 0 0 0 0 0 0 0 0')
result(is_evidence(evidence {tokens = SECOND}), 'it is evidence')
local unjoined = {}
count_call(unjoined, told({[1] = {EVIDENCE_TELEMETRY, 7}}, 1), 1)
is('telemetry alone is no call', text(unjoined), '')

local left = {}
for _ = 1, 500 do
  local a, b = random_evidence(), random_evidence()
  local joined, times = join(a, b), 1 + random(3)
  count_call(left, a, times)
  count_call(left, a, -times)
  count_call(left, joined, times)
  count_call(left, joined, -times)
end
local zero = true
for _, d in pairs(left) do
  for k = 1, SUMS do zero = zero and d[k] == 0 end
end
result(zero, 'what is added and taken off leaves nothing')

-- ---- the short form ----

local strings, scanned, noted = {}, {}, nil -- what Redis has
function call(command, key, value)
  if command == 'GET' then return strings[key] or false end
  if command == 'SET' then strings[key] = value end
  if command == 'EXISTS' then return #scanned > 0 and 1 or 0 end
  if command == 'PEXPIRETIME' then return 1 end
  if command == 'HSCAN' then return {'0', scanned} end
  if command == 'HLEN' then return #scanned / 2 end
  if command == 'HSET' then noted = value end
  if command == 'APPEND' then strings[key] = (strings[key] or '') .. value end
end
local BUCKET = 80000
local first = (BUCKET - 1) * BUCKET_HOURS * 60 * EVIDENCE_SIXTHS
local mc, cm = string.rep('m', 8) .. string.rep('c', 8), string.rep('c', 8) .. string.rep('m', 8)
short.begin('p', BUCKET, 1)
local number = short.number_of('p', BUCKET, mc)
is('the first pair has the number 0', number, char(0, 0))
is('the next one 1', short.number_of('p', BUCKET, cm), char(0, 1))
is('a pair keeps its number', short.number_of('p', BUCKET, mc), number)
is('a pair that is found in the middle of others is none of them',
   short.shorten('p', BUCKET, evidence {who = string.rep('c', 16), time = first}),
   evidence {who = string.rep('c', 16), time = first})

local function round_trip(ev)
  local value = short.shorten('p', BUCKET, ev)
  return short.full('p', BUCKET, value) == ev, #value
end
local back, lengths = 0, {}
for _ = 1, 2000 do
  local tokens = {}
  for kind = 0, TOKEN_KINDS - 1 do
    if random(4) == 0 then
      local rank = ({EVIDENCE_TRAIL, EVIDENCE_LOG, EVIDENCE_AMENDED, EVIDENCE_TELEMETRY})[1 + random(4)]
      tokens[kind] = {rank, random(2) * random(2 ^ (1 + random(30)))}
    end
  end
  if random(9) == 0 then tokens[EVIDENCE_SECOND] = {1, 1790000000 + random(9)} end
  local ev = evidence {
    who = random(9) > 0 and (random(2) == 0 and mc or cm) or nil,
    time = first + random(70000) - 2000, flags = random(256), timing = random(256), tokens = tokens,
  }
  if random(9) == 0 then ev = ev .. string.rep('x', EVIDENCE_META) end
  local same, length = round_trip(ev)
  if same then back = back + 1 end
  lengths[length < EVIDENCE_HEAD] = (lengths[length < EVIDENCE_HEAD] or 0) + 1
end
is('evidence is the same after it was shortened', back, 2000)
is('earlier programs have minutes in the short form',
   short.full('p', BUCKET, char(0, 1, 1, 144, 64, 3)),
   evidence {who = cm, time = first / EVIDENCE_SIXTHS + 400, flags = 64, timing = 3})
is('and in the whole one', select(2, round_trip(evidence {who = cm, time = first / EVIDENCE_SIXTHS})),
   EVIDENCE_HEAD)
result((lengths[true] or 0) > 500 and (lengths[false] or 0) > 500, 'some has a short form, and some has none')
is('two kinds of tokens below 65,536 take 6 bytes',
   select(2, round_trip(evidence {who = cm, time = first + 400, flags = 3, timing = 3,
                                  tokens = {[0] = {1, 65535}, [1] = {1, 0}, [2] = {1, 256}}})), 6 + 3 + 1 + 3)
local value = short.shorten('p', BUCKET, evidence {who = mc, time = first, flags = 64})
result(short.is_lost(short.full('p', BUCKET, char(9, 9) .. sub(value, 3))),
       'a number that is free has lost its pair')
result(not short.is_lost(short.full('p', BUCKET, value)), 'one that is taken has not')
is('what is too short is damaged', short.full('p', BUCKET, 'junk'), nil)
for n = 2, EVIDENCE_PAIRS_MAX - 1 do short.number_of('p', BUCKET, format('%016d', n)) end
is('the last number', short.number_of('p', BUCKET, format('%016d', EVIDENCE_PAIRS_MAX - 1)),
   char(floor((EVIDENCE_PAIRS_MAX - 1) / 256), (EVIDENCE_PAIRS_MAX - 1) % 256))
is('then all are taken', short.number_of('p', BUCKET, string.rep('z', 16)), nil)

-- Other buckets: their calls are there, and their pairs are not.
scanned = {'id', evidence {who = mc}}
is('where an earlier program wrote no short form, the first pair has the number 0',
   short.number_of('p', BUCKET + 1, mc), char(0, 0))
is('nothing is lost there', noted, nil)
scanned = {'id', evidence {who = mc}, 'jd', value}
result(short.is_lost(short.full('p', BUCKET + 2, value)), 'of a lost text every pair is lost')
is('no number is used again', short.number_of('p', BUCKET + 2, mc), nil)
is('and it is noted of which bucket', noted, BUCKET + 2)
result(not short.is_lost(evidence {who = string.rep('\0', 16), flags = 1}),
       'telemetry without a call is not lost')

lines[#lines + 1] = '1..' .. count
return table.concat(lines, '\n')
