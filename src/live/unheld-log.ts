import type { Logger } from 'pino';
import type { ServedView } from './served-view.ts';

/** Logs, once each, that a view meets rows that it cannot hold, and that it holds all rows again. */
export class UnheldLog {
  readonly #log: Logger;
  readonly #told = new Set<ServedView>();

  constructor(log: Logger) {
    this.#log = log;
  }

  look(views: readonly ServedView[]): void {
    for (const view of views) {
      const { unheld } = view;
      if (unheld === null || (unheld !== undefined) === this.#told.has(view)) continue;
      if (unheld !== undefined) {
        this.#told.add(view);
        this.#log.error(
          { view: view.name, detail: unheld },
          'the view is broken; its reads are answered from the record',
        );
      } else {
        this.#told.delete(view);
        this.#log.info({ view: view.name }, 'the view holds all rows again');
      }
    }
  }
}
