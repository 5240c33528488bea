/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * BGP in a tunnel or on an attachment of a port, for `diagnose`. A session that never came about has no error of its
 * own: the kernel drops what has a wrong signature or TTL. The peer's packets tell which (speaker/evidence.h); of a
 * peer that sends none, such as one that waits for us and drops our SYN for its key, it is said what can be the cause
 * and how to tell one from the other.
 */

#include "base/text.h"
#include "router/show/diagnose.h"
#include "router/show/show.h"
#include "router/speaker/speaker.h"

/* What is told of a session. */
struct told {
	const char *name, *peer; /* the latter as "BGP with ..." */
	const struct speaker_peer *session;
	struct bgp_peer_info info;
	bool reached;        /* something of the far end is known to come here */
	const char *by_what; /* that is */
};

static void say_up(struct report *p, const struct told *t)
{
	const struct bgp_peer_info *info = &t->info;

	if (info->rib[BGP_IPV4].received == 0)
		find(p, FINDING_BGP_NO_ROUTES, t->name, "%s announces no route", t->peer);
	find(p, FINDING_BGP_UP, t->name,
	    "%s: %u routes received, %u of them accepted, %u announced", t->peer,
	    info->rib[BGP_IPV4].received, info->rib[BGP_IPV4].accepted,
	    info->rib[BGP_IPV4].announced);
}

static void add_end(const struct told *t, struct text *text)
{
	if (!bgp_end_text(&t->info.end, text))
		text_add(text, "no connection has come about yet");
}

static void say_down(struct report *p, const struct told *t)
{
	const struct bgp_peer_info *info = &t->info;
	struct mono now = mono_now();
	char line[400];
	struct text text = text_of(line, sizeof(line));

	if (!info->wanted)
		text_add(&text, "switched off by `bgp disable`");
	else
		add_end(t, &text);
	if (info->wanted && mono_is_set(info->retry) && mono_diff(now, info->retry) > 0)
		text_addf(&text, "; tried again in %lld s",
		    (long long)(mono_diff(now, info->retry) / DUR_S(1) + 1));
	find(p, info->wanted ? FINDING_BGP_DOWN : FINDING_BGP_OFF, t->name,
	    "%s is not established: %s", t->peer, line);
}

/* What the packets of the peer say. False: nothing, or less than how the last session ended. */
static bool say_why(struct report *p, const struct told *t)
{
	static const enum finding finding[] = {
	    [EVIDENCE_KEY_MISSING] = FINDING_BGP_KEY,
	    [EVIDENCE_KEY_UNEXPECTED] = FINDING_BGP_KEY,
	    [EVIDENCE_KEY_WRONG] = FINDING_BGP_KEY,
	    [EVIDENCE_TTL_LOW] = FINDING_BGP_TTL,
	    [EVIDENCE_REFUSED] = FINDING_BGP_REFUSED,
	};
	enum evidence why = speaker_evidence(t->session, mono_now());

	if (!t->info.wanted || !evidence_text(why) ||
	    (why == EVIDENCE_REFUSED && t->info.end.by != BGP_END_NONE))
		return false;
	find(p, finding[why], t->name, "%s is not established: %s", t->peer, evidence_text(why));
	return true;
}

/* No packet of the peer, although the far end is there: what is left is between the two, or drops without a word. */
static bool say_silent(struct report *p, const struct told *t)
{
	char line[400];
	struct text text = text_of(line, sizeof(line));

	if (!t->info.wanted || !t->reached || !speaker_is_silent(t->session, mono_now()))
		return false;
	add_end(t, &text);
	find(p, FINDING_BGP_SILENT, t->name,
	    "%s is not established: no packet of the session comes from it, although %s; `password` is %s "
	    "here; %s",
	    t->peer, t->by_what, t->session->key ? "set" : "not set", line);
	return true;
}

/* `path`: the tunnel, or the line, can carry it; else that is what is wrong. */
static void say(struct report *p, const struct speaker_peer *session, struct told *t, bool path)
{
	char peer[IP_TEXT_MAX + 40], addr[IP_TEXT_MAX];

	if (!session || bgp_peer_get(p->r->speaker->engine, session->number, &t->info) < 0)
		return;
	snprintf(peer, sizeof(peer), "BGP with %s, AS %u",
	    ip_text(&session->config.transport.remote, addr), session->config.remote_as);
	t->peer = peer;
	t->session = session;
	if (t->info.state == BGP_ESTABLISHED)
		say_up(p, t);
	else if (path && !say_why(p, t) && !say_silent(p, t))
		say_down(p, t);
}

void diagnose_tunnel_bgp(struct report *p, const struct vpn_tunnel *tunnel)
{
	struct told t = {.name = tunnel->model->name, .by_what = "packets come out of the tunnel"};
	const struct speaker_peer *s, *session = NULL;
	struct slot_counters sum;

	if (!p->r->speaker)
		return;
	list_for (s, &p->r->speaker->peers, node) {
		if (s->tunnel == tunnel->model->index)
			session = s;
	}
	slot_read(&p->r->b->counters, tunnel->model->slot, &sum);
	t.reached = sum.received > 0;
	say(p, session, &t, tunnel->ike_state == IKE_TUNNEL_UP);
}

void diagnose_line_bgp(struct report *p, const struct model_iface *iface, bool reached)
{
	struct told t = {.name = p->a->name, .by_what = "it answers ARP", .reached = reached};
	const struct speaker_peer *s, *session = NULL;

	if (!p->r->speaker)
		return;
	list_for (s, &p->r->speaker->peers, node) {
		if (!s->tunnel && s->iface == iface->index)
			session = s;
	}
	say(p, session, &t, true);
}
