import type { Position } from '../../changes/position.ts';
import type { Answer, Applied, Live, LiveStatus, ViewHandle, ViewStatus } from '../../live/live.ts';
import { EncodedMessage } from '../../live/message.ts';
import type { SubscribeOptions, Subscription, Topics } from '../../live/topics.ts';
import { ClientError } from '../../record/errors.ts';
import type { Receipt } from '../../record/record.ts';
import type { ViewQuery } from '../../views/view.ts';

/** A `Live` whose position the test moves. */
export class TestLive implements Live {
  watermark: Position = { epoch: 'e1', lsn: 100 };
  ready = true;
  /** What `applied` was asked to wait, in milliseconds. */
  waited: number[] = [];
  isApplied = true;
  views: ViewStatus[] = [viewStatus()];

  async applied(_receipt: Receipt, timeoutMs = 5000): Promise<Applied> {
    this.waited.push(timeoutMs);
    return { position: this.watermark, applied: this.isApplied };
  }

  async reached(): Promise<void> {}

  /** What SQL was waited for to show. */
  awaited: Position[] = [];

  async shown(position: Position): Promise<void> {
    this.awaited.push(position);
  }

  signal(): void {}

  follow(): () => void {
    return () => {};
  }

  status(): LiveStatus {
    return {
      ready: this.ready,
      position: 'e1-2s',
      epoch: 'e1',
      following: true,
      slot: { name: 'lockstep_1', temporary: true, retainedBytes: 4096 },
      transactions: 7,
      changes: 9,
      reconnects: 1,
      views: this.views,
      projections: [],
      nodes: null,
    };
  }
}

export function viewStatus(status: Partial<ViewStatus> = {}): ViewStatus {
  return {
    service: 'sample',
    name: 'numbers',
    kind: 'numbers',
    state: 'live',
    position: 'e1-2s',
    lagBytes: 12,
    progress: null,
    rebuilds: 1,
    fault: null,
    entries: 3,
    bytes: 84,
    ...status,
  };
}

/** A view that answers every query with its number, from memory or, where it is told to, from the record. */
export class TestView implements ViewHandle<ViewQuery<number>> {
  readonly name = 'numbers';
  version = 1;
  number = 1;
  available = true;
  position: Position = { epoch: 'e1', lsn: 100 };
  reads: (Position | undefined)[] = [];

  readNow(queries: readonly unknown[], minPosition?: Position): Answer<never> | undefined {
    if (!this.available) return undefined;
    if (minPosition && (minPosition.epoch !== this.position.epoch || minPosition.lsn > this.position.lsn))
      return undefined;
    return { results: queries.map(() => this.number) as never, position: this.position, source: 'view' };
  }

  async read(queries: readonly unknown[], options: { minPosition?: Position } = {}): Promise<Answer<never>> {
    this.reads.push(options.minPosition);
    const source = this.available ? 'view' : 'record';
    return { results: queries.map(() => this.number) as never, position: this.position, source };
  }

  async hold(): Promise<void> {}

  status(): ViewStatus {
    return viewStatus();
  }

  async rebuild(progress?: (rows: number, of: number) => void): Promise<void> {
    progress?.(3, 3);
  }

  async verify(progress?: (rows: number, of: number) => void) {
    progress?.(3, 3);
    return { view: this.name, position: 'e1-2s', compared: 3, drift: 0, examples: [], seconds: 0.1 };
  }
}

/** Topics `sample/numbers/<key>` for everybody and `sample/private/<key>` for users; the test sends the messages. */
export class TestTopics implements Topics {
  readonly #followers = new Map<string, Set<SubscribeOptions>>();
  /** Each subscription as it came. */
  readonly asked: { topic: string; from: Position | null; username: string | null }[] = [];
  /** What a subscriber waits for before it is told that it is one. */
  reading: Promise<void> | undefined;
  #lsn = 100;

  get subscribers(): number {
    return [...this.#followers.values()].reduce((sum, each) => sum + each.size, 0);
  }

  async subscribe(topic: string, options: SubscribeOptions): Promise<Subscription> {
    this.asked.push({ topic, from: options.from ?? null, username: options.user?.username ?? null });
    if (!/^sample\/(numbers|private)\//.test(topic)) throw new ClientError(404, `There is no topic ${topic}.`);
    if (topic.startsWith('sample/private/') && !options.user)
      throw new ClientError(401, 'Following this topic needs a token.');
    const followers = this.#followers.get(topic) ?? new Set();
    this.#followers.set(topic, followers.add(options));
    await this.reading;
    return { unsubscribe: () => void followers.delete(options) };
  }

  send(topic: string, data: unknown): string {
    const position = `e1-${(++this.#lsn).toString(36)}`;
    const message = new EncodedMessage({ topic, event: 'state', position, previous: null, data: JSON.stringify(data) });
    for (const follower of [...(this.#followers.get(topic) ?? [])]) follower.deliver(message);
    return position;
  }
}
