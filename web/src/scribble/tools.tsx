import type { Tool } from './gestures.ts';
import { PALETTE } from './palette.ts';

const BRUSHES = [1, 3, 7, 15] as const;

/** Colours, eraser, hand and brushes, as radio buttons. */
export function Tools({ tool, onChange }: { tool: Tool; onChange: (tool: Tool) => void }) {
  const choice = (code: number | null, name: string, content: React.ReactNode, className: string) => (
    <label key={name} className={className} title={name}>
      <input
        type="radio"
        name="tool"
        aria-label={name}
        checked={tool.code === code}
        onChange={() => onChange({ ...tool, code })}
      />
      {content}
    </label>
  );
  return (
    <div className="tools">
      <fieldset className="tool-row">
        <legend className="visually-hidden">Tool</legend>
        {choice(
          null,
          'Move the canvas',
          <Icon path="M8 12V5.5a1.5 1.5 0 0 1 3 0V11m0-.5v-6a1.5 1.5 0 0 1 3 0V11m0-4.500a1.500 1.500 0 0 1 3 0V14a6 6 0 0 1-6 6h-.5a6 6 0 0 1-5-2.700L4.200 14a1.500 1.500 0 0 1 2.500-1.600L8 14" />,
          'tool-icon',
        )}
        {choice(
          0,
          'Eraser',
          <Icon path="m9 19-5-5 9.500-9.500 6.500 6.500L12 19Zm0 0h11M9.500 8.500l6.500 6.500" />,
          'tool-icon',
        )}
      </fieldset>
      <fieldset className="tool-row swatches">
        <legend className="visually-hidden">Colour</legend>
        {PALETTE.map(([color, name], i) =>
          choice(i + 1, name, <span className="swatch" style={{ background: color }} />, 'tool-color'),
        )}
      </fieldset>
      <fieldset className="tool-row">
        <legend className="visually-hidden">Brush</legend>
        {BRUSHES.map((brush) => (
          <label key={brush} className="tool-icon" title={`Brush ${brush} wide`}>
            <input
              type="radio"
              name="brush"
              aria-label={`Brush ${brush} wide`}
              checked={tool.brush === brush}
              onChange={() => onChange({ ...tool, brush })}
            />
            <span className="brush" style={{ width: `${brush + 3}px`, height: `${brush + 3}px` }} />
          </label>
        ))}
      </fieldset>
    </div>
  );
}

function Icon({ path }: { path: string }) {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={path} />
    </svg>
  );
}
