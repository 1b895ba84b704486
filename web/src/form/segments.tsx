interface SegmentsProps<Value extends string> {
  readonly name: string;
  readonly label: string;
  readonly choices: readonly (readonly [Value, string])[];
  readonly value: Value;
  readonly className?: string;
  readonly onChange: (value: Value) => void;
}

/** One of a few, side by side: radio buttons to the keyboard and to a screen reader. */
export function Segments<Value extends string>(props: SegmentsProps<Value>) {
  const { name, label, choices, value, className = '', onChange } = props;
  return (
    <fieldset className={`segments ${className}`}>
      <legend className="visually-hidden">{label}</legend>
      {choices.map(([choice, text]) => (
        <label key={choice}>
          <input type="radio" name={name} value={choice} checked={choice === value} onChange={() => onChange(choice)} />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  );
}
