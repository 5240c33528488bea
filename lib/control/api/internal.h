/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef API_INTERNAL_H
#define API_INTERNAL_H

/* What the files of this folder share. Control lcore only, but for what telemetry.c says. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "api/api.h"
#include "base/list.h"

#define COMMANDS_MAX 64

struct registered {
	const struct api_command *command;
	void *ctx;
};

struct evconnlistener;

struct api {
	struct event_base *base;
	struct registered commands[COMMANDS_MAX];
	unsigned command_count;
	/* listen.c */
	struct evconnlistener *listener;
	char path[108];
	ino_t inode; /* of our socket, so that another's is never removed */
	/* client.c */
	struct list clients; /* the longest silent first */
	unsigned client_count;
	size_t waiting;               /* bytes of answers that clients have not read yet */
	int64_t silence_ns, stall_ns; /* API_SILENCE_MAX, API_STALL_MAX; tests are in a hurry */
	/* telemetry.c */
	struct event *wake;
};

/* Who asks. */
struct api_caller {
	uid_t uid;
	pid_t pid; /* 0: telemetry */
};

/* commands.c: the answer to a request, complete with "ok"; never NULL. `request` may be changed. */
json_t *commands_answer(struct api *api, const struct api_caller *caller, json_t *request);
/* {"ok": false, "error": {...}}; a new reference. */
json_t *commands_refuse(const char *code, const char *text);
int commands_init(struct api *api);

/* listen.c */
int listen_init(struct api *api, const char *path);
void listen_fini(struct api *api);

/* client.c: takes the socket. */
void client_accept(struct api *api, int fd);
void clients_fini(struct api *api);

/* telemetry.c */
int telemetry_init(struct api *api);
void telemetry_fini(struct api *api);
/* Offers a command of API_SHOW. 0 or -errno. */
int telemetry_offer(const struct api_command *command);

/* telemetry_data.c: runs in telemetry's threads, on trees that are theirs. */
struct rte_tel_data;
/* The names of the rows of a list; with `row` that row of it, and of an object always its members,
 * as a dictionary. 0, or -ENOENT: no such row. */
int telemetry_fill(const json_t *result, const char *row, struct rte_tel_data *data);
/* What a row is called: at most `capacity` bytes. */
void telemetry_row_name(const json_t *row, char *buf, size_t capacity);

#endif
