/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_SA_H
#define BOUNDARY_SA_H

/*
 * Security Associations of ESP in tunnel mode (RFC 4301, 4303, 3948).
 *
 * Control describes one with struct sa_spec; sa_in_create()/sa_out_create() make its keys or crypto session, and its
 * hot record. The engine that frames its packets is chosen here, once: `engine` indexes the table of
 * encap/decap burst functions in datapath/, which is the seam for further engines.
 *
 * Inbound SAs are found by SPI (an open-addressing table like neigh's). An inbound SA belongs to one worker at
 * a time: the first that sees a packet of it becomes its owner, others hand its packets over.
 */

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>

#include <rte_ip.h>
#include <rte_ipsec.h>
#include <rte_udp.h>

#include "base/alg.h"
#include "base/ip.h"
#include "base/list.h"
#include "boundary/crypto.h"
#include "boundary/epoch.h"
#include "boundary/replay.h"

#define SA_KEY_MAX        64
#define SA_SELECTORS_MAX  16
#define SA_WINDOW_MIN     32
#define SA_WINDOW_MAX     REPLAY_SIZE_MAX
#define SA_WINDOW_DEFAULT 1024

/* Without ESN no number beyond SA_SEQUENCE_LAST is sent; a new SA is asked for from SA_SEQUENCE_SOFT on. */
#define SA_SEQUENCE_LAST UINT64_C(0xfffffffe)
#define SA_SEQUENCE_SOFT UINT64_C(0xc0000000)
/* Ciphers with 64-bit blocks: no more bytes than this under one key (birthday bound). */
#define SA_SMALL_BLOCK_BYTES (UINT64_C(4) << 30)

#define SA_OUTER_TTL     64
#define SA_IV_MASK_BYTES 16

enum esp_engine {
	ESP_MB_AEAD,         /* our framing, intel-ipsec-mb packet by packet (sa_mb.h) */
	ESP_MB_CHAIN,        /* our framing, intel-ipsec-mb over the whole burst */
	ESP_RTE_IPSEC_SYNC,  /* rte_ipsec, crypto device called synchronously (sa_rte.h) */
	ESP_RTE_IPSEC_QUEUE, /* rte_ipsec, through the queues of a crypto device */
	ESP_ENGINE_COUNT
};
/* By which function of the library; esp_mb_aead.c. */
enum sa_aead { SA_AES128GCM, SA_AES256GCM, SA_CHACHA20POLY1305, SA_AEAD_COUNT };
enum sa_df { SA_DF_COPY, SA_DF_SET, SA_DF_CLEAR };

/* One pair of a traffic selector: addresses and, when not the full range, protocol and ports. */
struct sa_selector {
	struct ip_range local, remote;
	uint8_t protocol;                           /* 0: any */
	uint16_t local_port_first, local_port_last; /* 0..65535: any */
	uint16_t remote_port_first, remote_port_last;
};

struct sa_spec { /* the caller wipes it after use */
	uint32_t spi;
	uint32_t tunnel;      /* index of its tunnel */
	uint16_t attachment;  /* number of the VPN attachment */
	uint16_t slot;        /* ledger slot of the tunnel */
	uint8_t inner_family; /* IP_V4 or IP_V6: one per SA */
	struct ip_addr local; /* outer addresses, as seen from here */
	struct ip_addr remote;
	bool natt;                        /* UDP encapsulation */
	uint16_t local_port, remote_port; /* with natt */
	enum alg_encr encr;
	enum alg_auth auth;
	bool esn;
	uint32_t window;              /* inbound: replay window in packets; 0: SA_WINDOW_DEFAULT */
	bool replays_pass;            /* inbound: no window at all; not with ESN */
	uint8_t encr_key[SA_KEY_MAX]; /* key, then salt */
	uint8_t auth_key[SA_KEY_MAX];
	enum sa_df df;                                               /* outbound */
	bool copy_dscp;                                              /* outbound; else `dscp` */
	uint8_t dscp;                                                /* outbound: 0..63 */
	uint64_t soft_packets, hard_packets, soft_bytes, hard_bytes; /* 0: none */
	/* Outbound: the first number to send, 0 starts at 1. Inbound: numbers below it count as seen. */
	uint64_t first_sequence;
	bool granted;       /* outbound: no number is sent before sa_out_grant() allows it */
	uint32_t underlay;  /* outbound: leaf next hop of the outer packets */
	uint32_t outer_mtu; /* outbound */
	unsigned selector_count;
	struct sa_selector selector[SA_SELECTORS_MAX];
};

/* One worker each. What all packets change where one worker works on an SA stands in the SA's own lines. */
struct sa_counters {
	uint64_t bytes, outer_bytes; /* as in sa_out: of SAs that several workers send by */
	uint64_t replay, replay_old, icv_failed, other;
	uint64_t in_flight; /* in an asynchronous crypto queue; control reads it before it frees */
	uint64_t burst;     /* of the worker's burst that `group` belongs to */
	uint32_t group;     /* where the worker collects packets of this SA */
} __rte_cache_aligned;

/* All that was counted of an SA. */
struct sa_totals {
	uint64_t packets, bytes; /* in: inner packets that passed; out: those that got a number */
	uint64_t outer_bytes;
	uint64_t replay, replay_old, icv_failed, other, in_flight;
};

struct sa_mb; /* sa_mb.h */

/* The head of both hot records: what the stages and the engines need to know of either. */
struct sa_head {
	uint32_t spi;
	uint32_t tunnel;
	uint16_t slot;
	uint16_t attachment;
	uint8_t engine; /* enum esp_engine */
	uint8_t inner_family;
	uint8_t header_bytes; /* ESP header and IV */
	uint8_t icv_bytes;
	uint8_t align;        /* of the encrypted part, a power of two */
	uint8_t queue_device; /* ESP_RTE_IPSEC_QUEUE: cryptodev */
	uint8_t next_header;  /* that the trailer names: IPv4 or IPv6 */
	uint8_t aead;         /* ESP_MB_AEAD: enum sa_aead */
	bool esn;
	bool natt;
	uint8_t salt[4];               /* ESP_MB_AEAD: the nonce begins with it */
	struct sa_counters *of_worker; /* [workers] */
	const struct sa_mb *mb;        /* ESP_MB_*: keys */
	struct sa_cold *cold;          /* control */
};

/*
 * Fields stand together by when a worker needs them, a cache line at a time: with a thousand tunnels in a burst, each
 * line of an SA is one that has to be waited for.
 */
struct sa_in {
	struct sa_head head;
	uint16_t min_bytes;    /* of an ESP packet: header, IV, one block or 4 bytes, ICV */
	bool selects_all;      /* one selector of all addresses: no check needed */
	_Atomic bool used;     /* *worker*: a packet passed; control asks after a rekey */
	_Atomic int16_t owner; /* *worker*: -1 none */
	uint16_t remote_port;  /* with natt; network order */
	/* line 2 */
	struct replay_window replay; /* *worker* (owner) */
	uint64_t outer_v4;           /* remote and local address as in an IPv4 header */
	uint64_t packets, bytes;     /* *worker* (owner): of inner packets that passed */
	uint64_t outer_bytes;        /* the same */
	uint8_t outer_family;
	bool limited; /* one of the limits below is set */
	/* *worker* sets it: an authenticated packet came from elsewhere, event raised. While it is set, workers do not
	 * look at `remote` and `remote_port`, control may change them, and then clears it. */
	_Atomic bool moved;
	_Atomic bool soft_raised, hard_raised; /* *worker* */
	/* seldom needed */
	uint64_t hard_packets, soft_packets; /* UINT64_MAX: none */
	uint64_t hard_bytes, soft_bytes;     /* the same; control may lower them */
	struct rte_ipsec_session session;    /* ESP_RTE_* */
	struct ip_addr local, remote;
	unsigned selector_count;
	struct sa_selector selector[SA_SELECTORS_MAX];
};

/* What goes in front of the ESP header. */
union sa_outer_header {
	struct {
		struct rte_ipv4_hdr ip;
		struct rte_udp_hdr udp; /* with natt */
	} __rte_packed v4;
	struct {
		struct rte_ipv6_hdr ip;
		struct rte_udp_hdr udp;
	} __rte_packed v6;
};

struct sa_out {
	struct sa_head head;
	uint8_t tail_bytes;   /* room that the engine needs behind a packet, at most */
	uint8_t head_bytes;   /* room in front */
	uint8_t header_bytes; /* of the template */
	uint8_t outer_family;
	bool counts_bytes;           /* a byte limit is set */
	bool copies_dscp, copies_df; /* from the inner header; ECN always */
	bool cbc;                    /* the engine starts each message with iv_mask */
	/* line 2: *workers* count */
	_Atomic uint64_t next_sequence; /* taken atomically when there is more than one */
	_Atomic uint64_t
	    free_sequence; /* up to here none of the limits is near, and one worker counts alone */
	/* of inner packets that got a number, and of their outer ones; several workers: in sa_counters */
	uint64_t bytes, outer_bytes;
	uint32_t underlay;
	uint16_t id_offset;           /* added to the sequence number, gives the IPv4 ID */
	uint16_t header_sum;          /* sa_header_sum() */
	union sa_outer_header header; /* template; IPv4, and the ports of UDP, are in this line */
	/* line 3 */
	_Atomic uint64_t limited_bytes; /* *workers*: those that count against a limit */
	/* packet limits and the end of the number space; control may raise them */
	_Atomic uint64_t soft_sequence, hard_sequence;
	uint8_t iv_mask[SA_IV_MASK_BYTES]; /* secret; IV = E(sequence number ^ mask), see sa.c */
	/* seldom needed */
	uint64_t soft_bytes, hard_bytes;       /* UINT64_MAX: none; control may lower them */
	_Atomic bool soft_raised, hard_raised; /* *worker* */
	struct rte_ipsec_session session;      /* ESP_RTE_* */
};

static_assert(offsetof(struct sa_in, replay) == RTE_CACHE_LINE_SIZE &&
	offsetof(struct sa_in, hard_packets) <= 2 * RTE_CACHE_LINE_SIZE,
    "hot part of sa_in: two lines");
static_assert(offsetof(struct sa_out, next_sequence) == RTE_CACHE_LINE_SIZE &&
	offsetof(struct sa_out, header.v4.udp.dgram_len) <= 2 * RTE_CACHE_LINE_SIZE,
    "hot part of sa_out: two lines");

/* What control keeps of an SA and shows. No keys. */
struct sa_cold {
	struct crypto *crypto;
	struct crypto_session session; /* ESP_RTE_* */
	void *rte_sa;                  /* ESP_RTE_* */
	struct sa_mb *mb;              /* ESP_MB_* */
	unsigned workers;
	enum alg_encr encr;
	enum alg_auth auth;
	bool inbound;
	uint32_t spi, tunnel, window;
	uint64_t first_sequence; /* outbound */
	struct ip_addr local, remote;
	uint16_t local_port, remote_port;
	bool natt, esn;
	unsigned selector_count;
	struct sa_selector selector[SA_SELECTORS_MAX];
	struct sa_table *table;
	struct list all; /* outbound: in table->outbound until it is removed */
	struct sa_head *head;
	struct sa_head *next_busy; /* removed, but some packet is still in a crypto device */
};

struct sa_table; /* SPI -> struct sa_in */

struct sa_table *sa_table_create(
    struct epoch *e, struct crypto *c, unsigned workers, uint32_t capacity);
/* With all its SAs, also outbound ones and those that wait to be freed. Workers must have ended. */
void sa_table_free(struct sa_table *t);

/* Inbound, visible to workers on return. NULL with errno: ENOTSUP (algorithm), EEXIST (SPI), ENOMEM, ENOSPC. */
struct sa_in *sa_in_create(struct sa_table *t, const struct sa_spec *spec);
/* Out of sight at once, freed after a grace period and when nothing of it is in flight. */
void sa_in_remove(struct sa_table *t, struct sa_in *sa);
/* What comes out of it belongs to that attachment from now on; a worker in the middle of a burst may still see the old. */
static inline void sa_in_attach(struct sa_in *sa, uint16_t attachment)
{
	__atomic_store_n(&sa->head.attachment, attachment, __ATOMIC_RELAXED);
}
bool sa_spi_in_use(const struct sa_table *t, uint32_t spi);
/*
 * An SPI goes to the peer, its inbound SA follows: until sa_in_create() makes that one, or sa_spi_release(), workers keep
 * what comes for it. False: it is taken.
 */
bool sa_spi_reserve(struct sa_table *t, uint32_t spi);
void sa_spi_release(struct sa_table *t, uint32_t spi);
/* Worker side. An SA that is made is in the table before its SPI is no longer reserved. */
bool sa_spi_is_reserved(const struct sa_table *t, uint32_t spi);
/* Outbound, not visible until a tunnel refers to it. */
struct sa_out *sa_out_create(struct sa_table *t, const struct sa_spec *spec);
/* After the tunnel no longer refers to it. */
void sa_out_remove(struct sa_table *t, struct sa_out *sa);
/* Of an SA that is not freed yet. */
void sa_totals_read(const struct sa_head *h, struct sa_totals *sum);
/* The next sequence number that would be sent. */
uint64_t sa_out_sequence(const struct sa_out *sa);
/* Numbers up to `last` may be sent; from behind `soft` on, control is asked for more (EVENT_SA_SOFT). Never fewer. */
void sa_out_grant(struct sa_out *sa, uint64_t soft, uint64_t last);

/*
 * Control: workers no longer compare the source of packets with the peer's address and port (hold); after a grace
 * period these may be set and the comparison begins again (follow; without effect when nothing is held or
 * raised).
 */
void sa_in_hold(struct sa_in *sa);
void sa_in_follow(struct sa_in *sa, const struct ip_addr *remote, uint16_t port);

/*
 * Control: the SA may carry so many bytes from now on and no more, in its direction; EVENT_SA_SOFT comes at `soft`. Never
 * raises a limit. Workers may see it a burst late.
 */
void sa_in_limit_bytes(struct sa_in *sa, uint64_t soft, uint64_t hard);
void sa_out_limit_bytes(struct sa_out *sa, uint64_t soft, uint64_t hard);

/* Worker side: so many inbound SAs that what a burst needs of them is better asked for ahead. */
bool sa_many_in(const struct sa_table *t);
/* Worker side: NULL when unknown. */
struct sa_in *sa_in_find(const struct sa_table *t, uint32_t spi_host_order);
/* The same for n SPIs, whose records are on their way to the cache together. */
void sa_in_find_burst(
    const struct sa_table *t, const uint32_t *spi_host_order, struct sa_in **sa, unsigned n);
/* Protocol and ports of one selector, as seen from here. Packets without ports (fragments too) have 0 there. */
static inline bool sa_selects_transport(
    const struct sa_selector *s, uint8_t protocol, uint16_t local_port, uint16_t remote_port)
{
	return (s->protocol == 0 || s->protocol == protocol) && local_port >= s->local_port_first &&
	    local_port <= s->local_port_last && remote_port >= s->remote_port_first &&
	    remote_port <= s->remote_port_last;
}
/* Does the inner packet lie within the selectors? src/dst as seen in the packet that came out of the tunnel. */
bool sa_in_selects(const struct sa_in *sa, const struct ip_addr *src, const struct ip_addr *dst,
    uint8_t protocol, uint16_t src_port, uint16_t dst_port);

#endif
