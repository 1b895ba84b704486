// For the OpenAPI members of a route's schema.
import type {} from '@fastify/swagger';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyReply,
  onRequestHookHandler,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import Type from 'typebox';
import { CONFIRM_PATH, type IdentityServer, RESEND_PATH } from './identity.ts';
import { bearer } from './verifier.ts';

const Username = Type.String({ maxLength: 512, description: '1 to 128 letters, digits and "_ . - + @"' });
const Password = Type.String({
  maxLength: 1024,
  description: 'At least 8 characters with an upper-case letter, a lower-case letter and a digit',
});
const RefreshToken = Type.String({ maxLength: 1024 });
const Code = Type.String({ maxLength: 64, description: 'From the mail' });

const SignUp = Type.Object({ username: Username, password: Password, email: Type.String({ maxLength: 512 }) });
const Login = Type.Object({ username: Username, password: Password });
const Refresh = Type.Object({ refreshToken: RefreshToken });
const Confirmation = Type.Object({ username: Username, code: Code });
const Resend = Type.Object({ username: Username });

const User = Type.Object({
  sub: Type.String(),
  username: Type.String(),
  email: Type.Union([Type.String(), Type.Null()]),
  roles: Type.Unsafe<readonly string[]>(Type.Array(Type.String())),
});
const Tokens = Type.Object({
  idToken: Type.String(),
  accessToken: Type.String(),
  refreshToken: Type.String(),
  expiresIn: Type.Integer({ description: 'Seconds the ID and access tokens are valid' }),
});
const Done = Type.Object({ message: Type.String() });
const Authorization = Type.Object({
  authorization: Type.Optional(Type.String({ description: 'An ID or access token, bare or after "Bearer "' })),
});

const TAGS = ['identity'];
/** Verifiers may keep the documents five minutes: far less than a key is published ahead. */
const CACHE = 'public, max-age=300';

export interface IdentityRouteOptions {
  /** Before the routes that hash a password or send a mail: a limit of their rate. */
  readonly onRequest?: onRequestHookHandler | onRequestHookHandler[];
}

/** Registers `/identity/*` and `/.well-known/*`. Errors are thrown as `ClientError`. */
export function registerIdentityRoutes(
  fastify: FastifyInstance,
  identity: IdentityServer,
  { onRequest = [] }: IdentityRouteOptions = {},
): void {
  const app: App = fastify.withTypeProvider<TypeBoxTypeProvider>();
  accountRoutes(app, identity, onRequest);
  sessionRoutes(app, identity, onRequest);
  wellKnownRoutes(app, identity);
}

type Hooks = NonNullable<IdentityRouteOptions['onRequest']>;

type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

function accountRoutes(app: App, identity: IdentityServer, onRequest: Hooks): void {
  app.post(
    '/identity/users',
    { onRequest, schema: { tags: TAGS, summary: 'Sign up', body: SignUp, response: { 200: User } } },
    ({ body }) => identity.signUp(body),
  );
  app.post(
    CONFIRM_PATH,
    {
      onRequest,
      schema: { tags: TAGS, summary: 'Confirm the e-mail address', body: Confirmation, response: { 200: Done } },
    },
    async ({ body, ip }) => {
      await identity.confirm({ ...body, address: ip });
      return { message: 'The e-mail address is confirmed; log in.' };
    },
  );
  app.post(
    RESEND_PATH,
    {
      onRequest,
      schema: { tags: TAGS, summary: 'Have a new confirmation code mailed', body: Resend, response: { 202: Done } },
    },
    async ({ body, ip }, reply) => {
      await identity.resendConfirmation({ ...body, address: ip });
      reply.code(202);
      return { message: 'If the account waits for its confirmation, a new code is on its way.' };
    },
  );
}

function sessionRoutes(app: App, identity: IdentityServer, onRequest: Hooks): void {
  app.post(
    '/identity/login',
    { onRequest, schema: { tags: TAGS, summary: 'Log in', body: Login, response: { 200: Tokens } } },
    async ({ body, ip }, reply) => secret(reply, await identity.login({ ...body, address: ip })),
  );
  app.post(
    '/identity/refresh',
    { schema: { tags: TAGS, summary: 'New tokens for a refresh token', body: Refresh, response: { 200: Tokens } } },
    async ({ body }, reply) => secret(reply, await identity.refresh(body.refreshToken)),
  );
  app.post(
    '/identity/logout',
    { schema: { tags: TAGS, summary: 'Log out: end this session', body: Refresh, response: { 200: Done } } },
    async ({ body }) => {
      await identity.logout(body.refreshToken);
      return { message: 'The session has ended.' };
    },
  );
  app.post(
    '/identity/logout/everywhere',
    { schema: { tags: TAGS, summary: 'Log out everywhere', headers: Authorization, response: { 200: Done } } },
    async ({ headers }) => {
      await identity.logoutEverywhere(await identity.verify(bearer(headers.authorization)));
      return { message: 'All sessions have ended.' };
    },
  );
  app.get(
    '/identity/me',
    { schema: { tags: TAGS, summary: 'Who I am', headers: Authorization, response: { 200: User } } },
    async ({ headers }) => identity.verify(bearer(headers.authorization)),
  );
}

function wellKnownRoutes(app: App, identity: IdentityServer): void {
  const documents = [
    ['jwks.json', 'The keys that tokens are verified with (RFC 7517)', () => identity.jwks()],
    ['openid-configuration', 'Where they are, for verifiers (OpenID Connect Discovery)', () => identity.discovery()],
  ] as const;
  for (const [name, summary, read] of documents) {
    app.get(`/.well-known/${name}`, { schema: { tags: TAGS, summary } }, async (_, reply) => {
      const document = read();
      reply.header('cache-control', CACHE);
      return document;
    });
  }
}

/** Nothing on the way may keep tokens (RFC 6749, 5.1). */
function secret<T>(reply: FastifyReply, tokens: T): T {
  reply.header('cache-control', 'no-store');
  return tokens;
}
