/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * IKEv2 as a driver: which exchange does which task, and when a task has become pointless.
 */

#include "ike/v2/v2.h"

#define UNPROVEN_MS 500

static void rekey_child(struct ike_sa *sa, uint32_t spi_in)
{
	struct ike_child_sa *c = ike_child_find(sa, spi_in);

	if (!c || c->state != IKE_CHILD_INSTALLED || !ike_sa_is_up(sa))
		return;
	/* Until the peer has shown that it got our response, it may not know this SA. */
	if (c->outbound)
		v2_child_begin(sa, c->slot, c, DH_NONE);
	else
		ike_child_rekey_later(c, DUR_MS(UNPROVEN_MS));
}

static void create_child(struct ike_sa *sa, struct ike_slot *slot)
{
	if (ike_sa_is_up(sa) && !ike_child_of_slot(sa->tunnel, slot))
		v2_child_begin(sa, slot, NULL, DH_NONE);
}

static void run_task(struct ike_sa *sa, const struct ike_task *task)
{
	switch (task->kind) {
	case IKE_TASK_DELETE_IKE:
		if (sa->state == IKE_SA_ESTABLISHED || sa->state == IKE_SA_REPLACED)
			v2_delete_ike(sa);
		break;
	case IKE_TASK_REFUSE:
		v2_refuse(sa);
		break;
	case IKE_TASK_DELETE_CHILD:
		v2_delete_child(sa, task->spi_in);
		break;
	case IKE_TASK_DISOWN_CHILD:
		v2_disown_child(sa, task->spi_in);
		break;
	case IKE_TASK_CREATE_CHILD:
		create_child(sa, task->slot);
		break;
	case IKE_TASK_REKEY_CHILD:
		rekey_child(sa, task->spi_in);
		break;
	case IKE_TASK_REKEY_IKE:
		if (ike_sa_is_up(sa))
			v2_rekey_begin(sa, DH_NONE);
		break;
	case IKE_TASK_PROBE:
		if (ike_sa_is_up(sa))
			v2_probe(sa);
		break;
	case IKE_TASK_NONE:
		break;
	}
}

const struct ike_driver ike_v2_driver = {
    .version = IKE_V2,
    .initiate = v2_initiate,
    .run_task = run_task,
};
