import { load } from 'virtual:guides';
import { useEffect, useState } from 'react';
import type { Guide } from '../../../scripts/guides/render.ts';
import { NotFound } from '../shell/not-found.tsx';
import { useTitle } from '../shell/use-title.ts';
import { CodeBlock } from './code-block.tsx';
import { GuideMenu } from './guide-menu.tsx';
import './guides.css';

/** One guide, beside the list of all. */
export default function GuidePage({ params: { name } }: { params: { name: string } }) {
  const guide = useGuide(name);
  useTitle(guide?.title);
  if (!load[name]) return <NotFound />;
  return (
    <div className="page guide-page">
      <GuideMenu name={name} guide={guide} />
      <article className="guide">{guide && <Content guide={guide} />}</article>
    </div>
  );
}

function useGuide(name: string): Guide | undefined {
  const [shown, setShown] = useState<{ name: string; guide: Guide }>();
  useEffect(() => {
    let left = false;
    load[name]?.().then(({ default: guide }) => !left && setShown({ name, guide }));
    return () => {
      left = true;
    };
  }, [name]);
  return shown?.name === name ? shown.guide : undefined;
}

function Content({ guide: { title, parts } }: { guide: Guide }) {
  // The browser looked for the place before it was there.
  useEffect(() => {
    const place = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (place) place.scrollIntoView();
    else scrollTo(0, 0);
  }, []);
  return (
    <>
      <h1>{title}</h1>
      {parts.map((part, index) =>
        'html' in part ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: they never change
          // biome-ignore lint/security/noDangerouslySetInnerHtml: written by the build, from the project's own documents
          <div key={index} className="prose" dangerouslySetInnerHTML={{ __html: part.html }} />
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: they never change
          <CodeBlock key={index} part={part} />
        ),
      )}
    </>
  );
}
