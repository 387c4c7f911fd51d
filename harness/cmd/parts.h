/* SPDX-License-Identifier: MIT */
/*
 * parts.h - what belongs to the command and lies beside it, where it was built or installed, and
 * files that it carries in itself, headers and the page of a report (parts.c).
 * Relies on the operating system alone.
 */
#ifndef SLABFUZZ_PARTS_H
#define SLABFUZZ_PARTS_H

/* "FOLDER-OF-THE-PROGRAM/name", if it is there; to be freed; else NULL. */
char *sf_part(const char *name);

/* Texts of headers, for who compiles without this tree. */
extern const char sf_event_hash_header[], sf_plugin_header[];

/* The page of `slabfuzz report`, its looks and its scripts. */
extern const char sf_report_html[], sf_report_css[], sf_report_heap_js[], sf_report_plots_js[],
	sf_report_js[];

#endif
