import {
  binaryFrame,
  CLOSE,
  ClientError,
  type ClientSocket,
  errorMember,
  type SocketHandler,
  TokenBucket,
} from '../../src/index.ts';
import type { Point } from './canvas.ts';
import type { Limits } from './limits.ts';
import { frameId, readAction, readDraw, storedFrame, V2 } from './protocol.ts';
import type { Studio } from './studio.ts';
import { plainAddress } from './subject.ts';
import type { Viewer, ViewerState } from './viewer.ts';

/** Bytes of a text message that is read; longer ones are refused. */
const MAX_TEXT = 8192;
/** Refused messages: so many at once, and then so many a second. */
const MAX_REFUSED = { burst: 20, perSecond: 1 };
/** Points of one client on their way into the record. */
const MAX_UNDER_WAY = 20_000;

/** One client: what it sends becomes points, or is refused with a message. Its socket stays open unless it goes on and on. */
export class Artist implements SocketHandler, Viewer {
  readonly socket: ClientSocket;
  /** Of the socket, as points and bans have it. */
  readonly address: string;
  state: ViewerState = 'behind';
  sequence = -1;
  readonly #studio: Studio;
  readonly #limits: Limits;
  readonly #bucket: TokenBucket;
  #refusals: TokenBucket | undefined;
  #underWay = 0;

  constructor({ socket, studio }: { socket: ClientSocket; studio: Studio }) {
    this.socket = socket;
    this.address = plainAddress(socket.address);
    this.#studio = studio;
    this.#limits = studio.limits;
    this.#bucket = studio.limits.bucket();
  }

  get binary(): boolean {
    return this.socket.protocol === V2;
  }

  received(data: Buffer, isBinary: boolean): void {
    try {
      if (isBinary) this.#receivedFrame(data);
      else this.#receivedText(data);
    } catch (error) {
      this.#refuse(error);
    }
  }

  signedOut(): void {
    this.#studio.presence.changed();
    this.socket.send(JSON.stringify({ error: { status: 401, message: 'The token has run out; send a new one.' } }));
  }

  closed(): void {
    this.#studio.leave(this);
  }

  #receivedText(data: Buffer): void {
    if (data.length > MAX_TEXT)
      throw new ClientError(413, `A message has at most ${MAX_TEXT} bytes, found ${data.length}.`);
    const action = readAction(data.toString());
    if (action.action === 'authenticate') {
      this.#authenticate(action.token);
      return;
    }
    this.#admit(1);
    this.#draw(action.point).catch((error) => this.#refuse(error));
  }

  #receivedFrame(data: Buffer): void {
    if (!this.binary)
      throw new ClientError(400, `Send JSON as text, or connect with the subprotocol ${V2} for binary messages.`);
    this.#drawAll(data).then(
      (id) => this.socket.write(binaryFrame(storedFrame(id))),
      (error) => this.#refuse(error, { id: frameId(data) }),
    );
  }

  /** Returns the frame's number. */
  async #drawAll(frame: Buffer): Promise<number> {
    const { id, points } = readDraw(frame);
    this.#admit(points.length);
    await Promise.all(points.map((point) => this.#draw(point)));
    return id;
  }

  #authenticate(token: string): void {
    this.socket.authenticate(token).then(
      ({ username }) => {
        this.socket.send(JSON.stringify({ authenticated: username }));
        this.#studio.presence.changed();
      },
      (error) => this.#refuse(error),
    );
  }

  /** Throws 413, 429 or 503. */
  #admit(points: number): void {
    const { pointsPerSecond, pointsAtOnce } = this.#limits;
    if (points > pointsAtOnce)
      throw new ClientError(
        413,
        `At most ${pointsAtOnce} ${pointsAtOnce === 1 ? 'point' : 'points'} a frame, found ${points}.`,
      );
    if (!this.#bucket.take(points)) {
      throw new ClientError(429, `You draw too fast: at most ${pointsPerSecond} points a second. Wait a moment.`);
    }
    if (this.#underWay + points > MAX_UNDER_WAY)
      throw new ClientError(503, 'Too many of your points are on their way. Wait until they are stored.');
    this.#limits.admit(this.socket, points);
  }

  async #draw(point: Point): Promise<void> {
    const { user } = this.socket;
    const { address } = this;
    this.#underWay++;
    try {
      const { value: drawn } = await this.#studio.writes.draw({ ...point, username: user?.username ?? null, address });
      if (!drawn) throw new ClientError(403, 'You are banned from drawing on this canvas.');
    } finally {
      this.#underWay--;
    }
  }

  /** Answers with what is wrong. Whoever goes on all the same is disconnected. */
  #refuse(error: unknown, members: Readonly<Record<string, unknown>> = {}): void {
    if (this.socket.isClosed) return;
    this.#refusals ??= new TokenBucket(MAX_REFUSED);
    this.socket.send(JSON.stringify({ error: { ...errorMember(error, this.#studio.log), ...members } }));
    if (!this.#refusals.take()) this.socket.close(CLOSE.policy, 'too many refused messages');
  }
}
