/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * transitd keeps a trace only while it is read: should this process die, it ends there by itself.
 */

#include "transitctl/trace.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "transitctl/capture.h"
#include "transitctl/link.h"

#define READ_EVERY_MS 100
#define KEEP_DEFAULT                                                                               \
	"--keep=2048" /* more than a frame of 1,500 bytes, and than the outer packets that there are */

struct following {
	int fd;
	const char *token;
	bool json, quiet;
	struct capture *capture;
	int64_t start_ns;
	unsigned packets; /* so far */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
	interrupted = 1;
}

bool trace_is(char **words, int count)
{
	return strcmp(words[0], "trace") == 0 && (count == 1 || words[1][0] == '-');
}

static json_t *start_request(char **words, int count, bool with_bytes)
{
	json_t *list = json_pack("[s, s]", "trace", "start");

	for (int i = 1; i < count; i++) {
		with_bytes &= strncmp(words[i], "--keep", strlen("--keep")) != 0;
		json_array_append_new(list, json_string(words[i]));
	}
	if (with_bytes)
		json_array_append_new(list, json_string(KEEP_DEFAULT));
	return json_pack("{s:o}", "command", list);
}

/* ---- for people ---- */

static void print_value(const char *key, const json_t *value, FILE *to)
{
	char clean[256];

	if (json_is_true(value)) {
		fprintf(to, "  %s", key);
	} else if (json_is_integer(value)) {
		fprintf(to, "  %s %lld", key, (long long)json_integer_value(value));
	} else if (json_is_string(value)) {
		const char *s = json_string_value(value);

		text_sanitise(s, strlen(s), clean, sizeof(clean));
		fprintf(to, "  %s %s", key, clean);
	}
}

void trace_packet_print(const json_t *packet, FILE *to)
{
	const json_t *row, *value;
	const char *key;
	size_t i;

	fprintf(to, "packet %lld%s\n",
	    (long long)json_integer_value(json_object_get(packet, "packet")),
	    json_is_true(json_object_get(packet, "continued")) ? ", continued" : "");
	json_array_foreach(json_object_get(packet, "stages"), i, row)
	{
		const char *stage = json_string_value(json_object_get(row, "stage"));

		fprintf(to, "  %12.1f us  worker %lld  %-11s",
		    json_number_value(json_object_get(row, "at-us")),
		    (long long)json_integer_value(json_object_get(row, "worker")),
		    stage ? stage : "?");
		json_object_foreach((json_t *)row, key, value)
		{
			if (strcmp(key, "at-us") && strcmp(key, "worker") && strcmp(key, "stage"))
				print_value(key, value, to);
		}
		fputc('\n', to);
	}
}

static void print_end(const json_t *result, unsigned packets, FILE *to)
{
	const char *why = json_string_value(json_object_get(result, "ended-because"));
	long long lost = json_integer_value(json_object_get(result, "lost-records"));

	fprintf(to, "trace ended: %s; %u packets", why ? why : "?", packets);
	if (lost)
		fprintf(to, ", and %lld records lost: not every stage is shown", lost);
	fputc('\n', to);
}

/* ---- the loop ---- */

static json_t *ask(int fd, json_t *request, json_t **answer)
{
	json_t *result = NULL;

	*answer = link_ask(fd, request);
	json_decref(request);
	if (*answer && json_is_true(json_object_get(*answer, "ok"))) {
		result = json_incref(json_object_get(*answer, "result"));
		json_decref(*answer);
		*answer = NULL;
	}
	return result;
}

/* False: the file takes no more. */
static bool show(struct following *f, const json_t *packets)
{
	json_t *packet;
	size_t i;

	json_array_foreach(packets, i, packet)
	{
		if (f->capture && !capture_packet(f->capture, packet, f->start_ns))
			return false;
		if (!f->json && !f->quiet)
			trace_packet_print(packet, stdout);
		f->packets += !json_is_true(json_object_get(packet, "continued"));
	}
	fflush(stdout);
	return true;
}

static void pause_ms(long ms)
{
	const struct timespec t = {.tv_nsec = ms * 1000000L};

	nanosleep(&t, NULL);
}

static void stop(int fd, json_t **answer)
{
	json_decref(ask(fd, json_pack("{s:[s, s]}", "command", "trace", "stop"), answer));
	json_decref(*answer); /* it had just ended */
	*answer = NULL;
}

/* Until it has ended and all is read: the last result, with all packets in it, or NULL. */
static json_t *follow(struct following *f, json_t **answer)
{
	json_t *all = json_array(), *result;
	bool stopped = false;

	for (;;) {
		if (interrupted && !stopped) {
			stopped = true;
			stop(f->fd, answer);
		}
		result = ask(f->fd,
		    json_pack("{s:[s, s, s]}", "command", "trace", "read", f->token), answer);
		if (!result)
			break;
		if (f->json)
			json_array_extend(all, json_object_get(result, "packets"));
		interrupted |= !show(f, json_object_get(result, "packets"));
		if (json_is_true(json_object_get(result, "more"))) {
			json_decref(result);
			continue;
		}
		if (!json_is_true(json_object_get(result, "running"))) {
			json_object_set(result, "packets", all);
			break;
		}
		json_decref(result);
		if (!interrupted)
			pause_ms(READ_EVERY_MS);
	}
	json_decref(all);
	return result;
}

/* What has begun: to its end. *result: as follow() has it. 0, or -EIO: the file took not all. */
static int run(
    struct following *f, const json_t *begun, const char *write, json_t **result, json_t **answer)
{
	const struct sigaction action = {.sa_handler = on_signal};

	if (write && !(f->capture = capture_open(write))) {
		stop(f->fd, answer);
		return -EIO;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	f->token = json_string_value(json_object_get(begun, "token"));
	f->start_ns = json_integer_value(json_object_get(begun, "unix-ns"));
	*result = follow(f, answer);
	return f->capture && !capture_close(f->capture) ? -EIO : 0;
}

int trace_run(int fd, char **words, int count, const struct trace_output *output, json_t **answer)
{
	bool piped = output->write && strcmp(output->write, "-") == 0;
	struct following f = {.fd = fd, .json = output->json, .quiet = piped};
	json_t *begun = ask(fd, start_request(words, count, output->write != NULL), answer);
	json_t *result = NULL;
	int rc;

	if (!begun)
		return -1;
	/* The file is touched when transitd traces, and not before: what it refuses costs no capture of before. */
	rc = run(&f, begun, output->write, &result, answer);
	json_decref(begun);
	if (rc < 0) {
		json_decref(result);
		json_decref(*answer);
		*answer = NULL;
		return rc;
	}
	if (!result)
		return -1;
	if (f.json && !piped) {
		json_dumpf(result, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		print_end(result, f.packets, piped ? stderr : stdout);
	}
	json_decref(result);
	return 0;
}
