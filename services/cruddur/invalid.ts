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

interface FrameworkError {
  readonly code?: string;
  readonly validation?: readonly { readonly instancePath: string }[];
}

const UNREADABLE = new Set(['FST_ERR_CTP_INVALID_JSON_BODY', 'FST_ERR_CTP_EMPTY_JSON_BODY']);

/** The codes of what was sent wrongly, whoever found it; none for other errors. */
export function codesOf(error: unknown): readonly string[] {
  if (error instanceof Invalid) return error.codes;
  const { code = '', validation = [] } = error as FrameworkError;
  if (UNREADABLE.has(code) || error instanceof SyntaxError) return ['body_invalid'];
  const members = new Set(validation.map(({ instancePath }) => instancePath.slice(1)));
  return [...members].map((member) => (member === 'term' ? 'search_term_invalid' : `${member}_invalid`));
}

/** Throws `Invalid` with the codes that apply. */
export function refuse(...codes: readonly (string | false | undefined)[]): void {
  const found = codes.filter((code) => typeof code === 'string');
  if (found.length > 0) throw new Invalid(found);
}
