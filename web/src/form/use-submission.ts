import { type FormEvent, useState } from 'react';
import { messageFor } from '../client.ts';

/** Sends a form once at a time and holds what went wrong. */
export function useSubmission(send: (data: FormData, form: HTMLFormElement) => Promise<void>) {
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    const form = event.currentTarget;
    setBusy(true);
    setError(null);
    try {
      await send(new FormData(form), form);
    } catch (thrown) {
      setError(messageFor(thrown));
    } finally {
      setBusy(false);
    }
  };
  return { error, busy, submit };
}
