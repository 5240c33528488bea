/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Whose program is on the interface: ours, a former process's, somebody else's.
 *
 * A process that has the interface holds a socket of a well-known name in the network namespace, which ends with it. So
 * whoever gets that name knows that a program of ours that is still attached was left by a process that was killed, and
 * removes it. It is known by its name, which takes privilege to read, or by its id, which the process noted.
 */

#include "afxdp/steer.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "afxdp/internal.h"
#include "afxdp/object.h"
#include "base/log.h"
#include "base/mem.h"
#include "drivers/device.h"

#define LOG "xdp"

/* ---- one process per interface ---- */

static int take_name(struct steer *s, char why[PORT_WHY_MAX])
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int n =
	    snprintf(addr.sun_path + 1, sizeof(addr.sun_path) - 1, "transitd/xdp/%s", s->ifname);

	s->name_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->name_fd < 0)
		return device_refuse(why, -errno, "a socket: %s", strerror(errno));
	if (bind(s->name_fd, (struct sockaddr *)&addr,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)) < 0)
		return device_refuse(
		    why, -EBUSY, "another transitd has the interface '%s'", s->ifname);
	return 0;
}

/* ---- the note of the program's id ---- */

static void note_write(const struct steer *s, uint32_t id)
{
	FILE *f = s->note ? fopen(s->note, "we") : NULL;

	if (!f)
		return;
	fprintf(f, "%u\n", id);
	fclose(f);
}

static uint32_t note_read(const struct steer *s)
{
	FILE *f = s->note ? fopen(s->note, "re") : NULL;
	unsigned id = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%u", &id) != 1)
		id = 0;
	fclose(f);
	return id;
}

/* ---- what is attached ---- */

static uint32_t attached_id(const struct steer *s)
{
	uint32_t id = 0;

	return bpf_xdp_query_id(s->ifindex, 0, &id) < 0 ? 0 : id;
}

/* The name of a program; "" when this process may not know it. */
static void name_of(uint32_t id, char name[BPF_OBJ_NAME_LEN])
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);

	name[0] = '\0';
	if (fd < 0)
		return;
	if (bpf_obj_get_info_by_fd(fd, &info, &len) == 0)
		snprintf(name, BPF_OBJ_NAME_LEN, "%s", info.name);
	close(fd);
}

static int clear_stale(struct steer *s, char why[PORT_WHY_MAX])
{
	uint32_t id = attached_id(s);
	char name[BPF_OBJ_NAME_LEN];
	int rc;

	if (id == 0)
		return 0;
	name_of(id, name);
	if (strcmp(name, STEER_PROGRAM) != 0 && (name[0] || id != note_read(s)))
		return device_refuse(why, -EBUSY,
		    "'%s' has another XDP program already (id %u%s%s); `ip link set dev %s xdp "
		    "off` removes it",
		    s->ifname, id, name[0] ? ", " : "", name, s->ifname);
	rc = bpf_xdp_detach(s->ifindex, 0, NULL);
	if (rc < 0)
		return device_refuse(why, rc,
		    "'%s' has the XDP program of a former transitd, which cannot be removed: %s",
		    s->ifname, strerror(-rc));
	log_write(LOG_NOTICE, LOG, s->ifname,
	    "removed the XDP program (id %u) of a transitd that was killed", id);
	return 0;
}

/*
 * ---- sockets ----
 * The driver of 22.11 counts the users of its memory wrongly and so never closes the first socket of a queue; until
 * somebody does, the queue is taken. Those that came while the interface was opened are of this interface.
 */

static bool had_before(const struct steer *s, int fd)
{
	for (unsigned i = 0; i < s->sockets; i++) {
		if (s->socket[i] == fd)
			return true;
	}
	return false;
}

static void sockets_adopt(struct steer *s)
{
	int all[STEER_QUEUES];
	unsigned n = steer_sockets_find(all, STEER_QUEUES), own = 0;

	for (unsigned i = 0; i < n; i++) {
		if (!had_before(s, all[i]))
			all[own++] = all[i];
	}
	memcpy(s->socket, all, own * sizeof(all[0]));
	s->sockets = own;
}

static void sockets_close(struct steer *s)
{
	int all[STEER_QUEUES];
	unsigned n = steer_sockets_find(all, STEER_QUEUES);

	for (unsigned i = 0; i < n; i++) {
		if (had_before(s, all[i]))
			close(all[i]);
	}
}

/* ---- life ---- */

struct steer *steer_prepare(const char *ifname, const char *record_dir, char why[PORT_WHY_MAX])
{
	struct steer *s = xcalloc(1, sizeof(*s));
	int rc;

	snprintf(s->ifname, sizeof(s->ifname), "%s", ifname);
	s->ifindex = (int)if_nametoindex(ifname);
	s->name_fd = s->object_fd = s->mac_fd = -1;
	s->maps = (struct steer_maps){-1, -1, -1, -1, -1, -1, -1};
	if (record_dir && asprintf(&s->note, "%s/xdp-%s", record_dir, ifname) < 0)
		abort();
	s->sockets = steer_sockets_find(s->socket, STEER_QUEUES);
	rc = take_name(s, why);
	if (rc == 0)
		rc = clear_stale(s, why);
	if (rc == 0) {
		s->object_fd = rc = steer_object_open();
		if (rc < 0)
			device_refuse(why, rc, "the XDP program: %s", strerror(-rc));
	}
	if (rc >= 0) {
		snprintf(s->path, sizeof(s->path), "/proc/self/fd/%d", s->object_fd);
		return s;
	}
	steer_release(s);
	errno = -rc;
	return NULL;
}

const char *steer_path(const struct steer *s)
{
	return s->path;
}

int steer_adopt(struct steer *s, char why[PORT_WHY_MAX])
{
	uint32_t id = attached_id(s);
	int rc = id ? steer_maps_find(id, &s->maps) : -ENOENT;

	if (rc < 0)
		return device_refuse(why, rc,
		    "the XDP program of '%s' is not the one that was loaded; does something else "
		    "attach programs to it?",
		    s->ifname);
	close(s->object_fd);
	s->object_fd = -1;
	sockets_adopt(s);
	note_write(s, id);
	return 0;
}

void steer_release(struct steer *s)
{
	if (!s)
		return;
	if (s->maps.program >= 0) {
		sockets_close(s);
		if (s->note)
			unlink(s->note);
	}
	steer_maps_close(&s->maps);
	if (s->mac_fd >= 0)
		close(s->mac_fd);
	if (s->object_fd >= 0)
		close(s->object_fd);
	if (s->name_fd >= 0)
		close(s->name_fd);
	free(s->note);
	free(s);
}
