import { styleText } from 'node:util';
import type { Command } from 'commander';
import type { LiveStatus, ProjectionState, ProjectionStatus, ViewState, ViewStatus } from '../../live/live.ts';
import type { NodeStatus } from '../../live/nodes/registry.ts';
import type { SystemStatus } from '../../runtime/runtime.ts';
import { bytes, count, plural, seconds } from '../format.ts';
import type { CommandContext } from '../program.ts';
import { facts, table } from '../table.ts';
import { withControl } from '../with-control.ts';

export function addStatus(program: Command, context: CommandContext): void {
  program
    .command('status')
    .description('show every view, the slot and the engines')
    .action(() =>
      withControl(context, async (control) => {
        const status = await control.get<SystemStatus>('/status');
        if (status) context.out.print(status, statusText(status));
      }),
    );
}

/** The whole status for people. */
export function statusText(status: SystemStatus): string {
  const { live } = status;
  return [
    facts([
      ['lockstep', headline(status)],
      ['record', `${status.record.engine}  ${styleText('dim', status.record.url)}`],
      ['feed', feedText(live)],
      ['slot', slotText(live)],
      ['views', `in ${status.store}`],
    ]),
    '',
    ...nodesText(live.nodes),
    viewsText(live.views),
    ...projectionsText(live.projections),
  ].join('\n');
}

function headline({ version, url, pid, uptime }: SystemStatus): string {
  if (url === null) return `${version}, no server is running; opened for this command`;
  return `${version}, serving ${url} for ${seconds(uptime)}, process ${pid}`;
}

function feedText(live: LiveStatus): string {
  if (!live.following) return styleText('yellow', 'not following the record');
  const seen = `${plural(live.transactions, 'transaction')}, ${plural(live.changes, 'change')}`;
  const again = live.reconnects > 0 ? `, ${plural(live.reconnects, 'reconnect')}` : '';
  return `at ${live.position ?? 'its beginning'}, ${seen} since its start${again}`;
}

function slotText({ slot, nodes }: LiveStatus): string {
  if (!slot && nodes?.some(({ leading }) => leading)) return 'held by the node that follows the record';
  if (!slot) return styleText('yellow', 'none');
  return `${slot.name}${slot.temporary ? ', temporary' : ''}, keeps ${bytes(slot.retainedBytes)} of log`;
}

function nodesText(nodes: LiveStatus['nodes']): string[] {
  if (!nodes) return [];
  const shown = table(nodes, [
    { heading: 'node', of: ({ id }) => id },
    { heading: 'state', of: nodeState },
    { heading: 'serves', of: ({ url }) => url ?? '-' },
    { heading: 'up', of: ({ started, seen }) => seconds((seen - started) / 1000), align: 'right' },
    { heading: 'position', of: ({ position }) => position ?? '-' },
  ]);
  return [shown, ''];
}

function nodeState({ leading, ready }: NodeStatus): string {
  if (leading) return styleText('green', 'follows the record');
  return ready ? styleText('green', 'in step') : styleText('yellow', 'out of step');
}

const COLOURS = { live: 'green', 'catching up': 'yellow', building: 'yellow', broken: 'red' } as const satisfies Record<
  ViewState,
  string
>;

function viewsText(views: readonly ViewStatus[]): string {
  if (views.length === 0) return 'no views';
  const faults = views.filter((view) => view.fault).map((view) => `\n${styleText('red', nameOf(view))}: ${view.fault}`);
  return (
    table(views, [
      { heading: 'view', of: nameOf },
      { heading: 'kind', of: (view) => view.kind },
      { heading: 'state', of: stateText },
      { heading: 'lag', of: (view) => bytes(view.lagBytes), align: 'right' },
      { heading: 'entries', of: (view) => count(view.entries), align: 'right' },
      { heading: 'size', of: (view) => bytes(view.bytes), align: 'right' },
      { heading: 'rebuilds', of: (view) => count(view.rebuilds), align: 'right' },
      { heading: 'position', of: (view) => view.position ?? '-' },
    ]) + faults.join('')
  );
}

const PROJECTION_COLOURS = {
  following: 'green',
  standby: 'green',
  starting: 'yellow',
  reconciling: 'yellow',
  waiting: 'red',
} as const satisfies Record<ProjectionState, string>;

function projectionsText(projections: readonly ProjectionStatus[]): string[] {
  if (projections.length === 0) return [];
  const faults = projections
    .filter(({ fault }) => fault)
    .map((each) => `\n${styleText('red', nameOf(each))}: ${each.fault}`);
  const shown = table(projections, [
    { heading: 'projection', of: nameOf },
    { heading: 'state', of: ({ state }) => styleText(PROJECTION_COLOURS[state], state) },
    { heading: 'lag', of: (each) => bytes(each.lagBytes), align: 'right' },
    { heading: 'keeps', of: (each) => bytes(each.retainedBytes), align: 'right' },
    { heading: 'rows', of: (each) => count(each.rows), align: 'right' },
    { heading: 'dead letters', of: deadLettersText, align: 'right' },
    { heading: 'rebuilds', of: (each) => count(each.rebuilds), align: 'right' },
    { heading: 'position', of: (each) => each.position ?? '-' },
  ]);
  return ['', shown + faults.join('')];
}

function deadLettersText({ deadLetters }: ProjectionStatus): string {
  return deadLetters === 0 ? '0' : styleText('red', count(deadLetters));
}

function stateText(view: ViewStatus): string {
  const text = styleText(COLOURS[view.state], view.state);
  if (!view.progress) return text;
  const { rows, of } = view.progress;
  return of > 0 ? `${text} ${Math.floor(Math.min(1, rows / of) * 100)} %` : text;
}

function nameOf(view: Pick<ViewStatus, 'service' | 'name'>): string {
  return `${view.service}/${view.name}`;
}
