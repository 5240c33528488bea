/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Where datagrams come in: the header is checked, the version decides who reads on.
 */

#include <stdlib.h>

#include "ike/sa.h"
#include "ike/seal.h"
#include "ike/v1/v1.h"
#include "ike/v2/v2.h"

/*
 * A major version above ours gets the standard answer (RFC 7296 2.5), seldom and never longer than what it
 * answers, so that nobody can aim it at others.
 */
static void newer_version(struct ike_engine *e, const struct ike_header *h,
    const struct ike_endpoint *local, const struct ike_endpoint *remote)
{
	struct ike_chain c = v2_chain(e);
	struct ike_packet *p;

	if (h->flags & IKE_FLAG_RESPONSE || !log_limit(&e->version_answers, e->now, NULL))
		return;
	ike_chain_notify(&c, NOTIFY_INVALID_MAJOR_VERSION, NULL, 0);
	p = ike_message_plain(h->spi_i, h->spi_r, h->exchange, false, true, &c);
	wirebuf_u32_at(&(struct wirebuf){p->bytes, p->bytes + p->len, p->bytes + p->len, false}, 20,
	    h->message_id);
	if (p->len <= h->length)
		ike_packet_send(e, p, local, remote);
	free(p);
}

void ike_receive(struct ike_engine *e, struct mono now, const struct ike_endpoint *local,
    const struct ike_endpoint *remote, const uint8_t *bytes, size_t len)
{
	struct ike_header h;

	e->now = now;
	e->counters.received++;
	if (ike_header_parse(bytes, len, &h) || len > IKE_MESSAGE_MAX || h.spi_i == 0 ||
	    h.major == 0)
		e->counters.malformed++;
	else if (h.major == IKE_MAJOR_V2)
		v2_receive(e, &h, local, remote, bytes, len);
	else if (h.major == IKE_MAJOR_V1)
		v1_receive(e, &h, local, remote, bytes, len);
	else
		newer_version(e, &h, local, remote);
	ike_engine_settle(e);
}
