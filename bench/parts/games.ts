import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import pg from 'pg';
import { from } from 'pg-copy-streams';
import { type SampleGame, sampleGames } from '../../services/leaderboard/sample.ts';
import { keysOf, memberOf } from '../naive/boards.ts';
import { SCHEMA } from '../naive/games.ts';

export const SEED = 1;

/** Puts the sample games where the naive way keeps games: its table and its three kinds of sorted sets. */
export async function seedNaive(options: { databaseUrl: string; redisPath: string; games: number }): Promise<void> {
  const games = [...sampleGames({ games: options.games, seed: SEED, until: Date.now() })];
  await seedTable(options.databaseUrl, games);
  await sendToRedis(options.redisPath, games.flatMap(zadds));
}

async function seedTable(databaseUrl: string, games: readonly SampleGame[]): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(SCHEMA);
  const copy = client.query(from('copy games (username, gamedate, level, score) from stdin'));
  for (const { username, gamedate, level, score } of games)
    copy.write(`${username}\t${gamedate}\t${level}\t${score}\n`);
  copy.end();
  await once(copy, 'finish');
  await client.query('analyze games');
  await client.end();
}

function zadds({ username, gamedate, level, score }: SampleGame): string[][] {
  const member = memberOf({ username, gamedate: gamedate.replace('T', ' '), level });
  return keysOf(gamedate.slice(0, 10)).map((key) => ['ZADD', key, String(score), member]);
}

/** Sends commands through one pipeline and waits for the last reply. */
export async function sendToRedis(path: string, commands: Iterable<readonly string[]>): Promise<void> {
  const socket = createConnection(path);
  let text = '';
  for (const command of commands) {
    text += encode(command);
    if (text.length < 1 << 16) continue;
    await write(socket, text);
    text = '';
  }
  await write(socket, text + encode(['ECHO', END]));
  await readUntil(socket, END);
  socket.destroy();
}

const END = 'that-was-all';

async function write(socket: Socket, text: string): Promise<void> {
  if (!socket.write(text)) await once(socket, 'drain');
}

function encode(command: readonly string[]): string {
  return `*${command.length}\r\n${command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`;
}

function readUntil(socket: Socket, end: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let tail = '';
    socket.on('data', (chunk) => {
      tail = (tail + chunk.toString('latin1')).slice(-1000);
      if (tail.includes('-ERR')) reject(new Error(`Redis says ${tail}`));
      if (tail.includes(end)) resolve();
    });
    socket.on('error', reject);
  });
}
