import { useEffect, useRef, useState } from 'react';
import { client } from '../client.ts';
import { Field } from '../form/field.tsx';
import { useSubmission } from '../form/use-submission.ts';
import { AccountForm } from '../session/account-form.tsx';
import { useUser } from '../session/use-user.ts';

/** Submits a score; asks who is playing first. */
export function SubmitPanel() {
  const user = useUser();
  const asked = useRef(false);
  if (user === null) asked.current = true;
  return (
    <section className="panel" aria-label="Submit a score">
      {user ? (
        <SubmitForm username={user.username} takesFocus={asked.current} />
      ) : (
        user === null && <AccountForm title="Submit a score" />
      )}
    </section>
  );
}

interface Submitted {
  readonly username: string;
  readonly gametime: string;
  readonly level: number;
  readonly score: number;
}

function SubmitForm({ username, takesFocus }: { username: string; takesFocus: boolean }) {
  const [done, setDone] = useState<{ game: Submitted; ms: number; applied: boolean } | null>(null);
  const level = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (takesFocus) level.current?.focus({ preventScroll: true });
  }, [takesFocus]);
  const { error, busy, submit } = useSubmission(async (data, form) => {
    setDone(null);
    const started = performance.now();
    const { body, headers } = await client.send<Submitted>('POST /leaderboard/users/{username}', {
      params: { username },
      body: { level: data.get('level'), score: data.get('score') },
      headers: { 'Idempotency-Key': crypto.randomUUID() },
    });
    setDone({ game: body, ms: performance.now() - started, applied: headers.get('lockstep-applied') !== 'false' });
    form.reset();
    level.current?.focus();
  });
  return (
    <>
      <h2>Submit a score</h2>
      <p className="soft">Playing as {username}</p>
      <form className="submit-form" onSubmit={submit}>
        <Field
          ref={level}
          name="level"
          label="Level"
          type="number"
          inputMode="numeric"
          step={1}
          required
          autoComplete="off"
        />
        <Field name="score" label="Score" type="number" inputMode="numeric" step={1} required autoComplete="off" />
        <button type="submit" className="button primary" disabled={busy}>
          Submit score
        </button>
      </form>
      {error && (
        <p role="alert" className="form-error">
          {error}
        </p>
      )}
      <p role="status" className={done ? 'form-success' : undefined}>
        {done && told(done)}
      </p>
    </>
  );
}

function told({ game, ms, applied }: { game: Submitted; ms: number; applied: boolean }): string {
  const score = `${game.score.toLocaleString('en')} points`;
  return applied
    ? `${score}: durable and on every board in ${Math.ceil(ms)} ms.`
    : `${score}: saved. The boards follow in a moment.`;
}
