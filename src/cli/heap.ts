import { setFlagsFromString } from 'node:v8';

/**
 * V8 learns where to make objects: when nearly all that an expression made was alive at a collection, it makes the rest in the old
 * generation at once. A start, when everything made is kept, teaches it the wrong thing of expressions that later make something
 * for each request: made old, and dead in the next moment, such an object keeps the request and its answer alive until the next
 * full collection. By the luck of its start one server in three spent a fifth of its time copying them (measured with `--trace-gc`:
 * 12 to 17 ms a collection of the young, and 0.5 without). Must be the first thing a server does: what is learnt stays.
 */
setFlagsFromString('--no-allocation-site-pretenuring');
