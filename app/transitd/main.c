/* SPDX-License-Identifier: BSD-3-Clause */

/* transitd, the process: its command line, its startup file, and what becomes of its exit code. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "conf/conf.h"
#include "router/change/startup.h"
#include "router/router.h"
#include "transitd/args.h"
#include "transitd/instance.h"
#include "transitd/service.h"

/* Keys are in memory: no core file, no debugger of other users. */
static void keep_secrets(void)
{
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	if (geteuid() == 0)
		prctl(PR_SET_DUMPABLE, 0);
}

/* The file, or NULL after its errors on stderr. */
static struct conf *load(const struct args *args, struct startup *startup)
{
	struct conf_errors errors;
	struct conf *conf = NULL;

	conf_errors_init(&errors);
	startup_load(args->file, args->mode == ARGS_CHECK, startup, &conf, &errors);
	conf_errors_print(&errors, stderr);
	conf_errors_fini(&errors);
	return conf;
}

/* The file may hold keys. */
static void warn_of_readers(const char *file)
{
	struct stat st;

	if (stat(file, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0007))
		log_write(LOG_WARNING, "transitd", NULL,
		    "%s: everybody may read it, and it may hold keys; `chmod 600 %s`", file, file);
}

static void print_unserved(
    void *ctx, const struct conf_source *where, const char *object, const char *what)
{
	fprintf(stderr, "%s:%u:%u: warning: %s: %s\n", (const char *)ctx, where->line,
	    where->column, object, what);
}

int main(int argc, char **argv)
{
	struct startup startup = {0};
	struct args args;
	struct conf *conf;
	int rc = 0;

	if (args_parse(argc, argv, &args) < 0)
		return EXIT_FAILURE;
	switch (args.mode) {
	case ARGS_HELP:
		args_help(stdout);
		return EXIT_SUCCESS;
	case ARGS_VERSION:
		printf("transitd %s\n", TRANSITD_VERSION);
		return EXIT_SUCCESS;
	case ARGS_HELP_CONFIG:
		conf_doc(stdout);
		return EXIT_SUCCESS;
	default:
		break;
	}
	keep_secrets();
	conf = load(&args, &startup);
	if (!conf) {
		startup_free(&startup);
		return EXIT_FAILURE;
	}
	if (args.mode == ARGS_CHECK) {
		router_unserved(conf, print_unserved, (void *)(uintptr_t)args.file);
		printf("%s: sound\n", args.file);
	} else {
		service_log(SERVICE_JOURNAL);
		warn_of_readers(args.file);
		log_set_level(args.has_log_level ? args.log_level : conf->system.log_level);
		rc = instance_run(&args, conf, &startup);
	}
	conf_free(conf);
	startup_free(&startup);
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
