import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { IdentityServer } from '../identity/identity.ts';
import { limitRate } from './rate-limit.ts';
import { bearerToken } from './token.ts';

const text = (description: string) => Type.String({ maxLength: 4096, description });
const body = <T extends Record<string, ReturnType<typeof text>>>(members: T) => Type.Object(members);

const username = text('Name of the account');
const Account = body({
  username,
  password: text('At least 8 characters: upper case, lower case, digit'),
  email: text('E-mail address'),
});
const Login = body({ username, password: text('Password') });
const Refresh = body({ refreshToken: text('From the last login or refresh; good once') });
const Confirmation = body({ username, code: text('As mailed') });
const Resend = body({ username });

/** One account for every service, under `/account`; and what verifiers of its tokens fetch, under `/.well-known`. */
export function installAccounts(server: FastifyInstance, identity: IdentityServer): void {
  const app = server.withTypeProvider<TypeBoxTypeProvider>();
  const schema = <T>(summary: string, of: T) => ({ summary, tags: ['account'], body: of });
  // Hashing a password costs tens of milliseconds and megabytes.
  const onRequest = limitRate({ perSecond: 10, burst: 50, spareLoopback: true });
  app.post('/account/users', { onRequest, schema: schema('Sign up', Account) }, async ({ body }) => {
    const { username } = await identity.signUp(body);
    return { username };
  });
  app.post('/account/login', { onRequest, schema: schema('Log in', Login) }, ({ body, ip }) =>
    identity.login({ ...body, address: ip }),
  );
  app.post('/account/refresh', { schema: schema('New tokens for a refresh token', Refresh) }, ({ body }) =>
    identity.refresh(body.refreshToken),
  );
  app.post(
    '/account/confirm',
    { onRequest, schema: schema('Confirm the e-mail address', Confirmation) },
    async ({ body, ip }) => {
      await identity.confirm({ ...body, address: ip });
      return { confirmed: true };
    },
  );
  app.post('/account/resend', { onRequest, schema: schema('Mail a new code', Resend) }, async ({ body, ip }) => {
    await identity.resendConfirmation({ ...body, address: ip });
    return { sent: true };
  });
  const everywhere = { summary: 'Log out everywhere', tags: ['account'], security: [{ token: [] }] };
  app.post('/account/logout', { schema: everywhere }, async (request) => {
    await identity.logoutEverywhere(await identity.verify(bearerToken(request)));
    return { loggedOut: true };
  });
  wellKnown(server, identity);
}

function wellKnown(app: FastifyInstance, identity: IdentityServer): void {
  const schema = { tags: ['account'] };
  app.get('/.well-known/jwks.json', { schema }, async (_request, reply) =>
    reply.header('cache-control', 'public, max-age=300').send(identity.jwks()),
  );
  app.get('/.well-known/openid-configuration', { schema }, async (_request, reply) =>
    reply.header('cache-control', 'public, max-age=300').send(identity.discovery()),
  );
}
