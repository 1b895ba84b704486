import { ClientError } from '../../record/errors.ts';
import type { Asked, Told, Work } from '../bus/message.ts';
import type { Progress, VerifyReport } from '../live.ts';

/** How often the leader tells how far it is. */
const TELL_MS = 500;
/** Ten times nothing: the leader is gone, or its messages are lost. */
const SILENCE_MS = 5000;

export interface ErrandsOptions {
  /** This node's name. */
  readonly id: string;
  send(message: Asked | Told): void;
  /** Does it on this node. */
  carryOut(view: string, work: Work, progress: Progress): Promise<VerifyReport | null>;
}

interface Errand {
  readonly leader: string;
  readonly progress: Progress | undefined;
  heardAt: number;
  resolve(report: VerifyReport | null): void;
  reject(error: Error): void;
}

/** What only the leader can do, asked of any node: it is passed on, and the leader's answer comes back in its own words. */
export class Errands {
  readonly #options: ErrandsOptions;
  readonly #open = new Map<number, Errand>();
  #count = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ErrandsOptions) {
    this.#options = options;
  }

  /** Has another node do it. Rejects with its error, or with 503 when it is silent for 5 s: then it may have done it or not. */
  ask(leader: string, view: string, work: Work, progress?: Progress): Promise<VerifyReport | null> {
    const { promise, resolve, reject } = Promise.withResolvers<VerifyReport | null>();
    const errand = ++this.#count;
    this.#open.set(errand, { leader, progress, heardAt: performance.now(), resolve, reject });
    this.#timer ??= setInterval(() => this.#look(), TELL_MS);
    this.#options.send({ type: 'asked', node: this.#options.id, to: leader, errand, view, work });
    return promise.finally(() => {
      this.#open.delete(errand);
      if (this.#open.size === 0) this.#rest();
    });
  }

  hear(message: Asked | Told): void {
    if (message.to !== this.#options.id) return;
    if (message.type === 'asked') void this.#carryOut(message);
    else this.#told(message);
  }

  stop(): void {
    this.#rest();
    for (const { reject } of this.#open.values()) reject(new ClientError(503, 'This node stops.'));
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    for (const { leader, heardAt, reject } of this.#open.values()) {
      if (performance.now() - heardAt < SILENCE_MS) continue;
      reject(
        new ClientError(503, `The node that follows the record (${leader}) does not answer. Try again in a moment.`),
      );
    }
  }

  #told({ node, errand, what }: Told): void {
    const open = this.#open.get(errand);
    if (open?.leader !== node) return;
    open.heardAt = performance.now();
    if ('progress' in what) open.progress?.(what.progress.rows, what.progress.of);
    else if ('report' in what) open.resolve(what.report);
    else {
      const { status, message } = what.error;
      open.reject(status === 500 ? new Error(message) : new ClientError(status, message));
    }
  }

  async #carryOut({ node, errand, view, work }: Asked): Promise<void> {
    const { id, send, carryOut } = this.#options;
    const tell = (what: Told['what']) => send({ type: 'told', node: id, to: node, errand, what });
    const progress = { rows: 0, of: 0 };
    tell({ progress });
    const timer = setInterval(() => tell({ progress }), TELL_MS);
    try {
      tell({ report: await carryOut(view, work, (rows, of) => Object.assign(progress, { rows, of })) });
    } catch (error) {
      const status = error instanceof ClientError ? error.status : 500;
      tell({ error: { status, message: (error as Error).message } });
    } finally {
      clearInterval(timer);
    }
  }
}
