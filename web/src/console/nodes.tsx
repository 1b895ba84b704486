import { duration, place } from './format.ts';
import type { ConsoleStatus, NodeStatus } from './types.ts';

/** The processes on the record. */
export function Nodes({ status, process }: { status: ConsoleStatus; process: string }) {
  const { nodes } = status;
  return (
    <section className="panel" aria-labelledby="nodes">
      <h2 id="nodes">{nodes.length === 1 ? 'Node' : 'Nodes'}</h2>
      <ul className="nodes">
        {nodes.map((node) => {
          const self = node.pid === status.pid && node.url === status.url;
          return <Node key={node.id} node={node} self={self} more={self ? process : ''} />;
        })}
      </ul>
    </section>
  );
}

function Node({ node, self, more }: { node: NodeStatus; self: boolean; more: string }) {
  const { host, pid, url, started, seen, position, leading, ready } = node;
  const state = leading ? 'leader' : ready ? 'standby' : 'building';
  return (
    <li>
      <span className="state-dot" data-state={state} aria-hidden="true" />
      <strong>{url ?? `${host}/${pid}`}</strong>
      <span className="soft">
        {leading ? 'follows the record' : 'stands by'}
        {!ready && ', not ready'}
        {self && ', answers this page'}
      </span>
      <span className="soft">
        process {pid} on {host}, up {duration((seen - started) / 1000)}
      </span>
      <span className="soft">
        at <code title={position ?? undefined}>{place(position)}</code>
      </span>
      {more && <span className="soft">{more}</span>}
    </li>
  );
}
