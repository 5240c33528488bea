/* SPDX-License-Identifier: BSD-3-Clause */

/* A tunnel of the startup file as the IKE engine wants it. Pure translation: every check was made by conf. */

#include <string.h>

#include "base/text.h"
#include "router/internal.h"

static struct ike_id id_of(const struct conf_id *id)
{
	struct ike_id out = {.type = IKE_ID_ANY};

	switch (id->type) {
	case CONF_ID_NONE:
		return out;
	case CONF_ID_ADDRESS:
		return ike_id_of_addr(&id->addr);
	case CONF_ID_FQDN:
		out.type = IKE_ID_FQDN;
		break;
	case CONF_ID_USER_FQDN:
		out.type = IKE_ID_USER_FQDN;
		break;
	case CONF_ID_KEY_ID:
		out.type = IKE_ID_KEY_ID;
		break;
	}
	size_t len = strlen(id->text);
	out.len = (uint8_t)(len < IKE_ID_MAX ? len : IKE_ID_MAX);
	memcpy(out.bytes, id->text, out.len);
	return out;
}

static void algs_of(struct ike_algs *out, const enum alg_encr *encr, unsigned encr_count,
    const enum alg_auth *auth, unsigned auth_count, const enum alg_dh *dh, unsigned dh_count)
{
	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < encr_count && out->encr_count < IKE_ALGS_MAX; i++)
		out->encr[out->encr_count++] = (uint8_t)encr[i];
	for (unsigned i = 0; i < auth_count && out->auth_count < IKE_ALGS_MAX; i++)
		out->auth[out->auth_count++] = (uint8_t)auth[i];
	for (unsigned i = 0; i < dh_count && out->dh_count < IKE_ALGS_MAX; i++)
		out->dh[out->dh_count++] = (uint8_t)dh[i];
}

static enum ike_start start_of(const struct conf_tunnel *t)
{
	if (ip_is_any(&t->customer_gateway->address))
		return IKE_START_RESPONDER;
	return t->apply_immediately ? IKE_START_NOW : IKE_START_ON_DEMAND;
}

static void selectors_of(
    const struct conf_tunnel *t, struct ike_tunnel_config *out, struct ip_prefix *any)
{
	const struct conf_connection *c = t->connection;

	*any = (struct ip_prefix){.addr = ip_any(IP_V4), .len = 0};
	out->local_ts = out->remote_ts = any;
	out->local_ts_count = out->remote_ts_count = 1;
	if (c->routing_mode != CONF_ROUTING_FLOW_PROTECTION)
		return;
	out->local_ts = c->local_cidrs;
	out->local_ts_count = c->local_cidrs_count;
	out->remote_ts = c->peer_cidrs;
	out->remote_ts_count = c->peer_cidrs_count;
}

void tunnel_conf_ike(
    const struct conf_tunnel *t, struct ike_tunnel_config *out, struct ip_prefix *any)
{
	static const enum ike_dpd_action dpd[] = {
	    [CONF_DPD_RESTART] = IKE_DPD_RESTART,
	    [CONF_DPD_CLEAR] = IKE_DPD_CLEAR,
	    [CONF_DPD_NONE] = IKE_DPD_NONE,
	};
	static const enum ike_esn esn[] = {
	    [CONF_ESN_NO] = IKE_ESN_NO,
	    [CONF_ESN_YES] = IKE_ESN_YES,
	    [CONF_ESN_AUTO] = IKE_ESN_BOTH,
	};

	*out = (struct ike_tunnel_config){
	    .version = t->ike.version == CONF_IKEV1 ? IKE_V1 : IKE_V2,
	    .v1_mode = t->ike.mode == CONF_IKE_AGGRESSIVE ? IKE_V1_AGGRESSIVE : IKE_V1_MAIN,
	    .start = start_of(t),
	    .natt = t->nat_traversal ? IKE_NATT_ON : IKE_NATT_OFF,
	    .esn = esn[t->ipsec.esn],
	    .local = t->gateway_address,
	    .remote = t->customer_gateway->address,
	    .local_id = id_of(&t->ike.local_id),
	    .remote_id = id_of(&t->ike.remote_id),
	    .ike_lifetime_s = t->ike.lifetime,
	    .esp_lifetime_s = t->ipsec.lifetime,
	    .esp_lifetime_bytes = t->ipsec.lifetime_bytes,
	    .rehearse = t->rehearse,
	    .dpd_action = t->dpd.enabled ? dpd[t->dpd.action] : IKE_DPD_NONE,
	    .dpd_interval_s = t->dpd.enabled ? t->dpd.interval : 0,
	    .dpd_timeout_s = t->dpd.timeout,
	};
	struct text name = text_of(out->name, sizeof(out->name));
	text_addf(&name, "%s/%u", t->connection->name, t->number);
	algs_of(&out->ike, t->ike.encryption, t->ike.encryption_count, t->ike.authentication,
	    t->ike.authentication_count, t->ike.dh_group, t->ike.dh_group_count);
	algs_of(&out->esp, t->ipsec.encryption, t->ipsec.encryption_count, t->ipsec.authentication,
	    t->ipsec.authentication_count, t->ipsec.dh_group, t->ipsec.dh_group_count);
	selectors_of(t, out, any);
}
