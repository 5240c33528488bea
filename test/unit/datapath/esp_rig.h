/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ESP_RIG_H
#define ESP_RIG_H

/*
 * The two ESP stages on a bench: a boundary, workers and SAs made by hand, and a test on both ends. No ports, no
 * routes. At the end of each test the ledger must balance, no operation may be under way and every buffer must
 * be back in the pool.
 */

#include "datapath/esp.h"
#include "datapath/esp_worker.h"
#include "esp_oracle.h"
#include "packet.h"
#include "testing.h"

struct suite {
	enum alg_encr encr;
	enum alg_auth auth;
};
/* Every pair of cipher and integrity algorithm that ESP carries here. */
#define SUITES (6 * 5 + 3)
struct suite suite_of(unsigned i);
const char *suite_name(struct suite s);
/* TEST_CRYPTO in the environment says what does the crypto (crypto_open()). openssl has no ChaCha20-Poly1305, and no
 * null cipher. */
bool rig_has(struct suite s);
static const struct suite GCM = {ENCR_AES128GCM16, AUTH_NONE};
static const struct suite CBC_SHA1 = {ENCR_AES128, AUTH_SHA1};

#define RIG_TUNNELS 256

struct rig {
	struct crypto *crypto;
	struct rte_mempool *pool;
	struct boundary *b;
	struct worker *workers;
	struct worker *w;  /* the first */
	uint16_t lan, wan; /* ledger slots where inner and outer packets are received */
	unsigned buffers;
	unsigned operations;
};

/* cmocka fixtures of a test: one worker, or two; *state is a struct rig. EAL must run. */
int rig_setup(void **state);
int rig_setup_two(void **state);
/* The same by hand, with that crypto whatever TEST_CRYPTO says. */
struct rig *rig_open(const char *backend, unsigned workers);
void rig_close(struct rig *r);
int rig_teardown(void **state);

/* The outbound SA of our end with that SPI: keys by SPI, one selector of everything, IPv4 inside and outside. */
struct sa_spec rig_spec(struct rig *r, struct suite s, uint32_t spi);
/* The same as the other end has it, inbound. */
struct sa_spec rig_mirror(const struct sa_spec *spec);
/* A tunnel that sends by this SA; its index. */
uint32_t rig_tunnel(struct rig *r, struct sa_out *sa);
struct sa_out *rig_out(struct rig *r, const struct sa_spec *spec); /* made, or the test fails */
struct sa_in *rig_in(struct rig *r, const struct sa_spec *spec);
/* An SA pair of ours, so that what leaves can come in again; returns the tunnel. */
uint32_t rig_pair(
    struct rig *r, const struct sa_spec *spec, struct sa_out **out, struct sa_in **in);

/* A buffer with those bytes, counted as received at `slot`. */
struct rte_mbuf *rig_mbuf(struct rig *r, uint16_t slot, const void *bytes, size_t len);
/* An inner packet: IPv4 and UDP with a pattern, `len` bytes in all (28 at least). */
void rig_inner(struct packet *p, size_t len);
struct rte_mbuf *rig_to_send(struct rig *r, uint32_t tunnel, const struct packet *inner);
/* An outer packet as classify leaves it, from an outer IPv4 packet's bytes. */
struct rte_mbuf *rig_to_receive(struct rig *r, const void *bytes, size_t len);
/* Marks packets that esp_out() made so that esp_in() takes them. */
void rig_turn_round(struct rig *r, struct rte_mbuf **m, unsigned n);
/* The outer IPv4 packet from `spec`'s end, with UDP when the SA says so, around ESP bytes. */
void rig_outer(struct packet *p, const struct sa_spec *spec, const uint8_t *esp, size_t len);

/* esp_out(), each packet with the tunnel in its meta. */
unsigned rig_esp_out(struct worker *w, struct rte_mbuf **m, unsigned n, struct rte_mbuf **outer);
/* Through the stage, and the crypto devices polled until they are empty. Number of packets out. */
unsigned rig_send(struct rig *r, struct rte_mbuf **m, unsigned n, struct rte_mbuf **outer);
unsigned rig_receive(struct rig *r, struct rte_mbuf **m, unsigned n, struct rte_mbuf **inner);
/* Sends one inner packet; NULL when it was dropped. */
struct rte_mbuf *rig_send_one(struct rig *r, uint32_t tunnel, const struct packet *inner);
/* Seals with the oracle, receives; NULL when it was dropped. */
struct rte_mbuf *rig_receive_sealed(struct rig *r, const struct sa_spec *spec, uint64_t sequence,
    const struct oracle_trailer *t, const void *inner, size_t len);
/* The test is done with a packet that left a stage: the ledger counts it as delivered. */
void rig_free(struct rig *r, struct rte_mbuf *m);

/* How often, at all slots, since the start. */
uint64_t rig_drops(struct rig *r, enum drop_reason reason);
/* All drops since the last call were `n` of that reason. */
void rig_dropped(struct rig *r, enum drop_reason reason, uint64_t n);
/* The next event for control; false when there is none. */
bool rig_event(struct rig *r, struct event *ev);

#endif
