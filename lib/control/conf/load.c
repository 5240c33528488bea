/* SPDX-License-Identifier: BSD-3-Clause */
/* conf_load(): the steps of loader.h one after the other, and reading the file before them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/secret.h"
#include "conf/loader.h"
#include "conf/pool.h"

/* Names compared to find what was meant, a fifth of a second's work at worst. */
#define SUGGESTIONS_MAX 200000

static struct conf *conf_new(void)
{
	struct conf_pool *pool = pool_new();
	struct conf *conf = pool_alloc(pool, sizeof(*conf));

	conf->pool = pool;
	conf->index = pool_alloc(pool, sizeof(*conf->index));
	return conf;
}

void conf_free(struct conf *conf)
{
	if (!conf)
		return;
	names_fini(&conf->index->ports);
	names_fini(&conf->index->route_tables);
	names_fini(&conf->index->customer_gateways);
	names_fini(&conf->index->connections);
	names_fini(&conf->index->attachments);
	pool_free(conf->pool);
}

/* The rules. Order matters where a step fills in what a later one reads. */
static void check_all(struct loader *l)
{
	resolve_names(l);
	complete(l);
	check_applies(l);
	check_system(l);
	check_ports(l);
	check_transit_router(l);
	check_customer_gateways(l);
	check_attachments(l);
	check_neighbors(l);
	check_route_tables(l);
	check_routing_policies(l);
	assign_uplinks(l);
	allocate_gateways(l);
	check_gateways(l);
	check_connections(l);
	check_manual(l);
	check_bgp(l);
	check_bfd(l);
	check_policers(l);
}

int conf_load_buffer(const char *name, const void *bytes, size_t len,
    const struct conf_options *options, struct conf **out, struct conf_errors *errs)
{
	struct loader l = {.errs = errs, .options = options, .suggestions_left = SUGGESTIONS_MAX};
	unsigned errors_before = errs->errors;

	*out = NULL;
	errors_set_file(errs, name);
	tree_parse(&l.tree, bytes, len, errs);
	l.conf = conf_new();
	decode_file(&l);
	if (!l.tree.partial)
		check_all(&l);
	tree_fini(&l.tree);
	errors_sort(errs);
	if (errs->errors != errors_before) {
		conf_free(l.conf);
		return -EINVAL;
	}
	*out = l.conf;
	return 0;
}

/* All of the file, to be released with secret_free(); NULL and *err. */
static char *read_file(int fd, size_t *len, int *err)
{
	size_t capacity = 65536;
	char *bytes = xmalloc(capacity);
	ssize_t n;

	*len = 0;
	*err = 0;
	while ((n = read(fd, bytes + *len, capacity - *len)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || *len + (size_t)n > TREE_FILE_BYTES) {
			*err = n < 0 ? -errno : -EFBIG;
			secret_free(bytes, capacity);
			return NULL;
		}
		*len += (size_t)n;
		if (*len == capacity) {
			char *wider = xmalloc(2 * capacity);

			memcpy(wider, bytes, *len);
			secret_free(bytes, capacity);
			bytes = wider;
			capacity *= 2;
		}
	}
	return bytes;
}

static bool holds_secrets(const struct conf *conf)
{
	for (unsigned i = 0; i < conf->vpn_connections_count; i++) {
		const struct conf_connection *c = conf->vpn_connections[i];

		for (unsigned k = 0; k < c->tunnels_count; k++) {
			const struct conf_tunnel *t = c->tunnels[k];

			if (t->psk[0] || t->bgp.password || c->keying == CONF_KEYING_MANUAL)
				return true;
		}
	}
	return false;
}

void conf_warn_readable(const char *path, const struct conf *conf, struct conf_errors *errs)
{
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || !(st.st_mode & S_IROTH) ||
	    !holds_secrets(conf))
		return;
	errors_add(errs, SEVERITY_WARNING, 0, 0,
	    "everybody can read this file, and keys are in it; `chmod o-r` it");
	errors_sort(errs);
}

int conf_load(const char *path, const struct conf_options *options, struct conf **out,
    struct conf_errors *errs)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *bytes = NULL;
	size_t len;
	int err = fd < 0 ? -errno : 0;

	*out = NULL;
	if (fd >= 0)
		bytes = read_file(fd, &len, &err);
	if (bytes) {
		err = conf_load_buffer(path, bytes, len, options, out, errs);
		secret_free(bytes, len);
		if (*out)
			conf_warn_readable(path, *out, errs);
	} else {
		errors_set_file(errs, path);
		errors_add(errs, SEVERITY_ERROR, 0, 0, "cannot be read: %s%s", strerror(-err),
		    err == -EFBIG ? "; 32 MiB at most" : "");
	}
	if (fd >= 0)
		close(fd);
	return err;
}
