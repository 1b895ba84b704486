-- Windows: which of them a row is in, and which are held. OVERALL, MONTHLY and DAILY say what is declared.

local DAY = 86400000000

-- Year and month of a day since 1970. Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
local function civil(day)
  local shifted = day + 719468
  local era = math.floor(shifted / 146097)
  local of_era = shifted - era * 146097
  local year = math.floor((of_era - math.floor(of_era / 1460) + math.floor(of_era / 36524) - math.floor(of_era / 146096)) / 365)
  local of_year = of_era - (365 * year + math.floor(year / 4) - math.floor(year / 100))
  local since_march = math.floor((5 * of_year + 2) / 153)
  local month = since_march < 10 and since_march + 3 or since_march - 9
  local first = of_year - math.floor((153 * since_march + 2) / 5) + 1
  return year + era * 400 + (month <= 2 and 1 or 0), month, first
end

local function floor_of(series)
  local floor = redis.call('HGET', key('floors'), series)
  return floor and tonumber(floor) or -math.huge
end

-- A function that tells the windows that hold a time: their names, and of a month or day its series and number; by `names` too.
local function calendar()
  local floors = { monthly = floor_of('monthly'), daily = floor_of('daily') }
  local known = {}
  local function windows_of(day)
    local windows = { names = {} }
    local function add(name, series, number)
      windows[#windows + 1] = { name = name, series = series, number = number }
      windows.names[name] = true
    end
    if OVERALL then add('overall') end
    if day == math.huge or day == -math.huge then return windows end
    local year, month, first = civil(day)
    local number = year * 12 + month - 1
    if MONTHLY and number >= floors.monthly then add(string.format('%04d-%02d', year, month), 'monthly', number) end
    if DAILY and day >= floors.daily then add(string.format('%04d-%02d-%02d', year, month, first), 'daily', day) end
    return windows
  end
  return function(time)
    local day = math.floor(time / DAY)
    local windows = known[day]
    if not windows then
      windows = windows_of(day)
      known[day] = windows
    end
    return windows
  end
end
