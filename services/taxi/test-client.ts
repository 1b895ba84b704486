import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PgRecord } from '../../src/index.ts';

// biome-ignore lint/suspicious/noExplicitAny: what a test expects of an answer is what it checks
export type Body = Record<string, any>;

export interface Called {
  readonly status: number;
  readonly body: Body;
  /** Before it was parsed: numbers as they were written. */
  readonly text: string;
}

/** Calls the routes of taxi as `curl` would. For tests. */
export class TaxiClient<App extends { readonly url: string; readonly record: PgRecord }> {
  readonly app: App;

  constructor(app: App) {
    this.app = app;
  }

  async call(
    method: string,
    path: string,
    options: { token?: string; body?: unknown; key?: string } = {},
  ): Promise<Called> {
    const { token, body, key } = options;
    const response = await fetch(`${this.app.url}${path.startsWith('/identity') ? '' : '/taxi'}${path}`, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: token }),
        ...(key !== undefined && { 'idempotency-key': key }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: JSON.parse(text), text };
  }

  /** Makes an account, with a role perhaps, and returns its token. */
  async account(
    username: string,
    { role, email = `${username}@example.com` }: { role?: 'driver' | 'admin'; email?: string } = {},
  ): Promise<string> {
    const password = 'Tr0ub4dour';
    await this.call('POST', '/identity/users', { body: { username, password, email } });
    if (role)
      await this.app.record.query('update lockstep.users set roles = array[$2] where username_key = $1', [
        username,
        role,
      ]);
    const { body } = await this.call('POST', '/identity/login', { body: { username, password } });
    return body.idToken;
  }
}

/** Asks again and again; fails after 20 s. */
export async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  for (const deadline = Date.now() + 20_000; !(await condition()); await sleep(5)) {
    if (Date.now() > deadline) assert.fail(`never: ${what}`);
  }
}
