import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { Command } from '../copy/command.tsx';

interface TileProps {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  /** A command that calls the service, as it is. */
  readonly command: string;
  readonly children: ReactNode;
}

/** A service: what it is, its data as they are now, and how to call it. */
export function Tile({ name, title, about, command, children }: TileProps) {
  return (
    <article className="panel tile" data-service={name} aria-labelledby={`tile-${name}`}>
      <header>
        <h3 id={`tile-${name}`}>
          <Link href={`/${name}/`}>{title}</Link>
        </h3>
        <p className="tile-about">{about}</p>
      </header>
      <div className="tile-body">{children}</div>
      <Command text={command} label={`Copy the command for ${title}`} />
    </article>
  );
}
