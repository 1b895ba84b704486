import { createClient } from 'redis';
import type { Operation, StoredRead } from '../views/stored.ts';

const PRELUDE = `
local function key(name) return KEYS[1] .. ':' .. name end
local function position() return tonumber(redis.call('GET', KEYS[1]) or '0') end
local applies, reads, amends = {}, {}, {}
`;
const CALLS = `
local results, at = {}, 3
local functions = ({ applies = applies, reads = reads, amends = amends })[ARGV[1]]
while at <= #ARGV do
  local count = tonumber(ARGV[at])
  local value = functions[ARGV[at + 1]](unpack(ARGV, at + 2, at + count))
  if value == nil then value = false end
  results[#results + 1] = value
  at = at + count + 1
end
if applies.finish then applies.finish() end
if ARGV[2] ~= '' then redis.call('SET', KEYS[1], ARGV[2]) end
return results
`;

/** A client of a test's own server. The caller destroys it. */
export async function scriptClient(url: string) {
  const client = createClient({ url, RESP: 2, socket: { reconnectStrategy: false } });
  client.on('error', () => {}); // the command fails too
  await client.connect();
  return client;
}

let buckets = 0;

/** One bucket of a stored kind with its script alone, without fence and generations: for tests of what the script does. */
export class ScriptBucket {
  readonly #client: Awaited<ReturnType<typeof scriptClient>>;
  readonly #script: string;
  readonly #name = `{${++buckets}}`;

  constructor(client: Awaited<ReturnType<typeof scriptClient>>, script: string) {
    this.#client = client;
    this.#script = PRELUDE + script + CALLS;
  }

  /** Applies one transaction, and stands at `position` afterwards. */
  async apply(operations: readonly Operation[], position: number | '' = ''): Promise<void> {
    await this.#call('applies', operations, String(position));
  }

  amend(operations: readonly Operation[]): Promise<unknown[]> {
    return this.#call('amends', operations);
  }

  read(questions: readonly StoredRead[]): Promise<unknown[]> {
    return this.#call(
      'reads',
      questions.map(({ name, args }) => [name, ...args]),
    );
  }

  async #call(functions: string, calls: readonly Operation[], position = ''): Promise<unknown[]> {
    const flat = calls.flatMap((call) => [String(call.length), ...call.map(String)]);
    const options = { keys: [this.#name], arguments: [functions, position, ...flat] };
    return (await this.#client.eval(this.#script, options)) as unknown[];
  }
}
