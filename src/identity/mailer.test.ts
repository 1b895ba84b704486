import assert from 'node:assert/strict';
import { test } from 'node:test';
import { senderOf } from './mailer.ts';

test('the sender is named in the SMTP URL, or is its user, or Lockstep at its own host', () => {
  const issuer = 'https://play.example.org';
  assert.equal(senderOf('smtp://u:p@mail.test?from=games%40example.org', issuer), 'games@example.org');
  assert.equal(senderOf('smtps://me%40example.org:p@mail.test', issuer), 'me@example.org');
  assert.equal(senderOf('smtp://user:p@mail.test', issuer), 'lockstep@play.example.org');
});
