/* SPDX-License-Identifier: MIT */
/*
 * load_model.h - models of another build or revision of this tree, as a shared object exports them
 * (ci/model-so.c, `make model-so`), and as -a model:X.so:NAME opens one (load_model.c). Relies on
 * no other header: it is also compiled with those of other revisions.
 */
#ifndef SLABFUZZ_LOAD_MODEL_H
#define SLABFUZZ_LOAD_MODEL_H

#include <stdint.h>

struct sf_allocator;
struct sf_error;

/* Exported as `slabfuzz_models`. Whose numbers are others speaks another language. */
struct slabfuzz_models {
	uint32_t size; /* of this */
	uint32_t abi;  /* SF_ALLOCATOR_ABI */
	/* Of struct sf_allocator, sf_event, sf_settings, sf_request. */
	uint32_t allocator_bytes, event_bytes, settings_bytes, request_bytes;
	const struct sf_allocator *const *list; /* sf_allocators[] */
};

#define SLABFUZZ_MODELS                                                                   \
	{                                                                                 \
		.size = sizeof(struct slabfuzz_models), .abi = SF_ALLOCATOR_ABI,          \
		.allocator_bytes = sizeof(struct sf_allocator),                           \
		.event_bytes = sizeof(struct sf_event),                                   \
		.settings_bytes = sizeof(struct sf_settings),                             \
		.request_bytes = sizeof(struct sf_request), .list = sf_allocators,        \
	}

/*
 * "X.so:NAME", or "X.so" for its first one. A table of this process's, which is called `name` and
 * stays; NULL with one line in `err`.
 */
const struct sf_allocator *load_model(const char *name, const char *path, struct sf_error *err);

#endif
