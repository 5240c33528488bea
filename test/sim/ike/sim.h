/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_H
#define SIM_H

/*
 * Two IKE engines over a simulated network with a clock turned by hand.
 *
 *     host A (engine, SAs) --- [NAT] --- network: loss, delay, reorder, duplicates, forgery --- host B
 *
 * A seed fixes everything: configurations, faults, restarts, commands. Hosts send ESP packets through their
 * outbound SAs all the time; a packet that the other side cannot open is a loss, which a run without
 * disturbances must not have.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/rng.h"
#include "ike/ike.h"

#define SIM_TUNNEL   7
#define SIM_FAMILIES 2
#define SIM_TS_MAX   8

struct sim;

/* What the data path of a host holds: a Child SA. */
struct sim_child {
	struct sim_child *next;
	struct ike_child info;
	uint8_t family;
	bool out;
	uint64_t out_order; /* the highest is in use */
	struct ike_usage usage;
};

struct sim_host {
	struct sim *sim;
	const char *name;
	unsigned index;
	struct ip_addr addr;
	struct ike_engine *engine; /* NULL while it is down */
	struct rng rng;
	struct ike_limits limits;
	struct ike_tunnel_config config;
	struct ip_prefix local_ts[SIM_TS_MAX], remote_ts[SIM_TS_MAX];
	struct sim_child *children;
	enum ike_tunnel_state state;
	uint32_t spis_out; /* allotted and neither installed nor given back */
	uint64_t out_orders;
	bool up_once[SIM_FAMILIES]; /* has had an outbound SA of the family */
	unsigned errors[IKE_ERROR_COUNT];
	uint64_t esp_sent, esp_received, esp_lost, keepalives;
	bool tell_used;   /* report the first packet on an inbound SA */
	int64_t ahead_ns; /* its clock against that of the simulation: jumps forward (C-13) */
};

/* The network's faults, in percent of IKE datagrams; ESP is delayed, never lost. */
struct sim_faults {
	unsigned loss, duplicate, mutate;
	int64_t delay_min_ns, delay_max_ns; /* a wide range reorders */
	int64_t esp_delay_max_ns;
};

struct sim_packet;

struct sim {
	uint64_t seed;
	struct rng rng; /* of the network and of events */
	struct mono now;
	struct sim_host host[2];
	struct sim_faults faults;
	bool nat;                 /* host A is behind one */
	uint16_t nat_shift;       /* added to the ports of A on the outside */
	struct sim_packet *queue; /* by time of arrival */
	uint64_t order;
	bool verbose;
	bool v1;           /* both speak IKEv1 */
	bool count_losses; /* an ESP packet sent from here on that is lost is a failure */
	bool disturbed;    /* something happened that may break traffic */
	char failure[256];
	struct sim_ids *ids; /* message IDs seen on the wire */
};

/* ---- network.c ---- */

struct ip_addr sim_nat_addr(void);
void sim_send_ike(struct sim_host *from, const struct ike_endpoint *local,
    const struct ike_endpoint *remote, const uint8_t *bytes, size_t len);
/* One ESP packet through the SA in use of that family, if there is one. */
void sim_send_esp(struct sim_host *from, uint8_t family);
bool sim_network_next(const struct sim *s, struct mono *due);
void sim_network_run(struct sim *s);
void sim_network_clear(struct sim *s);
/* Every IKEv2 datagram of the hosts, against the rules of message IDs (RFC 7296 2.1, 2.2). */
void sim_check_ids(struct sim *s, unsigned from, const uint8_t *bytes, size_t len);
void sim_ids_clear(struct sim *s);

/* ---- host.c ---- */

/* The time as the host sees it. */
struct mono sim_host_now(const struct sim_host *h);
void sim_host_start(struct sim_host *h);
/* Without a word to the peer. */
void sim_host_stop(struct sim_host *h);
struct sim_child *sim_host_find(struct sim_host *h, uint32_t spi_in);
struct sim_child *sim_host_in_use(struct sim_host *h, uint8_t family);
/* How many Child SAs of the family carry what leaves, and how many stay at all. */
void sim_host_count(struct sim_host *h, uint8_t family, unsigned *out, unsigned *all);

/* Of the network and of events. */
static inline unsigned sim_below(struct sim *s, unsigned bound)
{
	return rng_below(&s->rng, bound);
}
static inline bool sim_chance(struct sim *s, unsigned percent)
{
	return sim_below(s, 100) < percent;
}

/* ---- setup.c ---- */

/* Chooses configurations and faults from the seed. */
void sim_setup(struct sim *s);

/* ---- scenario.c ---- */

/* Plays it to the end. False, and s->failure, when an invariant was broken. */
bool sim_play(struct sim *s);
void sim_describe(const struct sim *s);

void sim_fail(struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sim_say(const struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
