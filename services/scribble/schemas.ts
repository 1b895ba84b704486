import { Type } from '../../src/index.ts';

/** What the routes take and give, with examples: checked, and shown at `/docs`. */

export const Problem = Type.Object({ message: Type.String({ description: 'What is wrong, and what to do' }) });

const TIME = {
  examples: ['2026-11-20T12:00:00Z'],
  maxLength: 40,
  description: 'ISO 8601; UTC where no offset is given',
};
const USERNAME = Type.String({ minLength: 1, maxLength: 128, examples: ['vandal'] });
const ADDRESS = Type.String({ minLength: 1, maxLength: 64, examples: ['203.0.113.7'] });
const Subject = { username: Type.Optional(USERNAME), address: Type.Optional(ADDRESS) };

export const HistoryQuery = Type.Object({ at: Type.String(TIME) });

export const TimelapseQuery = Type.Object({
  from: Type.Optional(Type.String({ ...TIME, description: 'The first point unless told' })),
  to: Type.Optional(Type.String({ ...TIME, description: 'Now unless told' })),
  frames: Type.Optional(Type.Integer({ minimum: 1, maximum: 300, default: 60 })),
  frameMs: Type.Optional(Type.Integer({ minimum: 10, maximum: 5000, default: 100 })),
});

export const PointQuery = Type.Object({
  x: Type.Integer({ minimum: 0, maximum: 999 }),
  y: Type.Integer({ minimum: 0, maximum: 999 }),
});

export const PointHistory = Type.Object({
  points: Type.Array(
    Type.Object({
      color: Type.Union([Type.Integer(), Type.Null()], { description: 'null: the cell was cleared' }),
      username: Type.Union([Type.String(), Type.Null()]),
      address: Type.String(),
      drawn_at: Type.String(),
    }),
  ),
});

export const Rollback = Type.Object({
  ...Subject,
  from: Type.String(TIME),
  to: Type.Optional(Type.String({ ...TIME, description: 'Now unless told' })),
});
export const RolledBack = Type.Object({ points: Type.Integer(), cells: Type.Integer() });
export const Cleared = Type.Object({ cells: Type.Integer() });

export const BanRequest = Type.Object({
  ...Subject,
  reason: Type.String({ minLength: 1, maxLength: 200, examples: ['drew over everything'] }),
  until: Type.Optional(Type.String({ ...TIME, description: 'For good unless told' })),
});
export const Ban = Type.Object({
  ban_id: Type.Integer(),
  username: Type.Union([Type.String(), Type.Null()]),
  address: Type.Union([Type.String(), Type.Null()]),
  reason: Type.String(),
  banned_by: Type.String(),
  banned_at: Type.String(),
  until: Type.Union([Type.String(), Type.Null()], { description: 'null: for good' }),
});
export const Bans = Type.Object({ bans: Type.Array(Ban) });
export const BanPath = Type.Object({ ban_id: Type.String({ pattern: '^[0-9]{1,18}$' }) });
export const Unbanned = Type.Object({ ban_id: Type.Integer() });
