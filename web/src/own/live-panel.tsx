import { type FormEvent, useEffect, useState } from 'react';
import { client } from '../client.ts';
import { Command } from '../copy/command.tsx';

/** What a service tells live: each topic, by the key that one asks for. */
export function LivePanel({ service, topics }: { service: string; topics: readonly string[] }) {
  return (
    <section className="panel" aria-labelledby="live">
      <h2 id="live">Live</h2>
      {topics.map((topic) => (
        <Topic key={topic} path={`${service}/${topic}`} />
      ))}
    </section>
  );
}

function Topic({ path }: { path: string }) {
  const [key, setKey] = useState('all');
  const told = useLatest(`${path}/${key}`);
  const choose = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    setKey(String(new FormData(event.currentTarget).get('key')).trim() || 'all');
  };
  return (
    <article className="own-topic" aria-label={path}>
      <form onSubmit={choose}>
        <label>
          <code>{path}/</code>
          <input name="key" defaultValue={key} aria-label={`Key of ${path}`} spellCheck={false} maxLength={200} />
        </label>
        <button type="submit" className="button">
          Follow
        </button>
      </form>
      {'refused' in told ? (
        <p role="alert" className="form-error">
          {told.refused}
        </p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is scrolled by keyboard too
        <pre tabIndex={0}>{told.shown ?? 'What it tells shows here as it comes.'}</pre>
      )}
      <Command text={`curl -N ${location.origin}/live/${path}/${encodeURIComponent(key)}`} />
    </article>
  );
}

type Told = { readonly shown?: string } | { readonly refused: string };

/** The latest message of a topic. */
function useLatest(topic: string): Told {
  const [told, setTold] = useState<Told & { topic?: string }>({});
  useEffect(
    () =>
      client.live.follow(topic, {
        onMessage: ({ event, data }) => event !== 'resync' && setTold({ topic, shown: JSON.stringify(data, null, 2) }),
        onRefused: (_status, message) => setTold({ topic, refused: message }),
      }),
    [topic],
  );
  return told.topic === topic ? told : {};
}
