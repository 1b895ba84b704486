/** Stops the repetition, and waits for a job under way. */
export type Stop = () => Promise<void>;

/** Runs `job` every `seconds`, never twice at once, and never to keep the process alive. Failures go to `onError`; it goes on. */
export function repeat(seconds: number, job: () => Promise<void>, onError: (error: unknown) => void): Stop {
  let running = Promise.resolve();
  let idle = true;
  const timer = setInterval(() => {
    if (!idle) return;
    idle = false;
    running = job()
      .catch(onError)
      .finally(() => {
        idle = true;
      });
  }, seconds * 1000);
  timer.unref();
  return () => {
    clearInterval(timer);
    return running;
  };
}
