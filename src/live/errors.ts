import { ClientError } from '../record/errors.ts';

const RETRY = { 'Retry-After': '1' };

/** The position lies beyond the record's end: no write has it. */
export class PositionAhead extends ClientError {
  constructor() {
    super(400, 'This position is ahead of the record. Send one that a Lockstep-Position header gave you.');
  }
}

/** The position was given out before a failover or a restore: the logs do not compare. */
export class PositionOfAnotherEpoch extends ClientError {
  constructor() {
    super(
      409,
      'This position belongs to another epoch of the record (a failover or a restore). Read again without it.',
    );
  }
}

/** The wait ran out before the position was applied. */
export class PositionTimeout extends ClientError {
  constructor() {
    super(503, 'The views have not reached this position in time. Try again in a moment.', { headers: RETRY });
  }
}

/** More waits than the server holds. */
export class TooManyWaiters extends ClientError {
  constructor() {
    super(503, 'Too many requests are waiting for a position. Try again in a moment.', { headers: RETRY });
  }
}

/** The view cannot answer and the record cannot either. */
export class ViewUnavailable extends ClientError {
  constructor(view: string, cause?: unknown) {
    super(503, `The view ${view} is not available now, and the record does not answer. Try again in a moment.`, {
      headers: RETRY,
      cause,
    });
  }
}
