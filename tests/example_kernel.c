// SPDX-License-Identifier: MIT
/*
 * example_kernel.c - a program of the kernel's calls, judged: the example of docs/kernel-api.md,
 * word for word. Relies on kernel.h and the judge; tests/test_kernel.c runs it.
 */
#include <stdio.h>

#include "harness/exec/kernel.h"
#include "oracles/oracle.h"

struct message {
	unsigned short len;
	unsigned char data[];
};

static void complain(void *ctx, const struct sf_violation *v)
{
	(void)ctx;
	printf("%s\n%s\n", v->title, v->detail);
}

int main(void)
{
	struct sf_judge_options judge = { .violation = complain };
	struct sf_kernel_options opt = { .allocator = &sf_typed, .emit = sf_judge_event,
					 .ctx = sf_judge_create(&judge), .contents = true };
	struct sf_error err;
	struct sf_kernel *k = sf_kernel_open(&opt, &err);
	struct sf_kernel_counts counts;

	if (!k)
		return printf("%s\n", err.text), 1;
	sf_kernel_bind(k);

	auto m = kzalloc_flex(struct message, data, 100);
	auto table = kmalloc_objs(*m, 16, GFP_KERNEL_ACCOUNT);
	unsigned int *ids = kcalloc(10, sizeof(unsigned int), GFP_KERNEL);

	ids = krealloc_array(ids, 1000, sizeof(*ids), GFP_KERNEL);
	kfree(ids);
	kfree(ids); /* refused: there is nothing there any more */
	kfree(table);

	sf_kernel_counts(k, &counts);
	printf("%lu calls, %lu refused, %lu objects alive\n", (unsigned long)counts.calls,
	       (unsigned long)counts.refused, (unsigned long)counts.live);
	sf_kernel_close(k); /* gives back the message, and has it all judged */
	sf_judge_destroy(opt.ctx);
	return 0;
}
