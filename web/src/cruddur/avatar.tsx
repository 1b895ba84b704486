import './avatar.css';

/** A person as a disc of a colour of their own, with the first letter of the name. */
export function Avatar({ handle, name }: { handle: string; name: string }) {
  let hue = 0;
  for (const character of handle.toLowerCase()) hue = (hue * 31 + character.codePointAt(0)!) % 360;
  return (
    <span className="avatar" style={{ '--hue': hue } as React.CSSProperties} aria-hidden="true">
      {[...name.trim()][0]?.toUpperCase() ?? '?'}
    </span>
  );
}
