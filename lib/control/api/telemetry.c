/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * DPDK telemetry asks in threads of its own, and nothing of control may be touched there. A
 * question goes into a queue, control answers it between other events, the thread waits for that
 * with a deadline:
 *
 *   telemetry thread   queue ------- wait -------------------+--> fill the answer in, free
 *                         \ eventfd                         / condition
 *   control lcore          take --> commands_answer() --> put
 *
 * A thread that gave up leaves its question to control, which frees it. DPDK has no way to take a
 * command back, so the queue outlives every struct api and refuses while there is none.
 */

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <rte_telemetry.h>

#include "api/internal.h"
#include "base/mem.h"
#include "base/text.h"

#define QUEUE_MAX 32
#define PREFIX    "/transit/"

enum question_state { QUESTION_QUEUED, QUESTION_TAKEN, QUESTION_ABANDONED, QUESTION_ANSWERED };

struct question {
	struct list node; /* while queued */
	enum question_state state;
	json_t *request;
	json_t *answer; /* NULL: there is no control any more */
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t answered;
	bool is_ready; /* the condition has its clock */
	struct list queue;
	unsigned queued;
	int wake_fd; /* -1: no struct api */
	struct {
		char telemetry[56]; /* "/transit/tunnels" */
		char name[56];      /* "show tunnels" */
		char arg[32];       /* its first argument; "": none */
	} offered[COMMANDS_MAX];
	unsigned offered_count;
} hub = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake_fd = -1};

/* ---- telemetry's threads ---- */

static void question_free(struct question *q)
{
	json_decref(q->request);
	json_decref(q->answer);
	free(q);
}

/* Waits until control has answered; false at the deadline, then *q is no longer ours. */
static bool wait_for(struct question *q)
{
	struct timespec until;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += API_DEADLINE_MAX / DUR_S(1);
	while (q->state != QUESTION_ANSWERED && rc == 0)
		rc = pthread_cond_timedwait(&hub.answered, &hub.lock, &until);
	if (q->state == QUESTION_ANSWERED)
		return true;
	if (q->state == QUESTION_QUEUED) {
		list_remove(&q->node);
		hub.queued--;
		question_free(q);
	} else {
		q->state = QUESTION_ABANDONED; /* control frees it */
	}
	return false;
}

/* Takes the request; the answer, or NULL. */
static json_t *ask(json_t *request)
{
	struct question *q = xcalloc(1, sizeof(*q));
	json_t *answer = NULL;
	uint64_t one = 1;

	q->request = request;
	pthread_mutex_lock(&hub.lock);
	if (hub.wake_fd < 0 || hub.queued == QUEUE_MAX ||
	    write(hub.wake_fd, &one, sizeof(one)) != sizeof(one)) {
		question_free(q);
		pthread_mutex_unlock(&hub.lock);
		return NULL;
	}
	list_append(&hub.queue, &q->node);
	hub.queued++;
	if (wait_for(q)) {
		answer = q->answer;
		q->answer = NULL;
		question_free(q);
	}
	pthread_mutex_unlock(&hub.lock);
	return answer;
}

/*
 * "/transit/routes,default,10.0.0.0/8": the first parameter is the command's argument if it has
 * one, the next is the name of a row.
 */
static json_t *make_request(const char *command, const char *params, char row[256])
{
	json_t *request = json_object();
	const char *rest = params ? params : "";

	for (unsigned i = 0; i < hub.offered_count; i++) {
		if (strcmp(hub.offered[i].telemetry, command) != 0)
			continue;
		json_object_set_new(request, "command", json_string(hub.offered[i].name));
		if (hub.offered[i].arg[0] && *rest) {
			size_t len = strcspn(rest, ",");

			json_object_set_new(request, hub.offered[i].arg, json_stringn(rest, len));
			rest += len + (rest[len] == ',');
		}
	}
	text_copy(row, 256, rest);
	return request;
}

/* A page of the answer. With -ENOENT, *from is where the next one begins, or NULL: there is none. */
static int fill_page(
    const char *command, const char *params, json_t **from, struct rte_tel_data *data)
{
	json_t *answer, *result;
	char row[256];
	int rc = -EIO;

	pthread_mutex_lock(&hub.lock);
	json_t *request = make_request(command, params, row);
	pthread_mutex_unlock(&hub.lock);
	if (*from)
		json_object_set_new(request, "from", *from);
	*from = NULL;
	answer = ask(request);
	if (!answer)
		return -ETIMEDOUT;
	result = json_object_get(answer, "result");
	if (result)
		rc = telemetry_fill(result, row[0] ? row : NULL, data);
	if (rc == -ENOENT)
		*from = json_incref(json_object_get(result, "next"));
	json_decref(answer);
	return rc;
}

static int on_telemetry(const char *command, const char *params, struct rte_tel_data *data)
{
	json_t *from = NULL;
	int rc;

	do {
		rc = fill_page(command, params, &from, data);
	} while (from);
	return rc;
}

/* ---- control lcore ---- */

/* The next question, or NULL. */
static struct question *take(void)
{
	struct question *q = NULL;

	pthread_mutex_lock(&hub.lock);
	if (!list_is_empty(&hub.queue)) {
		q = list_entry(hub.queue.next, struct question, node);
		list_remove(&q->node);
		hub.queued--;
		q->state = QUESTION_TAKEN;
	}
	pthread_mutex_unlock(&hub.lock);
	return q;
}

static void put(struct question *q, json_t *answer)
{
	pthread_mutex_lock(&hub.lock);
	q->answer = answer;
	if (q->state == QUESTION_ABANDONED) {
		question_free(q);
	} else {
		q->state = QUESTION_ANSWERED;
		pthread_cond_broadcast(&hub.answered);
	}
	pthread_mutex_unlock(&hub.lock);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	static const struct api_caller telemetry = {.uid = (uid_t)-1};
	struct question *q;
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0)
		return;
	for (unsigned i = 0; i < QUEUE_MAX && (q = take()) != NULL; i++)
		put(q, commands_answer(arg, &telemetry, q->request));
}

int telemetry_offer(const struct api_command *command)
{
	const char *word = strrchr(command->name, ' ');
	char path[56];
	int rc = 0;

	if (!word)
		return 0; /* "help": telemetry has its own */
	snprintf(path, sizeof(path), PREFIX "%s", word + 1);
	for (char *s = path; *s; s++) {
		if (*s == '-')
			*s = '_';
	}
	pthread_mutex_lock(&hub.lock);
	for (unsigned i = 0; i < hub.offered_count; i++) {
		if (!strcmp(hub.offered[i].telemetry, path))
			goto out; /* by an earlier struct api */
	}
	if (hub.offered_count == COMMANDS_MAX) {
		rc = -ENOSPC;
		goto out;
	}
	rc = rte_telemetry_register_cmd(path, on_telemetry, command->help);
	if (rc < 0)
		goto out;
	snprintf(hub.offered[hub.offered_count].telemetry, 56, "%s", path);
	snprintf(hub.offered[hub.offered_count].name, 56, "%s", command->name);
	if (command->args) {
		const char *arg = command->args + strspn(command->args, "[ ");

		snprintf(
		    hub.offered[hub.offered_count].arg, 32, "%.*s", (int)strcspn(arg, "] "), arg);
	}
	hub.offered_count++;
out:
	pthread_mutex_unlock(&hub.lock);
	return rc;
}

static void hub_prepare(void)
{
	pthread_condattr_t attr;

	if (hub.is_ready)
		return;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&hub.answered, &attr);
	pthread_condattr_destroy(&attr);
	list_init(&hub.queue);
	hub.is_ready = true;
}

int telemetry_init(struct api *api)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		return -errno;
	api->wake = event_new(api->base, fd, EV_READ | EV_PERSIST, on_wake, api);
	if (!api->wake || event_add(api->wake, NULL) < 0) {
		if (api->wake)
			event_free(api->wake);
		close(fd);
		return -ENOMEM;
	}
	pthread_mutex_lock(&hub.lock);
	hub_prepare();
	hub.wake_fd = fd;
	pthread_mutex_unlock(&hub.lock);
	return 0;
}

void telemetry_fini(struct api *api)
{
	struct question *q;
	int fd;

	pthread_mutex_lock(&hub.lock);
	fd = hub.wake_fd;
	hub.wake_fd = -1;
	pthread_mutex_unlock(&hub.lock);
	while ((q = take()) != NULL)
		put(q, NULL);
	event_free(api->wake);
	close(fd);
}
