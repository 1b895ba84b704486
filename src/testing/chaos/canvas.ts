import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { BinaryClient } from '../../../services/scribble/test-clients.ts';
import type { PgRecord } from '../../record/record.ts';
import type { Load } from './loads.ts';
import type { Town } from './town.ts';

const CELLS = 5;
const CODE = 3;
const WAIT_MS = 5000;

/** Draws cells of its own, a few in each frame, on whichever node takes the socket. */
export function canvas(town: Town, artist: number): Load {
  const acknowledged: number[] = [];
  let next = artist * 100_000;
  let frame = 0;
  const after: (() => void)[] = [];
  const t = { after: (end: () => void) => void after.push(end) };
  const open = (url: string) => BinaryClient.open(t as never, `${url}/scribble`).catch(() => undefined);

  async function drawUntilItFails(client: BinaryClient): Promise<void> {
    while (!town.over && client.socket.readyState === client.socket.OPEN) {
      const id = ++frame;
      const cells = Array.from({ length: CELLS }, () => next++);
      client.draw(
        id,
        cells.map((cell) => [cell, CODE]),
      );
      for (const deadline = Date.now() + WAIT_MS; !client.stored.includes(id); await sleep(2)) {
        if (Date.now() > deadline || client.socket.readyState !== client.socket.OPEN) return;
      }
      acknowledged.push(...cells);
      client.stored.length = 0;
    }
  }

  return {
    name: `scribble ${artist}`,
    get acknowledged() {
      return acknowledged.length;
    },
    async run() {
      while (!town.over) {
        const client = await open(town.anyUrl());
        if (client) await drawUntilItFails(client);
        else await sleep(50);
        client?.socket.terminate();
      }
    },
    async check(record: PgRecord) {
      const rows = await record.query<{ id: number }>('select index as id from scribble.cells');
      const inRecord = new Set(rows.map(({ id }) => id));
      for (const cell of acknowledged) if (!inRecord.has(cell)) town.fault(`the cell ${cell} is lost`);
      for (const url of town.urls) await this.shows(url);
      for (const end of after) end();
    },
    async shows(url: string) {
      const client = await open(url);
      if (!client) return town.fault(`${url} takes no socket`);
      const missing = () => acknowledged.filter((cell) => client.codes[cell] !== CODE);
      for (const deadline = Date.now() + 10_000; missing().length > 0; await sleep(20)) {
        if (Date.now() < deadline) continue;
        town.fault(`${url} does not show ${missing().length} cells`);
        break;
      }
      client.socket.terminate();
      await once(client.socket, 'close').catch(() => {});
    },
  } as Load & { shows(url: string): Promise<void> };
}
