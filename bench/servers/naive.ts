import { generateKeyPairSync } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { SignJWT } from 'jose';
import { AUDIENCE, ISSUER } from '../naive/sign-in.ts';
import { type NaiveOptions, nameOf, type Variant } from '../naive/variant.ts';
import type { HttpServer } from './http.ts';
import { startProcess } from './process.ts';

const script = fileURLToPath(new URL('../naive/server.ts', import.meta.url));

/** What all naive servers of a run share. */
export interface NaiveGround {
  readonly databaseUrl: string;
  readonly redisPath: string;
  readonly cwd: string;
}

/** The users' tokens: RS256 with 2048 bits and the claims of Lockstep's. */
export class NaiveTokens {
  readonly publicKey: string;
  readonly #tokens: ReadonlyMap<string, string>;

  private constructor(publicKey: string, tokens: ReadonlyMap<string, string>) {
    this.publicKey = publicKey;
    this.#tokens = tokens;
  }

  static async make(users: readonly string[]): Promise<NaiveTokens> {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const tokens = new Map<string, string>();
    for (const user of users) {
      const claims = { 'cognito:username': user, email: `${user}@example.com`, email_verified: true, token_use: 'id' };
      const jwt = new SignJWT({ ...claims, auth_time: Math.floor(Date.now() / 1000) });
      jwt.setProtectedHeader({ alg: 'RS256', kid: 'bench', typ: 'JWT' });
      jwt.setSubject(user).setIssuer(ISSUER).setAudience(AUDIENCE).setIssuedAt().setExpirationTime('1h');
      tokens.set(user, await jwt.sign(privateKey));
    }
    return new NaiveTokens(publicKey.export({ type: 'spki', format: 'pem' }) as string, tokens);
  }

  of(user: string): string {
    return this.#tokens.get(user)!;
  }
}

/** Twice the connections did no more, half of them less (measured on 2 cores at 64 and 256 callers). */
const POOL_SIZE = 24;

export async function startNaive(variant: Variant, ground: NaiveGround, tokens: NaiveTokens): Promise<HttpServer> {
  const { databaseUrl, redisPath, cwd } = ground;
  const { publicKey } = tokens;
  const poolSize = Number(process.env.BENCH_POOL_SIZE ?? POOL_SIZE);
  const options: NaiveOptions = { ...variant, databaseUrl, redisPath, publicKey, poolSize };
  const running = await startProcess({
    command: process.execPath,
    args: [script],
    cwd,
    env: { NAIVE: JSON.stringify(options), NODE_ENV: 'production' },
    ready: /listening (\d+)/,
  });
  const port = Number(running.match![1]);
  return { ...running, name: nameOf(variant), port, tokenOf: (user) => tokens.of(user) };
}
