-- wrk's requests for `bench -- reward-peer`: the body of a file, with a new number in each so that no cache of rewards helps.
--   wrk -t1 -c16 -d5s -s rewards.lua URL -- BODY_FILE FIRST_NUMBER
local before, after, number

function init(args)
    local file = assert(io.open(args[1], "rb"))
    before, after = file:read("*a"):match("^(.-)0000000000(.*)$")
    file:close()
    number = tonumber(args[2])
end

function request()
    number = number + 1
    return wrk.format("POST", nil, { ["Content-Type"] = "application/json" }, before .. string.format("%010d", number) .. after)
end

function done(summary)
    local errors = summary.errors
    io.write(string.format("\n{\"requests\": %d, \"seconds\": %.6f, \"failed\": %d}\n", summary.requests, summary.duration / 1e6, errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
