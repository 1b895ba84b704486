import { type ComponentProps, type SyntheticEvent, useId, useState } from 'react';
import './form.css';

interface FieldProps extends ComponentProps<'input'> {
  readonly name: string;
  readonly label: string;
  readonly hint?: string | undefined;
}

/** A labelled input that says beside itself what is wrong with it, once it was sent or left. */
export function Field({ label, hint, ...input }: FieldProps) {
  const id = useId();
  const [error, setError] = useState<string | null>(null);
  const check = (event: SyntheticEvent<HTMLInputElement>) => setError(problemOf(event.currentTarget, hint));
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ');
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        {...input}
        id={id}
        aria-invalid={error ? true : undefined}
        aria-describedby={described || undefined}
        onInvalid={(event) => {
          event.preventDefault();
          check(event);
          focusFirstInvalid(event.currentTarget);
        }}
        onInput={(event) => error && check(event)}
        onBlur={(event) => event.currentTarget.value !== '' && check(event)}
      />
      {hint && error !== hint && (
        <p className="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p className="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

/** The browser's own words, except where the hint says it better. */
function problemOf(input: HTMLInputElement, hint?: string): string | null {
  const { validity } = input;
  if (validity.valid) return null;
  if (validity.valueMissing) return 'Please fill this in.';
  return hint && (validity.patternMismatch || validity.tooShort) ? hint : input.validationMessage;
}

/** The browser does it itself unless its own bubble is suppressed, as it is here. */
function focusFirstInvalid(input: HTMLInputElement): void {
  if (input.form?.querySelector(':invalid') === input) input.focus();
}
