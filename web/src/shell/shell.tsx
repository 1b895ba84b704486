import { type ReactNode, useEffect, useRef } from 'react';
import { Link, useLocation } from 'wouter';
import { AccountMenu } from '../session/account-menu.tsx';
import { Mark } from './mark.tsx';
import './shell.css';
import { ThemeToggle } from './theme-toggle.tsx';
import { useServices } from './use-services.ts';

/** The services that Lockstep comes with, in their order. */
const SHIPPED: Readonly<Record<string, string>> = {
  leaderboard: 'Leaderboard',
  heroes: 'Heroes',
  taxi: 'Taxi',
  scribble: 'Scribble',
  cruddur: 'Cruddur',
};

/** What surrounds every page: a way to skip to the content, the header, the footer. */
export function Shell({ children }: { children: ReactNode }) {
  const names = inOrder(useServices()?.map(({ name }) => name));
  return (
    <>
      <a className="skip-link" href="#content">
        Skip to content
      </a>
      <header className="site-header">
        <div className="site-header-inner">
          <Link href="/" className="brand" aria-label="Lockstep">
            <Mark />
            <span className="brand-name">Lockstep</span>
          </Link>
          <nav aria-label="Main">
            {names.map((name) => (
              <NavLink key={name} href={`/${name}/`}>
                {SHIPPED[name] ?? name}
              </NavLink>
            ))}
            <NavLink href="/console/">Console</NavLink>
            <NavLink href="/guides/">Guides</NavLink>
            <a href="/docs">API</a>
          </nav>
          <div className="site-tools">
            <ThemeToggle />
            <AccountMenu />
          </div>
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        {children}
      </main>
      <footer className="site-footer">
        <p>Write once to the record; every fast view follows in lockstep.</p>
      </footer>
    </>
  );
}

/** Those that run, in the same order before that is known as after. */
function inOrder(running: readonly string[] | undefined): readonly string[] {
  const shipped = Object.keys(SHIPPED);
  if (!running) return shipped;
  return [...shipped.filter((name) => running.includes(name)), ...running.filter((name) => !(name in SHIPPED))];
}

function NavLink({ href, children }: { href: string; children: ReactNode }) {
  const [location] = useLocation();
  const current = `${location}/`.startsWith(href);
  const link = useRef<HTMLAnchorElement>(null);
  // On a phone the row is wider than the screen.
  useEffect(() => void (current && link.current?.scrollIntoView({ block: 'nearest', inline: 'nearest' })), [current]);
  return (
    <Link ref={link} href={href} aria-current={current ? 'page' : undefined}>
      {children}
    </Link>
  );
}
