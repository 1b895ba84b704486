// `npm run store-test -- valkey|cluster|memory [PATH ...]`: the services' tests, with their views on one server, on a Cluster of three
// masters, or in the process; those of the pages only where their path is given. What only one of them can have is skipped on the
// others, and says so.
import { testRun } from './test-run.ts';

const STORES = ['valkey', 'cluster', 'memory'];

const [store, ...paths] = process.argv.slice(2);
if (!store || !STORES.includes(store)) {
  console.error(`usage: npm run store-test -- ${STORES.join('|')} [PATH ...]`);
  process.exit(2);
}
process.env.LOCKSTEP_TEST_STORE = store;
await testRun(paths.length > 0 ? { paths } : { paths: ['services'], pages: false });
