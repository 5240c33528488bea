/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_SA_H
#define BOUNDARY_SA_H

/*
 * Security Associations of ESP in tunnel mode (RFC 4301, 4303, 3948).
 *
 * Control describes one with struct sa_spec; sa_in_create()/sa_out_create() make its crypto session and its hot
 * record. The engine that frames its packets is chosen here, once: `engine` indexes the table of
 * encap/decap burst functions in datapath/, which is the seam for further engines.
 *
 * Inbound SAs are found by SPI (an open-addressing table like neigh's). An inbound SA belongs to one worker at
 * a time: the first that sees a packet of it becomes its owner, others hand its packets over.
 */

#include <stdatomic.h>

#include <rte_ipsec.h>

#include "base/alg.h"
#include "base/ip.h"
#include "boundary/crypto.h"
#include "boundary/epoch.h"

#define SA_KEY_MAX	  64
#define SA_SELECTORS_MAX  16
#define SA_WINDOW_MIN	  64
#define SA_WINDOW_MAX	  32768
#define SA_WINDOW_DEFAULT 1024

enum esp_engine { ESP_RTE_IPSEC_SYNC, ESP_RTE_IPSEC_QUEUE, ESP_ENGINE_COUNT };
enum sa_df { SA_DF_COPY, SA_DF_SET, SA_DF_CLEAR };

/* One pair of a traffic selector: addresses and, when not the full range, protocol and ports. */
struct sa_selector {
	struct ip_range local, remote;
	uint8_t protocol; /* 0: any */
	uint16_t local_port_first, local_port_last;   /* 0..65535: any */
	uint16_t remote_port_first, remote_port_last;
};

struct sa_spec { /* the caller wipes it after use */
	uint32_t spi;
	uint32_t tunnel;	/* index of its tunnel */
	uint16_t attachment;	/* number of the VPN attachment */
	uint16_t slot;		/* ledger slot of the tunnel */
	uint8_t inner_family;	/* IP_V4 or IP_V6: one per SA */
	struct ip_addr local;	/* outer addresses, as seen from here */
	struct ip_addr remote;
	bool natt;		/* UDP encapsulation */
	uint16_t local_port, remote_port; /* with natt */
	enum alg_encr encr;
	enum alg_auth auth;
	bool esn;
	uint32_t window;	/* inbound: replay window in packets */
	uint8_t encr_key[SA_KEY_MAX]; /* key, then salt */
	uint8_t auth_key[SA_KEY_MAX];
	enum sa_df df;		/* outbound */
	bool copy_dscp;		/* outbound; else 0 */
	uint64_t soft_packets, hard_packets, soft_bytes, hard_bytes; /* 0: none */
	uint64_t first_sequence;	/* outbound: 0 starts at 1 */
	uint32_t underlay;	/* outbound: leaf next hop of the outer packets */
	uint32_t outer_mtu;	/* outbound */
	unsigned selector_count;
	struct sa_selector selector[SA_SELECTORS_MAX];
};

struct sa_counters { /* one worker writes */
	uint64_t packets, bytes; /* of inner packets that passed */
	uint64_t outer_bytes;
	uint64_t replay, replay_old, icv_failed, other;
	uint64_t in_flight; /* in an asynchronous crypto queue */
} __rte_cache_aligned;

/*
 * Exact anti-replay window (RFC 6479 with its spare block): bits of the last `size` sequence numbers in a
 * ring of 64-bit words that is one word longer than the window. Written by the owning worker alone.
 */
struct replay_window {
	uint64_t top;  /* highest sequence number accepted, 0: none */
	uint32_t size; /* packets */
	uint32_t word_mask;
	uint64_t *word;
};
enum replay_verdict { REPLAY_FRESH, REPLAY_SEEN, REPLAY_OLD };
/* The full number that the 32 bits on the wire stand for (RFC 4304 A2.1). Without ESN: the bits. */
uint64_t replay_infer(const struct replay_window *w, uint32_t low, bool esn);
enum replay_verdict replay_check(const struct replay_window *w, uint64_t sequence);
/* After the ICV held: marks it and moves the window. Same verdicts: a second copy in one burst is SEEN. */
enum replay_verdict replay_accept(struct replay_window *w, uint64_t sequence);

struct sa_in {
	uint32_t spi;
	uint32_t tunnel;
	uint16_t slot;
	uint16_t attachment;
	uint8_t engine; /* enum esp_engine */
	uint8_t iv_bytes, icv_bytes;
	uint8_t inner_family;
	bool esn;
	bool natt;
	bool selects_all;	/* one selector of all addresses: no check needed */
	uint16_t min_bytes;	/* of the ESP packet: header + 8 + iv + 2 + icv rule of design */
	_Atomic int16_t owner;	/* *worker*: -1 none */
	_Atomic bool used;	/* *worker*: a packet passed; control asks after a rekey */
	_Atomic bool moved;	/* *worker*: an authenticated packet came from elsewhere; event raised */
	struct ip_addr local, remote;
	uint16_t local_port, remote_port;
	struct replay_window replay; /* *worker* (owner) */
	uint64_t hard_packets, hard_bytes, soft_packets, soft_bytes;
	_Atomic bool soft_raised, hard_raised; /* *worker* */
	unsigned selector_count;
	struct sa_selector selector[SA_SELECTORS_MAX];
	struct rte_ipsec_session session;
	struct sa_counters *of_worker; /* [workers] */
	struct sa_cold *cold;	       /* control */
};

struct sa_out {
	uint32_t spi;
	uint32_t tunnel;
	uint16_t slot;
	uint16_t attachment;
	uint8_t engine;
	uint8_t df;
	bool copy_dscp;
	bool natt;
	bool esn;
	uint32_t underlay;
	uint64_t hard_packets, hard_bytes, soft_packets, soft_bytes;
	_Atomic bool soft_raised, hard_raised; /* *worker* */
	struct rte_ipsec_session session;
	struct sa_counters *of_worker;
	struct sa_cold *cold; /* control */
};

/* What control keeps of an SA and shows. No keys. */
struct sa_cold {
	struct crypto *crypto;
	struct crypto_session session;
	void *rte_sa;
	unsigned workers;
	enum alg_encr encr;
	enum alg_auth auth;
	bool inbound;
	uint32_t spi, tunnel, window;
	struct ip_addr local, remote;
	uint16_t local_port, remote_port;
	bool natt, esn;
	unsigned selector_count;
	struct sa_selector selector[SA_SELECTORS_MAX];
};

struct sa_table; /* SPI -> struct sa_in */

struct sa_table *sa_table_create(struct epoch *e, struct crypto *c, unsigned workers, uint32_t capacity);
void sa_table_free(struct sa_table *t);

/* Inbound, visible to workers on return. NULL with errno: ENOTSUP (algorithm), EEXIST (SPI), ENOMEM, ENOSPC. */
struct sa_in *sa_in_create(struct sa_table *t, const struct sa_spec *spec);
/* Out of sight at once, freed after a grace period and when nothing of it is in flight. */
void sa_in_remove(struct sa_table *t, struct sa_in *sa);
bool sa_spi_in_use(const struct sa_table *t, uint32_t spi);
/* Outbound, not visible until a tunnel refers to it. */
struct sa_out *sa_out_create(struct sa_table *t, const struct sa_spec *spec);
/* After the tunnel no longer refers to it. */
void sa_out_remove(struct sa_table *t, struct sa_out *sa);
/* Sum over workers. */
void sa_counters_read(const struct sa_cold *cold, const struct sa_counters *of_worker, struct sa_counters *sum);
/* The next sequence number that would be sent. */
uint64_t sa_out_sequence(const struct sa_out *sa);

/* Worker side: NULL when unknown. */
struct sa_in *sa_in_find(const struct sa_table *t, uint32_t spi_host_order);
/* Does the inner packet lie within the selectors? src/dst as seen in the packet that came out of the tunnel. */
bool sa_in_selects(const struct sa_in *sa, const struct ip_addr *src, const struct ip_addr *dst,
    uint8_t protocol, uint16_t src_port, uint16_t dst_port);

#endif
