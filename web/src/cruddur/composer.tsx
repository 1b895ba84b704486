import { useId, useRef, useState } from 'react';
import { useSubmission } from '../form/use-submission.ts';
import { type Activity, own } from './api.ts';
import './composer.css';

const TTLS = [
  ['30-days', '30 days'],
  ['7-days', '7 days'],
  ['3-days', '3 days'],
  ['1-day', '1 day'],
  ['12-hours', '12 hours'],
  ['3-hours', '3 hours'],
  ['1-hour', '1 hour'],
] as const;

interface ComposerProps {
  /** The post that is replied to; a new post without one. */
  readonly parent?: Activity | undefined;
  readonly onDone: () => void;
}

/** Writes a post or a reply, counting down the characters that are left. */
export function Composer({ parent, onDone }: ComposerProps) {
  const most = parent ? 1024 : 280;
  const id = useId();
  const box = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState('');
  const { error, busy, submit } = useSubmission(async (data) => {
    const body = { message: text, ttl: data.get('ttl') };
    await own('POST', parent ? `/activities/${parent.uuid}/reply` : '/activities', body);
    setText('');
    box.current?.focus();
    onDone();
  });
  const left = most - [...text].length;
  const label = parent ? `Reply to ${parent.display_name}` : 'What is new?';
  return (
    <form className="card composer" onSubmit={submit} aria-label={parent ? 'Reply' : 'New post'}>
      <label htmlFor={`${id}-text`} className="visually-hidden">
        {label}
      </label>
      <textarea
        ref={box}
        id={`${id}-text`}
        placeholder={label}
        rows={parent ? 2 : 3}
        value={text}
        aria-describedby={`${id}-left`}
        aria-invalid={left < 0 ? true : undefined}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) event.currentTarget.form?.requestSubmit();
        }}
      />
      <div className="composer-tools">
        {!parent && (
          <label className="ttl">
            <span>Expires in</span>
            <select name="ttl" defaultValue="7-days">
              {TTLS.map(([value, words]) => (
                <option key={value} value={value}>
                  {words}
                </option>
              ))}
            </select>
          </label>
        )}
        <span id={`${id}-left`} className="left" data-low={left <= 20 || undefined} data-over={left < 0 || undefined}>
          <span className="visually-hidden">Characters left: </span>
          {left}
        </span>
        <button type="submit" className="button primary" disabled={busy || text.trim() === '' || left < 0}>
          {parent ? 'Reply' : 'Post'}
        </button>
      </div>
      {error && (
        <p role="alert" className="form-error">
          {error}
        </p>
      )}
    </form>
  );
}
