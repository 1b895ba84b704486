import { ClientError } from '../record/errors.ts';
import type { Account, IdentityServer, JwksDocument, Tokens, User } from './identity.ts';
import type { Verifier } from './verifier.ts';

export interface ExternalIdentityOptions {
  readonly issuer: string;
  readonly verifier: Verifier;
}

/** Another issuer's accounts: its tokens are trusted, everything else is done there. */
export class ExternalIdentity implements IdentityServer {
  readonly external = true;
  readonly issuer: string;
  readonly #verifier: Verifier;

  constructor({ issuer, verifier }: ExternalIdentityOptions) {
    this.issuer = issuer;
    this.#verifier = verifier;
  }

  verify(token: string | undefined): User | Promise<User> {
    return this.#verifier.verify(token);
  }

  async nameOf(username: string): Promise<string> {
    return username;
  }

  async close(): Promise<void> {}

  async signUp(): Promise<User> {
    throw this.#elsewhere('sign up');
  }

  async login(): Promise<Tokens> {
    throw this.#elsewhere('log in');
  }

  async refresh(): Promise<Tokens> {
    throw this.#elsewhere('refresh tokens');
  }

  async logout(): Promise<void> {
    throw this.#elsewhere('log out');
  }

  async logoutEverywhere(): Promise<void> {
    throw this.#elsewhere('log out');
  }

  async confirm(): Promise<void> {
    throw this.#elsewhere('confirm the e-mail address');
  }

  async resendConfirmation(): Promise<void> {
    throw this.#elsewhere('confirm the e-mail address');
  }

  async listUsers(): Promise<Account[]> {
    throw this.#elsewhere('list the users');
  }

  async grant(): Promise<Account> {
    throw this.#elsewhere('grant roles');
  }

  async revoke(): Promise<Account> {
    throw this.#elsewhere('revoke roles');
  }

  async rotateKeys(): Promise<string> {
    throw this.#elsewhere('rotate the keys');
  }

  jwks(): JwksDocument {
    throw this.#elsewhere('find its "/.well-known" documents');
  }

  discovery(): Readonly<Record<string, unknown>> {
    throw this.#elsewhere('find its "/.well-known" documents');
  }

  #elsewhere(what: string): ClientError {
    return new ClientError(404, `Accounts are kept by ${this.issuer}; ${what} there.`);
  }
}
