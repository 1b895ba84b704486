import { Fragment } from 'react';
import { TableScroll } from '../table-scroll.tsx';
import { count, ms } from './format.ts';
import type { RouteLoad } from './types.ts';

/** The scale of the pictures, in milliseconds: from left to right, by powers of ten. */
const LOW = 0.1;
const HIGH = 10_000;

/** Where answers took longest in the last hour; from half of them to 99 % as a bar on a logarithmic scale. */
export function Routes({ routes }: { routes: readonly RouteLoad[] | undefined }) {
  return (
    <section className="panel" aria-labelledby="routes">
      <h2 id="routes">Slowest routes</h2>
      <TableScroll label="Slowest routes, by the hour">
        <table className="listing routes">
          <thead>
            <tr>
              <th scope="col">Route</th>
              <th scope="col" className="number">
                Requests
              </th>
              <th scope="col" className="number">
                Half
              </th>
              <th scope="col" className="number">
                99 %
              </th>
              <th scope="col" className="minor">
                <span className="visually-hidden">From half to 99 %</span>
                <span className="scale" aria-hidden="true">
                  <span>0.1</span>
                  <span>1</span>
                  <span>10</span>
                  <span>100</span>
                  <span>1 s</span>
                </span>
              </th>
            </tr>
          </thead>
          <tbody>
            {routes?.slice(0, 12).map((route) => (
              <Route key={`${route.method} ${route.route}`} load={route} />
            ))}
          </tbody>
        </table>
      </TableScroll>
    </section>
  );
}

function Route({ load: { method, route, requests, failed, p50, p99 } }: { load: RouteLoad }) {
  return (
    <tr>
      <th scope="row">
        <span className="route">
          <span className="method">{method.includes('GET') ? 'GET' : method}</span>{' '}
          <span>
            <Path of={route.replace(/\(\^.*\$\)/, '')} />
            {failed > 0 && <span className="failed">{count(failed)} failed</span>}
          </span>
        </span>
      </th>
      <td className="number">{count(requests)}</td>
      <td className="number">{ms(p50)}</td>
      <td className="number">{ms(p99)}</td>
      <td className="range minor" aria-hidden="true">
        <span style={{ insetInline: `${share(p50)}% ${100 - share(p99)}%` }} />
      </td>
    </tr>
  );
}

/** Broken between its parts where it has to be. */
function Path({ of: route }: { of: string }) {
  return route.split(/(?<=.\/)/).map((part, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one path never move
    <Fragment key={i}>
      {i > 0 && <wbr />}
      {part}
    </Fragment>
  ));
}

/** Where on the scale, in percent. */
function share(value: number): number {
  const place = Math.log10(Math.max(LOW, Math.min(HIGH, value)) / LOW) / Math.log10(HIGH / LOW);
  return Math.round(place * 1000) / 10;
}
