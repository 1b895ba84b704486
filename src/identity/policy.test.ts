import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ClientError } from '../record/errors.ts';
import { checkEmail, checkPassword, checkRole, checkUsername, usernameKey } from './policy.ts';

const refused = (message: RegExp) => (error: unknown) =>
  error instanceof ClientError && error.status === 400 && message.test(error.message);

test('[SPEC 9] a weak password is refused with every part it lacks', () => {
  assert.throws(() => checkPassword('Ab1'), refused(/^The password needs at least 8 characters\.$/));
  assert.throws(() => checkPassword('abcdefg1'), refused(/^The password needs an upper-case letter\.$/));
  assert.throws(() => checkPassword('ABCDEFG1'), refused(/^The password needs a lower-case letter\.$/));
  assert.throws(() => checkPassword('Abcdefgh'), refused(/^The password needs a digit\.$/));
  assert.throws(
    () => checkPassword(''),
    refused(/at least 8 characters, an upper-case letter, a lower-case letter and a digit\.$/),
  );
  assert.throws(() => checkPassword(`Aa1${'x'.repeat(254)}`), refused(/more than 256 characters/));
});

test('a password is one password, however it was typed', () => {
  assert.equal(checkPassword('Passw\u00f6rd1'), checkPassword('Passwo\u0308rd1'));
  assert.equal(checkPassword('Тайник22'), 'Тайник22');
  assert.equal(checkPassword(`Aa1${'\u{1f600}'.repeat(253)}`).length, 509);
});

test('[SPEC 9] user names: safe characters only, in any script, unique without regard to case', () => {
  for (const name of ['puzzlemaster', 'a', '_x', 'Jörg', '田中', 'a.b-c+d@e', 'x'.repeat(128), '7']) {
    assert.equal(checkUsername(name), name);
  }
  const bad = [
    '',
    ' a',
    'a ',
    'a b',
    '.',
    '..',
    '-x',
    'a/b',
    'a%2f',
    'a\0',
    'a\u202eb',
    '<b>',
    "a'b",
    'a\n',
    'x'.repeat(129),
  ];
  for (const name of bad) assert.throws(() => checkUsername(name), refused(/username/), JSON.stringify(name));
  assert.equal(usernameKey('JÖRG'), usernameKey('jo\u0308rg'));
});

test('[SPEC 9] whatever is accepted as a name survives a URL path and a normalisation', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (text) => {
      let name: string;
      try {
        name = checkUsername(text);
      } catch (error) {
        return error instanceof ClientError;
      }
      const { pathname } = new URL(`http://host/users/${encodeURIComponent(name)}`);
      return decodeURIComponent(pathname) === `/users/${name}` && checkUsername(name) === name;
    }),
  );
});

test('[SPEC 9] e-mail addresses and roles', () => {
  for (const email of ['a@b.de', 'first.last+tag@sub.example.org', "o'hara@example.com"]) checkEmail(email);
  const bad = [
    '',
    'a',
    'a@b',
    '@b.de',
    'a@.de',
    'a@b..de',
    'a b@c.de',
    'a@b.de\r\nBcc: x@y.z',
    'a@-b.de',
    `${'a'.repeat(65)}@b.de`,
  ];
  for (const email of bad) assert.throws(() => checkEmail(email), refused(/e-mail/), JSON.stringify(email));
  assert.throws(() =>
    checkEmail(`a@${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.${'e'.repeat(60)}.${'f'.repeat(20)}.de`),
  );
  assert.equal(checkRole('admin'), 'admin');
  for (const role of ['', 'Admin', 'a b', '1a', 'x'.repeat(65)]) assert.throws(() => checkRole(role), refused(/role/));
});
