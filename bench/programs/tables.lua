-- Tables, closures and strings under Lua's own collector, which frees through realloc and free.
local count = tonumber(arg[1]) or 60000
local state = 12345
local function random(n)
  state = (state * 1103515245 + 12345) % 2147483648
  return (state >> 16) % n
end

local cache, checksum = {}, 0
for turn = 1, 12 do
  local list = {}
  for i = 1, count do
    local point = {x = i, y = random(1000), name = "p" .. random(5000)}
    list[i] = function() return point.x + point.y end
    cache[point.name] = point
    if i % 4 == 0 then
      cache["p" .. random(5000)] = nil
    end
  end
  for i = 1, count do
    checksum = (checksum + list[i]()) % 1000003
  end
  local parts = {}
  for name, point in pairs(cache) do
    parts[#parts + 1] = name .. "=" .. point.y
  end
  checksum = checksum + (#table.concat(parts, ";") > 0 and turn or 0)
end
print(checksum)
