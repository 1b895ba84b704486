// The client for browsers and Node, as `lockstep/client`.
export { type AnyApi, type Api, type CallOptions, Client, type ClientOptions, type Endpoint } from './client.ts';
export type { Answered } from './http.ts';
export { type Connection, type Follower, LiveClient, type LiveOptions, type TopicMessage } from './live.ts';
export { Problem } from './problem.ts';
export { Session, type SignedIn, type TokenStorage } from './session.ts';
