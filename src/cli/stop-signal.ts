/** Ctrl-C reaches the whole process group, and those above pass it on: one press arrives more than once. */
const SAME_PRESS_MS = 500;
const LOOK_MS = 200;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The wish that this process ends. */
export interface Stop {
  readonly signal: AbortSignal;
  /** Fulfilled when it is uttered. */
  readonly asked: Promise<void>;
}

/** A signal to `npm start` alone ends npm and its shell, and does not get here: being left behind is how it shows. */
function whenOrphaned(ask: () => void): void {
  const parent = process.ppid;
  const look = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(look);
    ask();
  }, LOOK_MS);
  look.unref();
}

/**
 * Uttered by the first signal to stop, or when the process that started this one is gone (bin/node24.js, npm). A second signal
 * calls `force`.
 */
export function listenForStop(force: () => void): Stop {
  const stop = new AbortController();
  const asked = Promise.withResolvers<void>();
  let first = 0;
  const ask = () => {
    if (!stop.signal.aborted) {
      first = performance.now();
      asked.resolve();
      stop.abort();
    } else if (performance.now() - first > SAME_PRESS_MS) {
      force();
    }
  };
  for (const signal of SIGNALS) process.on(signal, ask);
  if (process.env.LOCKSTEP_PARENT && process.channel) {
    process.on('disconnect', ask);
    process.channel.unref(); // Listening for its end must not keep this process running.
  } else if (process.env.npm_lifecycle_event) {
    whenOrphaned(ask);
  }
  return { signal: stop.signal, asked: asked.promise };
}
