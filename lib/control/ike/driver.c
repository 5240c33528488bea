/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The versions of the protocol that are built in.
 */

#include "ike/sa.h"

const struct ike_driver *ike_driver_of(enum ike_version version)
{
	static const struct ike_driver *const drivers[] = {
	    [IKE_V2] = &ike_v2_driver,
	    [IKE_V1] = &ike_v1_driver,
	};

	return (unsigned)version < sizeof(drivers) / sizeof(drivers[0]) ? drivers[version] : NULL;
}
