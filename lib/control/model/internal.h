/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MODEL_INTERNAL_H
#define MODEL_INTERNAL_H

/* What the files of this folder share. Objects live as long as their name is in the configuration. */

#include "base/list.h"
#include "model/model.h"

#define POLICY_BUILT_IN 5000 /* priority of the built-in rejection (R4) */
#define PERMIT_ALL      0

/* A leaf next hop towards a neighbour, shared by all that go the same way. */
struct via {
	struct list node;
	uint32_t iface;
	struct ip_addr addr;
	uint32_t leaf;
	bool seen;
};

struct attach;

struct tunnel_entry {
	struct list node;
	struct model_tunnel pub;
	char name[IP_TEXT_MAX + 128];
	struct attach *attach;
	uint32_t leaf; /* NH_TUNNEL without policy: what groups point to */
	bool seen;
};

struct iface_entry {
	struct list node;
	struct model_iface pub;
	struct attach *attach; /* NULL: uplink */
	struct ip_addr *proxies;
	struct ip_addr *gateways;
	bool link_up;
	bool seen;
};

struct attach { /* an attachment */
	struct list node;
	const struct conf_attachment *conf;
	char *name;
	uint16_t number;
	struct iface_entry *iface; /* every kind but vpn */
	struct tunnel_entry *tunnel[CONF_TUNNELS_MAX];
	unsigned tunnel_count;
	bool usable; /* link up, or at least one tunnel that is not down */
	bool seen;
};

enum source { /* where a candidate comes from; the order is that of R6 within a rank */
	SOURCE_STATIC,
	SOURCE_CONNECTED,
	SOURCE_ATTACHED, /* `routes` of the attachment */
	SOURCE_FLOW,     /* flow protection (T10) */
	SOURCE_LOCAL,    /* an address of the router */
};

enum lost { /* why a candidate is not used */
	LOST_NOT,
	LOST_RANK,     /* a better rank of R6 */
	LOST_KIND,     /* another kind won (A9) */
	LOST_UNUSABLE, /* its attachment is down and another is not */
	LOST_LIMIT,    /* more equal paths than the limit (A8) */
	LOST_POLICY,   /* refused by an ingress policy */
	LOST_DUPLICATE,
};

struct candidate {
	struct ip_prefix prefix;
	uint8_t source; /* enum source */
	uint8_t rank;   /* R6: the lower wins */
	uint8_t lost;   /* enum lost */
	bool blackhole;
	uint16_t policy;         /* priority of the policy that refused it */
	uint32_t preference;     /* set by an ingress policy; the higher wins within a rank */
	struct attach *origin;   /* NULL: blackhole, or an address of the router */
	struct ip_addr next_hop; /* unset: the attachment itself */
	uint32_t leaf;           /* port attachments: connected or via */
};

/* A next hop that routes point to: one per different set of members and permission. */
struct path {
	struct list node;
	enum nexthop_kind kind;
	uint32_t index;      /* of its nexthop */
	uint32_t routes;     /* that use it, in all tables */
	uint32_t permit_key; /* number of struct permission; PERMIT_ALL: everybody */
	unsigned member_count;
	struct path_member {
		struct attach *origin;
		struct tunnel_entry *tunnel; /* or */
		uint32_t leaf;               /* of a port attachment */
	} member[ECMP_MEMBERS_MAX];
};

/* One set of attachments that may use a route; shared by routes with the same outcome. */
struct permission {
	struct list node;
	uint32_t key;
	struct permit *permit;
	uint64_t *word; /* copy to compare */
	bool seen;
};

struct route {
	struct ip_prefix prefix;
	uint32_t first, count; /* of its candidates in table.candidate, best first */
	struct path *path;
};

struct table {
	struct list node;
	const struct conf_route_table *conf; /* NULL: the underlay */
	char *name;
	struct fib *fib;
	struct candidate *candidate;
	uint32_t candidate_count, candidate_room;
	struct route *route;
	uint32_t route_count;
	bool seen;
};

struct model {
	struct boundary *b;
	struct model_limits limits;
	const struct conf *conf;
	struct list tables;
	struct table *underlay;
	struct list attachments;
	struct list ifaces;
	struct list tunnels;
	struct list vias;
	struct list paths;
	struct list permissions;
	uint32_t permission_keys;
	uint16_t numbers; /* attachment numbers handed out: 1..numbers */
	uint32_t words;   /* of a permission bitmap */
	uint32_t local_leaf, blackhole_leaf;
	bool has_vpn;          /* the built-in policy is in force */
	bool has_alternatives; /* some prefix has more than one candidate */
	const struct model_tunnel **tunnel_view;
	const struct model_iface **iface_view;
	unsigned tunnel_count, iface_count;
};

/* objects.c: attachments, interfaces, tunnels and tables as the configuration has them; their numbers and slots */
int objects_apply(struct model *m);
void objects_sweep(struct model *m); /* what the configuration no longer has */
void objects_free(struct model *m);
struct attach *attach_of(const struct model *m, const struct conf_attachment *conf);
struct table *table_of(const struct model *m, const struct conf_route_table *conf);
void attach_refresh_usable(struct attach *a);

/* underlay.c: uplinks: where outer packets leave */
uint32_t via_leaf(struct model *m, const struct iface_entry *iface, const struct ip_addr *addr);
struct iface_entry *iface_of_tunnel(const struct model *m, const struct conf_tunnel *t);
void vias_sweep(struct model *m);
void vias_free(struct model *m);

/* candidates.c: fills table.candidate of every table from the configuration */
void candidates_collect(struct model *m);
/* select.c: order and winners within one prefix; pure. Returns how many won; they stand in front. */
unsigned select_winners(struct candidate *c, unsigned count, unsigned ecmp_limit);
const char *lost_text(enum lost lost);
const char *source_text(enum source source);

/* policy.c */
struct policy_question {
	const struct conf_route_table *table;
	const struct attach *source;      /* where the route comes from */
	const struct attach *destination; /* who uses it; NULL on ingress */
	const struct ip_prefix *prefix;
	enum source route;
};
struct policy_answer {
	bool permit;
	uint16_t priority;                /* of the policy that decided; 0: none matched */
	const struct conf_policy *policy; /* NULL: none, or the built-in */
};
struct policy_answer policy_ask(
    const struct model *m, enum conf_direction direction, const struct policy_question *q);
/* The permission of a route: key for path_get(), or PERMIT_ALL. */
uint32_t policy_permission(
    struct model *m, const struct table *t, const struct candidate *winners, unsigned count);
void permissions_sweep(struct model *m);
void permissions_free(struct model *m);
struct permission *permission_find(const struct model *m, uint32_t key);

/* publish.c: paths and routes into the boundary */
struct path *path_get(
    struct model *m, const struct candidate *winners, unsigned count, uint32_t permit_key);
int path_publish(struct model *m, struct path *p);
void paths_of_tunnel(struct model *m, const struct tunnel_entry *t);
/* Resolves every table and carries the differences to the boundary. 0 or -errno. */
int routes_publish(struct model *m);
void paths_sweep(struct model *m);
void paths_free(struct model *m);

#endif
