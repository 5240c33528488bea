/* SPDX-License-Identifier: BSD-3-Clause */
/* Keyword table: what tunnels and attachments share: BFD (RFC 5880, 5881). */
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
