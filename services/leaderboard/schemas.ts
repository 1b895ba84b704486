import { Type } from '../../src/index.ts';
import type { Settings } from './settings.ts';

/** What the routes take and give, with examples: checked, and shown at `/docs`. */

const USERNAME = Type.String({
  description: "The player's name",
  examples: ['puzzlemaster'],
  minLength: 1,
  maxLength: 128,
});
const GAMEDATE = Type.String({ description: 'When the game was played, in UTC', examples: ['2019-11-06 09:00:37'] });
const LEVEL = Type.Integer({ examples: [84] });
const SCORE = Type.Integer({ examples: [9090] });

export const Problem = Type.Object({ message: Type.String({ description: 'What is wrong, and what to do' }) });

export const Account = Type.Object({
  username: Type.String({ examples: ['puzzlemaster'], maxLength: 512 }),
  password: Type.String({
    description: 'At least 8 characters with an upper-case letter, a lower-case letter and a digit',
    examples: ['Tr0ub4dour'],
    maxLength: 1024,
  }),
  email: Type.String({ examples: ['puzzlemaster@example.com'], maxLength: 512 }),
});

export const Credentials = Type.Pick(Account, ['username', 'password']);

export const Tokens = Type.Object({
  idToken: Type.String({ description: 'Goes into the Authorization header' }),
  accessToken: Type.String(),
  refreshToken: Type.String({ description: 'For POST /identity/refresh; works once' }),
  expiresIn: Type.Integer({ description: 'Seconds the ID and access tokens are valid', examples: [3600] }),
});

export const Named = Type.Object({ username: USERNAME });

/** The bounds are in the description, and checked by the handler, which says what was found. */
export function resultSchema({ minLevel, maxLevel, minScore, maxScore }: Settings) {
  const number = (minimum: number, maximum: number, example: number) =>
    Type.Union([Type.Integer({ minimum, maximum }), Type.String({ pattern: '^-?[0-9]+$' })], {
      description: `A whole number from ${minimum} to ${maximum}, or the same as digits`,
      examples: [example, String(example)],
    });
  return Type.Object({ level: number(minLevel, maxLevel, 37), score: number(minScore, maxScore, 6541) });
}

export const Submitted = Type.Object({
  username: USERNAME,
  gametime: Type.String({ description: 'When the game was stored, UTC', examples: ['2020-05-12T18:32:43.409Z'] }),
  level: Type.Integer({ examples: [37] }),
  score: Type.Integer({ examples: [6541] }),
});

export const SubmitHeaders = Type.Object({
  authorization: Type.Optional(Type.String({ description: 'The ID token, bare or after "Bearer "' })),
  'idempotency-key': Type.Optional(
    Type.String({ description: 'A name for this submission, such as a UUID: sent again, it is not stored again' }),
  ),
});

/** `?limit=`; the handler sees to the default. */
export function limitQuery(fallback: number, maximum: number) {
  const limit = Type.Integer({
    minimum: 1,
    maximum,
    default: fallback,
    description: `At most so many, up to ${maximum}`,
  });
  return Type.Object({ limit: Type.Optional(limit) });
}

const Entry = Type.Object({ username: USERNAME, gamedate: GAMEDATE, level: LEVEL, score: SCORE });

export const Boards = Type.Object({
  overall: Type.Array(Entry, { description: 'The best games ever' }),
  monthly: Type.Array(Entry, { description: "The best games of the day's month" }),
  daily: Type.Array(Entry, { description: 'The best games of the day' }),
});

export const DayPath = Type.Object({ date: Type.String({ description: 'A day in UTC', examples: ['2019-11-06'] }) });

export const History = Type.Array(
  Type.Object({
    game_id: Type.Integer({ examples: [101] }),
    username: USERNAME,
    gamedate: GAMEDATE,
    score: SCORE,
    level: LEVEL,
  }),
);

export const RankQuery = Type.Object({
  window: Type.Optional(Type.Enum(['overall', 'monthly', 'daily'], { default: 'overall', description: 'Which board' })),
  date: Type.Optional(
    Type.String({
      description: 'A day in UTC, which names the day or its month; today unless told',
      examples: ['2019-11-06'],
    }),
  ),
  around: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 50, default: 5, description: 'Neighbours on either side' }),
  ),
});

const Ranked = { rank: Type.Integer({ description: '1 is the best', examples: [3] }), ...Entry.properties };

export const Rank = Type.Object({
  ...Ranked,
  window: Type.String({ examples: ['overall'] }),
  date: Type.Union([Type.String(), Type.Null()], { description: 'The day asked for; null for all time' }),
  of: Type.Integer({ description: 'Players on the board', examples: [120] }),
  percentile: Type.Number({
    description: 'Per cent of the other players who rank lower: 100 for the first, 0 for the last',
    examples: [98.32],
  }),
  neighbours: Type.Array(Type.Object(Ranked), { description: 'Best first, the player among them' }),
});

export const GamePath = Type.Object({
  game_id: Type.String({ description: 'A whole number', pattern: '^[0-9]{1,18}$', examples: ['101'] }),
});

export const Removed = Type.Object({ game_id: Type.Integer({ examples: [101] }) });
