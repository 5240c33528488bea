/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * keying: manual. SPIs and keys of the startup file become a pair of SAs; nobody negotiates, nothing is
 * rekeyed, the tunnel is up as soon as it has sequence numbers (manual_numbers.c). For traffic generators.
 */

#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "router/internal.h"

#define LOG "tunnel"

static void keys_of(const struct conf_manual_sa *sa, uint8_t *encr, uint8_t *auth)
{
	memcpy(encr, sa->encryption_key.bytes, RTE_MIN(sa->encryption_key.len, IKE_KEY_MAX));
	memcpy(
	    auth, sa->authentication_key.bytes, RTE_MIN(sa->authentication_key.len, IKE_KEY_MAX));
}

static unsigned ranges_of(
    const struct ip_prefix *prefixes, unsigned count, struct ike_selector *out)
{
	for (unsigned i = 0; i < count && i < IKE_TS_MAX; i++)
		out[i] = (struct ike_selector){
		    .addr = ip_range_of_prefix(&prefixes[i]), .port_last = UINT16_MAX};
	return RTE_MIN(count, (unsigned)IKE_TS_MAX);
}

int manual_install(struct router *r, struct vpn_tunnel *t, uint64_t first_out, uint64_t first_in)
{
	const struct conf_tunnel *conf = t->model->conf;
	const struct conf_connection *connection = conf->connection;
	const struct ip_prefix any = {.addr = ip_any(IP_V4), .len = 0};
	const bool flows = connection->routing_mode == CONF_ROUTING_FLOW_PROTECTION;
	const uint16_t port = conf->manual.udp_encapsulation ? IKE_PORT_NATT : 0;
	struct ike_selector local[IKE_TS_MAX], remote[IKE_TS_MAX];
	struct ike_child sa = {
	    .spi_in = conf->manual.in.spi,
	    .spi_out = conf->manual.out.spi,
	    .encr = conf->ipsec.encryption[0],
	    .auth =
		alg_is_aead(conf->ipsec.encryption[0]) ? AUTH_NONE : conf->ipsec.authentication[0],
	    .esn = conf->ipsec.esn == CONF_ESN_YES,
	    .udp_encap = conf->manual.udp_encapsulation,
	    .local = {conf->gateway_address, port},
	    .remote = {conf->customer_gateway->address, port},
	    .local_ts = local,
	    .remote_ts = remote,
	};

	sa.local_ts_count = flows
	    ? ranges_of(connection->local_cidrs, connection->local_cidrs_count, local)
	    : ranges_of(&any, 1, local);
	sa.remote_ts_count = flows
	    ? ranges_of(connection->peer_cidrs, connection->peer_cidrs_count, remote)
	    : ranges_of(&any, 1, remote);
	sa.encr_key_bytes = alg_encr(sa.encr)->key_bytes + alg_encr(sa.encr)->salt_bytes;
	sa.auth_key_bytes = alg_auth(sa.auth)->key_bytes;
	keys_of(&conf->manual.in, sa.encr_key_in, sa.auth_key_in);
	keys_of(&conf->manual.out, sa.encr_key_out, sa.auth_key_out);
	int rc = 0;
	if (!first_out) {
		t->numbers_end = 0;
		rc = manual_numbers_first(r, t, &first_out);
		if (rc < 0) { /* told already, and not a reason to stop the others */
			secret_wipe(&sa, sizeof(sa));
			return 0;
		}
	}
	rc = child_install_in(r, t, &sa, first_in);
	if (rc == 0)
		rc = child_install_out(r, t, child_find(t, sa.spi_in), first_out);
	secret_wipe(&sa, sizeof(sa));
	if (rc < 0) {
		log_write(LOG_ERROR, LOG, t->model->name, "manual SA: %s", strerror(-rc));
		return rc;
	}
	if (t->numbers_end) /* the same key goes on */
		manual_up(r, t);
	return 0;
}

void manual_up(struct router *r, struct vpn_tunnel *t)
{
	struct mono now = mono_now();

	if (t->ike_state == IKE_TUNNEL_UP)
		return;
	t->ike_state = IKE_TUNNEL_UP;
	t->state_since = now;
	t->ups++;
	t->error_code = IKE_ERROR_NONE;
	eligible_sa(r, t, now);
	log_write(LOG_NOTICE, LOG, t->model->name, "up with manual keys");
}
