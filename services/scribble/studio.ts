import { CLOSE, ClientError, type ClientSocket, type User } from '../../src/index.ts';
import { Artist } from './artist.ts';
import { Broadcast } from './broadcast.ts';
import { HEIGHT, PALETTE, PAPER, WIDTH } from './canvas.ts';
import type { Context } from './context.ts';
import { Limits } from './limits.ts';
import { Presence } from './presence.ts';
import { readSettings, type Settings } from './settings.ts';
import { plainAddress, type Subject } from './subject.ts';
import { Writes } from './writes.ts';

/** Everybody at the canvas, and what they share. */
export class Studio {
  readonly settings: Settings;
  readonly writes: Writes;
  readonly limits: Limits;
  readonly presence: Presence;
  readonly broadcast: Broadcast;
  readonly log: Context['log'];
  readonly #artists = new Set<Artist>();
  readonly #unfollow: () => void;

  constructor({ record, views, live, settings, log }: Context) {
    this.settings = readSettings(settings);
    this.writes = new Writes({ record });
    this.limits = new Limits({ settings: this.settings });
    this.broadcast = new Broadcast({ view: views.canvas, live, log, settings: this.settings });
    this.presence = new Presence({ tell: (text) => this.broadcast.tell(text) });
    this.log = log;
    this.#unfollow = live.follow(this.broadcast);
  }

  /** Throws 403 for who is banned. */
  async admit(address: string, user: User | null): Promise<void> {
    const reason = await this.writes.banOf({ username: user?.username ?? null, address: plainAddress(address) });
    if (reason !== null) throw new ClientError(403, `You are banned from this canvas: ${reason}`);
  }

  /** A client has come. `from` is the position it had, if it was here before. */
  enter(socket: ClientSocket, from: string | undefined): Artist {
    const artist = new Artist({ socket, studio: this });
    this.#artists.add(artist);
    this.presence.join(socket);
    if (artist.binary) socket.send(this.#hello());
    this.broadcast.add(artist, from === undefined ? undefined : this.broadcast.sequenceOf(from));
    return artist;
  }

  leave(artist: Artist): void {
    this.#artists.delete(artist);
    this.broadcast.remove(artist);
    this.presence.leave(artist.socket);
  }

  /** Disconnects a user or an address, on this node. */
  dismiss({ username, address }: Subject): void {
    for (const { socket, address: own } of [...this.#artists]) {
      if (own === address || (username !== null && socket.user?.username === username))
        socket.close(CLOSE.policy, 'you are banned from this canvas');
    }
  }

  close(): void {
    this.#unfollow();
    this.broadcast.close();
    this.presence.close();
  }

  #hello(): string {
    const { cooldownMs } = this.settings;
    const { pointsAtOnce } = this.limits;
    const hello = { width: WIDTH, height: HEIGHT, palette: PALETTE, paper: PAPER, cooldownMs, pointsAtOnce };
    return JSON.stringify({ hello });
  }
}
