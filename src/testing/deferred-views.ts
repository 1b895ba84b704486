import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, ReadOptions, ViewHandle } from '../live/live.ts';
import type { ServiceContext, ServiceDefinition } from '../runtime/service.ts';
import type { ResultsOf, ViewQuery } from '../views/view.ts';

/** Milliseconds that an answer is on its way, at most. */
const LATE_MS = 8;

/** A view as one outside of the process is: it never answers at once, and an answer is as old as its way was long. */
class DeferredView implements ViewHandle {
  readonly #view: ViewHandle;

  constructor(view: ViewHandle) {
    this.#view = view;
  }

  get name(): string {
    return this.#view.name;
  }

  get version(): number {
    return this.#view.version;
  }

  async read<const Queries extends readonly ViewQuery<unknown>[]>(
    queries: Queries,
    options?: ReadOptions,
  ): Promise<Answer<ResultsOf<Queries>>> {
    await sleep(Math.random() * LATE_MS);
    const answer = await this.#view.read(queries, options);
    await sleep(Math.random() * LATE_MS);
    return answer;
  }

  readNow(): undefined {
    return undefined;
  }

  hold(queries: readonly ViewQuery<unknown>[]): Promise<void> {
    return this.#view.hold(queries);
  }

  status() {
    return this.#view.status();
  }

  rebuild() {
    return this.#view.rebuild();
  }

  verify() {
    return this.#view.verify();
  }
}

/** A service whose views answer late, always. */
export function withDeferredViews(service: ServiceDefinition): ServiceDefinition {
  const deferred = (context: ServiceContext): ServiceContext => {
    const views = Object.entries(context.views).map(([name, view]) => [name, new DeferredView(view)]);
    return { ...context, views: Object.fromEntries(views) };
  };
  const { topics, routes } = service;
  return {
    ...service,
    ...(topics && { topics: (context) => topics(deferred(context)) }),
    routes: (app, context) => routes(app, deferred(context)),
  };
}
