-- SPDX-License-Identifier: BSD-3-Clause
--
-- pktgen-DPDK: clear packets of 10.1.0.1 to 10.9.0.1 out of port 0, for esp-out.yaml, at a rate that is
-- searched for as RFC 2544 section 26.1 says: the highest at which no packet is lost. See README.md.
--
--   ROUTER_MAC=... pktgen -l 0-2 -n 4 -- -P -m "1.0,2.1" -f pktgen.lua
--
-- What arrives at port 1 is ESP (esp-out.yaml alone) or the clear packet again (esp-out and esp-in in a row).
-- SECONDS_EACH, SIZES ("64 1400") and RESOLUTION (percent) make a shorter search, for a first look.

local router_mac = os.getenv("ROUTER_MAC") or error("ROUTER_MAC: see `transitctl show ports`, port lan0")
local seconds = tonumber(os.getenv("SECONDS_EACH") or "60") -- RFC 2544 section 24: at least 60
local sizes = os.getenv("SIZES") or "64 128 256 512 1024 1280 1400" -- 1400: larger ones do not fit the tunnel whole
local resolution = tonumber(os.getenv("RESOLUTION") or "0.5") -- percent of line rate

pktgen.set_mac("0", "dst", router_mac)
pktgen.set_ipaddr("0", "src", "10.1.0.1/16")
pktgen.set_ipaddr("0", "dst", "10.9.0.1")
pktgen.set_proto("0", "udp")
pktgen.set("0", "sport", 1234)
pktgen.set("0", "dport", 5678)
pktgen.set("0", "count", 0)

-- One trial at a rate in percent of line rate: packets sent and received.
local function trial(rate)
	pktgen.set("0", "rate", rate)
	pktgen.clr()
	pktgen.start("0")
	pktgen.delay(seconds * 1000)
	pktgen.stop("0")
	pktgen.delay(2000) -- what is still on its way
	return pktgen.portStats("0", "port")[0].opackets, pktgen.portStats("1", "port")[1].ipackets
end

local function say(format, ...)
	io.write(string.format(format, ...))
	io.flush()
end

pktgen.screen("off")
for word in string.gmatch(sizes, "%d+") do
	local size = tonumber(word)
	pktgen.set("0", "size", size)
	local low, high = 0.0, 100.0
	while high - low > resolution do
		local rate = (low + high) / 2
		local sent, received = trial(rate)
		if sent > 0 and received >= sent then
			low = rate
		else
			high = rate
		end
		say("%5d bytes, %6.2f %%: %d sent, %d received\n", size, rate, sent, received)
	end
	say("throughput %d bytes %.2f %%\n", size, low)
end
pktgen.quit()
