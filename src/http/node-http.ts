/** `node:http`, without what an import of it loads: a client for the web, 35 ms of a start, to have its names at hand. */
export const http = process.getBuiltinModule('node:http');
