import { bytes, duration, place } from './format.ts';
import type { NodeStatus } from './types.ts';

/** The processes on the record. */
export function Nodes({ nodes, process }: { nodes: readonly NodeStatus[]; process: string }) {
  return (
    <section className="panel" aria-labelledby="nodes">
      <h2 id="nodes">{nodes.length === 1 ? 'Node' : 'Nodes'}</h2>
      <ul className="nodes">
        {nodes.map(({ name, url, role, version, uptime, position, lagBytes, self }) => (
          <li key={name}>
            <span className="state-dot" data-state={role} aria-hidden="true" />
            <strong>{url ?? name}</strong>
            <span className="soft">
              {role === 'leader' ? 'follows the record' : 'stands by'}
              {self && ', answers this page'}
            </span>
            <span className="soft">
              {name}, version {version}, up {duration(uptime)}
            </span>
            <span className="soft">
              at <code>{place(position)}</code>, {bytes(lagBytes)} behind
            </span>
            {self && <span className="soft">{process}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}
