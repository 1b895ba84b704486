import { Problem as Refused } from 'lockstep/client';
import { useState } from 'react';
import { Link } from 'wouter';
import { Field } from '../form/field.tsx';
import { useSubmission } from '../form/use-submission.ts';
import { ActivityCard } from './activity-card.tsx';
import { type Activity, own, type Profile, read } from './api.ts';
import { Avatar } from './avatar.tsx';
import type { Shared } from './page.tsx';
import { Problem, Waiting } from './states.tsx';
import { useLoaded } from './use-loaded.ts';
import { place } from './where.ts';
import './profile.css';

interface Shown {
  readonly profile: Profile;
  readonly activities: readonly Activity[];
}

/** Somebody's profile and posts; one's own can be edited. */
export function ProfileView({ handle, me, reactions, onMe }: Shared & { handle: string; onMe: () => void }) {
  const path = `/activities/@${encodeURIComponent(handle)}`;
  const { data, error, reload } = useLoaded(path, () => read<Shown>(path).catch(nobody));
  const [editing, setEditing] = useState(false);
  const mine = me?.handle.toLowerCase() === handle.toLowerCase();
  const done = () => {
    setEditing(false);
    onMe();
    reload();
  };
  if (error) return <Problem text={error} onRetry={reload} />;
  if (data === undefined) return <Waiting />;
  if (data === null) return <h1 className="card empty nobody">There is nobody called @{handle}.</h1>;
  const { profile, activities } = data;
  return (
    <>
      <section className="card profile" aria-label="Profile">
        <Avatar handle={profile.handle} name={profile.display_name} />
        <div>
          <h1>{profile.display_name}</h1>
          <p className="soft">@{profile.handle}</p>
        </div>
        {mine ? (
          <button type="button" className="button" aria-expanded={editing} onClick={() => setEditing(!editing)}>
            Edit profile
          </button>
        ) : (
          <Link href={place('messages', { to: profile.handle })} className="button">
            Message
          </Link>
        )}
        {profile.bio && <p className="bio">{profile.bio}</p>}
        <p className="soft count">
          <strong>{profile.cruds_count}</strong> {profile.cruds_count === 1 ? 'post' : 'posts'}
        </p>
        {editing && <Editor profile={profile} onDone={done} />}
      </section>
      {activities.length === 0 && <p className="card empty">No posts at the moment.</p>}
      <div className="feed">
        {activities.map((activity) => (
          <ActivityCard key={activity.uuid} activity={activity} reactions={reactions} />
        ))}
      </div>
    </>
  );
}

/** Null where there is nobody of that name. */
function nobody(error: unknown): null {
  if (error instanceof Refused && Array.isArray(error.body) && error.body.includes('user_not_found')) return null;
  throw error;
}

function Editor({ profile, onDone }: { profile: Profile; onDone: () => void }) {
  const { error, busy, submit } = useSubmission(async (data) => {
    await own('POST', '/profile/update', { display_name: data.get('display_name'), bio: data.get('bio') });
    onDone();
  });
  return (
    <form className="profile-form" onSubmit={submit}>
      <Field name="display_name" label="Name" defaultValue={profile.display_name} required maxLength={50} />
      <Field name="bio" label="About you" defaultValue={profile.bio} maxLength={280} />
      <button type="submit" className="button primary" disabled={busy}>
        Save
      </button>
      {error && (
        <p role="alert" className="form-error">
          {error}
        </p>
      )}
    </form>
  );
}
