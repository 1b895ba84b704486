import { useState } from 'react';
import { client } from '../client.ts';
import { Field } from '../form/field.tsx';
import { useSubmission } from '../form/use-submission.ts';
import type { Hero, Source } from './hero.ts';

const TEXTS = [
  ['name', 'Name', undefined],
  ['hero', 'Hero', 'yes or no'],
  ['power', 'Power', undefined],
  ['color', 'Colour', undefined],
] as const;

interface HeroFormProps {
  /** The one to change; without, a new one. */
  readonly hero: Hero | null;
  readonly source: Source;
  readonly onSaved: (hero: Hero) => void;
  readonly onCancel: () => void;
}

/** Adds a hero, or changes one. */
export function HeroForm({ hero, source, onSaved, onCancel }: HeroFormProps) {
  const [done, setDone] = useState<string | null>(null);
  const { error, busy, submit } = useSubmission(async (data, form) => {
    setDone(null);
    const began = performance.now();
    const { body } = await client.send<Hero>(hero ? `PUT /heroes/${hero.id}` : 'POST /heroes/', {
      query: { cache: source === 'cache' },
      body: Object.fromEntries(data),
    });
    const took = Math.ceil(performance.now() - began);
    const where = source === 'cache' ? 'durable, and in the cache' : 'durable';
    setDone(`Hero ${body.id} is ${where}, after ${took} ms.`);
    if (!hero) form.reset();
    onSaved(body);
  });
  return (
    <section className="panel" aria-labelledby="hero-form">
      <header className="panel-head">
        <h2 id="hero-form">{hero ? `Edit hero ${hero.id}` : 'Add a hero'}</h2>
        {hero && (
          <button type="button" className="button quiet" onClick={onCancel}>
            Done
          </button>
        )}
      </header>
      <form className="hero-form" onSubmit={submit} key={hero?.id ?? 'new'}>
        {TEXTS.map(([name, label, placeholder], i) => (
          <Field
            key={name}
            name={name}
            label={label}
            placeholder={placeholder}
            defaultValue={hero?.[name]}
            maxLength={20}
            autoComplete="off"
            required
            autoFocus={hero !== null && i === 0}
          />
        ))}
        <Field name="xp" label="XP" type="number" inputMode="numeric" step={1} defaultValue={hero?.xp} required />
        <button type="submit" className="button primary" disabled={busy}>
          {hero ? 'Save' : 'Add'}
        </button>
      </form>
      {error && (
        <p role="alert" className="form-error">
          {error}
        </p>
      )}
      <p role="status" className={done ? 'form-success' : undefined}>
        {done}
      </p>
    </section>
  );
}
