/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Child SAs in the boundary: what IKE negotiated becomes a pair of ESP SAs that workers use.
 *
 * A change of the outer endpoints (NAT rebinding) needs a new outbound SA under the same key. Its sequence
 * numbers must go on behind the last one sent, or a nonce would be used twice: the tunnel first loses the old SA,
 * a grace period passes, only then the number is read; when a stalled worker lets none pass, nothing is sent until
 * the next rekey. Inbound, the new record would begin with an empty replay window,
 * so the old one stays: an inbound SA behind NAT accepts any outer source and the ICV decides. It learns where the
 * peer is now, to notice when that changes again.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/mtu.h"
#include "base/secret.h"
#include "router/internal.h"

struct child *child_find(struct vpn_tunnel *t, uint32_t spi_in)
{
	struct child *c;

	list_for (c, &t->children, node) {
		if (c->sa.spi_in == spi_in)
			return c;
	}
	return NULL;
}

static struct sa_selector selector_of(
    const struct ike_selector *local, const struct ike_selector *remote)
{
	return (struct sa_selector){
	    .local = local->addr,
	    .remote = remote->addr,
	    .protocol = local->protocol ? local->protocol : remote->protocol,
	    .local_port_first = local->port_first,
	    .local_port_last = local->port_last,
	    .remote_port_first = remote->port_first,
	    .remote_port_last = remote->port_last,
	};
}

static unsigned selectors_of(const struct ike_child *sa, struct sa_selector *out, unsigned max)
{
	unsigned n = 0;

	for (unsigned l = 0; l < sa->local_ts_count; l++) {
		for (unsigned m = 0; m < sa->remote_ts_count && n < max; m++)
			out[n++] = selector_of(&sa->local_ts[l], &sa->remote_ts[m]);
	}
	return n;
}

/* 0 is none. */
static uint64_t lower_limit(uint64_t a, uint64_t b)
{
	return a == 0 || (b > 0 && b < a) ? b : a;
}

/* Where the rekey begins. */
static uint64_t soft_of(uint64_t hard)
{
	return hard - hard / 10;
}

static int spec_of(struct router *r, const struct vpn_tunnel *t, const struct ike_child *sa,
    bool inbound, struct sa_spec *spec)
{
	static const enum sa_df df[] = {
	    [CONF_DF_COPY] = SA_DF_COPY, [CONF_DF_SET] = SA_DF_SET, [CONF_DF_CLEAR] = SA_DF_CLEAR};
	const struct conf_ipsec *ipsec = &t->model->conf->ipsec;

	if ((uint64_t)sa->local_ts_count * sa->remote_ts_count > SA_SELECTORS_MAX)
		return -E2BIG;
	*spec = (struct sa_spec){
	    .spi = inbound ? sa->spi_in : sa->spi_out,
	    .tunnel = t->model->index,
	    .attachment = t->model->attachment,
	    .slot = t->model->slot,
	    .inner_family = sa->local_ts[0].addr.first.family,
	    .local = sa->local.addr,
	    .remote = sa->remote.addr,
	    .natt = sa->udp_encap,
	    .local_port = sa->local.port,
	    .remote_port = sa->remote.port,
	    .encr = sa->encr,
	    .auth = sa->auth,
	    .esn = sa->esn,
	    .window = ipsec->replay_window,
	    .replays_pass = ipsec->replay_window == 0,
	    .df = df[ipsec->df],
	    .copy_dscp = true,
	    .outer_mtu = t->model->outer_mtu,
	};
	/* Data limits count both ways together at the side that set them; the hard one leaves room for the rekey. */
	spec->hard_packets = ipsec->lifetime_packets;
	spec->soft_packets = ipsec->lifetime_packets - ipsec->lifetime_packets / 10;
	spec->hard_bytes = lower_limit(ipsec->lifetime_bytes, sa->lifetime_bytes);
	spec->soft_bytes = soft_of(spec->hard_bytes);
	memcpy(spec->encr_key, inbound ? sa->encr_key_in : sa->encr_key_out, sa->encr_key_bytes);
	memcpy(spec->auth_key, inbound ? sa->auth_key_in : sa->auth_key_out, sa->auth_key_bytes);
	spec->selector_count = selectors_of(sa, spec->selector, SA_SELECTORS_MAX);
	if (inbound)
		return 0;
	spec->underlay = model_underlay(r->model, &sa->local.addr, &sa->remote.addr);
	return spec->underlay ? 0 : -ENETUNREACH;
}

int child_install_in(
    struct router *r, struct vpn_tunnel *t, const struct ike_child *sa, uint64_t first_sequence)
{
	struct sa_spec spec;
	int rc = spec_of(r, t, sa, true, &spec);

	if (rc < 0)
		return rc;
	spec.first_sequence = first_sequence;
	struct sa_in *in = sa_in_create(r->b->sas, &spec);
	rc = -errno;
	secret_wipe(&spec, sizeof(spec));
	if (!in)
		return rc;
	struct child *c = xcalloc(1, sizeof(*c));
	c->sa = *sa;
	memcpy(c->local_ts, sa->local_ts, sa->local_ts_count * sizeof(*sa->local_ts));
	memcpy(c->remote_ts, sa->remote_ts, sa->remote_ts_count * sizeof(*sa->remote_ts));
	c->sa.local_ts = c->local_ts;
	c->sa.remote_ts = c->remote_ts;
	c->in = in;
	list_append(&t->children, &c->node);
	return 0;
}

int child_install_out(
    struct router *r, struct vpn_tunnel *t, struct child *c, uint64_t first_sequence)
{
	struct sa_spec spec;
	int rc = spec_of(r, t, &c->sa, false, &spec);

	if (rc < 0)
		return rc;
	const bool manual = t->model->conf->connection->keying == CONF_KEYING_MANUAL;
	spec.first_sequence = first_sequence;
	spec.granted = manual;
	c->out = sa_out_create(r->b->sas, &spec);
	rc = c->out ? 0 : -errno;
	secret_wipe(&spec, sizeof(spec));
	if (rc < 0)
		return rc;
	/* The newest comes first and wins its selectors. */
	list_remove(&c->node);
	struct list *first = t->children.next;
	list_append(first, &c->node);
	if (manual)
		manual_numbers_want(r, t);
	tunnel_refresh(r, t);
	return 0;
}

void child_limit_bytes(struct child *c, uint64_t bytes)
{
	c->sa.lifetime_bytes = lower_limit(c->sa.lifetime_bytes, bytes);
	sa_in_limit_bytes(c->in, soft_of(bytes), bytes);
	if (c->out)
		sa_out_limit_bytes(c->out, soft_of(bytes), bytes);
}

void child_drop_out(struct router *r, struct vpn_tunnel *t, struct child *c)
{
	struct sa_out *out = c->out;

	if (!out)
		return;
	c->out = NULL;
	tunnel_refresh(r, t);
	meter_sa_leaves(r, t, &out->head);
	sa_out_remove(r->b->sas, out);
}

int child_move(struct router *r, struct vpn_tunnel *t, struct child *c)
{
	struct sa_out *old = c->out;

	sa_in_hold(c->in);
	c->out = NULL;
	if (old)
		tunnel_refresh(r, t);
	bool quiet = epoch_wait(r->b->epoch);
	if (quiet)
		sa_in_follow(c->in, &c->sa.remote.addr, c->sa.remote.port);
	if (!old)
		return 0;
	uint64_t next = sa_out_sequence(old);
	meter_sa_leaves(r, t, &old->head);
	sa_out_remove(r->b->sas, old);
	return quiet ? child_install_out(r, t, c, next) : -EBUSY;
}

void child_free(struct router *r, struct vpn_tunnel *t, struct child *c)
{
	child_drop_out(r, t, c);
	meter_sa_leaves(r, t, &c->in->head);
	sa_in_remove(r->b->sas, c->in);
	list_remove(&c->node);
	secret_free(c, sizeof(*c));
}
