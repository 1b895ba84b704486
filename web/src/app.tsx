import { lazy, Suspense } from 'react';
import { Route, Switch } from 'wouter';
import { NotFound } from './shell/not-found.tsx';
import { Shell } from './shell/shell.tsx';

const Home = lazy(() => import('./home/home.tsx'));
const Leaderboard = lazy(() => import('./leaderboard/page.tsx'));
const Heroes = lazy(() => import('./heroes/page.tsx'));
const Taxi = lazy(() => import('./taxi/page.tsx'));
const Scribble = lazy(() => import('./scribble/page.tsx'));
const Console = lazy(() => import('./console/page.tsx'));
const Own = lazy(() => import('./own/page.tsx'));
const Guides = lazy(() => import('./guides/overview.tsx'));
const Guide = lazy(() => import('./guides/page.tsx'));
const Cruddur = lazy(() => import('./cruddur/page.tsx'));

/** The pages, each loaded when it is first opened. */
export function App() {
  return (
    <Shell>
      <Suspense fallback={<p className="page loading">Loading…</p>}>
        <Switch>
          <Route path="/" component={Home} />
          <Route path="/leaderboard" component={Leaderboard} />
          <Route path="/heroes" component={Heroes} />
          <Route path="/taxi" component={Taxi} />
          <Route path="/scribble" component={Scribble} />
          <Route path="/cruddur" component={Cruddur} />
          <Route path="/console" component={Console} />
          <Route path="/guides" component={Guides} />
          <Route path="/guides/:name" component={Guide} />
          <Route path="/:name" component={Own} />
          <Route component={NotFound} />
        </Switch>
      </Suspense>
    </Shell>
  );
}
