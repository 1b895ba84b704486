import { useEffect, useRef, useState } from 'react';
import { client } from '../client.ts';
import { AccountForm } from './account-form.tsx';
import './account.css';
import { useUser } from './use-user.ts';

/** In the header: a way to log in, or who is logged in and a way out. */
export function AccountMenu() {
  const user = useUser();
  const [open, setOpen] = useState(false);
  useEffect(() => void client.session.resume(), []);
  if (user === undefined) return <span className="account-wait" aria-hidden="true" />;
  if (user) {
    return (
      <div className="account">
        <span className="account-name" title={user.username}>
          <span className="visually-hidden">Logged in as </span>
          {user.username}
        </span>
        <button type="button" className="button quiet" onClick={() => client.session.logOut()}>
          Log out
        </button>
      </div>
    );
  }
  return (
    <>
      <button type="button" className="button" onClick={() => setOpen(true)}>
        Log in
      </button>
      {open && <AccountDialog onClose={() => setOpen(false)} />}
    </>
  );
}

function AccountDialog({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
    // Logged in, the button that opened the dialog is gone, and the focus with it.
    return () => void (client.session.user && document.getElementById('content')?.focus({ preventScroll: true }));
  }, []);
  return (
    <dialog ref={dialog} className="dialog" aria-label="Your account" onClose={onClose}>
      <button
        type="button"
        className="icon-button dialog-close"
        aria-label="Close"
        onClick={() => dialog.current?.close()}
      >
        <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">
          <path d="m6 6 12 12M18 6 6 18" />
        </svg>
      </button>
      <AccountForm />
    </dialog>
  );
}
