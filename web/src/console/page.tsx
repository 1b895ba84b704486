import { type ReactNode, useState } from 'react';
import { client, messageFor } from '../client.ts';
import { Command } from '../copy/command.tsx';
import { useConnection } from '../live/use-live.ts';
import { AccountForm } from '../session/account-form.tsx';
import { useUser } from '../session/use-user.ts';
import { useTitle } from '../shell/use-title.ts';
import { Changes } from './changes.tsx';
import './console.css';
import { Flow } from './flow.tsx';
import { duration } from './format.ts';
import { Nodes } from './nodes.tsx';
import { Plots, processWords } from './plots.tsx';
import { Projections } from './projections.tsx';
import { Routes } from './routes.tsx';
import { Slots } from './slots.tsx';
import type { ConsoleStatus } from './types.ts';
import { useDetails, useHistory, useStatus } from './use-console.ts';
import { Views } from './views.tsx';

/** The console, for who may see it. */
export default function ConsolePage() {
  useTitle('Console');
  const user = useUser();
  const [refused, setRefused] = useState<string>();
  if (user === undefined) return <Gate>{null}</Gate>;
  if (user === null) {
    return (
      <Gate>
        <AccountForm title="Log in as an admin" />
      </Gate>
    );
  }
  if (!user.roles.includes('admin') || refused === user.username) {
    return (
      <Gate>
        <NoAdmin username={user.username} onAgain={() => setRefused(undefined)} />
      </Gate>
    );
  }
  return <Board onRefused={() => setRefused(user.username)} />;
}

function Gate({ children }: { children: ReactNode }) {
  return (
    <div className="page console">
      <h1>Console</h1>
      <p className="lead-in">Views, the change feed and the record, as they are now. For admins.</p>
      {children && <section className="panel gate">{children}</section>}
    </div>
  );
}

/** The role is given on the server: whoever can run a command there is one who may. */
function NoAdmin({ username, onAgain }: { username: string; onAgain: () => void }) {
  const [error, setError] = useState<string | null>(null);
  const again = async () => {
    try {
      await client.session.renew();
      setError(client.session.user?.roles.includes('admin') ? null : 'You do not have the role yet.');
      onAgain();
    } catch (thrown) {
      setError(messageFor(thrown));
    }
  };
  return (
    <>
      <h2>{username} is no admin yet</h2>
      <p>On the machine that runs Lockstep:</p>
      <Command text={`npx lockstep users grant ${username} admin`} />
      {error && (
        <p role="alert" className="form-error">
          {error}
        </p>
      )}
      <button type="button" className="button primary" onClick={again}>
        Done, show the console
      </button>
    </>
  );
}

function Board({ onRefused }: { onRefused: () => void }) {
  const state = useStatus(onRefused);
  const history = useHistory(state?.status.latest);
  const details = useDetails();
  if (!state) return <Waiting />;
  const { status } = state;
  return (
    <div className="page console">
      <Head status={status} />
      <Flow {...state} details={details} history={history} />
      <Plots history={history} />
      <Views views={status.live.views} />
      <div className="console-columns">
        <Changes tables={status.tables} />
        <div>
          <Slots details={details} limit={status.walLimitBytes} />
          <Nodes status={status} process={processWords(history)} />
        </div>
      </div>
      <div className="console-columns">
        <Routes routes={details?.routes} />
        <Projections projections={status.live.projections} />
      </div>
    </div>
  );
}

function Head({ status }: { status: ConsoleStatus }) {
  const connection = useConnection();
  const health = healthOf(status, connection === 'live');
  return (
    <div className="page-head">
      <div>
        <h1>Console</h1>
        <p className="lead-in">
          Lockstep {status.version}, up {duration(status.uptime)}
        </p>
      </div>
      <p className="health" role="status" data-state={health.state}>
        <span className="state-dot" data-state={health.state} aria-hidden="true" />
        {health.text}
      </p>
    </div>
  );
}

function healthOf({ live }: ConsoleStatus, connected: boolean): { state: string; text: string } {
  if (!connected) return { state: 'building', text: 'Reconnecting; this is as of before' };
  if (!live.following) return { state: 'broken', text: 'The change feed is not connected' };
  const broken = live.views.filter(({ state }) => state === 'broken').length;
  if (broken > 0) return { state: 'broken', text: broken === 1 ? 'A view is broken' : `${broken} views are broken` };
  const behind = live.views.filter(({ state }) => state !== 'live').length;
  if (behind > 0) return { state: 'building', text: `${behind} of ${live.views.length} views are being built` };
  return { state: 'live', text: 'Every view in lockstep' };
}

/** As high as what comes, so that nothing jumps. */
function Waiting() {
  return (
    <div className="page console waiting" aria-busy="true">
      <h1>Console</h1>
      <p className="lead-in" role="status">
        Loading…
      </p>
    </div>
  );
}
