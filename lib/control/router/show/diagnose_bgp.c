/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * BGP in the tunnels of a connection, for `diagnose`. A session that never came about has no error of its own: the
 * kernel drops what has a wrong signature or TTL. The peer's packets tell which (speaker/evidence.h); where it sends
 * none, all that can be the cause is named.
 */

#include "base/text.h"
#include "router/show/diagnose.h"
#include "router/show/show.h"
#include "router/speaker/speaker.h"

static const struct speaker_peer *session_of(const struct router *r, const struct vpn_tunnel *t)
{
	const struct speaker_peer *p;

	list_for (p, &r->speaker->peers, node) {
		if (p->tunnel == t->model->index)
			return p;
	}
	return NULL;
}

static void say_up(
    struct report *p, const char *name, const char *peer, const struct bgp_peer_info *info)
{
	if (info->rib[BGP_IPV4].received == 0)
		find(p, FINDING_BGP_NO_ROUTES, name, "%s announces no route", peer);
	find(p, FINDING_BGP_UP, name, "%s: %u routes received, %u of them accepted, %u announced",
	    peer, info->rib[BGP_IPV4].received, info->rib[BGP_IPV4].accepted,
	    info->rib[BGP_IPV4].announced);
}

static void say_down(
    struct report *p, const char *name, const char *peer, const struct bgp_peer_info *info)
{
	struct mono now = mono_now();
	char line[400];
	struct text text = text_of(line, sizeof(line));

	if (!info->wanted)
		text_add(&text, "switched off by `bgp disable`");
	else if (!bgp_end_text(&info->end, &text))
		text_add(&text, "no connection has come about yet");
	if (info->wanted && mono_is_set(info->retry) && mono_diff(now, info->retry) > 0)
		text_addf(&text, "; tried again in %lld s",
		    (long long)(mono_diff(now, info->retry) / DUR_S(1) + 1));
	find(p, info->wanted ? FINDING_BGP_DOWN : FINDING_BGP_OFF, name,
	    "%s is not established: %s", peer, line);
}

/* What the packets of the peer say. False: nothing, or less than how the last session ended. */
static bool say_why(struct report *p, const char *name, const char *peer,
    const struct bgp_peer_info *info, enum evidence why)
{
	static const enum finding finding[] = {
	    [EVIDENCE_KEY_MISSING] = FINDING_BGP_KEY,
	    [EVIDENCE_KEY_UNEXPECTED] = FINDING_BGP_KEY,
	    [EVIDENCE_KEY_WRONG] = FINDING_BGP_KEY,
	    [EVIDENCE_TTL_LOW] = FINDING_BGP_TTL,
	    [EVIDENCE_REFUSED] = FINDING_BGP_REFUSED,
	};

	if (!info->wanted || !evidence_text(why) ||
	    (why == EVIDENCE_REFUSED && info->end.by != BGP_END_NONE))
		return false;
	find(p, finding[why], name, "%s is not established: %s", peer, evidence_text(why));
	return true;
}

void diagnose_bgp(struct report *p, const struct vpn_tunnel *t)
{
	const struct speaker_peer *session = p->r->speaker ? session_of(p->r, t) : NULL;
	char peer[IP_TEXT_MAX + 40], addr[IP_TEXT_MAX];
	struct bgp_peer_info info;

	if (!session || bgp_peer_get(p->r->speaker->engine, session->number, &info) < 0)
		return;
	snprintf(peer, sizeof(peer), "BGP with %s, AS %u",
	    ip_text(&session->config.transport.remote, addr), session->config.remote_as);
	if (info.state == BGP_ESTABLISHED)
		say_up(p, t->model->name, peer, &info);
	else if (t->ike_state == IKE_TUNNEL_UP &&
	    !say_why(p, t->model->name, peer, &info, session->evidence))
		say_down(p, t->model->name, peer, &info);
}
