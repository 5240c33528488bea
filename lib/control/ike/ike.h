/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IKE_IKE_H
#define IKE_IKE_H

/*
 * The IKE engine: keeps the tunnels of its configuration up by negotiating SAs with their peers.
 *
 * The engine does no I/O. It is told what happened (a datagram, the passing of time, a packet that
 * needs a tunnel, a used-up SA) together with the time `now`, and answers by calling `struct
 * ike_ops`. Nothing is global; one thread uses an engine at a time. Ops are called from inside the
 * entry points below, and must not call back into the engine.
 *
 *     datagram -> ike_receive() -.                         .-> send(), keepalive()
 *     clock    -> ike_run()      -+-> tunnel, IKE SA, Child -+-> spi_alloc(), child_in(),
 * child_out(), child_remove() commands -> ike_tunnel_*() -'                         '->
 * tunnel_state(), error()
 *
 * RFC 7296 (IKEv2), 7383 (fragmentation), 4868, 5282, 7634, 8031 (algorithms), 6023 (childless);
 * pre-shared keys only.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alg.h"
#include "base/clock.h"
#include "base/ip.h"
#include "base/rng.h"
#include "ike/error.h"

#define IKE_PORT      500
#define IKE_PORT_NATT 4500

struct ike_endpoint {
	struct ip_addr addr;
	uint16_t port; /* host order */
};

/* ---- identities (RFC 7296 3.5) ---- */

enum ike_id_type {
	IKE_ID_ANY = 0, /* in a tunnel's remote_id: whoever proves the key. Never on the wire */
	IKE_ID_IPV4 = 1,
	IKE_ID_FQDN = 2,
	IKE_ID_USER_FQDN = 3, /* user@domain */
	IKE_ID_IPV6 = 5,
	IKE_ID_KEY_ID = 11,
};

#define IKE_ID_MAX 255

struct ike_id {
	uint8_t type; /* enum ike_id_type */
	uint8_t len;
	uint8_t bytes[IKE_ID_MAX]; /* as on the wire; not terminated */
};

/*
 * From the text of the startup file: an address, "user@domain", a name, "keyid:text" or
 * "keyid:0x...", "%any". 0, or -EINVAL.
 */
int ike_id_parse(const char *text, struct ike_id *out);
struct ike_id ike_id_of_addr(const struct ip_addr *addr);
bool ike_id_eq(const struct ike_id *a, const struct ike_id *b);
#define IKE_ID_TEXT_MAX 300
/* Printable; returns buf. */
const char *ike_id_text(const struct ike_id *id, char buf[IKE_ID_TEXT_MAX]);

/* ---- configuration of a tunnel ---- */

enum ike_version { IKE_V2, IKE_V1 };
enum ike_v1_mode { IKE_V1_MAIN, IKE_V1_AGGRESSIVE };

enum ike_start {
	IKE_START_NOW,       /* up as soon as added, and kept up */
	IKE_START_ON_DEMAND, /* up at ike_tunnel_trigger(); the peer may start as well */
	IKE_START_RESPONDER, /* the peer starts; the only choice for a peer without a known address
			      */
};
enum ike_natt {
	IKE_NATT_ON,    /* look for NATs, encapsulate when there is one */
	IKE_NATT_OFF,   /* neither look nor encapsulate */
	IKE_NATT_FORCE, /* encapsulate always */
};
enum ike_dpd_action {
	IKE_DPD_RESTART, /* delete the SAs and negotiate again */
	IKE_DPD_CLEAR,   /* delete the SAs and wait for traffic or the peer */
	IKE_DPD_NONE,    /* do not probe */
};
enum ike_esn {
	IKE_ESN_NO,
	IKE_ESN_BOTH, /* accepted either way, 32 bits preferred */
	IKE_ESN_YES,
};

#define IKE_NAME_MAX       129 /* with the terminator */
#define IKE_PSK_MAX        256
#define IKE_ALGS_MAX       12
#define IKE_TS_MAX         64 /* prefixes per side */
#define IKE_LIFETIME_MAX_S 86400
#define IKE_DPD_INTERVAL_S 10
#define IKE_DPD_TIMEOUT_S  30

/* Every combination of the lists is offered and accepted, in the order of preference given. */
struct ike_algs {
	uint8_t encr[IKE_ALGS_MAX]; /* enum alg_encr */
	uint8_t auth[IKE_ALGS_MAX]; /* enum alg_auth. IKE: the PRF and, unless AEAD, integrity */
	uint8_t dh[IKE_ALGS_MAX];   /* enum alg_dh. ESP: the PFS groups, DH_NONE: without PFS */
	uint8_t encr_count;
	uint8_t auth_count;
	uint8_t dh_count;
};

/* All pointers are borrowed for the call; the engine keeps copies. */
struct ike_tunnel_config {
	char name[IKE_NAME_MAX]; /* for log lines */
	enum ike_version version;
	enum ike_v1_mode v1_mode;
	enum ike_start start;
	enum ike_natt natt;
	enum ike_esn esn;

	struct ip_addr local;  /* our gateway address */
	struct ip_addr remote; /* the peer's; 0.0.0.0 or ::: any, with IKE_START_RESPONDER alone */
	struct ike_id local_id;
	struct ike_id remote_id;
	const uint8_t *psk; /* 1..IKE_PSK_MAX bytes */
	size_t psk_len;

	struct ike_algs ike;
	struct ike_algs esp;
	uint32_t ike_lifetime_s; /* 0: no time-based rekey or expiry of our own */
	uint32_t esp_lifetime_s;
	uint64_t esp_lifetime_bytes; /* kept by the caller, announced to peers of IKEv1; 0: none */
	bool rehearse; /* replace the first Child SA right after it came up: PFS is tried at once */

	enum ike_dpd_action dpd_action;
	uint32_t dpd_interval_s; /* without a sign of life before we ask; 0: never */
	uint32_t dpd_timeout_s;  /* without a sign of life until the peer is dead */

	/* Traffic selectors: what lies on our side, and behind the peer. Families may be mixed;
	 * each family gets Child SAs of its own. */
	const struct ip_prefix *local_ts;
	const struct ip_prefix *remote_ts;
	unsigned local_ts_count; /* 1..IKE_TS_MAX */
	unsigned remote_ts_count;
};

/* ---- what the engine asks of its surroundings ---- */

#define IKE_KEY_MAX 64 /* longest key of one direction and one use: HMAC-SHA-512 */

/* One traffic selector (RFC 7296 3.13.1). */
struct ike_selector {
	struct ip_range addr;
	uint8_t protocol; /* 0: any */
	uint16_t port_first;
	uint16_t port_last;
};

/* A Child SA: a pair of ESP SAs in tunnel mode. Named by spi_in, which the caller allotted. */
struct ike_child {
	uint32_t spi_in, spi_out; /* host order */
	enum alg_encr encr;
	enum alg_auth auth; /* AUTH_NONE with an AEAD */
	enum alg_dh dh;     /* of PFS; DH_NONE: none */
	bool esn;
	bool udp_encap; /* ESP in UDP (RFC 3948) between the endpoints; else IP protocol 50 */
	struct ike_endpoint local, remote;
	/* Keys as ESP uses them: encryption key, with the salt of an AEAD behind it; integrity key.
	 */
	uint8_t encr_key_bytes, auth_key_bytes;
	uint8_t encr_key_in[IKE_KEY_MAX], encr_key_out[IKE_KEY_MAX];
	uint8_t auth_key_in[IKE_KEY_MAX], auth_key_out[IKE_KEY_MAX];
	/* Owned by the engine, valid during the call. All of one family. */
	const struct ike_selector *local_ts, *remote_ts;
	unsigned local_ts_count, remote_ts_count;
	uint32_t lifetime_s; /* hard limit kept by the engine; 0: none */
	uint64_t
	    lifetime_bytes; /* what the peer keeps it for (RFC 2407 4.5), for the caller to obey; 0: not said */
};

struct ike_usage {
	struct mono last_in,
	    last_out; /* last authenticated packet in, last packet out; 0: none yet */
};

enum ike_tunnel_state {
	IKE_TUNNEL_DOWN, /* nothing is going on; waits for traffic, the peer, a command or a retry
			  */
	IKE_TUNNEL_NEGOTIATING, /* no Child SA carries packets yet */
	IKE_TUNNEL_UP,          /* at least one Child SA carries packets both ways */
};
const char *ike_tunnel_state_name(enum ike_tunnel_state state);

enum ike_remove {
	IKE_REMOVE_OUT, /* the peer no longer receives on it; inbound stays for packets under way */
	IKE_REMOVE_ALL, /* both directions, for good; the SPI may be allotted again */
};

/*
 * Make-before-break: child_in() always comes before the peer can send on the new SA; child_out()
 * when the peer is known to receive on it, and from then on the newest one called for its selectors
 * carries what leaves; child_remove() of the replaced one follows later. For each child: child_in,
 * [child_out], [REMOVE_OUT], REMOVE_ALL, in this order.
 */
struct ike_ops {
	/* An IKE message without the non-ESP marker: the transport adds it when local->port is not
	 * 500. */
	void (*send)(void *ctx, const struct ike_endpoint *local, const struct ike_endpoint *remote,
	    const uint8_t *bytes, size_t len);
	/* The single byte 0xff of RFC 3948 2.3, without marker. */
	void (*keepalive)(
	    void *ctx, const struct ike_endpoint *local, const struct ike_endpoint *remote);
	/* A free inbound SPI, 256 or above, not in use by any tunnel; 0: none left. */
	uint32_t (*spi_alloc)(void *ctx, uint32_t tunnel);
	/* Gives back an SPI that child_in() was never called for, or failed for. */
	void (*spi_free)(void *ctx, uint32_t tunnel, uint32_t spi_in);
	/* Installs the inbound SA (the keys of both directions are already in *child). 0 or -errno.
	 */
	int (*child_in)(void *ctx, uint32_t tunnel, const struct ike_child *child);
	/* Installs the outbound SA and makes it the one in use. 0 or -errno. */
	int (*child_out)(void *ctx, uint32_t tunnel, const struct ike_child *child);
	void (*child_remove)(void *ctx, uint32_t tunnel, uint32_t spi_in, enum ike_remove what);
	/* The peer was found at another address or port, or ESP encapsulation changed. */
	void (*child_endpoint)(void *ctx, uint32_t tunnel, uint32_t spi_in, bool udp_encap,
	    const struct ike_endpoint *local, const struct ike_endpoint *remote);
	/* The peer keeps the SA for so many bytes only, counted from now on. May be NULL. */
	void (*child_bytes)(void *ctx, uint32_t tunnel, uint32_t spi_in, uint64_t bytes);
	/* When the SA was last used: ESP counts as a sign of life and keeps NAT bindings. May be
	 * NULL. */
	void (*child_usage)(void *ctx, uint32_t tunnel, uint32_t spi_in, struct ike_usage *out);
	/* Called at every change. `reason` is IKE_ERROR_NONE, or why the tunnel went down. */
	void (*tunnel_state)(
	    void *ctx, uint32_t tunnel, enum ike_tunnel_state state, enum ike_error_code reason);
	/* IKE_ERROR_NONE: what was told last no longer holds. */
	void (*error)(void *ctx, uint32_t tunnel, const struct ike_error *error);
};

/* ---- the engine ---- */

struct ike_limits {
	uint32_t ike_sa_max;        /* all IKE SAs, half-open ones too */
	uint32_t child_per_ike_max; /* Child SAs on one IKE SA */
	uint32_t
	    half_open_max; /* answered IKE_SA_INIT of others that were not followed by IKE_AUTH */
	uint32_t half_open_source_max; /* of these, from one address */
	uint32_t cookie_threshold;     /* half-open SAs from which on cookies are asked for */
	uint32_t half_open_s;          /* how long one is kept */
	uint32_t fragment_bytes;       /* IKE messages above this are fragmented (RFC 7383) */
	uint32_t keepalive_s;          /* NAT keepalive interval */
	uint32_t starts_per_s; /* negotiations that we begin; more of them wait their turn */
};
struct ike_limits ike_limits_default(void);

struct ike_engine;

/* `ops` and `rng` are borrowed until ike_destroy(). limits NULL: the defaults. Never NULL. */
struct ike_engine *ike_create(
    const struct ike_ops *ops, void *ctx, struct rng *rng, const struct ike_limits *limits);
/* Frees everything and wipes all keys. Sends nothing; removes every Child SA through ops. */
void ike_destroy(struct ike_engine *engine);

/* True and when ike_run() is next needed; false: not before something else happens. */
bool ike_next(const struct ike_engine *engine, struct mono *due);
/* Does what is due. `limit` timers at most (0: all); returns how many ran. */
unsigned ike_run(struct ike_engine *engine, struct mono now, unsigned limit);

/* One datagram, without the non-ESP marker. Anything may come in. */
void ike_receive(struct ike_engine *engine, struct mono now, const struct ike_endpoint *local,
    const struct ike_endpoint *remote, const uint8_t *bytes, size_t len);

/* 0, -EEXIST, or -EINVAL for a configuration that cannot work (*why, if not NULL, then says what).
 */
int ike_tunnel_add(struct ike_engine *engine, struct mono now, uint32_t tunnel,
    const struct ike_tunnel_config *config, const char **why);
/*
 * Takes over a changed configuration. What is equal is not touched; names, lifetimes, start and DPD
 * change without disturbing the SAs; anything else closes them and negotiates again. 0, -ENOENT,
 * -EINVAL.
 */
int ike_tunnel_update(struct ike_engine *engine, struct mono now, uint32_t tunnel,
    const struct ike_tunnel_config *config, const char **why);
/* Sends deletes and forgets the tunnel. 0 or -ENOENT. */
int ike_tunnel_remove(struct ike_engine *engine, struct mono now, uint32_t tunnel);
/* Wants the tunnel up from now on, whatever its `start`. 0, -ENOENT, -EADDRNOTAVAIL without a peer
 * address. */
int ike_tunnel_start(struct ike_engine *engine, struct mono now, uint32_t tunnel);
/* A packet needs the tunnel (on-demand start). Cheap when it is already up or being negotiated. */
int ike_tunnel_trigger(struct ike_engine *engine, struct mono now, uint32_t tunnel);
/* Sends deletes; the tunnel stays down until start, trigger or the peer. 0 or -ENOENT. */
int ike_tunnel_stop(struct ike_engine *engine, struct mono now, uint32_t tunnel);
/*
 * Replaces keys now, make-before-break: those of the Child SAs, or of the IKE SA. 0, -ENOENT, -ENOTCONN when the
 * tunnel has no established IKE SA.
 */
int ike_tunnel_rekey(struct ike_engine *engine, struct mono now, uint32_t tunnel, bool ike_sa);
/* Orderly end: deletes go out for all IKE SAs at once, nothing is negotiated any more. */
void ike_shutdown(struct ike_engine *engine, struct mono now);
/* True when no IKE SA is left (after ike_shutdown(): every peer has answered). */
bool ike_is_quiet(const struct ike_engine *engine);

/* A Child SA came to its soft (rekey) or hard (delete) limit of bytes, packets or sequence numbers.
 */
void ike_child_limit(
    struct ike_engine *engine, struct mono now, uint32_t tunnel, uint32_t spi_in, bool hard);
/* The first authenticated packet arrived on an inbound SA: its peer end is in use. */
void ike_child_used(struct ike_engine *engine, struct mono now, uint32_t tunnel, uint32_t spi_in);
/* An authenticated ESP packet came from another UDP source than the SA's. Followed when NAT-T
 * allows it. */
void ike_child_moved(struct ike_engine *engine, struct mono now, uint32_t tunnel, uint32_t spi_in,
    const struct ike_endpoint *remote);

/* ---- for display ---- */

enum ike_rehearsal {
	IKE_REHEARSAL_NONE,    /* not asked for, or not up yet */
	IKE_REHEARSAL_PENDING, /* soon, or under way */
	IKE_REHEARSAL_PASSED,  /* the Child SA was replaced */
	IKE_REHEARSAL_FAILED,  /* it was not: the last error says why, the Child SA carries on */
};
const char *ike_rehearsal_name(enum ike_rehearsal result);

struct ike_tunnel_info {
	uint32_t tunnel;
	const char *name;
	enum ike_tunnel_state state;
	int64_t state_age_ns;
	enum ike_error_code last_error; /* IKE_ERROR_NONE: none since the tunnel came up */
	uint32_t attempts;              /* negotiations begun by us since it was last up */
	uint64_t established;           /* IKE SAs established so far */
	uint64_t rekeys;                /* IKE and Child SA rekeys so far */
	int64_t retry_in_ns;            /* until the next attempt; -1: none is planned */
	enum ike_rehearsal rehearsal;
};

struct ike_sa_info {
	uint32_t tunnel; /* 0 while half-open: the peer is not yet known */
	const char *name;
	enum ike_version version;
	const char *state;
	bool initiator;
	uint64_t spi_i, spi_r;
	struct ike_endpoint local, remote;
	bool nat_here, nat_there; /* which side is behind a NAT */
	enum alg_encr encr;
	enum alg_auth integ; /* AUTH_NONE with an AEAD */
	enum alg_auth prf;
	enum alg_dh dh;
	int64_t age_ns;       /* since established */
	int64_t rekey_in_ns;  /* -1: never */
	int64_t expire_in_ns; /* -1: never */
	unsigned children;
	unsigned queued; /* requests waiting for the window */
};

struct ike_child_info {
	uint32_t tunnel;
	const char *name;
	const char *state;
	uint64_t spi_i; /* of its IKE SA */
	uint32_t spi_in, spi_out;
	enum alg_encr encr;
	enum alg_auth auth;
	enum alg_dh dh;
	bool esn, udp_encap;
	bool outbound; /* carries what leaves */
	struct ike_endpoint local, remote;
	const struct ike_selector *local_ts, *remote_ts;
	unsigned local_ts_count, remote_ts_count;
	int64_t age_ns, rekey_in_ns, expire_in_ns; /* -1: never */
};

/* In order of tunnel IDs; pointers in *info live during the call. */
void ike_each_tunnel(const struct ike_engine *engine, struct mono now,
    void (*fn)(void *arg, const struct ike_tunnel_info *info), void *arg);
void ike_each_sa(const struct ike_engine *engine, struct mono now,
    void (*fn)(void *arg, const struct ike_sa_info *info), void *arg);
/* Of one tunnel; nothing of one that is not there. */
void ike_tunnel_each_sa(const struct ike_engine *engine, struct mono now, uint32_t tunnel,
    void (*fn)(void *arg, const struct ike_sa_info *info), void *arg);
void ike_tunnel_each_child(const struct ike_engine *engine, struct mono now, uint32_t tunnel,
    void (*fn)(void *arg, const struct ike_child_info *info), void *arg);
/* Half-open SAs that no tunnel has taken yet. */
void ike_each_stranger(const struct ike_engine *engine, struct mono now,
    void (*fn)(void *arg, const struct ike_sa_info *info), void *arg);
/* 0 or -ENOENT. */
int ike_tunnel_get(
    const struct ike_engine *engine, struct mono now, uint32_t tunnel, struct ike_tunnel_info *out);

/* Counters of the engine as a whole: X(field, name for metrics, help). */
#define IKE_COUNTER_LIST(X)                                                                        \
	X(received, "ike_messages_received", "IKE datagrams received")                             \
	X(sent, "ike_messages_sent", "IKE datagrams sent, retransmissions included")               \
	X(retransmits, "ike_retransmissions", "requests sent again")                               \
	X(replays_answered, "ike_responses_repeated", "responses sent again")                      \
	X(malformed, "ike_messages_malformed", "messages that the protocol does not allow")        \
	X(unknown_spi, "ike_unknown_spi", "messages for no IKE SA of ours")                        \
	X(unexpected, "ike_messages_unexpected", "messages that do not fit the state of the SA")   \
	X(bad_icv, "ike_integrity_failures", "messages whose integrity check failed")              \
	X(cookies_sent, "ike_cookies_sent", "cookies asked for")                                   \
	X(cookies_bad, "ike_cookies_bad", "cookies that were not ours")                            \
	X(half_open_refused, "ike_half_open_refused", "IKE_SA_INIT dropped at a limit")            \
	X(unknown_peer, "ike_unknown_peer", "IKE_SA_INIT from no configured peer")                 \
	X(dh_computed, "ike_dh_computed", "Diffie-Hellman key pairs and shared secrets computed")  \
	X(ike_established, "ike_sas_established", "IKE SAs established")                           \
	X(child_established, "ike_children_established", "Child SAs established")                  \
	X(auth_failed, "ike_authentication_failures", "peers that failed to authenticate")         \
	X(dpd_dead, "ike_dpd_dead", "peers found dead")

struct ike_counters {
#define IKE_COUNTER_FIELD(field, name, help) uint64_t field;
	IKE_COUNTER_LIST(IKE_COUNTER_FIELD)
#undef IKE_COUNTER_FIELD
};
const struct ike_counters *ike_counters(const struct ike_engine *engine);
/* Half-open SAs of others, and IKE SAs in all. */
void ike_load(const struct ike_engine *engine, uint32_t *half_open, uint32_t *ike_sas);

#endif
