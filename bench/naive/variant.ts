/** One way to build the naive server; `name` is how it is printed. */
export interface Variant {
  readonly framework: 'express' | 'fastify';
  readonly client: 'ioredis' | 'redis';
  /** How the three Redis commands of a request travel. `single`: as the client sends three calls made at once. */
  readonly commands: 'pipeline' | 'multi' | 'single';
  /** Whether each request's token is verified, or each token once. */
  readonly tokens: 'each' | 'cached';
}

/** What the naive server is told, as JSON in its environment (`NAIVE`). */
export interface NaiveOptions extends Variant {
  readonly databaseUrl: string;
  /** Connections of the pool. */
  readonly poolSize: number;
  /** Unix socket. */
  readonly redisPath: string;
  /** Public key of the tokens, SPKI in PEM. */
  readonly publicKey: string;
}

const FRAMEWORKS = ['express', 'fastify'] as const;
const CLIENTS = ['ioredis', 'redis'] as const;
const COMMANDS = ['pipeline', 'multi', 'single'] as const;
const TOKENS = ['each', 'cached'] as const;

/** Every way to build it that is measured. */
export function allVariants(): Variant[] {
  return FRAMEWORKS.flatMap((framework) =>
    CLIENTS.flatMap((client) =>
      COMMANDS.flatMap((commands) => TOKENS.map((tokens) => ({ framework, client, commands, tokens }))),
    ),
  );
}

export function nameOf({ framework, client, commands, tokens }: Variant): string {
  return `${framework}, ${client}, ${commands}, tokens ${tokens === 'each' ? 'verified each time' : 'cached'}`;
}
