import type { Activity, FeedEvent } from './api.ts';

/** A list of posts after what happened to them; new posts come on top, a reply at the end. Nothing is put in twice. */
export function applyEvents(all: readonly Activity[], events: readonly FeedEvent[]): Activity[] {
  return events.reduce<Activity[]>(applyEvent, [...all]);
}

function applyEvent(all: Activity[], event: FeedEvent): Activity[] {
  if (event.type === 'counts') {
    const { type: _, ...counts } = event;
    return all.map((one) => (one.uuid === event.uuid ? { ...one, ...counts } : one));
  }
  if (event.type === 'profile')
    return all.map((one) => (one.handle === event.handle ? { ...one, display_name: event.display_name } : one));
  if (all.some((one) => one.uuid === event.uuid)) return all;
  const { type, ...activity } = event;
  return type === 'post' ? [activity, ...all] : [...all, activity];
}
