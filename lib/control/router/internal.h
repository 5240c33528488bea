/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROUTER_INTERNAL_H
#define ROUTER_INTERNAL_H

/* What the files of this folder share. Control lcore only. */

#include <event2/event.h>

#include "api/api.h"
#include "api/metrics.h"
#include "base/list.h"
#include "base/rng.h"
#include "base/timer.h"
#include "bfd/bfd.h"
#include "health/health.h"
#include "ike/ike.h"
#include "model/model.h"
#include "neigh/icmp.h"
#include "neigh/neigh.h"
#include "router/router.h"

/* A Child SA of a tunnel in the boundary, named by spi_in. */
struct child {
	struct list node;    /* of struct vpn_tunnel.children, newest outbound first */
	struct ike_child sa; /* keys too, for a change of endpoints; wiped when freed. Selector
				pointers go to the arrays below */
	struct ike_selector local_ts[IKE_TS_MAX], remote_ts[IKE_TS_MAX];
	struct sa_in *in;
	struct sa_out *out;               /* NULL: not yet, or no longer, sending */
	uint64_t packets_in, packets_out; /* counted when child_usage was last asked */
	struct mono last_in, last_out;
};

#define TRAP_HELD_MAX 16

/* What the router keeps of a tunnel beside model and ike. Its index in router->tunnel[] is that of the boundary. */
struct vpn_tunnel {
	const struct model_tunnel *model;
	struct list children;
	enum ike_tunnel_state ike_state;
	struct mono state_since;
	enum ike_error_code error_code; /* the last report, for `show tunnels` */
	char error_text[512];
	struct mono error_at;
	uint64_t ups;        /* times it came up */
	uint8_t fit;         /* enum fitness, of eligible.c alone */
	uint32_t bfd;        /* its BFD session; 0: none */
	unsigned held_count; /* packets that wait for an on-demand tunnel */
	struct rte_mbuf *held[TRAP_HELD_MAX];
	struct mono held_since;
	uint64_t numbers_end, numbers_range; /* of manual_numbers.c: granted below; asked for */
	struct mono numbers_at;
	bool numbers_due;
	bool
	    gone; /* the configuration has it no more: `model` is `last`, nothing is published for it */
	struct model_tunnel last;
};

/* The way of the goodbye to a peer whose tunnel the model knows no more. */
#define FAREWELLS_MAX 64
struct farewell {
	struct ip_addr local, remote;
	uint32_t leaf;
	uint16_t iface;
	struct mono until;
};

struct apply;
struct confirm;
struct candidates;
struct speaker;
struct manual_numbers;

struct router {
	struct router_setup setup;
	struct conf *conf;
	struct conf *conf_own; /* NULL: still that of the setup */
	struct confirm *confirm;
	struct candidates *candidates;
	struct farewell farewell[FAREWELLS_MAX];
	unsigned farewell_next;
	struct boundary *b;
	struct event_base *base;
	struct event *poll_event;
	struct event *stop_event;
	struct event *signal_event[3];
	bool stopping;
	struct mono stop_deadline;
	int result;

	struct rng rng;
	struct timers timers; /* of neigh and of the router itself */
	struct timer second;  /* link state, heartbeats */
	struct model *model;
	struct ike_engine *ike;
	struct neigh_engine *neigh;
	struct health_engine *health;
	struct list meters; /* meter.c */
	struct bfd_engine *bfd;
	struct bfd_link **bfd_link; /* bfd.c, by session */
	struct icmp_limiter *icmp;
	struct api *api;
	struct metrics *metrics; /* NULL: not asked for */
	struct speaker *speaker;
	struct manual_numbers *numbers;
	struct mono started;
	bool told_bgp; /* stopping: IKE comes next */

	uint32_t tunnel_capacity;
	struct vpn_tunnel **tunnel; /* by index; NULL: none */
	bool link_up[PORTS_MAX];
	uint64_t beat_seen[WORKERS_MAX];
	struct mono beat_at[WORKERS_MAX];
	bool beat_late[WORKERS_MAX];
	unsigned next_source;     /* of work: whose turn it is (punts.c) */
	int64_t longest_round_ns; /* of the control loop, by the clock on the wall */
	int64_t longest_busy_ns;  /* from one round to the next, by the time this thread worked */
	int64_t busy_at_ns;
	uint64_t held_sent, held_dropped;
};

/* loop.c */
int loop_init(struct router *r);
void loop_fini(struct router *r);
/* Takes what workers put for control, punted packets by class and events, and runs the timers of IKE, for
 * milliseconds at most. Returns how much there was. */
unsigned punts_poll(struct router *r, struct mono now);

/* host_io.c: all take ownership of nothing; -errno when the packet could not be sent. */
/* An IP packet (from its header on) out of a leaf next hop, into a tunnel, or by the table of an interface. */
int host_send_nexthop(struct router *r, uint32_t nexthop, const uint8_t *packet, size_t len);
int host_send_tunnel(struct router *r, uint32_t tunnel, const uint8_t *packet, size_t len);
int host_send_route(struct router *r, uint32_t iface, const uint8_t *packet, size_t len);
/* A frame without VLAN tag; the tag of the interface is put in. */
int host_send_frame(struct router *r, uint32_t iface, const uint8_t *frame, size_t len);
/* UDP between our gateway address and a peer; `marker`: four zero bytes first (RFC 3948 2.2). */
int host_send_udp(struct router *r, const struct ike_endpoint *local,
    const struct ike_endpoint *remote, bool marker, const uint8_t *bytes, size_t len);
/* A UDP datagram with its IP header: endpoints and payload, or -EINVAL when lengths or checksum lie. */
int host_parse_udp(const uint8_t *packet, size_t len, struct ike_endpoint *local,
    struct ike_endpoint *remote, struct wire *payload);
/* The bytes of a whole packet in one piece; copies into `room` when the mbuf is chained. NULL when too long. */
const uint8_t *host_bytes(struct rte_mbuf *m, uint8_t *room, size_t capacity, size_t *len);
/* A packet that waited goes on. Takes the mbuf. */
void host_resume(struct router *r, struct rte_mbuf *m, uint8_t inject_kind);
#define HOST_PACKET_MAX 65535

/* vpn.c */
extern const struct ike_ops router_ike_ops;
void tunnel_event(struct router *r, const struct event *ev, struct mono now);
void tunnel_trap(struct router *r, struct rte_mbuf *m, struct mono now); /* takes the packet */
void vpn_tick(struct router *r, struct mono now);                        /* once a second */
struct vpn_tunnel *tunnel_by_name(struct router *r, const char *name);   /* "dc1/1"; NULL */
/* Publishes the record that follows from children and state. */
void tunnel_refresh(struct router *r, struct vpn_tunnel *t);
void tunnel_release_held(struct router *r, struct vpn_tunnel *t, bool up);

/* tunnels.c: tunnels come and go */
int vpn_init(
    struct router *r); /* after model_apply(): adds every tunnel to ike or keys it by hand */
void vpn_fini(struct router *r);
/* The leaf of a goodbye; 0: none. */
uint32_t farewell_leaf(
    const struct router *r, const struct ip_addr *local, const struct ip_addr *remote);

/* tunnel_conf.c: the engine's configuration of a tunnel, and pre-shared keys. */
void tunnel_conf_ike(
    const struct conf_tunnel *t, struct ike_tunnel_config *out, struct ip_prefix *any);
/* eligible.c: the one place that decides whether routes may use a tunnel (H5) */
enum fitness {         /* the worst of what is known, worst first */
	FIT_SA_DOWN,   /* nothing to encrypt with */
	FIT_ON_DEMAND, /* the same, but the first packet will change it */
	FIT_BFD_DOWN,
	FIT_HEALTH_FAILED,
	FIT_BFD_WAIT,        /* SA up, no session yet: used where nothing better is */
	FIT_HEALTH_CHECKING, /* SA up, no answer yet: the same */
	FIT,
};
/* Decides anew from the SA, the health check and the rest; tells workers and the model. */
void eligible_update(struct router *r, struct vpn_tunnel *t);
/* Of the tunnel's record. */
enum tunnel_state eligible_record_state(const struct vpn_tunnel *t, bool has_sa);
bool eligible_is(const struct vpn_tunnel *t);
const char *eligible_why_not(const struct vpn_tunnel *t); /* one line; NULL: it is */
bool tunnel_waits_for_traffic(const struct vpn_tunnel *t);

/* The tunnel has an SA now, or no longer: tells those who check it, and decides anew. */
void eligible_sa(struct router *r, struct vpn_tunnel *t, struct mono now);

/* meter.c: what attachments carried (M1) */
void meter_apply(struct router *r, struct mono now);
void meter_fini(struct router *r);
/* The SA is out of sight of workers and about to be removed: right before sa_..._remove(). */
void meter_sa_leaves(struct router *r, const struct vpn_tunnel *t, const struct sa_head *sa);

/* bfd.c: BFD sessions in tunnels and on attachments */
void bfd_init(struct router *r);
void bfd_fini(struct router *r);
/* Sessions are those of the configuration; again after a change of it. */
void bfd_apply(struct router *r, struct mono now);
void bfd_punt(struct router *r, struct rte_mbuf *m, struct mono now); /* takes the packet */
void bfd_event(struct router *r, const struct event *ev, struct mono now);
void bfd_tunnel(struct router *r, const struct vpn_tunnel *t, struct mono now);
void bfd_tunnel_gone(struct router *r, struct vpn_tunnel *t);
void bfd_link_changed(struct router *r, const struct conf_port *port, bool up, struct mono now);

/* health.c: health checks <-> tunnels */
void health_init(struct router *r);
void health_fini(struct router *r);
/* Checks what the configuration of the tunnels says; again after a change of it. */
void health_apply(struct router *r, struct mono now);
/* An ICMP packet out of a tunnel; takes nothing. True: it was an answer to a probe. */
bool health_packet(struct router *r, struct rte_mbuf *m, struct mono now);

/* keys.c: generated pre-shared keys, kept in the state directory with mode 0600 (T12, X5). 0 or -errno. */
int psk_load_or_make(const char *state_dir, const char *connection, unsigned tunnel,
    struct rng *rng, char out[CONF_PSK_MAX + 1]);

/* manual.c: keying: manual. 0 or -errno. The SAs go on behind these numbers; 0: from the beginning. */
int manual_install(struct router *r, struct vpn_tunnel *t, uint64_t first_out, uint64_t first_in);
void manual_up(struct router *r, struct vpn_tunnel *t);

/* manual_numbers.c: no manual key meets a sequence number twice, whatever ends the process */
void manual_numbers_init(struct router *r);
void manual_numbers_fini(struct router *r); /* workers have ended */
/* Of the outbound key, the first that nobody has used. -errno when there is none, after the tunnel's error. */
int manual_numbers_first(struct router *r, struct vpn_tunnel *t, uint64_t *first);
/* The outbound SA has none left, or soon. */
void manual_numbers_want(struct router *r, struct vpn_tunnel *t);
/* Every round of the loop: reserves and grants what is wanted. */
void manual_numbers_run(struct router *r, struct mono now);

/* child.c: Child SAs in the boundary */
struct child *child_find(struct vpn_tunnel *t, uint32_t spi_in);
/* Sequence numbers below the first count as seen, or as sent. */
int child_install_in(
    struct router *r, struct vpn_tunnel *t, const struct ike_child *sa, uint64_t first_sequence);
int child_install_out(
    struct router *r, struct vpn_tunnel *t, struct child *c, uint64_t first_sequence);
void child_drop_out(struct router *r, struct vpn_tunnel *t, struct child *c);
void child_free(struct router *r, struct vpn_tunnel *t, struct child *c);
int child_move(struct router *r, struct vpn_tunnel *t, struct child *c);

/* neighbours.c */
int neighbours_init(struct router *r);
void neighbours_fini(struct router *r);
void neighbours_arp(struct router *r, struct rte_mbuf *m, struct mono now); /* takes the packet */
void neighbours_wanted(
    struct router *r, struct rte_mbuf *m, struct mono now); /* takes the packet */
void neighbours_link(struct router *r, const struct port *port, bool up, struct mono now);

/* icmp_host.c: echo to our addresses and the errors we owe; both take the packet */
void icmp_host_local(struct router *r, struct rte_mbuf *m, struct mono now);
void icmp_host_error(struct router *r, struct rte_mbuf *m, struct mono now);
/* The error about a packet of which the ingress is still in its meta; frees nothing. */
void icmp_host_report(
    struct router *r, struct rte_mbuf *m, enum icmp_error kind, uint32_t mtu, struct mono now);

/* show_change.c: SIGHUP applies the startup file. */
void change_by_signal(struct router *r);
/* speaker.c: BGP; speaker.h has the rest */
int speaker_init(struct router *r);  /* after model_create(), before model_apply() */
void speaker_fini(struct router *r); /* after model_free() */
/* Makes the sessions those of r->conf, after model_apply(): what is the same in both is not disturbed. */
void speaker_apply(struct router *r);
/* One round of some milliseconds at most; 0: nothing to do. */
unsigned speaker_run(struct router *r, struct mono now);
/* Ends all sessions; is everything sent? */
void speaker_goodbye(struct router *r, struct mono now);
/*
 * BFD lost, or found, the far end of the tunnel, or where `tunnel` is 0 that neighbour on the interface: a session
 * with it ends at once (RFC 5882 4.3, 9384), or is tried at once. It does not wait for BFD: some peers run BFD only
 * while the session is up.
 */
void speaker_path(
    struct router *r, uint32_t tunnel, uint32_t iface, const struct ip_addr *peer, bool alive);
bool speaker_is_quiet(const struct router *r);
/* speaker_packet.c: TCP to one of our addresses; takes the packet. */
void speaker_punted(struct router *r, struct rte_mbuf *m);

/* show.c and show_*.c */
int show_init(struct router *r);

#endif
