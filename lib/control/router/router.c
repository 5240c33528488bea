/* SPDX-License-Identifier: BSD-3-Clause */

/* Create, run, stop: the order in which the parts of the control lcore come and go. */

#include "router/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "router/change/apply.h"
#include "router/change/candidate.h"
#include "router/change/confirm.h"

#define LOG "router"

static int parts_create(struct router *r)
{
	const struct model_limits limits = {
	    .routes_per_table = 1u << 22, .tbl8_per_table = 1u << 12};

	r->icmp = icmp_limiter_create(100, 1000);
	if (!r->icmp)
		return -errno;
	r->model = model_create(r->b, &limits);
	if (!r->model)
		return -errno;
	int rc = speaker_init(r);
	if (rc < 0)
		return rc;
	rc = model_apply(r->model, r->conf);
	if (rc < 0)
		return rc;
	rc = neighbours_init(r);
	if (rc == 0)
		rc = router_steer(r, r->conf);
	if (rc < 0)
		return rc;
	meter_apply(r, r->started);
	health_init(r);
	bfd_init(r);
	r->ike = ike_create(&router_ike_ops, r, &r->rng, NULL);
	rc = vpn_init(r);
	if (rc == 0)
		speaker_apply(r);
	if (rc == 0)
		bfd_apply(r, mono_now());
	return rc;
}

int router_steer(struct router *r, const struct conf *conf)
{
	int rc = 0;

	for (unsigned i = 0; r->setup.steer && i < r->b->ports; i++) {
		int one = r->setup.steer(conf, r->b->port[i]);

		rc = one < 0 ? one : rc;
	}
	return rc;
}

static void log_unserved(
    void *ctx, const struct conf_source *where, const char *object, const char *what)
{
	log_write(LOG_WARNING, LOG, object, "line %u: %s", where->line, what);
}

static int metrics_init(struct router *r)
{
	const struct conf_metrics *c = &r->conf->system.metrics;
	char address[IP_TEXT_MAX];

	if (!c->enabled)
		return 0;
	r->metrics = metrics_create(r->base, r->api, &c->address, (uint16_t)c->port);
	if (r->metrics)
		return 0;
	int rc = -errno;
	log_write(LOG_ERROR, LOG, NULL, "system.metrics: %s port %u: %s",
	    ip_text(&c->address, address), c->port, strerror(-rc));
	return rc;
}

struct router *router_create(const struct router_setup *setup)
{
	struct router *r = xcalloc(1, sizeof(*r));

	r->setup = *setup;
	r->conf = setup->conf;
	r->b = setup->boundary;
	r->started = mono_now();
	r->candidates = candidates_create();
	rng_init_system(&r->rng);
	timers_init(&r->timers);
	list_init(&r->meters);
	for (unsigned i = 0; i < r->b->ports; i++)
		r->link_up[i] = atomic_load(&r->b->port[i]->link_up);

	router_unserved(r->conf, log_unserved, NULL);
	int rc = loop_init(r);
	if (rc < 0)
		goto fail;
	rc = parts_create(r);
	if (rc < 0)
		goto fail;
	r->api = api_create(r->base, setup->socket_path);
	if (!r->api) {
		rc = -errno;
		log_write(LOG_ERROR, LOG, NULL, "control socket %s: %s", setup->socket_path,
		    strerror(-rc));
		goto fail;
	}
	rc = show_init(r);
	if (rc == 0)
		rc = metrics_init(r);
	if (rc < 0)
		goto fail;
	apply_started(r);
	return r;
fail:
	log_write(LOG_ERROR, LOG, NULL, "not started: %s", strerror(-rc));
	router_free(r);
	errno = -rc;
	return NULL;
}

int router_run(struct router *r)
{
	log_write(LOG_NOTICE, LOG, r->conf->transit_router.name,
	    "running: %u ports, %u attachments, %u workers", r->conf->ports_count,
	    r->conf->attachments_count, r->b->workers);
	if (event_base_dispatch(r->base) < 0)
		return -EIO;
	log_write(LOG_NOTICE, LOG, r->conf->transit_router.name, "stopped");
	return r->result;
}

void router_stop(struct router *r)
{
	event_active(r->stop_event, 0, 0);
}

void router_free(struct router *r)
{
	if (!r)
		return;
	metrics_free(r->metrics);
	confirm_fini(r);
	candidates_free(r->candidates);
	if (r->api)
		api_free(r->api);
	trace_control_fini(r);
	if (r->ike)
		ike_destroy(r->ike);
	bfd_fini(r);
	vpn_fini(r);
	health_fini(r);
	meter_fini(r);
	neighbours_fini(r);
	if (r->model)
		model_free(r->model);
	speaker_fini(r);
	icmp_limiter_free(r->icmp);
	loop_fini(r);
	timers_fini(&r->timers);
	conf_free(r->conf_own);
	free(r);
}
