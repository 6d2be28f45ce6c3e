/*
 * resource: what C owns on behalf of a script's value.
 *
 * A state is dropped without its finalizers (vm.h), so what a userdata owns beyond its own bytes is
 * on its script's list of resources from the moment it owns it. Its finalizer is only the early
 * way: resource_release, which the end of the script calls for all that are left. Nor does Lua run
 * a finalizer that it cannot call, for want of memory or at the depth of its C stack, and frees the
 * userdata all the same: so a resource is C's own memory, or that of a userdata that the registry
 * holds.
 */
#ifndef EBB_SCRIPT_RESOURCE_H
#define EBB_SCRIPT_RESOURCE_H

#include "base/list.h"

struct resource {
	struct list node;
	void (*release)(struct resource *r); /* frees what is owned; no Lua */
};

/* Puts r, which may own something from now on, on the list. */
static inline void resource_add(
	struct list *resources, struct resource *r, void (*release)(struct resource *r))
{
	r->release = release;
	list_append(resources, &r->node);
}

/* Does nothing for one that was released before. */
static inline void resource_release(struct resource *r)
{
	if (!list_is_linked(&r->node))
		return;
	list_remove(&r->node);
	r->release(r);
}

static inline void resources_release(struct list *resources)
{
	while (!list_is_empty(resources))
		resource_release(container_of(resources->next, struct resource, node));
}

#endif
