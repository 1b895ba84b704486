import { Problem } from 'lockstep/client';
import { type FormEvent, useId, useState } from 'react';
import { client } from '../client.ts';
import { Field } from '../form/field.tsx';
import { useSubmission } from '../form/use-submission.ts';

type Mode = 'log in' | 'sign up';

/** Logs in, or signs up and logs in. What surrounds it goes away by itself: the session tells. */
export function AccountForm({ title }: { title?: string }) {
  const [mode, setMode] = useState<Mode>('log in');
  const logsIn = mode === 'log in';
  return (
    <div className="account-form">
      <h2>{title ?? (logsIn ? 'Log in' : 'Sign up')}</h2>
      <p>One account serves every service.</p>
      <Fields key={mode} mode={mode} />
      <p className="account-switch">
        {logsIn ? 'New here?' : 'Have an account?'}{' '}
        <button type="button" className="link-button" onClick={() => setMode(logsIn ? 'sign up' : 'log in')}>
          {logsIn ? 'Sign up' : 'Log in'}
        </button>
      </p>
    </div>
  );
}

const PASSWORD = {
  autoComplete: 'new-password',
  hint: 'At least 8 characters, with an upper-case letter, a lower-case letter and a digit.',
  minLength: 8,
  pattern: '(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9]).*',
} as const;

function Fields({ mode }: { mode: Mode }) {
  const { error, busy, needsCode, submit } = useAccount(mode);
  const problem = useId();
  const signsUp = mode === 'sign up';
  return (
    <form onSubmit={submit} aria-describedby={error ? problem : undefined}>
      <Field name="username" label="User name" autoComplete="username" spellCheck={false} required maxLength={128} />
      {signsUp && <Field name="email" label="E-mail" type="email" autoComplete="email" required />}
      <Field
        name="password"
        label="Password"
        type="password"
        autoComplete="current-password"
        required
        {...(signsUp && PASSWORD)}
      />
      {needsCode && <Field name="code" label="Code from the mail" autoComplete="one-time-code" required />}
      {error && (
        <p id={problem} role="alert" className="form-error">
          {error}
        </p>
      )}
      <button type="submit" className="button primary wide" disabled={busy}>
        {signsUp ? 'Sign up' : 'Log in'}
      </button>
    </form>
  );
}

/** Sends the form; asks for the code that was mailed where the server wants the e-mail address confirmed. */
function useAccount(mode: Mode) {
  const [needsCode, setNeedsCode] = useState(false);
  const { error, busy, submit } = useSubmission(async (data) => {
    const text = (name: string) => String(data.get(name) ?? '');
    const account = { username: text('username').trim(), password: text('password'), email: text('email').trim() };
    try {
      if (needsCode) await client.session.confirm(account.username, text('code').trim());
      else if (mode === 'sign up') await client.session.signUp(account);
      await client.session.logIn(account);
    } catch (thrown) {
      if (thrown instanceof Problem && thrown.status === 403) setNeedsCode(true);
      throw thrown;
    }
  });
  return { error, busy, needsCode, submit: (event: FormEvent<HTMLFormElement>) => submit(event) };
}
