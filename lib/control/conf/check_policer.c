/* SPDX-License-Identifier: BSD-3-Clause */
/* Policers of tunnels and attachments: each has a rate to hold (M3). */
#include "conf/loader.h"

static void check_policer(struct loader *l, const struct conf_source *parent, const char *section,
    const struct conf_policer *p)
{
	check_switched_off(l, &p->source, p->enabled, "the policer");
	if (!p->enabled || is_reported(l, parent, section) || is_reported(l, &p->source, "cir") ||
	    is_reported(l, &p->source, "packet-rate"))
		return;
	if (!p->cir && !p->packet_rate)
		fail_object(l, &p->source,
		    "%s: no rate; give 'cir' in bits per second, 'packet-rate', or both", section);
}

void check_policers(struct loader *l)
{
	const struct conf *conf = l->conf;

	for (unsigned i = 0; i < conf->vpn_connections_count; i++) {
		const struct conf_connection *c = conf->vpn_connections[i];

		for (unsigned k = 0; k < c->tunnels_count; k++) {
			const struct conf_tunnel *t = c->tunnels[k];

			check_policer(l, &t->source, "ingress-policer", &t->ingress_policer);
			check_policer(l, &t->source, "egress-policer", &t->egress_policer);
		}
	}
	for (unsigned i = 0; i < conf->attachments_count; i++) {
		const struct conf_attachment *a = conf->attachments[i];

		check_policer(l, &a->source, "ingress-policer", &a->ingress_policer);
		check_policer(l, &a->source, "egress-policer", &a->egress_policer);
	}
}
