/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Configurations of tunnels: checked before use, copied, compared, wiped.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "ike/sa.h"

static int refuse(const char **why, const char *reason)
{
	if (why)
		*why = reason;
	return -EINVAL;
}

static bool in_range(const uint8_t *list, unsigned count, unsigned first, unsigned end)
{
	if (count > IKE_ALGS_MAX)
		return false;
	for (unsigned i = 0; i < count; i++)
		if (list[i] < first || list[i] >= end)
			return false;
	return true;
}

static bool needs_integ(const struct ike_algs *a)
{
	for (unsigned i = 0; i < a->encr_count; i++)
		if (!alg_is_aead(a->encr[i]))
			return true;
	return false;
}

static int check_algs(const struct ike_algs *a, bool ike, const char **why)
{
	if (a->encr_count == 0 || !in_range(a->encr, a->encr_count, ENCR_NONE + 1, ENCR_COUNT))
		return refuse(why, "at least one encryption algorithm is needed");
	if (ike && memchr(a->encr, ENCR_NULL, a->encr_count))
		return refuse(why, "IKE itself cannot go without encryption");
	if (!in_range(a->auth, a->auth_count, AUTH_NONE + 1, AUTH_COUNT) ||
	    (a->auth_count == 0 && (ike || needs_integ(a))))
		return refuse(why, "at least one authentication algorithm is needed");
	if (a->dh_count == 0 || !in_range(a->dh, a->dh_count, ike ? DH_1 : DH_NONE, DH_COUNT))
		return refuse(why, "at least one Diffie-Hellman group is needed");
	return 0;
}

static bool has_family(const struct ip_prefix *list, unsigned count, uint8_t family)
{
	for (unsigned i = 0; i < count; i++)
		if (list[i].addr.family == family)
			return true;
	return false;
}

static int check_selectors(const struct ike_tunnel_config *c, const char **why)
{
	if (c->local_ts_count == 0 || c->local_ts_count > IKE_TS_MAX || c->remote_ts_count == 0 ||
	    c->remote_ts_count > IKE_TS_MAX)
		return refuse(why, "1 to 64 prefixes are needed on each side");
	for (unsigned i = 0; i < 2; i++) {
		uint8_t family = i ? IP_V6 : IP_V4;

		if (has_family(c->local_ts, c->local_ts_count, family) &&
		    has_family(c->remote_ts, c->remote_ts_count, family))
			return 0;
	}
	return refuse(why, "the prefixes of both sides have no address family in common");
}

int ike_config_check(const struct ike_tunnel_config *c, const char **why)
{
	if (!ike_driver_of(c->version))
		return refuse(why, "this version of IKE is not built in");
	if (!ip_is_set(&c->local) || ip_is_any(&c->local) || c->local.family != c->remote.family)
		return refuse(why, "local and peer address must be of one family");
	if (ip_is_any(&c->remote) && c->start != IKE_START_RESPONDER)
		return refuse(why, "a peer without an address can only be waited for");
	if (c->local_id.type == IKE_ID_ANY)
		return refuse(why, "a local ID is needed");
	if (!c->psk || c->psk_len == 0 || c->psk_len > IKE_PSK_MAX)
		return refuse(why, "a pre-shared key of 1 to 256 bytes is needed");
	if (check_algs(&c->ike, true, why) || check_algs(&c->esp, false, why))
		return -EINVAL;
	return check_selectors(c, why);
}

static void *copy_bytes(const void *from, size_t len)
{
	void *to = xmalloc(len);

	memcpy(to, from, len);
	return to;
}

void ike_config_copy(struct ike_tunnel_config *to, const struct ike_tunnel_config *from)
{
	*to = *from;
	to->psk = copy_bytes(from->psk, from->psk_len);
	to->local_ts = copy_bytes(from->local_ts, from->local_ts_count * sizeof(*from->local_ts));
	to->remote_ts =
	    copy_bytes(from->remote_ts, from->remote_ts_count * sizeof(*from->remote_ts));
}

void ike_config_wipe(struct ike_tunnel_config *c)
{
	secret_free((void *)c->psk, c->psk_len);
	free((void *)c->local_ts);
	free((void *)c->remote_ts);
	*c = (struct ike_tunnel_config){0};
}

static bool same_list(const uint8_t *a, unsigned a_count, const uint8_t *b, unsigned b_count)
{
	return a_count == b_count && !memcmp(a, b, a_count);
}

static bool same_algs(const struct ike_algs *a, const struct ike_algs *b)
{
	return same_list(a->encr, a->encr_count, b->encr, b->encr_count) &&
	    same_list(a->auth, a->auth_count, b->auth, b->auth_count) &&
	    same_list(a->dh, a->dh_count, b->dh, b->dh_count);
}

static bool same_prefixes(
    const struct ip_prefix *a, unsigned a_count, const struct ip_prefix *b, unsigned b_count)
{
	if (a_count != b_count)
		return false;
	for (unsigned i = 0; i < a_count; i++)
		if (!ip_prefix_eq(&a[i], &b[i]))
			return false;
	return true;
}

bool ike_config_same_on_wire(const struct ike_tunnel_config *a, const struct ike_tunnel_config *b)
{
	return a->version == b->version && a->v1_mode == b->v1_mode && a->natt == b->natt &&
	    a->esn == b->esn && ip_eq(&a->local, &b->local) && ip_eq(&a->remote, &b->remote) &&
	    ike_id_eq(&a->local_id, &b->local_id) && ike_id_eq(&a->remote_id, &b->remote_id) &&
	    a->psk_len == b->psk_len && secret_equal(a->psk, b->psk, a->psk_len) &&
	    same_algs(&a->ike, &b->ike) && same_algs(&a->esp, &b->esp) &&
	    same_prefixes(a->local_ts, a->local_ts_count, b->local_ts, b->local_ts_count) &&
	    same_prefixes(a->remote_ts, a->remote_ts_count, b->remote_ts, b->remote_ts_count);
}
