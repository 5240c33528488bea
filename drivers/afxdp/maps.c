/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The driver of DPDK loads the program and keeps program and maps to itself. They are descriptors of this very process,
 * so no privilege is needed to find them: the program by its id, the maps by the ids that the kernel lists for it.
 */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "afxdp/steer.h"

#define MAPS_MAX 16
#ifndef AF_XDP
#	define AF_XDP 44
#endif

/* Whether the descriptor is what `kind` says ("bpf-map", "bpf-prog"). */
static bool is_kind(int fd, const char *kind)
{
	char path[32], link[64] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(path, link, sizeof(link) - 1);
	return n > 0 && strstr(link, kind);
}

/* Calls fn for every descriptor of the kind until it returns true. */
static bool walk(const char *kind, bool (*fn)(void *ctx, int fd), void *ctx)
{
	DIR *dir = opendir("/proc/self/fd");
	bool done = false;

	if (!dir)
		return false;
	for (struct dirent *e = readdir(dir); e && !done; e = readdir(dir)) {
		int fd = atoi(e->d_name);

		if (e->d_name[0] != '.' && fd != dirfd(dir) && is_kind(fd, kind))
			done = fn(ctx, fd);
	}
	closedir(dir);
	return done;
}

struct search {
	uint32_t program_id;
	uint32_t map_id[MAPS_MAX];
	uint32_t map_count;
	struct steer_maps *out;
};

static bool take_program(void *ctx, int fd)
{
	struct search *s = ctx;
	struct bpf_prog_info info = {.nr_map_ids = MAPS_MAX, .map_ids = (uintptr_t)s->map_id};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0 || info.id != s->program_id)
		return false;
	s->map_count = info.nr_map_ids < MAPS_MAX ? info.nr_map_ids : MAPS_MAX;
	s->out->program = fd;
	return true;
}

static bool take_map(void *ctx, int fd)
{
	struct search *s = ctx;
	const struct {
		const char *name;
		int *at;
	} names[] = {{"xsks_map", &s->out->sockets}, {"steer_vlans", &s->out->vlans},
	    {"steer_ours", &s->out->ours}, {"steer_hosts", &s->out->hosts},
	    {"steer_port", &s->out->port}, {"steer_counts", &s->out->counts}};
	struct bpf_map_info info = {0};
	uint32_t len = sizeof(info);
	bool used = false;

	if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
		return false;
	for (uint32_t i = 0; i < s->map_count; i++)
		used |= s->map_id[i] == info.id;
	for (size_t i = 0; used && i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(info.name, names[i].name))
			*names[i].at = fd;
	}
	return false;
}

int steer_maps_find(uint32_t program_id, struct steer_maps *out)
{
	struct search s = {.program_id = program_id, .out = out};

	*out = (struct steer_maps){-1, -1, -1, -1, -1, -1, -1};
	if (!walk("bpf-prog", take_program, &s))
		return -ENOENT;
	walk("bpf-map", take_map, &s);
	return out->vlans < 0 || out->ours < 0 || out->hosts < 0 || out->port < 0 || out->counts < 0
	    ? -ENOENT
	    : 0;
}

struct sockets {
	int *fds;
	unsigned max, count;
};

static bool take_socket(void *ctx, int fd)
{
	struct sockets *s = ctx;
	int family = 0;
	socklen_t len = sizeof(family);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len) == 0 && family == AF_XDP &&
	    s->count < s->max)
		s->fds[s->count++] = fd;
	return false;
}

unsigned steer_sockets_find(int fds[], unsigned max)
{
	struct sockets s = {fds, max, 0};

	walk("socket:", take_socket, &s);
	return s.count;
}

/* The driver never does: it forgets its object. */
void steer_maps_close(struct steer_maps *maps)
{
	const int fds[] = {maps->program, maps->vlans, maps->ours, maps->hosts, maps->port,
	    maps->counts, maps->sockets};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	*maps = (struct steer_maps){-1, -1, -1, -1, -1, -1, -1};
}
