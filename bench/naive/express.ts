import { once } from 'node:events';
import type { Server } from 'node:http';
import express from 'express';
import type { Games } from './games.ts';
import { readResult } from './result.ts';

export interface NaiveServer {
  readonly server: Server;
}

/** The naive way on Express 5, listening on a free port of this machine. */
export async function serveExpress(games: Games, signIn: (token?: string) => Promise<string>): Promise<NaiveServer> {
  const app = express();
  app.disable('x-powered-by');
  // Hashing each answer for its ETag costs time and serves no client here.
  app.disable('etag');
  app.use(express.json());
  app.post('/leaderboard/users/:username', async ({ headers, params, body }, response) => {
    const signedIn = await signIn(headers.authorization).catch(() => undefined);
    if (signedIn === undefined) return response.status(401).json({ message: 'invalid token' });
    const username = params.username!;
    if (username !== signedIn) return response.status(403).json({ message: 'not your name' });
    const result = readResult(body);
    if (!result) return response.status(400).json({ message: 'bad level or score' });
    return response.json(await games.submit({ username, ...result }));
  });
  app.get('/leaderboard/scores/:date', async ({ params, query }, response) => {
    response.json(await games.boards(params.date!, Number(query.limit ?? 5)));
  });
  const server = app.listen(0, '127.0.0.1', () => {});
  await once(server, 'listening');
  return { server };
}
