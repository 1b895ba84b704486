import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { silent } from '../record/log.ts';
import { MICROS_PER_DAY, nowMicros } from '../record/time.ts';
import { testDatabase } from '../testing/database.ts';
import type { OnConfirmed } from './identity.ts';
import { openIdentity } from './open.ts';

const password = 'Secret123';
const address = '192.0.2.1';

interface Mail {
  readonly to: string;
  readonly text: string;
}

/** An SMTP server on a local port (RFC 5321, as much of it as a client needs). */
async function smtpServer(t: TestContext) {
  const mails: Mail[] = [];
  const waiting: ((mail: Mail) => void)[] = [];
  const state = { url: '', refuse: false };
  const deliver = (mail: Mail) => (waiting.length > 0 ? waiting.shift()!(mail) : mails.push(mail));
  const server = createServer((socket) => {
    let input = '';
    let to = '';
    let inData = false;
    socket.on('error', () => {});
    socket.write('220 test\r\n');
    const command = (line: string) => {
      if (/^DATA/i.test(line)) inData = true;
      to = /^RCPT TO:<(.*)>/i.exec(line)?.[1] ?? to;
      if (/^QUIT/i.test(line)) return socket.end('221 bye\r\n');
      return socket.write(state.refuse ? '451 not now\r\n' : inData ? '354 go on\r\n' : '250 ok\r\n');
    };
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      input += chunk;
      for (
        let end = input.indexOf(inData ? '\r\n.\r\n' : '\r\n');
        end >= 0;
        end = input.indexOf(inData ? '\r\n.\r\n' : '\r\n')
      ) {
        const text = input.slice(0, end);
        input = input.slice(end + (inData ? 5 : 2));
        if (!inData) {
          command(text);
          continue;
        }
        inData = false;
        deliver({ to, text });
        socket.write('250 ok\r\n');
      }
    });
    t.after(() => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  state.url = `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const next = () =>
    mails.length > 0 ? Promise.resolve(mails.shift()!) : new Promise<Mail>((resolve) => waiting.push(resolve));
  return { state, mails, next };
}

async function open(t: TestContext, onConfirmed?: OnConfirmed) {
  const { record } = await testDatabase(t);
  const smtp = await smtpServer(t);
  const time = { now: nowMicros() };
  const options = { record, log: silent, passwords: { cost: { memory: 64, passes: 1 } }, clock: () => time.now };
  const config = { issuerUrl: 'https://play.example.org/', smtpUrl: smtp.state.url };
  const identity = await openIdentity({ ...options, config, ...(onConfirmed && { onConfirmed }) });
  t.after(() => identity.close());
  const signUp = (username: string, email = `${username}@example.org`) =>
    identity.signUp({ username, password, email });
  const login = (username: string) => identity.login({ username, password, address });
  const confirm = (username: string, code: string) => identity.confirm({ username, code, address });
  return { record, smtp, time, identity, signUp, login, confirm };
}

const codeOf = (mail: Mail) => /code is (\w{4}-\w{4})/.exec(mail.text)![1]!;
const wrong = { status: 400, message: /wrong, used or expired/ };

test('no login before the address is confirmed with the mailed code, which works once', async (t) => {
  const { smtp, identity, signUp, login, confirm } = await open(t);
  await signUp('ann');
  await assert.rejects(login('ann'), { status: 403, message: /POST \/identity\/confirm / });
  await assert.rejects(identity.login({ username: 'ann', password: 'Wrong1234', address }), { status: 401 });
  const mail = await smtp.next();
  assert.equal(mail.to, 'ann@example.org');
  assert.match(mail.text, /^From: lockstep@play\.example\.org\r\n/m);
  assert.match(mail.text.replaceAll('=\r\n', ''), /https:\/\/play\.example\.org\/identity\/confirm/);
  const code = codeOf(mail);
  await confirm('ANN', ` ${code.toLowerCase().replace('-', '')} `);
  assert.equal((await identity.listUsers())[0]?.emailVerified, true);
  await login('ann');
  await assert.rejects(confirm('ann', code), wrong);
});

test('services hear of a user at the confirmation, in its transaction: what they refuse undoes it', async (t) => {
  const heard: string[] = [];
  let refuse = true;
  const { smtp, identity, signUp, login, confirm } = await open(t, async (tx, { username }) => {
    const [account] = await tx.query<{ email_verified: boolean }>(
      'select email_verified from lockstep.users where username = $1',
      [username],
    );
    heard.push(`${username} ${account!.email_verified}`);
    if (refuse) throw new Error('not now');
  });
  await signUp('ann');
  assert.deepEqual(heard, [], 'signed up is not confirmed');
  const code = codeOf(await smtp.next());
  await assert.rejects(confirm('ann', code), /not now/);
  assert.equal((await identity.listUsers())[0]?.emailVerified, false);
  refuse = false;
  await confirm('ann', code);
  assert.deepEqual(heard, ['ann true', 'ann true']);
  await login('ann');
});

test('a code expires after a day, belongs to its account, and takes five wrong tries', async (t) => {
  const { smtp, time, signUp, confirm } = await open(t);
  await signUp('ann');
  const ann = codeOf(await smtp.next());
  await signUp('bob');
  const bob = codeOf(await smtp.next());
  await assert.rejects(confirm('bob', ann), wrong);
  for (let i = 0; i < 4; i++) await assert.rejects(confirm('bob', '0000-0000'), wrong);
  await assert.rejects(confirm('bob', bob), wrong);
  await assert.rejects(confirm('nobody', ann), wrong);
  time.now += MICROS_PER_DAY;
  await assert.rejects(confirm('ann', ann), wrong);
});

test('a new code replaces the old one; nobody learns who exists; mails are throttled', async (t) => {
  const { smtp, identity, signUp, login, confirm } = await open(t);
  const resend = (username: string) => identity.resendConfirmation({ username, address });
  await signUp('ann');
  const first = codeOf(await smtp.next());
  await resend('ann');
  const second = codeOf(await smtp.next());
  await assert.rejects(confirm('ann', first), wrong);
  await confirm('ann', second);
  await login('ann');
  for (const name of ['ann', 'nobody']) await resend(name);
  await resend('ann');
  await assert.rejects(resend('ann'), { status: 429 });
  await identity.close();
  assert.deepEqual(smtp.mails, []);
});

test('an address belongs to the account that confirmed it first', async (t) => {
  const { smtp, signUp, login, confirm } = await open(t);
  await signUp('squatter', 'ann@example.org');
  const code = codeOf(await smtp.next());
  await signUp('ann', 'Ann@Example.org');
  await confirm('ann', codeOf(await smtp.next()));
  await login('ann');
  await assert.rejects(confirm('squatter', code), { status: 409 });
  await assert.rejects(signUp('late', 'ann@example.org'), { status: 409, message: /e-mail/ });
});

test('a mail server that refuses: 503, and the mail can be asked for again', async (t) => {
  const { smtp, identity, signUp, confirm } = await open(t);
  smtp.state.refuse = true;
  await assert.rejects(signUp('ann'), { status: 503, message: /resend/ });
  smtp.state.refuse = false;
  await identity.resendConfirmation({ username: 'ann', address });
  await confirm('ann', codeOf(await smtp.next()));
});

test('a name that was never confirmed is free again after a week', async (t) => {
  const { record, smtp, time, signUp } = await open(t);
  await signUp('ann');
  const config = { issuerUrl: 'https://play.example.org', smtpUrl: smtp.state.url };
  const restart = async () => (await openIdentity({ record, log: silent, config, clock: () => time.now })).close();
  time.now += 6 * MICROS_PER_DAY;
  await restart();
  await assert.rejects(signUp('ann'), { status: 409 });
  time.now += MICROS_PER_DAY + 1;
  await restart();
  await signUp('ann');
});
