/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOUNDARY_TRACE_H
#define BOUNDARY_TRACE_H

/*
 * Packets followed through the stages of workers (O4).
 *
 *   control --struct trace_filter--> which packets, and how many of them
 *   workers --struct trace_record--> one per packet and stage, through a ring; what finds no room is counted
 *
 * A packet that is wanted gets a number, which stays in its meta until it leaves. Numbers go on over traces, so that
 * a packet of the trace before is not taken for one of this one. A record holds fields of headers; behind it stand the
 * first bytes of the packet if the trace keeps some (a capture, before and after encryption). Without a trace,
 * workers look at one pointer per round, and at a copy of it per stage and burst.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "boundary/epoch.h"
#include "boundary/policer.h"

#define TRACE_PACKETS_MAX 1000 /* of one trace */
#define TRACE_RING        8192 /* records that wait for control */
#define TRACE_RING_BYTES  1024 /* the same, of a trace that keeps bytes */
#define TRACE_KEEP_MAX    9216 /* bytes of a packet */

/*  X(enumerator, name): what `what` of the record is */
#define TRACE_STAGE_LIST(X)                                                                        \
	X(TRACE_RECEIVED, "received") /* from record.iface; 0: from control, or out of a tunnel */ \
	X(TRACE_DECRYPTED, "decrypted") /* came out of record.tunnel */                            \
	X(TRACE_ROUTED, "looked-up") /* enum drop_reason or DROP_NOT: may the ingress use it? */   \
	X(TRACE_ENCRYPTED, "encrypted") /* the outer packet of record.tunnel */                    \
	X(TRACE_SENT, "sent")           /* struct port.index */                                    \
	X(TRACE_PUNTED, "to-control")   /* enum punt_class */                                      \
	X(TRACE_HANDED, "handed-over")  /* worker that owns the SA */                              \
	X(TRACE_WAITING, "waiting")     /* ESP whose SA is still to come */                        \
	X(TRACE_ABSORBED, "absorbed")   /* its job is done */                                      \
	X(TRACE_DROPPED, "dropped")     /* enum drop_reason */

enum trace_stage {
#define X(e, n) e,
	TRACE_STAGE_LIST(X) TRACE_STAGE_COUNT
#undef X
};
const char *trace_stage_name(enum trace_stage s);

struct trace_filter {                          /* 0 in a field: any */
	uint32_t tunnel;                       /* in or out */
	uint32_t src, src_mask, dst, dst_mask; /* IPv4, host order */
	uint16_t src_port, dst_port;
	uint16_t attachment; /* of the ingress */
	uint8_t protocol;    /* with has_protocol */
	bool has_protocol;
	bool both_ways; /* also with source and destination exchanged */
	bool drops;     /* only what is dropped */
};

struct trace_record {
	uint64_t clock;  /* rte_rdtsc() */
	uint32_t tunnel; /* boundary's index */
	union {
		struct { /* TRACE_ROUTED: next hops, what the table said and what was taken of it */
			uint32_t entry, leaf;
			uint32_t hash; /* of a group */
		};
		struct policer_gate gate; /* TRACE_DROPPED, DROP_POLICED */
		struct {                  /* TRACE_DROPPED, DROP_VLAN_UNKNOWN */
			uint16_t port;    /* struct port.index */
			uint16_t vlan;    /* VLAN_NONE: untagged */
		} frame;
	};
	uint32_t src, dst;      /* host order */
	uint32_t spi, sequence; /* of ESP */
	uint16_t packet;        /* its number */
	uint16_t what;
	uint16_t attachment, iface;  /* of the ingress */
	uint16_t bytes;              /* of the IP packet */
	uint16_t src_port, dst_port; /* of ICMP: type, code */
	uint16_t kept;               /* bytes of the packet in this entry */
	uint8_t l2_bytes;            /* of the packet, they come first */
	uint8_t stage;               /* enum trace_stage */
	uint8_t worker;
	uint8_t version; /* of IP; 0: no IP header was read, and no field of one is set */
	uint8_t protocol;
	uint8_t ttl;
	bool fragment; /* then without ports */
};
_Static_assert(sizeof(struct trace_record) == 64, "one line, and whole words for rte_ring");

struct trace_entry {
	struct trace_record record;
	uint8_t bytes[TRACE_KEEP_MAX]; /* record.kept of them are set */
};

/* A trace, while it runs; immutable but for the fields marked atomic. */
struct trace_session {
	struct trace_filter filter;
	uint16_t first;  /* number of its first packet; the one before marks who may be dropped */
	uint16_t wanted; /* packets */
	uint16_t keep;   /* bytes of each record's packet, at most */
	_Atomic uint32_t taken; /* workers: packets, may pass `wanted` */
	_Atomic uint32_t lost;  /* workers: records without room */
	struct rte_ring *ring;
};

struct trace { /* control writes */
	_Atomic(struct trace_session *) session;
	struct epoch *epoch;
	uint32_t next;
};

void trace_init(struct trace *t, struct epoch *e);
void trace_fini(struct trace *t);
/* Control. Ends the one before. packets: 1..TRACE_PACKETS_MAX; keep: 0..TRACE_KEEP_MAX. 0, -ENOMEM, -EINVAL. */
int trace_start(
    struct trace *t, const struct trace_filter *filter, unsigned packets, unsigned keep);
/* Ends it; what it still had is gone. */
void trace_stop(struct trace *t);
/* Control: the oldest record that waits, with the bytes kept; false: there is none. */
bool trace_take(struct trace *t, struct trace_entry *out);

/* NULL: off. Worker: valid until the end of the round. */
static inline struct trace_session *trace_session(const struct trace *t)
{
	return atomic_load_explicit(&t->session, memory_order_acquire);
}

/* Worker: a number for one more packet; 0: there were enough. */
uint16_t trace_number(struct trace_session *s);
/* Worker. Of a trace that keeps bytes, `r` is that of a whole struct trace_entry. */
void trace_put(struct trace_session *s, const struct trace_record *r);

static inline bool trace_has(const struct trace_session *s, uint16_t number)
{
	return number != 0 && (uint16_t)(number - s->first) < s->wanted;
}

/* In a trace of drops: what the filter wants, should it be dropped. */
static inline uint16_t trace_candidate(const struct trace_session *s)
{
	return (uint16_t)(s->first - 1);
}

/* Pure: has the filter any say about addresses, protocol, ports? */
static inline bool trace_filter_has_flow(const struct trace_filter *f)
{
	return f->src_mask || f->dst_mask || f->src_port || f->dst_port || f->has_protocol;
}
/* Pure: does the header in a record fit? */
bool trace_filter_fits(const struct trace_filter *f, const struct trace_record *r);

#endif
