-- math.random and math.randomseed as Redis has them: Lua's own over drand48's generator, which gives the same
-- numbers on every machine (`rand.c`; https://pubs.opengroup.org/onlinepubs/9699919799/functions/drand48.html).

local box = ...

local floor, random = math.floor, math.random
local pcall, select, tonumber = pcall, select, tonumber
local int = box.int

local FACTOR_HIGH, FACTOR_LOW = 0x5DE, 0xECE66D  -- 0x5DEECE66D in parts of 24 bits
local HALF = 2 ^ 24
local MAX = 2 ^ 31 - 1

local high, low = 0, 0x330E

local function step()
  local bottom = low * FACTOR_LOW + 0xB
  local carry = floor(bottom / HALF)
  high = (high * FACTOR_LOW % HALF + low * FACTOR_HIGH + carry) % HALF
  low = bottom % HALF
  return floor(high * 2 ^ 7) + floor(low / 2 ^ 17)
end

-- Starts from the low 32 bits of `seed`.
function box.seed(seed)
  seed = seed % 2 ^ 32
  high, low = floor(seed / 2 ^ 8), seed % 2 ^ 8 * 2 ^ 16 + 0x330E
end

local function math_random(...)
  local count = select('#', ...)
  if count == 0 then
    return step() % MAX / MAX
  end
  -- Lua's own refuses bad arguments; its number is not used.
  box.passed('random', pcall(random, ...))
  local lower, upper = ...
  local share = step() % MAX / MAX
  if count == 1 then
    return floor(share * int(tonumber(lower))) + 1
  end
  lower, upper = int(tonumber(lower)), int(tonumber(upper))
  return floor(share * (upper - lower + 1)) + lower
end

local randomseed = math.randomseed

local function math_randomseed(...)
  local seed = tonumber((...))
  if not seed then
    box.passed('randomseed', pcall(randomseed, ...))
  end
  box.seed(int(seed))
end

box.math = {}
for name, value in pairs(math) do
  box.math[name] = value
end
box.math.random, box.math.randomseed = math_random, math_randomseed
box.seed(box.first_seed)
