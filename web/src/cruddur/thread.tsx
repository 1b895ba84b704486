import { type FormEvent, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { messageFor } from '../client.ts';
import { type Me, type Message, own } from './api.ts';
import { Avatar } from './avatar.tsx';
import { Icon } from './icons.tsx';
import { Problem, Waiting } from './states.tsx';
import { messageTime } from './times.ts';
import type { Inbox } from './use-inbox.ts';
import { useLoaded } from './use-loaded.ts';
import { place } from './where.ts';

const MAX = 1024;
const PAGE = 20;
/** Somebody who has said nothing more for so long has stopped typing. */
const TYPING_MS = 4000;
/** How often the others are told that one is typing. */
const TELL_MS = 2000;

/** An open conversation: messages appear as they are sent, and what is seen is read. */
export function Thread({ uuid, me, inbox }: { uuid: string; me: Me; inbox: Inbox }) {
  const path = `/messages/${uuid}`;
  const { data, error, reload, update } = useLoaded(path, () => own<Message[]>('GET', path));
  const typing = useTyping(uuid, inbox, me.handle);
  const { listen, groups } = inbox;
  const other = groups.data?.find((group) => group.uuid === uuid);
  const add = useCallback((message: Message) => update((all) => withMessage(all, message)), [update]);
  useEffect(
    () =>
      listen((event) => {
        if (event.type !== 'message' || event.message_group_uuid !== uuid) return;
        const { type: _, message_group_uuid: __, ...message } = event;
        add(message);
      }),
    [uuid, add, listen],
  );
  useReadMark(uuid, data?.at(-1), (other?.unread_count ?? 0) > 0);
  const send = async (text: string) =>
    add(await own<Message>('POST', '/messages', { message: text, message_group_uuid: uuid }));
  return (
    <section className="card thread" aria-label={other ? `Conversation with ${other.display_name}` : 'Conversation'}>
      <ThreadHead name={other?.display_name} handle={other?.handle} />
      {error && <Problem text={error} onRetry={reload} />}
      {!data && !error && <Waiting />}
      {data && (
        <Messages messages={data} me={me} onOlder={(older) => update((all) => [...older, ...all])} uuid={uuid} />
      )}
      <p className="typing" role="status">
        {typing && `${other?.display_name ?? typing} is typing…`}
      </p>
      <MessageForm onSend={send} onTyping={() => void own('POST', `${path}/typing`).catch(() => {})} />
    </section>
  );
}

/** The first message to somebody. */
export function NewThread({ handle }: { handle: string }) {
  const [, navigate] = useLocation();
  const send = async (message: string) => {
    const started = await own<{ message_group_uuid: string }>('POST', '/messages', { message, handle });
    navigate(place('messages', { with: started.message_group_uuid }), { replace: true });
  };
  return (
    <section className="card thread" aria-label={`New conversation with ${handle}`}>
      <ThreadHead name={`@${handle}`} handle={handle} />
      <p className="empty">Write the first message.</p>
      <MessageForm onSend={send} onTyping={() => {}} />
    </section>
  );
}

function ThreadHead({ name, handle }: { name: string | undefined; handle: string | undefined }) {
  return (
    <header>
      <Link href={place('messages')} className="icon-button thread-back" aria-label="All conversations">
        <Icon name="back" />
      </Link>
      {name && handle && (
        <>
          <Avatar handle={handle} name={name.replace(/^@/, '')} />
          <h2>
            <Link href={place('profile', { handle })}>{name}</Link>
          </h2>
        </>
      )}
    </header>
  );
}

function Messages({
  messages,
  me,
  onOlder,
  uuid,
}: {
  messages: readonly Message[];
  me: Me;
  onOlder: (older: Message[]) => void;
  uuid: string;
}) {
  const list = useRef<HTMLOListElement>(null);
  const last = messages.at(-1)?.uuid;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new last message is what it waits for
  useLayoutEffect(() => {
    list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [last]);
  const [more, setMore] = useState(messages.length >= PAGE);
  const older = async () => {
    const found = await own<Message[]>('GET', `/messages/${uuid}?before=${messages[0]!.uuid}`).catch(() => []);
    setMore(found.length >= PAGE);
    onOlder(found);
  };
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reached by keyboard
    <ol ref={list} className="message-list" tabIndex={0} aria-label="Messages">
      {more && (
        <li className="older">
          <button type="button" className="link-button" onClick={older}>
            Earlier messages
          </button>
        </li>
      )}
      {messages.map(({ uuid: id, handle, display_name, message, created_at }) => (
        <li key={id} data-own={handle === me.handle || undefined}>
          <span className="visually-hidden">{handle === me.handle ? 'You' : display_name}: </span>
          <p>{message}</p>
          <time dateTime={created_at}>{messageTime(created_at)}</time>
        </li>
      ))}
    </ol>
  );
}

function MessageForm({ onSend, onTyping }: { onSend: (text: string) => Promise<void>; onTyping: () => void }) {
  const [text, setText] = useState('');
  const [error, setError] = useState<string | null>(null);
  const toldAt = useRef(0);
  const tell = () => {
    if (Date.now() - toldAt.current < TELL_MS) return;
    toldAt.current = Date.now();
    onTyping();
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const sent = text.trim();
    if (sent === '') return;
    setText('');
    toldAt.current = 0;
    try {
      await onSend(sent);
      setError(null);
    } catch (thrown) {
      setText((since) => since || sent);
      setError(messageFor(thrown));
    }
  };
  return (
    <form className="message-form" onSubmit={submit}>
      {error && <Problem text={error} />}
      <label htmlFor="message-text" className="visually-hidden">
        Message
      </label>
      <input
        id="message-text"
        value={text}
        maxLength={MAX}
        autoComplete="off"
        placeholder="Write a message"
        onChange={(event) => {
          setText(event.target.value);
          tell();
        }}
      />
      <button type="submit" className="button primary" disabled={text.trim() === ''}>
        Send
      </button>
    </form>
  );
}

/** The list with a message, once, in the order in which it came. */
function withMessage(all: readonly Message[], message: Message): Message[] {
  return all.some(({ uuid }) => uuid === message.uuid) ? [...all] : [...all, message];
}

/** Who is typing at the moment. */
function useTyping(uuid: string, { listen }: Inbox, own: string): string | null {
  const [who, setWho] = useState<string | null>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const unlisten = listen((event) => {
      if (event.message_group_uuid !== uuid || event.type === 'read') return;
      clearTimeout(timer);
      setWho(event.type === 'typing' && event.handle !== own ? event.handle : null);
      timer = setTimeout(() => setWho(null), TYPING_MS);
    });
    return () => {
      clearTimeout(timer);
      unlisten();
    };
  }, [uuid, own, listen]);
  return who;
}

/** Marks as read what is on the screen, when it is looked at. */
function useReadMark(uuid: string, last: Message | undefined, unread: boolean): void {
  useEffect(() => {
    if (!last || !unread) return;
    const mark = () => {
      if (document.hidden) return;
      document.removeEventListener('visibilitychange', mark);
      void own('POST', `/messages/${uuid}/read`, { message_uuid: last.uuid }).catch(() => {});
    };
    document.addEventListener('visibilitychange', mark);
    mark();
    return () => document.removeEventListener('visibilitychange', mark);
  }, [uuid, last, unread]);
}
