/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Two IKEv2 engines, and an input that says what happens to them: datagrams from anywhere, payloads under the right
 * keys (so that nothing stops at the integrity check), lost messages, commands, time. Whatever comes, both
 * engines must stand, and give back every SPI and Child SA when they end.
 */

#include <stdlib.h>

#include "ike/engine.h"
#include "ike/seal.h"
#include "ike_world.h"

enum step_kind {
	STEP_RAW,      /* a datagram as it is */
	STEP_INIT,     /* IKE_SA_INIT with these payloads, in the name of the side */
	STEP_REQUEST,  /* a protected request of the side, with its next message ID */
	STEP_RESPONSE, /* a protected response to what the other side waits for */
	STEP_DELIVER,  /* what is on the wire arrives */
	STEP_LOSE,     /* it does not */
	STEP_COMMAND,
	STEP_KINDS,
};

/* Payloads of the input: type of the first, then the chain. */
static struct ike_chain chain_of(uint8_t *bytes, size_t len, uint8_t first)
{
	struct ike_chain c = ike_chain_of(bytes, len);

	c.buf.at = c.buf.end;
	c.first = first;
	return c;
}

static void send_init(struct world *w, unsigned side, uint8_t *bytes, size_t len, uint8_t first)
{
	struct ike_chain c = chain_of(bytes, len, first);
	struct ike_sa *sa;
	struct ike_packet *p;
	uint64_t spi_i = 0x1122334455667788;

	list_for (sa, &w->end[0].engine->sas, node)
		spi_i = sa->spi_i;
	p = ike_message_plain(
	    spi_i, side ? 0x99 : 0, EXCHANGE_IKE_SA_INIT, side == 0, side == 1, &c);
	world_inject(w, side, p->bytes, p->len);
	free(p);
}

static void send_sealed(struct world *w, unsigned side, bool response, uint8_t *bytes, size_t len,
    uint8_t first, uint8_t which)
{
	static const uint8_t exchanges[] = {EXCHANGE_IKE_AUTH, EXCHANGE_CREATE_CHILD_SA,
	    EXCHANGE_INFORMATIONAL, EXCHANGE_CREATE_CHILD_SA};
	struct ike_chain c = chain_of(bytes, len, first);
	struct ike_sa *sa = world_sa(w, side), *other;
	struct ike_packet *p;
	uint8_t exchange = exchanges[which % 4];
	uint32_t id;

	if (!sa)
		return;
	other = world_other(w, side, sa);
	if (!other)
		return;
	id = response ? other->window.next_id : other->window.expected_id;
	if (response)
		exchange = other->window.exchange;
	p = ike_message_seal(sa, exchange, response, id, &c);
	world_inject(w, side, p->bytes, p->len);
	free(p);
}

static void step(struct world *w, uint8_t kind, unsigned side, uint8_t *bytes, size_t len)
{
	uint8_t which = len > 0 ? bytes[0] : 0, first = len > 1 ? bytes[1] : 0;
	uint8_t *rest = len > 2 ? bytes + 2 : bytes;
	size_t rest_len = len > 2 ? len - 2 : 0;

	switch (kind % STEP_KINDS) {
	case STEP_RAW:
		world_inject(w, side, bytes, len);
		break;
	case STEP_INIT:
		send_init(w, side, rest, rest_len, first);
		break;
	case STEP_REQUEST:
		send_sealed(w, side, false, rest, rest_len, first, which);
		break;
	case STEP_RESPONSE:
		send_sealed(w, side, true, rest, rest_len, first, which);
		break;
	case STEP_DELIVER:
		world_drain(w, true);
		break;
	case STEP_LOSE:
		world_drain(w, false);
		break;
	case STEP_COMMAND:
		world_command(w, side, bytes, len);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ike_tunnel_config config = {
	    .ike = {{ENCR_AES128, ENCR_AES128GCM16}, {AUTH_SHA256, AUTH_SHA1}, {DH_31, DH_19}, 2, 2,
		2},
	    .esp = {{ENCR_AES128GCM16, ENCR_AES128}, {AUTH_SHA256}, {DH_NONE, DH_31}, 2, 1, 2},
	    .esn = IKE_ESN_BOTH,
	    .ike_lifetime_s = 100,
	    .esp_lifetime_s = 60,
	    .dpd_interval_s = 10,
	    .dpd_timeout_s = 30,
	};
	struct wire in = wire_of(data, size);
	struct world w;

	world_begin(&w, &config);
	if (wire_u8(&in) & 1)
		world_drain(&w, true); /* up before it begins */
	world_run(&w, &in, step);
	world_end(&w);
	return 0;
}
