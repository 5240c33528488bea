/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MODEL_INTERNAL_H
#define MODEL_INTERNAL_H

/*
 * What the files of this folder share. Objects live as long as their name is in the configuration;
 * a change of it goes through four steps, of which only the first two can fail:
 *
 *   1. objects_make()    what is new gets numbers, slots and records; workers cannot reach it yet
 *   2. routes_make()     every table is resolved anew; what is new or different goes into the FIBs
 *   3. objects_commit()  interfaces and tunnels get the table and attachment of their new life
 *      routes_commit()   what has gone goes out of the FIBs
 *   4. objects_sweep()   what the configuration no longer has goes, its numbers after a grace period
 */

#include "base/list.h"
#include "bgp/bgp.h"
#include "conf/names.h"
#include "model/model.h"

#define POLICY_BUILT_IN     5000 /* priority of the built-in rejection (R4) */
#define POLICY_PRIORITY_MAX 100  /* of users */
#define POLICY_WORDS        (POLICY_PRIORITY_MAX / 64 + 1)

/* ---- objects ---- */

struct attach;
struct tunnel_entry;

struct policer_pair { /* NULL: none */
	struct policer *in, *out;
};

struct iface_entry { /* of one owner: the port (an uplink) or an attachment */
	struct list node;
	struct model_iface pub;
	struct attach *attach; /* NULL: uplink */
	uint16_t port, vlan;   /* struct port.index */
	struct list vias;
	struct ip_addr *proxies;
	struct ip_addr *gateways;
	bool link_up;
	bool seen;
};

struct tunnel_entry {
	struct list node;
	struct model_tunnel pub;
	char *name;
	uint64_t identity;       /* hash of the name: keeps its buckets over restarts */
	struct attach *attach;   /* NULL: its connection is not attached */
	struct iface_entry *out; /* where its outer packets leave */
	uint32_t leaf;
	struct policer_pair policer;
	bool seen;
};

struct attach { /* an attachment */
	struct list node;
	const struct conf_attachment *conf;
	char *name;
	uint64_t identity;
	uint16_t number;
	struct iface_entry *iface; /* every kind but vpn */
	struct tunnel_entry *tunnel[CONF_TUNNELS_MAX];
	unsigned tunnel_count;
	struct policer_pair policer;
	bool unfit;   /* model_attachment_set() */
	bool usable;  /* link up, or at least one tunnel that is not down */
	bool changed; /* `usable` did, and routes are not chosen anew yet */
	bool seen;
};

#define COMPANIONS_MAX 64 /* sets */

struct companions { /* of companions.c: who shared a learned route */
	unsigned count;
	uint64_t identity[ECMP_MEMBERS_MAX];
};

#define ATTACHMENT_NUMBERS (UINT16_MAX + 1)

/*
 * The number of an attachment that has gone, not to be given away while packets that carry it are
 * under way.
 */
struct left_number {
	uint16_t number;
	uint64_t mark; /* epoch_mark() */
};

/* ---- ways out to a neighbour ---- */

struct via { /* of routes: a leaf next hop, shared by all that name the same neighbour */
	struct list node; /* of struct iface_entry.vias */
	struct iface_entry *iface;
	struct ip_addr addr;
	uint32_t leaf;
	bool seen;
};

struct way { /* of outer packets: its leaf stays, what it leads to follows the configuration */
	struct list node;
	struct iface_entry *iface;
	struct ip_prefix prefix; /* what lies behind it: 0/0 on an uplink, a route of a VBR */
	struct ip_addr next_hop; /* as published; unset: none */
	uint32_t leaf;
};

/* ---- routes ---- */

enum source { /* where a candidate comes from */
	SOURCE_STATIC,
	SOURCE_CONNECTED,
	SOURCE_ATTACHED, /* `routes` of the attachment */
	SOURCE_FLOW,     /* flow protection (T10) */
	SOURCE_LOCAL,    /* an address of the router */
	SOURCE_HEALTH,   /* the same: it asks the far end of a tunnel from there (H4) */
	SOURCE_BGP,      /* learned from a peer of the attachment (B7) */
};

enum lost { /* why a candidate is not used */
	LOST_NOT,
	LOST_RANK,       /* a better rank of R6 */
	LOST_PREFERENCE, /* a policy prefers another one of the same rank */
	LOST_KIND,       /* another kind won (A9) */
	LOST_UNUSABLE,   /* its attachment is down and another is not */
	LOST_LIMIT,      /* more equal paths than the limit (A8) */
	LOST_DUPLICATE,
	LOST_UNRESOLVED, /* nothing says which neighbour of the attachment it means */
	LOST_POLICY,     /* refused by an ingress policy */
	LOST_CONFIGURED, /* a route of the same kind is configured */
	LOST_BGP,        /* the decision process: see candidate.step */
	LOST_STANDBY,    /* another tunnel of an active-standby connection has it */
};

struct candidate {
	struct ip_prefix prefix;
	uint8_t source; /* enum source */
	uint8_t rank;   /* R6: the lower wins */
	uint8_t lost;   /* enum lost; _UNRESOLVED and _POLICY are set when it is collected */
	bool blackhole;
	uint16_t policy;         /* priority of the policy that refused it */
	uint32_t preference;     /* set by an ingress policy; the higher wins within a rank */
	struct attach *origin;   /* NULL: blackhole, or an address of the router */
	struct ip_addr next_hop; /* unset: the attachment itself */
	struct via *via;         /* of that next hop */
	const struct conf_policy *ingress; /* permits it, and may change its attributes */
	/* Of a learned one; such candidates are made when they are looked at, and never kept. */
	uint8_t step;                /* enum bgp_step */
	bool edited;                 /* `attrs` is a reference of its own */
	uint32_t peer;               /* model_peer_of_*() */
	struct tunnel_entry *tunnel; /* it came through; NULL: a port */
	const struct bgp_attrs *attrs;
	const struct bgp_path *learned;
};

/* Candidates of one prefix, gathered to be looked at. */
struct gathered {
	struct candidate *candidate;
	unsigned count, room, learned; /* of which so many learned, behind the others */
	struct bgp_path *path;
	unsigned path_room;
};

struct policy_set {                  /* of egress policies of a table */
	uint64_t word[POLICY_WORDS]; /* by priority */
	bool built_in;
};

/* One set of attachments that may use a route; shared by routes with the same outcome. */
struct permission {
	struct list node;
	unsigned refs;
	struct permit *permit;
	uint32_t words;
	uint64_t word[]; /* copy to compare */
};

#define PATH_BUCKETS 1024

/* A next hop that routes point to: one per different set of members and permission. */
struct path {
	struct list node;
	struct list bucket;     /* of struct model.path_bucket */
	enum nexthop_kind kind; /* NH_LOCAL, NH_BLACKHOLE, or NH_GROUP of one member or more */
	uint32_t index;         /* of its nexthop */
	uint32_t routes;        /* that use it, in all tables, and paths that it is the backup of */
	struct permission *permission; /* NULL: everybody */
	struct path *backup;  /* counted in its `routes`; it is before this one in the list */
	struct path *carrier; /* whose members and permission are published: see backup.c */
	uint8_t source;       /* enum source of the best: egress policies ask for it */
	bool carries;         /* its own members can */
	bool changed;         /* what is published, in this paths_refresh() */
	unsigned member_count;
	struct path_member {
		struct attach *origin;       /* NULL: absent, see path.c */
		struct tunnel_entry *tunnel; /* NULL: a port, or all tunnels as one */
		uint32_t port_leaf;          /* of a port attachment */
		struct via *via;             /* of that; NULL: the interface's own */
		uint64_t identity;           /* keeps its buckets over restarts: a hash of names */
		uint32_t leaf;               /* as published */
		bool alive;                  /* as published */
	} member[];
};

struct route {
	struct ip_prefix prefix;
	uint32_t first, count; /* of its candidates, best first */
	struct path *path;     /* NULL: policies refused all candidates */
};

struct rib { /* both in order of prefix */
	struct candidate *candidate;
	uint32_t candidate_count, candidate_room;
	struct route *route;
	uint32_t route_count;
};

struct table {
	struct list node;
	const struct conf_route_table *conf; /* NULL: the underlay */
	char *name;
	struct fib *fib;
	struct rib now;  /* what the FIB says */
	struct rib next; /* while a configuration is applied */
	const struct conf_policy *policy[CONF_EGRESS + 1][POLICY_PRIORITY_MAX + 1];
	unsigned policy_count[CONF_EGRESS + 1];
	uint32_t overflow;    /* learned routes that did not fit: the FIB, or the next hops */
	uint64_t edits;       /* policies_edits(), as peers were told */
	struct list verdicts; /* of permission.c */
	bool seen;
};

/* peers.c: tunnels by their outer addresses */
struct peers {
	uint32_t mask;
	struct tunnel_entry **by_pair, **by_local;
};
void peers_build(struct model *m);
void peers_fini(struct model *m);
struct tunnel_entry *peers_find(
    struct model *m, const struct ip_addr *local, const struct ip_addr *remote);

struct model {
	struct boundary *b;
	struct model_limits limits;
	const struct conf *conf; /* never NULL */
	struct list tables;
	struct table *underlay;
	struct list attachments;
	struct names attach_names; /* the same by name */
	struct list ifaces;
	struct list tunnels;
	struct list ways;
	struct list paths;
	struct list path_bucket[PATH_BUCKETS]; /* by their members, see path.c */
	struct list permissions;
	struct left_number *left;
	unsigned left_count;
	uint16_t fib_numbers; /* the last that was handed out; they begin anew after 65535 */
	uint32_t words;       /* of a permission: numbers of attachments are below 64 * words */
	uint32_t local_leaf, blackhole_leaf;
	bool has_vpn; /* the built-in policy is in force */
	/* learned.c */
	struct bgp_engine *bgp;
	const struct bgp_attrs *local_attrs; /* of routes that are not learned */
	struct gathered scratch;
	struct path *new_path;                        /* room to describe one */
	struct companions companions[COMPANIONS_MAX]; /* newest first */
	unsigned companions_count;
	struct path **path_of; /* by index of the nexthop, those of kind NH_GROUP */
	struct attach **attach_of_number;
	struct tunnel_entry **tunnel_of_index;
	uint32_t attach_numbers, tunnel_indexes; /* of these two */
	bool walking;                            /* all learned routes are being chosen anew */
	bool first;                              /* configuration of all */
	bool idle_paths;                         /* there may be some without routes */
	bool starved;                            /* a route went without a next hop */
	uint32_t backed;                         /* paths with a backup */
	unsigned learned_unswept;                /* prefixes looked at since they were looked for */
	uint64_t walk;
	struct list left_views; /* of left_views.c */
	const struct model_tunnel **tunnel_view;
	const struct model_iface **iface_view;
	unsigned tunnel_count, iface_count;
	struct peers peers;
	struct tunnel_entry **tunnel_at; /* by struct model_tunnel.index; NULL: none */
	uint32_t tunnel_at_count;
};

/* objects.c: the steps for all objects together */
/* 0, -ENOSPC, -ENOMEM, -ENODEV. Cannot fail for the configuration that was applied last. */
int objects_make(struct model *m);
void objects_commit(struct model *m);
void objects_sweep(struct model *m);
void objects_free(struct model *m); /* every object, and the leaves of the model's own */
void slot_leave(struct model *m, uint16_t slot); /* released after a grace period */

/* tables.c */
int tables_make(struct model *m);
void tables_sweep(struct model *m);
struct table *table_of(const struct model *m, const struct conf_route_table *conf);

/* attachments.c */
int attachments_make(struct model *m);
void attachments_sweep(struct model *m);
struct attach *attach_of(const struct model *m, const struct conf_attachment *conf);
void attach_refresh_usable(struct attach *a);

/* ifaces.c */
int ifaces_make(struct model *m);
/*
 * True when workers may be on their way to a table that one of them has left; tunnels_commit()
 * alike.
 */
bool ifaces_commit(struct model *m);
void ifaces_sweep(struct model *m);

/* tunnels.c */
int tunnels_make(struct model *m);
bool tunnels_commit(struct model *m);
void tunnels_sweep(struct model *m);
/*
 * What the tunnel can do, as far as routes are concerned: its own state and that of the link below
 * it.
 */
enum model_tunnel_state tunnel_state(const struct tunnel_entry *t);

/* policers.c */
void policers_commit(struct model *m);
/* After the slots that name them have gone. */
void policers_leave(struct model *m, struct policer_pair *pair);
/* Those that a packet meets; `to` and `out` may be NULL. */
struct json_t *policers_explain(const struct model *m, const struct attach *from,
    const struct attach *to, const struct tunnel_entry *out);

/* underlay.c: leaf next hops towards neighbours */
/* NULL when the boundary has no room. */
struct via *via_get(struct model *m, struct iface_entry *iface, const struct ip_addr *addr);
struct iface_entry *iface_of_tunnel(const struct model *m, const struct conf_tunnel *t);
void vias_sweep(struct model *m);
void ways_commit(struct model *m);
void ways_sweep(struct model *m);

/* candidates.c: fills `next` of every table from the configuration. 0 or -ENOSPC. */
int candidates_collect(struct model *m);
bool propagates_to(const struct attach *a, const struct table *t);
/* Asks the ingress policies; false, and `lost`: it does not enter the table. */
bool candidate_enters(const struct table *t, struct candidate *c);
uint8_t candidate_rank(enum source source, const struct attach *origin);

/* gather.c: the candidates of a prefix, configured ones and learned ones, together */
/* Copies of those that are configured, and the learned ones. Valid until the next call. */
struct gathered *gather(struct model *m, struct table *t, const struct candidate *configured,
    unsigned count, const struct bgp_change *change);
void gathered_done(struct model *m, struct gathered *g); /* releases what gather() took */
/* Attributes of the route with that winner for the table's view; a reference. */
const struct bgp_attrs *gathered_attrs(const struct model *m, const struct candidate *best);
/* The one whose attributes the route has; NULL: none won. */
const struct candidate *gathered_best(const struct gathered *g);
/* The attachment of a BGP peer; NULL: it has gone. */
struct attach *attach_of_peer(const struct model *m, uint32_t peer);
void learned_tables(struct model *m); /* numbers to objects; after objects_make() */

/* learned.c */
/* The table's view hears of a configured route. `fresh`: there may be a learned one in its place. */
void learned_configured(struct model *m, struct table *t, const struct route *r, bool fresh);
/* A prefix is no longer configured. True: a learned route has its place in the FIB. */
bool learned_take_over(struct model *m, struct table *t, const struct ip_prefix *prefix);
/* What was configured in the place of a learned route is undone; as learned_take_over(). */
bool learned_restore(struct model *m, struct table *t, const struct ip_prefix *prefix);
void learned_states(struct model *m);  /* tunnels or links changed */
void learned_restart(struct model *m); /* everything may be different */
void learned_fini(struct model *m);
#define LEARNED_AT_ONCE                                                                            \
	64 /* prefixes chosen anew before an entry point returns: memory for them may take 10 ms */
struct route *rib_find(const struct rib *rib, const struct ip_prefix *prefix);

/* left_views.c: tables that have gone */
void learned_leave_table(struct model *m, const struct table *t);
/* Some of what they have left behind; 0: nothing. */
unsigned left_views_run(struct model *m);
bool left_view_is(const struct model *m, uint32_t view); /* not emptied yet */

/*
 * select.c: order and winners within one prefix; pure. Returns how many won: their `lost` is
 * LOST_NOT.
 */
unsigned select_winners(struct candidate *c, unsigned count, unsigned ecmp_limit);
/* Its tunnels are one next hop: active/standby, or a limit that leaves no room for both. */
bool attach_is_one_hop(const struct attach *a, unsigned ecmp_limit);
const char *lost_text(enum lost lost);
/* The same, and of a learned one the step of BGP that decided. */
const char *candidate_why_lost(const struct candidate *c);
const char *source_text(enum source source);

/* show_routes.c: the BGP attributes of a learned one, as members of the row. */
void candidate_attributes(struct json_t *row, const struct candidate *c);

/* bgp_policy.c: what policies match in, and change of, BGP attributes; NULL: a route without */
bool policy_wants_attrs(const struct conf_policy *p, const struct bgp_attrs *attrs);
bool policy_edits(const struct conf_policy *p);
void policy_edit(const struct conf_policy *p, struct bgp_edit *out);
/*
 * How egress policies change what peers are told, as a number that is another one when they do so differently. 0: not at
 * all.
 */
uint64_t policies_edits(const struct table *t);

/* policy.c */
struct policy_answer {
	bool permit;
	uint16_t priority;                /* of the policy that decided; 0: none matched */
	const struct conf_policy *policy; /* NULL: none, or the built-in */
};
/* Takes those of the table from the configuration, by direction and priority. */
void policies_sort(struct table *t, const struct conf *conf);
struct policy_answer policy_ingress(const struct table *t, const struct candidate *c);
/* Which egress policies want the route, whoever uses it. The candidate has an origin. */
struct policy_set policy_set_of(
    const struct model *m, const struct table *t, const struct candidate *c);
struct policy_answer policy_egress(
    const struct table *t, const struct policy_set *set, const struct attach *who);

/* permission.c */
/* Who may use a route with these winners. A reference, or NULL: everybody. */
struct permission *permission_of(
    struct model *m, struct table *t, const struct candidate *c, unsigned count);
void permission_unref(struct permission *p); /* NULL is fine */
bool permission_has(const struct permission *p, const struct attach *a);
/* What is known of the table's policies is forgotten: they, or the attachments, change. */
void verdicts_clear(struct table *t);

/* path.c */
/*
 * The path of these winners, with one more reference in `routes`; takes over those of the
 * permission and of the backup (NULL: none). NULL with errno.
 */
struct path *path_get(struct model *m, const struct candidate *c, unsigned count,
    struct permission *permission, struct path *backup);
/* The same for a route that had the path `before`, or NULL, and remembers its members. */
struct path *path_follow(struct model *m, const struct candidate *c, unsigned count,
    struct permission *permission, struct path *backup, const struct path *before);
/* While there is room, and it is not a member yet. */
void path_add_absent(const struct model *m, struct path *p, uint64_t identity);
void path_leave(struct model *m, struct path *p); /* NULL is fine */
/* Publishes what states of links and tunnels have changed. */
void paths_refresh(struct model *m);
void paths_sweep(struct model *m);  /* those without routes */
void paths_disown(struct model *m); /* from objects that go */
/* NULL: not the index of a path. */
struct path *path_of_index(const struct model *m, uint32_t index);
#define IDENTITY_START UINT64_C(0xcbf29ce484222325)
uint64_t identity_add(uint64_t identity, const void *bytes, size_t len);
uint64_t identity_of_name(const char *name);

/* companions.c: who shared learned routes that are lost */
void companions_keep(struct model *m, const struct path *p);
/* Absent members for a learned path that knows nothing of the past. */
void companions_join(const struct model *m, struct path *p);

/* backup.c: what carries instead of a path that cannot */
/* For the winners among these candidates; a reference in `routes`. NULL: nothing, or no room. */
struct path *backup_of(struct model *m, struct table *t, const struct candidate *c, unsigned count);
/* The first of the path and its backups that can carry; itself when none can. */
struct path *backup_carrier(struct path *p);

/* publish.c: the only writer of FIBs */
/* Resolves every table and carries what is new to its FIB. 0, or -errno: then all is as before. */
int routes_make(struct model *m);
void routes_commit(struct model *m);
/* Chooses anew where an attachment with `changed` competes, and clears the mark. */
void routes_reselect(struct model *m);
void route_reselect(struct model *m, struct table *t, struct route *r); /* one of t->now */
/*
 * The path of a prefix, chosen from what was gathered; *path NULL: policies leave it none. 0 or -errno.
 */
int route_choose(struct model *m, struct table *t, struct gathered *g, const struct path *before,
    struct path **path);
void rib_clear(struct rib *rib);

#endif
