import { type FormEvent, useId, useState } from 'react';
import { Field } from '../form/field.tsx';
import { useSubmission } from '../form/use-submission.ts';
import { session } from './session.ts';

type Mode = 'log in' | 'sign up';

/** Logs in, or signs up and logs in. What surrounds it goes away by itself: the session tells. */
export function AccountForm({ heading = 'h2' }: { heading?: 'h2' | 'h3' }) {
  const [mode, setMode] = useState<Mode>('log in');
  const Heading = heading;
  const other: Mode = mode === 'log in' ? 'sign up' : 'log in';
  return (
    <section className="account-form">
      <Heading>{mode === 'log in' ? 'Welcome back' : 'Create an account'}</Heading>
      <p className="soft">One account serves every service.</p>
      <Fields key={mode} mode={mode} />
      <p className="account-switch">
        {mode === 'log in' ? 'New here?' : 'Have an account?'}{' '}
        <button type="button" className="link-button" onClick={() => setMode(other)}>
          {mode === 'log in' ? 'Create an account' : 'Log in'}
        </button>
      </p>
    </section>
  );
}

function Fields({ mode }: { mode: Mode }) {
  const signsUp = mode === 'sign up';
  const { error, busy, submit } = useSubmission(async (data: FormData) => {
    const text = (name: string) => String(data.get(name) ?? '');
    const account = { username: text('username').trim(), password: text('password'), email: text('email').trim() };
    await (signsUp ? session.signUp(account) : session.logIn(account));
  });
  const problem = useId();
  return (
    <form
      onSubmit={(event: FormEvent<HTMLFormElement>) => submit(event)}
      aria-describedby={error ? problem : undefined}
    >
      <Field name="username" label="Player name" autoComplete="username" required minLength={1} maxLength={64} />
      {signsUp && <Field name="email" label="E-mail" type="email" autoComplete="email" required />}
      <Field
        name="password"
        label="Password"
        type="password"
        autoComplete={signsUp ? 'new-password' : 'current-password'}
        hint={
          signsUp ? 'At least 8 characters, with an upper-case letter, a lower-case letter and a digit.' : undefined
        }
        required
        {...(signsUp && { minLength: 8, pattern: '(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9]).*' })}
      />
      {error && (
        <p id={problem} role="alert" className="form-error">
          {error}
        </p>
      )}
      <button type="submit" className="button primary wide" disabled={busy}>
        {signsUp ? 'Create account' : 'Log in'}
      </button>
    </form>
  );
}
