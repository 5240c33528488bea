/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Opens what does the crypto: intel-ipsec-mb itself, and no device then; or crypto devices, of which one is picked per
 * session.
 *
 * A session goes to the first open device, in order of preference, that has every algorithm of its chain with
 * the sizes asked for. An AEAD prefers a device that can work synchronously. The software devices are created
 * here as virtual devices of EAL, and removed in crypto_close(); those named by the operator stay.
 */

#include "boundary/crypto.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_lcore.h>

#include "base/mem.h"
#include "base/text.h"
#include "boundary/mb.h"

#define DEVICES_MAX       8
#define QUEUE_DESCRIPTORS 2048
#define OPS_PER_WORKER    2048
#define POOL_CACHE        128
#define NAME_BYTES        RTE_CRYPTODEV_NAME_MAX_LEN

struct device {
	uint8_t id;
	bool ours;     /* created here */
	bool sync;     /* does CPU crypto */
	bool queue;    /* may get sessions that go through its queues */
	bool software; /* works on the lcore that dequeues */
	bool started;
	struct crypto_session warm; /* of devices that do CPU crypto: for crypto_warm_up() */
	char name[NAME_BYTES];
};

struct crypto {
	unsigned workers;
	struct mb *mb; /* or devices */
	unsigned device_count;
	struct device device[DEVICES_MAX];
	struct rte_mempool *sessions;
	struct rte_mempool *ops;
	char text[DEVICES_MAX * (NAME_BYTES + 16)];
};

/* The PMDs behind a backend name. All of them must open. */
struct backend {
	const char *name;
	const char *driver[3];
};

static const struct backend backends[] = {
    {"cryptodev", {"crypto_aesni_gcm", "crypto_aesni_mb"}},
    {"openssl", {"crypto_openssl"}},
};

/* Capabilities */

static bool does(uint8_t dev, const struct rte_crypto_sym_xform *x)
{
	struct rte_cryptodev_sym_capability_idx idx = {.type = x->type};
	const struct rte_cryptodev_symmetric_capability *cap;

	switch (x->type) {
	case RTE_CRYPTO_SYM_XFORM_CIPHER:
		idx.algo.cipher = x->cipher.algo;
		cap = rte_cryptodev_sym_capability_get(dev, &idx);
		return cap &&
		    rte_cryptodev_sym_capability_check_cipher(
			cap, x->cipher.key.length, x->cipher.iv.length) == 0;
	case RTE_CRYPTO_SYM_XFORM_AUTH:
		idx.algo.auth = x->auth.algo;
		cap = rte_cryptodev_sym_capability_get(dev, &idx);
		return cap &&
		    rte_cryptodev_sym_capability_check_auth(
			cap, x->auth.key.length, x->auth.digest_length, x->auth.iv.length) == 0;
	case RTE_CRYPTO_SYM_XFORM_AEAD:
		idx.algo.aead = x->aead.algo;
		cap = rte_cryptodev_sym_capability_get(dev, &idx);
		return cap &&
		    rte_cryptodev_sym_capability_check_aead(cap, x->aead.key.length,
			x->aead.digest_length, x->aead.aad_length, x->aead.iv.length) == 0;
	default:
		return false;
	}
}

static bool does_all(uint8_t dev, const struct rte_crypto_sym_xform *chain)
{
	for (; chain; chain = chain->next) {
		if (!does(dev, chain))
			return false;
	}
	return true;
}

static bool has_ciphers(const struct rte_cryptodev_info *info)
{
	const struct rte_cryptodev_capabilities *c = info->capabilities;

	for (; c->op != RTE_CRYPTO_OP_TYPE_UNDEFINED; c++) {
		if (c->op == RTE_CRYPTO_OP_TYPE_SYMMETRIC &&
		    c->sym.xform_type == RTE_CRYPTO_SYM_XFORM_CIPHER)
			return true;
	}
	return false;
}

/* Opening */

/* Finds the device, or creates it when `driver` may be. 0 or -errno. */
static int add_device(struct crypto *c, const char *name, const char *driver)
{
	struct device *d = &c->device[c->device_count];
	struct rte_cryptodev_info info;
	char args[64];
	int id;

	if (c->device_count == DEVICES_MAX)
		return -E2BIG;
	*d = (struct device){0};
	if (!text_copy(d->name, sizeof(d->name), name))
		return -ENAMETOOLONG;
	id = rte_cryptodev_get_dev_id(name);
	if (id < 0 && driver) {
		snprintf(args, sizeof(args), "max_nb_queue_pairs=%u", c->workers);
		if (rte_eal_hotplug_add("vdev", name, args) != 0)
			return -ENODEV;
		d->ours = true;
		id = rte_cryptodev_get_dev_id(name);
	}
	if (id < 0)
		return -ENODEV;
	d->id = (uint8_t)id;
	rte_cryptodev_info_get(d->id, &info);
	d->sync = info.feature_flags & RTE_CRYPTODEV_FF_SYM_CPU_CRYPTO;
	d->software = !(info.feature_flags & RTE_CRYPTODEV_FF_HW_ACCELERATED);
	d->queue = !d->sync || has_ciphers(&info);
	c->device_count++;
	return info.max_nb_queue_pairs && info.max_nb_queue_pairs < c->workers ? -ENOSPC : 0;
}

static void remove_devices(struct crypto *c)
{
	while (c->device_count > 0) {
		struct device *d = &c->device[--c->device_count];

		crypto_session_destroy(c, &d->warm);
		if (d->started)
			rte_cryptodev_stop(d->id);
		if (d->ours)
			rte_eal_hotplug_remove("vdev", d->name);
	}
}

static int add_backend(struct crypto *c, const struct backend *b)
{
	char name[NAME_BYTES];
	int rc = 0;

	for (unsigned i = 0; i < RTE_DIM(b->driver) && b->driver[i] && rc == 0; i++) {
		snprintf(name, sizeof(name), "%s_tr", b->driver[i]);
		rc = add_device(c, name, b->driver[i]);
	}
	if (rc)
		remove_devices(c);
	return rc;
}

static int add_named(struct crypto *c, const char *list)
{
	char *names = xstrdup(list);
	char *save = NULL;
	int rc = -EINVAL; /* an empty list */

	for (char *n = strtok_r(names, ",", &save); n; n = strtok_r(NULL, ",", &save)) {
		rc = add_device(c, n, NULL);
		if (rc)
			break;
	}
	free(names);
	return rc;
}

static int add_devices(struct crypto *c, const char *backend)
{
	for (unsigned i = 0; i < RTE_DIM(backends); i++) {
		if (!strcmp(backend, backends[i].name))
			return add_backend(c, &backends[i]);
	}
	return add_named(c, backend);
}

static int start_device(struct crypto *c, struct device *d)
{
	struct rte_cryptodev_config config = {
	    .socket_id = rte_cryptodev_socket_id(d->id),
	    .nb_queue_pairs = (uint16_t)c->workers,
	    .ff_disable = RTE_CRYPTODEV_FF_SECURITY | RTE_CRYPTODEV_FF_ASYMMETRIC_CRYPTO,
	};
	struct rte_cryptodev_qp_conf qp = {
	    .nb_descriptors = QUEUE_DESCRIPTORS,
	    .mp_session = c->sessions,
	};
	int rc = rte_cryptodev_configure(d->id, &config);

	for (uint16_t i = 0; i < c->workers && rc == 0; i++)
		rc = rte_cryptodev_queue_pair_setup(d->id, i, &qp, config.socket_id);
	if (rc == 0)
		rc = rte_cryptodev_start(d->id);
	d->started = rc == 0;
	return rc;
}

/* A session that no packet will see. */
static int prepare_warm_up(struct crypto *c, struct device *d)
{
	static const uint8_t key[16];
	struct rte_crypto_sym_xform gcm = {.type = RTE_CRYPTO_SYM_XFORM_AEAD};

	gcm.aead = (struct rte_crypto_aead_xform){.algo = RTE_CRYPTO_AEAD_AES_GCM,
	    .key = {.data = key, .length = sizeof(key)},
	    .iv = {.offset = CRYPTO_IV_OFFSET, .length = 12},
	    .digest_length = 16,
	    .aad_length = 8};
	if (!d->sync || !does(d->id, &gcm))
		return 0;
	d->warm.dev = d->id;
	d->warm.session = rte_cryptodev_sym_session_create(d->id, &gcm, c->sessions);
	return d->warm.session ? 0 : -ENOMEM;
}

void crypto_warm_up(const struct crypto *c)
{
	const union rte_crypto_sym_ofs none = {.raw = 0};
	struct rte_crypto_sym_vec nothing = {.num = 0};

	for (unsigned i = 0; i < c->device_count; i++) {
		const struct crypto_session *s = &c->device[i].warm;

		if (s->session)
			rte_cryptodev_sym_cpu_crypto_process(s->dev, s->session, none, &nothing);
	}
}

static int make_pools(struct crypto *c, unsigned sessions)
{
	static unsigned generation; /* names of mempools are unique in a process */
	char name[RTE_MEMPOOL_NAMESIZE];
	unsigned size = 0;

	for (unsigned i = 0; i < c->device_count; i++) {
		size = RTE_MAX(size, rte_cryptodev_sym_get_private_session_size(c->device[i].id));
		sessions += c->device[i].sync; /* for prepare_warm_up() */
	}
	generation++;
	snprintf(name, sizeof(name), "crypto_sess_%u", generation);
	c->sessions =
	    rte_cryptodev_sym_session_pool_create(name, sessions, size, 0, 0, SOCKET_ID_ANY);
	snprintf(name, sizeof(name), "crypto_ops_%u", generation);
	c->ops = rte_crypto_op_pool_create(name, RTE_CRYPTO_OP_TYPE_SYMMETRIC,
	    OPS_PER_WORKER * c->workers, POOL_CACHE, CRYPTO_IV_MAX, SOCKET_ID_ANY);
	return c->sessions && c->ops ? 0 : -ENOMEM;
}

static void describe(struct crypto *c)
{
	struct text t = text_of(c->text, sizeof(c->text));

	for (unsigned i = 0; i < c->device_count; i++) {
		const struct device *d = &c->device[i];

		text_addf(&t, "%s%s (%s)", i ? ", " : "", d->name,
		    !d->queue     ? "sync"
			: d->sync ? "sync, queue"
				  : "queue");
	}
}

/* 0 or -errno. */
static int open_library(struct crypto *c, const char **why)
{
	c->mb = mb_open(c->workers);
	*why = c->mb ? NULL : "intel-ipsec-mb does not start: no memory, or its self test failed";
	return c->mb ? 0 : -errno;
}

/* 0 or -errno. */
static int open_devices(struct crypto *c, const char *backend, unsigned sessions, const char **why)
{
	int rc = add_devices(c, backend);

	*why = rc == -ENOSPC ? "a crypto device has fewer queues than there are workers"
			     : "no such crypto device, or its driver does not load";
	if (rc)
		return rc;
	*why = "no memory for crypto sessions or operations";
	rc = make_pools(c, sessions);
	if (rc)
		return rc;
	*why = "a crypto device does not start";
	for (unsigned i = 0; i < c->device_count && rc == 0; i++) {
		rc = start_device(c, &c->device[i]);
		if (rc == 0)
			rc = prepare_warm_up(c, &c->device[i]);
	}
	if (rc)
		return rc;
	describe(c);
	*why = NULL;
	return 0;
}

struct crypto *crypto_open(
    const char *backend, unsigned workers, unsigned sessions, const char **why)
{
	struct crypto *c = xcalloc(1, sizeof(*c));
	bool library = !strcmp(backend, "auto") || !strcmp(backend, "ipsec-mb");
	int rc;

	c->workers = workers;
	rc = library ? open_library(c, why) : open_devices(c, backend, sessions, why);
	if (rc == 0)
		return c;
	crypto_close(c);
	errno = -rc;
	return NULL;
}

void crypto_close(struct crypto *c)
{
	if (!c)
		return;
	mb_close(c->mb);
	remove_devices(c);
	rte_mempool_free(c->sessions);
	rte_mempool_free(c->ops);
	free(c);
}

/* Sessions */

static const struct device *choose(const struct crypto *c, const struct rte_crypto_sym_xform *chain)
{
	bool aead = chain->type == RTE_CRYPTO_SYM_XFORM_AEAD;
	const struct device *second = NULL;

	for (unsigned i = 0; i < c->device_count; i++) {
		const struct device *d = &c->device[i];

		if (!does_all(d->id, chain))
			continue;
		if (!aead || d->sync)
			return d;
		if (!second)
			second = d;
	}
	return second;
}

int crypto_session_create(
    struct crypto *c, struct rte_crypto_sym_xform *xform, struct crypto_session *out)
{
	const struct device *d = choose(c, xform);

	if (!d)
		return -ENOTSUP;
	out->dev = d->id;
	out->path =
	    xform->type == RTE_CRYPTO_SYM_XFORM_AEAD && d->sync ? CRYPTO_SYNC : CRYPTO_QUEUE;
	out->session = rte_cryptodev_sym_session_create(d->id, xform, c->sessions);
	if (out->session)
		return 0;
	return rte_mempool_avail_count(c->sessions) == 0 ? -ENOMEM : -ENOTSUP;
}

void crypto_session_destroy(struct crypto *c, struct crypto_session *s)
{
	(void)c;
	if (s->session)
		rte_cryptodev_sym_session_free(s->dev, s->session);
	s->session = NULL;
}

struct mb *crypto_mb(const struct crypto *c)
{
	return c->mb;
}

struct rte_mempool *crypto_op_pool(const struct crypto *c)
{
	return c->ops;
}

unsigned crypto_queue_devices(const struct crypto *c, uint8_t dev[], unsigned max)
{
	unsigned n = 0;

	for (unsigned i = 0; i < c->device_count && n < max; i++) {
		if (c->device[i].queue)
			dev[n++] = c->device[i].id;
	}
	return n;
}

bool crypto_is_software(const struct crypto *c, uint8_t dev)
{
	for (unsigned i = 0; i < c->device_count; i++) {
		if (c->device[i].id == dev)
			return c->device[i].software;
	}
	return false;
}

const char *crypto_describe(const struct crypto *c)
{
	return c->mb ? mb_describe(c->mb) : c->text;
}
