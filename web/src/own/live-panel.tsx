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
  const [key, setKey] = useState('');
  const told = useLatest(key === '' ? undefined : `${path}/${key}`);
  const choose = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    setKey(String(new FormData(event.currentTarget).get('key')).trim());
  };
  return (
    <article className="own-topic" aria-label={path}>
      <form onSubmit={choose}>
        <label>
          <code>{path}/</code>
          <input
            name="key"
            placeholder="such as all"
            aria-label={`Key of ${path}`}
            required
            spellCheck={false}
            autoComplete="off"
            maxLength={200}
          />
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
        <pre tabIndex={0}>
          {told.shown ?? (key ? 'What it tells shows here as it comes.' : 'What it tells by a key shows here.')}
        </pre>
      )}
      {key && <Command text={`curl -N ${location.origin}/live/${path}/${encodeURIComponent(key)}`} />}
    </article>
  );
}

type Told = { readonly shown?: string } | { readonly refused: string };

/** The latest message of a topic; of undefined, none. */
function useLatest(topic: string | undefined): Told {
  const [told, setTold] = useState<Told & { topic?: string }>({});
  useEffect(() => {
    if (topic === undefined) return;
    return client.live.follow(topic, {
      onMessage: ({ event, data }) => event !== 'resync' && setTold({ topic, shown: JSON.stringify(data, null, 2) }),
      onRefused: (_status, message) => setTold({ topic, refused: message }),
    });
  }, [topic]);
  return told.topic === topic ? told : {};
}
