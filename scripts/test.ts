// `npm test [-- PATH ...]`: every check and every test, or only the test files under the given paths.
import { testRun } from './test-run.ts';

await testRun({ paths: process.argv.slice(2) });
