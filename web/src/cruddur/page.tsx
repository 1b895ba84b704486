import { useCallback, useEffect, useRef, useState } from 'react';
import { Link, useSearchParams } from 'wouter';
import { AccountForm } from '../session/account-form.tsx';
import { useUser } from '../session/use-user.ts';
import { useTitle } from '../shell/use-title.ts';
import { type Me, own } from './api.ts';
import './cruddur.css';
import { HomeView } from './home-view.tsx';
import { Icon } from './icons.tsx';
import { MessagesView } from './messages-view.tsx';
import { NotificationsView } from './notifications-view.tsx';
import { ProfileView } from './profile-view.tsx';
import { SearchView } from './search-view.tsx';
import { StatusView } from './status-view.tsx';
import { type Inbox, useInbox } from './use-inbox.ts';
import { useLoaded } from './use-loaded.ts';
import { type MyReactions, useReactions } from './use-reactions.ts';
import { home, place } from './where.ts';

/** What every view is given. */
export interface Shared {
  readonly signedIn: boolean;
  readonly me: Me | undefined;
  readonly reactions: MyReactions;
}

export default function CruddurPage() {
  const user = useUser();
  const username = user?.username;
  const me = useLoaded(username ?? null, () => own<Me>('GET', '/profile'));
  const inbox = useInbox(me.data);
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    if (username) setAsked(0);
  }, [username]);
  const askToLogIn = useCallback(() => setAsked((times) => times + 1), []);
  const [params] = useSearchParams();
  const view = params.get('view') ?? 'home';
  useTitle(`${inbox.unread > 0 ? `(${inbox.unread}) ` : ''}${titleOf(view, params.get('handle'))}`);
  const shared: Shared = {
    signedIn: username !== undefined,
    me: me.data,
    reactions: useReactions(username, askToLogIn),
  };
  return (
    <div className="page cruddur">
      <Navigation me={me.data} unread={inbox.unread} />
      <div className="view">
        {user === null && (asked > 0 || ASKING.includes(view)) && <LogIn asked={asked} />}
        <View shared={shared} inbox={inbox} onMe={me.reload} />
      </div>
    </div>
  );
}

/** The views that ask who is not logged in to do so. */
const ASKING = ['home', 'messages', 'notifications'];

function titleOf(view: string, handle: string | null): string {
  const words: Readonly<Record<string, string>> = { messages: 'Messages', notifications: 'News', search: 'Search' };
  const part = words[view] ?? (handle && { profile: `@${handle}`, status: `Post by @${handle}` }[view]);
  return part ? `${part} · Cruddur` : 'Cruddur';
}

interface ViewProps {
  readonly shared: Shared;
  readonly inbox: Inbox;
  readonly onMe: () => void;
}

function View({ shared, inbox, onMe }: ViewProps) {
  const [params] = useSearchParams();
  const view = params.get('view') ?? 'home';
  const handle = params.get('handle') ?? '';
  const uuid = params.get('uuid') ?? '';
  const isOwn = view === 'messages' || view === 'notifications';
  if (isOwn && !shared.signedIn) return null;
  if (view === 'messages') return <MessagesView {...shared} inbox={inbox} />;
  if (view === 'notifications') return <NotificationsView {...shared} />;
  if (view === 'search') return <SearchView {...shared} />;
  if (view === 'profile' && handle) return <ProfileView {...shared} handle={handle} onMe={onMe} />;
  if (view === 'status' && uuid) return <StatusView {...shared} handle={handle} uuid={uuid} />;
  return <HomeView {...shared} />;
}

/** `asked`: how often something was to be done that needs a user. */
function LogIn({ asked }: { asked: number }) {
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    if (asked > 0) panel.current?.querySelector('input')?.focus();
  }, [asked]);
  return (
    <section ref={panel} className="card log-in" aria-label="Log in">
      <AccountForm title="Join the conversation" />
    </section>
  );
}

function Navigation({ me, unread }: { me: Me | undefined; unread: number }) {
  const [params] = useSearchParams();
  const view = params.get('view') ?? 'home';
  const own = view === 'profile' && params.get('handle') === me?.handle;
  const current = (is: boolean) => (is ? { 'aria-current': 'page' as const } : {});
  return (
    <nav className="cruddur-nav" aria-label="Cruddur">
      <Link href={home} {...current(view === 'home' || view === 'status')}>
        <Icon name="home" />
        <span>Home</span>
      </Link>
      <Link href={place('search')} {...current(view === 'search')}>
        <Icon name="search" />
        <span>Search</span>
      </Link>
      <Link href={place('notifications')} {...current(view === 'notifications')}>
        <Icon name="bell" />
        <span>News</span>
      </Link>
      <Link href={place('messages')} {...current(view === 'messages')}>
        <Icon name="mail" />
        <span>Messages</span>
        {unread > 0 && (
          <span className="badge">
            {unread}
            <span className="visually-hidden"> unread</span>
          </span>
        )}
      </Link>
      {me && (
        <Link href={place('profile', { handle: me.handle })} {...current(own)}>
          <Icon name="person" />
          <span>Profile</span>
        </Link>
      )}
    </nav>
  );
}
