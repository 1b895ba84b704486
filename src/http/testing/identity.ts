import type { IdentityServer, User } from '../../identity/identity.ts';
import { ClientError } from '../../record/errors.ts';

/** Accepts the tokens `alice` and `bob`, each as the user of that name, until the test takes one back. */
export class TestIdentity implements IdentityServer {
  readonly issuer = 'http://issuer.example';
  readonly external = false;
  readonly good = new Set(['alice', 'bob']);
  /** How many bad ones were seen. */
  refused = 0;

  verify(token: string | undefined): User {
    if (token === undefined) throw new ClientError(401, 'jwt must be provided');
    if (!this.good.has(token)) {
      this.refused++;
      throw new ClientError(401, 'invalid token');
    }
    return { sub: `sub-${token}`, username: token, email: null, roles: [] };
  }

  async nameOf(username: string) {
    return this.good.has(username) ? username : undefined;
  }

  async signUp({ username }: { username: string }): Promise<User> {
    return { sub: `sub-${username}`, username, email: null, roles: [] };
  }

  async login() {
    return { idToken: 'alice', accessToken: 'alice', refreshToken: 'again', expiresIn: 3600 };
  }

  refresh() {
    return this.login();
  }

  async logout(): Promise<void> {}

  async logoutEverywhere(user: User): Promise<void> {
    this.good.delete(user.username);
  }

  async confirm(): Promise<void> {}
  async resendConfirmation(): Promise<void> {}

  async listUsers() {
    return [];
  }

  async grant(): Promise<never> {
    throw new ClientError(404, 'There is no such user.');
  }

  revoke(): Promise<never> {
    return this.grant();
  }

  async rotateKeys() {
    return 'k1';
  }

  jwks() {
    return { keys: [{ kid: 'k1' }] };
  }

  discovery() {
    return { issuer: this.issuer };
  }

  async close(): Promise<void> {}
}
