// The naive server as a process: prints `listening PORT`, ends at SIGTERM.
import type { AddressInfo } from 'node:net';
import { serveExpress } from './express.ts';
import { serveFastify } from './fastify.ts';
import { openGames } from './games.ts';
import { signIn } from './sign-in.ts';
import type { NaiveOptions } from './variant.ts';

const options = JSON.parse(process.env.NAIVE!) as NaiveOptions;
const games = await openGames(options);
const serve = options.framework === 'express' ? serveExpress : serveFastify;
const { server } = await serve(games, signIn(options));
console.log(`listening ${(server.address() as AddressInfo).port}`);
process.once('SIGTERM', () => {
  server.closeAllConnections();
  server.close(async () => {
    await games.close();
    process.exit(0);
  });
});
