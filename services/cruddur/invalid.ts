/** What was sent is not what the contract asks for: answered as HTTP 422 with the codes as a JSON array. */
export class Invalid extends Error {
  readonly codes: readonly string[];
  constructor(codes: readonly string[]) {
    super(codes.join(', '));
    this.name = 'Invalid';
    this.codes = codes;
  }
}

/** An account has no user, or another one than was remembered: nothing was done. */
export class UserGone extends Invalid {
  constructor() {
    super(['user_not_found']);
    this.name = 'UserGone';
  }
}

/** Throws `Invalid` with the codes that apply. */
export function refuse(...codes: readonly (string | false | undefined)[]): void {
  const found = codes.filter((code) => typeof code === 'string');
  if (found.length > 0) throw new Invalid(found);
}
