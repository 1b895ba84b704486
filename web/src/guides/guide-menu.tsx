import { groups } from 'virtual:guides';
import { useState } from 'react';
import { Link } from 'wouter';
import type { Guide } from '../../../scripts/guides/render.ts';

/** All guides, and what is on the one that is open. On a phone it is shown when asked for. */
export function GuideMenu({ name, guide }: { name: string; guide: Guide | undefined }) {
  const [open, setOpen] = useState(false);
  return (
    <nav className="guide-menu" aria-label="Guides" data-open={open}>
      <button type="button" className="button wide" aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? 'Close the contents' : 'Contents'}
      </button>
      <div className="guide-menu-list">
        {groups.map(({ title, guides }) => (
          <section key={title}>
            <h2>{title}</h2>
            <ul>
              {guides.map((each) => (
                <li key={each.name}>
                  <Link
                    href={`/guides/${each.name}/`}
                    aria-current={each.name === name ? 'page' : undefined}
                    onClick={() => setOpen(false)}
                  >
                    {each.label}
                  </Link>
                  {each.name === name && <OnThisPage guide={guide} onChoice={() => setOpen(false)} />}
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
    </nav>
  );
}

function OnThisPage({ guide, onChoice }: { guide: Guide | undefined; onChoice: () => void }) {
  const headings = guide?.headings.filter(({ level }) => level === 2) ?? [];
  if (headings.length === 0) return null;
  return (
    <ul className="on-this-page" aria-label="On this page">
      {headings.map(({ id, text }) => (
        <li key={id}>
          <a href={`#${id}`} onClick={onChoice}>
            {text}
          </a>
        </li>
      ))}
    </ul>
  );
}
