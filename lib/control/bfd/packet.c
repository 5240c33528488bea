/* SPDX-License-Identifier: BSD-3-Clause */

/* To and from bytes. */

#include "bfd/packet.h"

#include "base/wire.h"

#define VERSION     1
#define FLAG_POLL   0x20
#define FLAG_FINAL  0x10
#define FLAG_AUTH   0x04
#define FLAG_DEMAND 0x02
#define FLAG_MULTI  0x01

void bfd_packet_write(const struct bfd_packet *p, uint8_t out[BFD_BYTES])
{
	struct wirebuf b = wirebuf_of(out, BFD_BYTES);

	wirebuf_u8(&b, (uint8_t)(VERSION << 5 | p->diag));
	wirebuf_u8(&b,
	    (uint8_t)(p->state << 6 | (p->poll ? FLAG_POLL : 0) | (p->final ? FLAG_FINAL : 0) |
		(p->demand ? FLAG_DEMAND : 0)));
	wirebuf_u8(&b, p->multiplier);
	wirebuf_u8(&b, BFD_BYTES);
	wirebuf_u32(&b, p->mine);
	wirebuf_u32(&b, p->yours);
	wirebuf_u32(&b, p->transmit_us);
	wirebuf_u32(&b, p->receive_us);
	wirebuf_u32(&b, p->echo_us);
}

bool bfd_packet_read(const uint8_t *bytes, size_t len, struct bfd_packet *out)
{
	struct wire w = wire_of(bytes, len);
	uint8_t first = wire_u8(&w), flags = wire_u8(&w);

	out->multiplier = wire_u8(&w);
	uint8_t length = wire_u8(&w);
	out->mine = wire_u32(&w);
	out->yours = wire_u32(&w);
	out->transmit_us = wire_u32(&w);
	out->receive_us = wire_u32(&w);
	out->echo_us = wire_u32(&w);
	out->diag = first & 0x1f;
	out->state = flags >> 6;
	out->poll = flags & FLAG_POLL;
	out->final = flags & FLAG_FINAL;
	out->demand = flags & FLAG_DEMAND;
	return wire_ok(&w) && first >> 5 == VERSION && length >= BFD_BYTES && length <= len &&
	    out->multiplier != 0 && !(flags & (FLAG_AUTH | FLAG_MULTI)) && out->mine != 0 &&
	    (out->yours != 0 || out->state <= BFD_DOWN);
}
