import { useState } from 'react';
import { Link, useSearchParams } from 'wouter';
import { ActivityCard } from './activity-card.tsx';
import { type Activity, type Author, read } from './api.ts';
import { Avatar } from './avatar.tsx';
import type { Shared } from './page.tsx';
import { Problem, Waiting } from './states.tsx';
import { useLoaded } from './use-loaded.ts';
import { place } from './where.ts';
import './lists.css';

interface Found {
  readonly people: readonly (Author & { readonly uuid: string })[];
  readonly posts: readonly Activity[];
}

async function search(term: string): Promise<Found> {
  const query = new URLSearchParams({ term });
  const [people, posts] = await Promise.all([
    read<Found['people']>(`/users/search?${query}`),
    read<Activity[]>(`/activities/search?${query}`),
  ]);
  return { people, posts };
}

/** People and posts by their words. */
export function SearchView({ reactions }: Shared) {
  const [params, setParams] = useSearchParams();
  const term = params.get('term') ?? '';
  const [text, setText] = useState(term);
  const { data, error, reload } = useLoaded(term === '' ? null : term, () => search(term));
  return (
    <>
      <h1 className="view-title">Search</h1>
      <search>
        <form
          className="search-form"
          onSubmit={(event) => {
            event.preventDefault();
            setParams({ view: 'search', ...(text.trim() && { term: text.trim() }) });
          }}
        >
          <label htmlFor="search-term" className="visually-hidden">
            Words to look for
          </label>
          <input
            id="search-term"
            type="search"
            value={text}
            placeholder="People and posts"
            onChange={(event) => setText(event.target.value)}
          />
          <button type="submit" className="button">
            Search
          </button>
        </form>
      </search>
      {error && <Problem text={error} onRetry={reload} />}
      {term !== '' && !data && !error && <Waiting />}
      <div role="status">
        {data && data.people.length + data.posts.length === 0 && (
          <p className="card empty">Nothing found for “{term}”.</p>
        )}
      </div>
      {data && data.people.length > 0 && (
        <ul className="card people" aria-label="People">
          {data.people.map(({ uuid, handle, display_name }) => (
            <li key={uuid}>
              <Link href={place('profile', { handle })} className="author">
                <Avatar handle={handle} name={display_name} />
                <strong>{display_name}</strong> <span>@{handle}</span>
              </Link>
            </li>
          ))}
        </ul>
      )}
      <div className="feed">
        {data?.posts.map((activity) => (
          <ActivityCard key={activity.uuid} activity={activity} reactions={reactions} />
        ))}
      </div>
    </>
  );
}
