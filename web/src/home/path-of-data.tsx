const STEPS = [
  ['Command', 'One transaction'],
  ['Record', 'PostgreSQL, synced to disk'],
  ['Change feed', 'Its log, in commit order'],
  ['Views', 'Ranks and caches in memory'],
  ['Live', 'WebSocket and SSE'],
] as const;

/** The one path of the data, as five steps. */
export function PathOfData() {
  return (
    <section aria-labelledby="path">
      <h2 id="path">The one path of the data</h2>
      <ol className="path">
        {STEPS.map(([name, about]) => (
          <li key={name}>
            <strong>{name}</strong>
            <span>{about}</span>
          </li>
        ))}
      </ol>
      <p className="soft path-note">
        There is no other path: a row fixed by hand with SQL reaches every view and every subscriber like any other.
      </p>
    </section>
  );
}
