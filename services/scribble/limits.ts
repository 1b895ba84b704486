import { ClientError, type ClientSocket, RateLimit, TokenBucket } from '../../src/index.ts';
import type { Settings } from './settings.ts';

/** Seconds' worth of points that may come at once. */
const BURST_SECONDS = 4;
/** What fits into a message. */
const MAX_FRAME_POINTS = 16_000;

/** How fast clients may draw: each connection, each address, and with a cool-down each user or address. */
export class Limits {
  readonly pointsPerSecond: number;
  /** Points of one frame: with more of them it would have to wait for ever. */
  readonly pointsAtOnce: number;
  readonly #addresses: RateLimit | undefined;
  readonly #cooldown: RateLimit | undefined;

  constructor({ settings }: { settings: Settings }) {
    const { pointsPerSecond, addressPointsPerSecond: perSecond, cooldownMs } = settings;
    this.pointsPerSecond = pointsPerSecond;
    const burst = perSecond * BURST_SECONDS;
    this.pointsAtOnce = Math.min(
      MAX_FRAME_POINTS,
      pointsPerSecond * BURST_SECONDS,
      perSecond > 0 ? burst : Number.POSITIVE_INFINITY,
      cooldownMs > 0 ? 1 : Number.POSITIVE_INFINITY,
    );
    if (perSecond > 0) this.#addresses = new RateLimit({ perSecond, burst, spareLoopback: true });
    if (cooldownMs > 0) this.#cooldown = new RateLimit({ perSecond: 1000 / cooldownMs, burst: 1 });
  }

  /** One connection's own. */
  bucket(): TokenBucket {
    return new TokenBucket({ perSecond: this.pointsPerSecond, burst: this.pointsPerSecond * BURST_SECONDS });
  }

  /** Throws 429 where the address, or whoever cools down, must wait. */
  admit({ address, user }: ClientSocket, points: number): void {
    const wait = this.#cooldown?.take(user ? `user ${user.username}` : address, points) ?? 0;
    if (wait > 0) throw mustWait(`There is a pause between two points; draw the next one in ${seconds(wait)} s.`, wait);
    const slow = this.#addresses?.take(address, points) ?? 0;
    if (slow > 0) throw mustWait(`Your address draws too fast; go on in ${seconds(slow)} s.`, slow);
  }
}

function mustWait(message: string, waitMs: number): ClientError {
  return new ClientError(429, message, { members: { retryAfterMs: Math.ceil(waitMs) } });
}

function seconds(ms: number): number {
  return Math.ceil(ms / 100) / 10;
}
