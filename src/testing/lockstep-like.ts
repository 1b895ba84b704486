// A process with an embedded PostgreSQL, for tests that kill processes, not machines (so no fsync): `node lockstep-like.ts DATA_DIR [rows]`. Prints the URL when it is up;
// with `rows` it then writes one row after another and prints each number once its write was acknowledged.
import { startEmbedded } from '../record/embedded.ts';
import { silent } from '../record/log.ts';
import { openRecord } from '../record/open.ts';

const [dataDir, rows] = process.argv.slice(2);
const postgres = await startEmbedded({ dataDir: dataDir!, log: silent, settings: { fsync: 'off' } });
console.log(postgres.url);
if (rows) {
  const record = await openRecord({ url: postgres.url, log: silent });
  await record.query('create table if not exists kept (n integer primary key)');
  const [start] = await record.query<{ next: number }>('select coalesce(max(n), 0) + 1 as next from kept');
  for (let n = start!.next; ; n++) {
    await record.query('insert into kept values ($1)', [n]);
    console.log(n);
  }
}
setInterval(() => {}, 1000);
