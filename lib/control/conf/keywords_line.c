/* SPDX-License-Identifier: BSD-3-Clause */
/* Keyword table: what tunnels and attachments share: BFD (RFC 5880, 5881), policers (M3). */
#include "conf/keywords.h"

static const struct kw rows_bfd[] = {
    {"enabled", VALUE_BOOL, FIELD(bfd, enabled, bool),
	DERIVED("yes with a `bfd` section, no without"),
	MEANS(LIVE, "notice in a fraction of a second that the far end is gone")},
    {"peer", VALUE_IP, FIELD(bfd, peer, struct ip_addr), DERIVED("the peer of `bgp`"),
	MEANS(LIVE, "address of the far end")},
    {"local-ip", VALUE_IP, FIELD(bfd, local, struct ip_addr),
	DERIVED("the local address of `bgp`, or the attachment's on the peer's subnet"),
	MEANS(LIVE, "our address")},
    {"transmit-interval", VALUE_UINT, FIELD(bfd, transmit_ms, uint32_t), RANGE(10, 60000),
	PRESET("300"), MEANS(LIVE, "milliseconds between packets that we want to send")},
    {"receive-interval", VALUE_UINT, FIELD(bfd, receive_ms, uint32_t), RANGE(10, 60000),
	PRESET("300"), MEANS(LIVE, "milliseconds between packets that the far end may send")},
    {"multiplier", VALUE_UINT, FIELD(bfd, multiplier, uint32_t), RANGE(1, 255), PRESET("3"),
	MEANS(LIVE, "missing packets until the far end counts as gone")},
    {0},
};

const struct object_kind conf_kind_bfd = {
    .what = "bfd",
    .size = sizeof(struct conf_bfd),
    .rows = rows_bfd,
    .name_offset = NO_NAME,
};

#define CIR_MAX         UINT64_C(1000000000000)
#define PACKET_RATE_MAX UINT64_C(10000000000)

static bool has_cir(const void *policer)
{
	return ((const struct conf_policer *)policer)->cir != 0;
}

static bool has_packet_rate(const void *policer)
{
	return ((const struct conf_policer *)policer)->packet_rate != 0;
}

static const struct kw rows_policer[] = {
    {"enabled", VALUE_BOOL, FIELD(policer, enabled, bool),
	DERIVED("yes with the section, no without"), MEANS(LIVE, "drop what is above the rate")},
    {"cir", VALUE_RATE, FIELD(policer, cir, uint64_t), RANGE(1000, CIR_MAX),
	MEANS(LIVE,
	    "committed information rate in bit/s, of IP packets without layer 2; this or packet-rate "
	    "is needed")},
    {"cbs", VALUE_SIZE, FIELD(policer, cbs, uint64_t), RANGE(1500, UINT64_C(1) << 40),
	ONLY(has_cir, "cir", "only with cir"), DERIVED("50 ms of cir, 6000 at least"),
	MEANS(LIVE, "committed burst size in bytes: how much may come at once after a pause")},
    {"packet-rate", VALUE_RATE, FIELD(policer, packet_rate, uint64_t), RANGE(1, PACKET_RATE_MAX),
	MEANS(LIVE, "packets per second; this or cir is needed")},
    {"packet-burst", VALUE_COUNT, FIELD(policer, packet_burst, uint64_t),
	RANGE(1, UINT64_C(1) << 40), ONLY(has_packet_rate, "packet-rate", "only with packet-rate"),
	DERIVED("50 ms of packet-rate, 8 at least"),
	MEANS(LIVE, "packets that may come at once after a pause")},
    {0},
};

const struct object_kind conf_kind_policer = {
    .what = "policer",
    .size = sizeof(struct conf_policer),
    .rows = rows_policer,
    .name_offset = NO_NAME,
};
