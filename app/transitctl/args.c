/* SPDX-License-Identifier: BSD-3-Clause */

/* Options stand in front of the command or behind it; what transitd's own commands take, such as --from, is left to it. */

#include "transitctl/args.h"

#include <getopt.h>
#include <string.h>

#define DEFAULT_SOCKET "/run/transitd/transitd.sock"

void args_usage(FILE *to)
{
	fputs(
	    "usage: transitctl [-s SOCKET] [--json] COMMAND [ARGUMENT...]\n\n"
	    "Asks a running transitd. `transitctl help` lists what it can be asked:\n"
	    "  show system, ports, attachments, connections, tunnels, sas, tables,\n"
	    "  routes [TABLE], bgp, neighbors, counters, health, ike, punts, configuration;\n"
	    "  explain --from ATTACHMENT SOURCE DESTINATION, what becomes of a packet and why;\n"
	    "  trace [--from ATTACHMENT] [--tunnel TUNNEL] [--source PREFIX] [--destination PREFIX]\n"
	    "        [--protocol P] [--source-port N] [--destination-port N] [--both-ways] [--drops]\n"
	    "        [--count N] [--seconds S], real packets stage by stage, as they come;\n"
	    "        --write FILE: the packets themselves too, before and after encryption, as pcapng\n"
	    "and what changes things:\n"
	    "  check [FILE]            is it valid, and may it follow what runs?\n"
	    "  diff [FILE]             what it would change, and what that does\n"
	    "  apply [FILE]            make it the configuration, whole or not at all\n"
	    "  confirm                 keep a change that waits for it\n"
	    "  rollback [N], history   back to an earlier configuration; which there were\n"
	    "Without FILE the startup file is meant; `apply FILE` makes FILE the startup file.\n\n"
	    "`transitctl nic list`, `nic bind ADDRESS... [driver NAME] [force]`, `nic unbind\n"
	    "ADDRESS...` show the NICs of this machine and hand them over; no transitd has to run.\n\n"
	    "  --confirm-within S      with apply, rollback: take it back after S seconds unless\n"
	    "                          confirmed, and when a tunnel that was up is not up again\n"
	    "  --running               with apply, rollback: leave the startup file as it is\n"
	    "  --write FILE            with trace; - is standard output, for Wireshark or tcpdump\n"
	    "  -s, --socket SOCKET     another one than " DEFAULT_SOCKET "\n"
	    "  -j, --json              the result as JSON, for programs\n"
	    "  -h, --help              this text\n"
	    "  -V, --version           the version\n\n"
	    "Options may stand behind the command as well, in their long form.\n\n"
	    "exit code: 0 done, 1 refused by transitd, 2 wrong usage, 3 transitd not reached\n",
	    to);
}

static bool in_front(int argc, char **argv, struct args *out)
{
	static const struct option options[] = {
	    {"socket", required_argument, NULL, 's'},
	    {"json", no_argument, NULL, 'j'},
	    {"running", no_argument, NULL, 'r'},
	    {"confirm-within", required_argument, NULL, 'c'},
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'},
	    {NULL, 0, NULL, 0},
	};
	int found;

	*out = (struct args){.socket = DEFAULT_SOCKET};
	while ((found = getopt_long(argc, argv, "+s:jhV", options, NULL)) != -1) {
		out->socket = found == 's' ? optarg : out->socket;
		out->json |= found == 'j';
		out->running |= found == 'r';
		out->confirm_within = found == 'c' ? optarg : out->confirm_within;
		out->help |= found == 'h';
		out->version |= found == 'V';
		if (found == '?')
			return false;
	}
	return true;
}

/* The value of option `name` at words[*at], behind "=" or in the next word; NULL: it is another word. */
static const char *option_value(char **words, int count, int *at, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(words[*at], name, len) != 0)
		return NULL;
	if (words[*at][len] == '=')
		return words[*at] + len + 1;
	return words[*at][len] == '\0' && *at + 1 < count ? words[++*at] : NULL;
}

/* Our own options behind the command, out of its words. Returns how many words are left. */
static int behind(struct args *o, char **words, int count)
{
	int left = 0;

	for (int i = 0; i < count; i++) {
		const char *value;

		if (strcmp(words[i], "--json") == 0)
			o->json = true;
		else if (strcmp(words[i], "--running") == 0)
			o->running = true;
		else if ((value = option_value(words, count, &i, "--confirm-within")))
			o->confirm_within = value;
		else if ((value = option_value(words, count, &i, "--socket")))
			o->socket = value;
		else if ((value = option_value(words, count, &i, "--write")))
			o->write = value;
		else
			words[left++] = words[i];
	}
	return left;
}

bool args_parse(int argc, char **argv, struct args *out)
{
	if (!in_front(argc, argv, out))
		return false;
	out->words = argv + optind;
	out->count = behind(out, out->words, argc - optind);
	return out->count > 0 || out->help || out->version;
}
