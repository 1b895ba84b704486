import { randomFrom } from '../../src/index.ts';

/** A game as the importer reads it. */
export interface SampleGame {
  readonly username: string;
  /** `2019-11-06T04:03:45`, UTC. */
  readonly gamedate: string;
  readonly score: number;
  readonly level: number;
}

export interface SampleOptions {
  readonly games: number;
  /** The same seed and end give the same games. */
  readonly seed: number;
  /** The last game is played before this time, the first at most 90 days before it. Milliseconds since 1970. */
  readonly until: number;
}

const DAYS = 90;
const GAMES_A_PLAYER = 8;

/** Made-up games of players of unequal skill, more of them lately than long ago. Endless needs no memory: one at a time. */
export function* sampleGames({ games, seed, until }: SampleOptions): Generator<SampleGame> {
  const random = randomFrom(seed);
  const players = Math.max(1, Math.ceil(games / GAMES_A_PLAYER));
  for (let made = 0; made < games; made++) {
    // Squared: low numbers play more often than high ones.
    const player = Math.floor(random() ** 2 * players);
    const secondsAgo = 1 + Math.floor(random() ** 3 * DAYS * 86_400);
    const level = 1 + Math.floor(100 * random() ** (3 - 2 * skillOf(player)));
    yield {
      username: nameOf(player),
      gamedate: new Date(until - secondsAgo * 1000).toISOString().slice(0, 19),
      score: Math.floor(level * 90 * (0.5 + random())),
      level,
    };
  }
}

/** From 0 to 1, scattered over the players. */
function skillOf(player: number): number {
  return (Math.imul(player + 1, 0x9e3779b1) >>> 0) / 2 ** 32;
}

const ADJECTIVES =
  'amber bold calm clever cosmic dapper eager gentle golden happy jolly keen lucky mellow nimble quiet rapid shiny silver sunny swift witty'.split(
    ' ',
  );
const ANIMALS =
  'badger beaver crane dolphin falcon ferret finch fox gecko heron ibex koala lemur lynx marten otter owl panda puffin raven robin seal stoat tapir wren yak'.split(
    ' ',
  );

/** Distinct for each player: every pair of words once, then numbered. */
function nameOf(player: number): string {
  const pairs = ADJECTIVES.length * ANIMALS.length;
  // 181 shares no factor with the number of pairs, so that the players in front do not all begin alike.
  const pair = (player * 181) % pairs;
  const round = Math.floor(player / pairs);
  return `${ADJECTIVES[pair % ADJECTIVES.length]}${ANIMALS[Math.floor(pair / ADJECTIVES.length)]}${round || ''}`;
}
